// Import to first result, in fresh processes, beside a bare script that decodes and runs the same binary by hand: as fast as
// the engine can, found by its name as a package is, and by `atob`, which every engine has. The lite entry stands beside the whole,
// and so does the whole in a Node that keeps what it has compiled (NODE_COMPILE_CACHE, from Node 22 on).
//   node test/runtimes/cold-start.mjs [rounds]
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runtimes } from './native.mjs';
import { run } from './process.mjs';
import { equal } from './report.mjs';
import { installTools, makeProject } from './setup.mjs';

const ROUNDS = Number(process.argv[2] ?? 21);
const SCRIPTS = ['by-hand', 'by-name', 'by-atob', 'package', 'lite', 'cached'];
const INPUT = 'Float32Array.of(2, -1, 0.5, -3, 0, 7, -7, 1), Uint8Array.of(1, 0, 1, 1, 0, 1, 0, 0)';

await installTools();
const project = await makeProject();
const file = (name) => join(project, `${name}.mjs`);
writeScripts();
try {
  console.log(`medians of ${ROUNDS} processes each, interleaved, in ms; in brackets the fastest`);
  const heads = ['bare', 'bare, by name', 'bare, by atob', 'this package', 'its lite entry', 'compile cache'].map(
    (head) => head.padStart(14),
  );
  console.log(`${'runtime'.padEnd(16)} ${heads.join(' ')}   ratio   by name   by atob   lite/whole   cached/whole`);
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
  const call = `new library.FocalLoss({ gamma: 2 }).forward(${INPUT})`;
  writeFileSync(file('package'), timed('focal-loss-wasm', call));
  writeFileSync(file('lite'), timed('focal-loss-wasm/lite', call));
  writeFileSync(file('by-hand'), timed('./bare.mjs', `library.forward(${INPUT})`));
  writeFileSync(file('by-name'), timed('by-hand', `library.forward(${INPUT})`));
  writeFileSync(file('by-atob'), timed('./bare-atob.mjs', `library.forward(${INPUT})`));
  const plain = 'Uint8Array.from(atob(text), (character) => character.charCodeAt(0))';
  writeFileSync(
    file('bare'),
    bare(
      kernel,
      `let bytes;
if (Uint8Array.fromBase64) bytes = Uint8Array.fromBase64(text);
else {
  const decoded = atob(text);
  bytes = new Uint8Array(decoded.length);
  for (let k = 0; k < bytes.length; k++) bytes[k] = decoded.charCodeAt(k);
}`,
    ),
  );
  writeFileSync(file('bare-atob'), bare(kernel, `const bytes = ${plain};`));
  const folder = join(project, 'node_modules/by-hand');
  mkdirSync(folder);
  writeFileSync(join(folder, 'package.json'), '{ "name": "by-hand", "type": "module", "exports": "./bare.mjs" }');
  copyFileSync(file('bare'), join(folder, 'bare.mjs'));
}

function bare(text, decode) {
  return `const text = '${text}';
${decode}
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
`;
}

function start(command, script) {
  if (script !== 'cached') return run([...command, file(script)], { cwd: project });
  return run([...command, file('package')], {
    cwd: project,
    env: { NODE_COMPILE_CACHE: join(project, 'compile-cache') },
  });
}

async function measure({ name, version, command }) {
  const keepsCode = name === 'Node' && Number.parseInt(version, 10) >= 22;
  const scripts = keepsCode ? SCRIPTS : SCRIPTS.filter((script) => script !== 'cached');
  const times = Object.fromEntries(scripts.map((script) => [script, []]));
  const values = {};
  for (let round = -1; round < ROUNDS; round++) {
    for (const script of round % 2 === 0 ? scripts : scripts.toReversed()) {
      const { ms, value } = JSON.parse(await start(command, script));
      if (round < 0) continue; // the first one fills the compile cache
      times[script].push(ms);
      values[script] = value;
    }
  }
  equal(values.package, values['by-hand'], `the package's value in ${name}`);
  equal(values.lite, values.package, `the lite entry's value in ${name}`);
  const lists = SCRIPTS.map((script) => times[script]?.sort((a, b) => a - b));
  const median = (list) => list[(list.length - 1) >> 1];
  const shown = (list) => (list ? `${median(list).toFixed(1)} (${list[0].toFixed(1)})` : '-').padStart(14);
  const ratio = (list, base) => (list ? (median(list) / median(base)).toFixed(2) : '-');
  const [fastest, named, usual, whole, lite, cached] = lists;
  const columns = [
    ...lists.map(shown),
    ratio(whole, fastest).padStart(7),
    ratio(whole, named).padStart(9),
    ratio(whole, usual).padStart(9),
    ratio(lite, whole).padStart(12),
    ratio(cached, whole).padStart(14),
  ];
  console.log(`${`${name} ${version}`.padEnd(16)} ${columns.join(' ')}`);
}
