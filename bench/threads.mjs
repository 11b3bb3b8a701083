// Several threads beside one, for machines of many cores: `npm run bench:threads`. It needs dist/, package.json and bench/, and
// nothing that must be installed: copy these there and run `node bench/threads.mjs [--threads 2,4,8,16] [--seconds 6]`.
// All thread counts of a line are measured by turns, so that what disturbs the machine disturbs them all.

import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { FocalLoss } from '../dist/index.js';
import { ParallelFocalLoss } from '../dist/parallel/index.js';
import { binaryInputs } from './inputs.mjs';
import { machine, machineName } from './machine.mjs';
import { round } from './round.mjs';

const { values } = parseArgs({
  options: {
    /** Thread counts beside 1. */
    threads: { type: 'string' },
    /** For each line. */
    seconds: { type: 'string', default: '6' },
    lengths: { type: 'string', default: `${2 ** 20},${2 ** 24}` },
    out: { type: 'string' },
  },
});
const cores = availableParallelism();
const powers = [2, 4, 8, 16, 32, 64, 128, 256].filter((count) => count < cores);
const counts = values.threads?.split(',').map(Number) ?? [...powers, Math.max(2, cores)];
const lengths = values.lengths.split(',').map(Number);
const OPTIONS = { gamma: 2, alpha: 0.25, reduction: 'sum' };
const FEWEST_ROUNDS = 7;
/** What is left when nothing disturbed the machine. */
const QUANTILE = 0.1;

const sleeper = new Int32Array(new SharedArrayBuffer(4));
const run = machine();
console.log(`${run.processor}, ${run.cores} cores, Node ${run.node}, ${run.date}`);

const one = { threads: 1, loss: new FocalLoss(OPTIONS) };
const all = [one, ...counts.map((threads) => ({ threads, loss: new ParallelFocalLoss({ ...OPTIONS, threads }) }))];
for (const { loss } of all) await loss.ready?.();

const rows = [];
for (const length of lengths) {
  for (const [memory, arrays] of Object.entries(inputs(length))) {
    const { x, y, gradOut } = arrays;
    await measure(length, memory, 'loss', (loss) => loss.forward(x, y));
    await measure(length, memory, 'loss and gradient', (loss) => loss.valueAndGrad(x, y, { gradOut }));
  }
}
for (const { loss } of all) await loss.close?.();

const file = values.out ?? new URL(`results/threads-${machineName(run)}.json`, import.meta.url);
if (values.out === undefined) mkdirSync(new URL('results/', import.meta.url), { recursive: true });
writeFileSync(file, `${JSON.stringify({ ...run, counts, rows }, null, 2)}\n`);
console.log(`\n${file instanceof URL ? file.pathname : file}`);

async function measure(length, memory, what, call) {
  const times = new Map(all.map(({ threads }) => [threads, []]));
  const end = performance.now() + 1000 * values.seconds;
  for (let turn = 0; turn < FEWEST_ROUNDS || performance.now() < end; turn++) {
    for (let k = 0; k < all.length; k++) {
      const { threads, loss } = all[(k + turn) % all.length];
      // a rested process is not interrupted by others that want the processor
      Atomics.wait(sleeper, 0, 0, 1);
      const start = performance.now();
      await call(loss);
      times.get(threads).push(performance.now() - start);
    }
  }
  const quantile = (samples) => samples.sort((a, b) => a - b)[Math.floor(QUANTILE * (samples.length - 1))];
  const base = quantile(times.get(1));
  console.log(`\n${length.toLocaleString('en')} elements, ${memory}, ${what}: ${times.get(1).length} rounds`);
  for (const [threads, samples] of times) {
    const milliseconds = quantile(samples);
    const row = { length, memory, what, threads, milliseconds: round(milliseconds) };
    row.megaPerSecond = round(length / milliseconds / 1000);
    row.ratio = round(base / milliseconds);
    rows.push(row);
    const cells = [`${threads}`.padStart(4), row.milliseconds.toFixed(3), row.megaPerSecond.toFixed(0)];
    console.log(
      `${cells[0]} threads ${cells[1].padStart(10)} ms ${cells[2].padStart(7)} M/s ${row.ratio.toFixed(2).padStart(7)}x`,
    );
  }
}

function inputs(length) {
  const { logits: x, targets: y } = binaryInputs(length);
  const shared = (array) => {
    const copy = new array.constructor(new SharedArrayBuffer(array.byteLength));
    copy.set(array);
    return copy;
  };
  return {
    'shared memory': { x: shared(x), y: shared(y), gradOut: new Float32Array(new SharedArrayBuffer(4 * length)) },
    'ordinary arrays': { x, y, gradOut: new Float32Array(length) },
  };
}
