// Import to first result, in fresh processes, beside a bare script that decodes and runs the same binary by hand.
//   node test/runtimes/cold-start.mjs [rounds]
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runtimes } from './native.mjs';
import { run } from './process.mjs';
import { equal } from './report.mjs';
import { installTools, makeProject } from './setup.mjs';

const ROUNDS = Number(process.argv[2] ?? 21);
const INPUT = 'Float32Array.of(2, -1, 0.5, -3, 0, 7, -7, 1), Uint8Array.of(1, 0, 1, 1, 0, 1, 0, 0)';

await installTools();
const project = await makeProject();
const file = (name) => join(project, `${name}.mjs`);
writeScripts();
try {
  console.log(`medians of ${ROUNDS} processes each, interleaved, in ms; in brackets the fastest`);
  console.log(`${'runtime'.padEnd(16)} ${'bare'.padStart(14)} ${'package'.padStart(14)} ${'ratio'.padStart(7)}`);
  for (const runtime of runtimes) await measure(runtime);
} finally {
  rmSync(project, { recursive: true, force: true });
}

function writeScripts() {
  const kernel = readFileSync(join(project, 'node_modules/focal-loss-wasm/dist/wasm/kernel.wasm')).toString('base64');
  const timed = (specifier, call) => `const started = performance.now();
const library = await import('${specifier}');
const value = ${call};
console.log(JSON.stringify({ ms: performance.now() - started, value }));
`;
  writeFileSync(file('package'), timed('focal-loss-wasm', `new library.FocalLoss({ gamma: 2 }).forward(${INPUT})`));
  writeFileSync(file('by-hand'), timed('./bare.mjs', `library.forward(${INPUT})`));
  writeFileSync(
    file('bare'),
    `const text = '${kernel}';
let bytes;
if (Uint8Array.fromBase64) bytes = Uint8Array.fromBase64(text);
else {
  const decoded = atob(text);
  bytes = new Uint8Array(decoded.length);
  for (let k = 0; k < bytes.length; k++) bytes[k] = decoded.charCodeAt(k);
}
const kernel = new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports;

export function forward(logits, targets) {
  const frame = kernel.base();
  const at = frame + kernel.workBytes();
  kernel.memory.grow(1);
  const { buffer } = kernel.memory;
  new Float32Array(buffer, at).set(logits);
  new Uint8Array(buffer, at + 256).set(targets);
  const words = new Int32Array(buffer, frame, 64);
  const doubles = new Float64Array(buffer, frame, 32);
  words[0] = at;
  words[1] = at + 256;
  words[6] = logits.length;
  words[7] = 2;
  doubles.set([2, 0.25, 0.75, 1, 0, 0, 1], 8);
  kernel.binary(frame);
  return doubles[15] / logits.length;
}
`,
  );
}

async function measure({ name, version, command }) {
  const times = { 'by-hand': [], package: [] };
  const values = {};
  for (let round = 0; round < ROUNDS; round++) {
    for (const script of round % 2 === 0 ? ['by-hand', 'package'] : ['package', 'by-hand']) {
      const { ms, value } = JSON.parse(await run([...command, file(script)], { cwd: project }));
      times[script].push(ms);
      values[script] = value;
    }
  }
  equal(values.package, values['by-hand'], `the package's value in ${name}`);
  const [bare, whole] = [times['by-hand'], times.package].map((list) => list.sort((a, b) => a - b));
  const median = (list) => list[(list.length - 1) >> 1];
  const shown = (list) => `${median(list).toFixed(1)} (${list[0].toFixed(1)})`.padStart(14);
  const ratio = (median(whole) / median(bare)).toFixed(2);
  console.log(`${`${name} ${version}`.padEnd(16)} ${shown(bare)} ${shown(whole)} ${ratio.padStart(7)}`);
}
