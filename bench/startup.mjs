// From import to the first loss, in fresh processes, beside a bare script that decodes and runs the same binary by hand.
// node bench/startup.mjs [node ...], where more Node binaries may be named

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const ROUNDS = 25;
const QUANTILE = 0.1;
const TARGET = { must: 3, aim: 1.5 };

const folder = mkdtempSync(join(tmpdir(), 'focal-loss-startup-'));
const wasm = readFileSync(fileURLToPath(import.meta.resolve('focal-loss-wasm/kernel.wasm')));
const bare = join(folder, 'bare.mjs');
writeFileSync(
  bare,
  `const bytes = Uint8Array.from(atob('${wasm.toString('base64')}'), (c) => c.charCodeAt(0));
const kernel = new WebAssembly.Instance(new WebAssembly.Module(bytes), {}).exports;
const frame = kernel.base();
const logits = frame + kernel.workBytes();
if (kernel.memory.buffer.byteLength < logits + 64) kernel.memory.grow(1);
const { buffer } = kernel.memory;
const words = new Int32Array(buffer, frame, 64);
const doubles = new Float64Array(buffer, frame, 32);
new Float32Array(buffer, logits, 1)[0] = 0.5;
words.set([logits, logits + 32, 0, 0, 0, 0, 1, 2]);
doubles.set([2, 0.25, 0.75, 1], 8);
kernel.binary(frame);
export const loss = doubles[15];
`,
);
const whole = join(folder, 'whole.mjs');
writeFileSync(
  whole,
  `import { FocalLoss } from '${import.meta.resolve('focal-loss-wasm')}';
export const loss = new FocalLoss({ gamma: 2 }).forward(Float32Array.of(0.5), Uint8Array.of(0));
`,
);

const timer = join(folder, 'timer.mjs');
writeFileSync(
  timer,
  `const start = performance.now();
const { loss } = await import(process.argv[2]);
console.log(JSON.stringify({ milliseconds: performance.now() - start, loss }));
`,
);

try {
  for (const node of [process.execPath, ...process.argv.slice(2)]) report(node);
} finally {
  rmSync(folder, { recursive: true });
}

function report(node) {
  const times = { bare: [], whole: [] };
  const losses = {};
  for (let round = 0; round < ROUNDS; round++) {
    for (const [name, script] of Object.entries({ bare, whole })) {
      const { milliseconds, loss } = first(node, script);
      times[name].push(milliseconds);
      losses[name] = loss;
    }
  }
  if (losses.bare !== losses.whole)
    throw new Error(`the bare script gives ${losses.bare}, the package ${losses.whole}`);
  const [least, all] = [times.bare, times.whole].map(
    (each) => each.sort((a, b) => a - b)[Math.floor(QUANTILE * ROUNDS)],
  );
  const ratio = all / least;
  const version = execFileSync(node, ['--version'], { encoding: 'utf8' }).trim();
  const verdict = ratio > TARGET.must ? 'MISSED' : ratio <= TARGET.aim ? 'aim' : 'must';
  console.log(
    `${version}: ${all.toFixed(2)} ms, by hand ${least.toFixed(2)} ms, ${ratio.toFixed(2)} x (must ${TARGET.must}, aim ${TARGET.aim}): ${verdict}`,
  );
}

/** Milliseconds that a fresh process, whose loader is warm, takes to import a script; and what that computed. */
function first(node, script) {
  return JSON.parse(execFileSync(node, [timer, pathToFileURL(script).href], { encoding: 'utf8' }));
}
