// Time an element and memory above the inputs, from 16 thousand to 64 million elements: both must stay flat.
// node --expose-gc bench/cost.mjs

import { setTimeout } from 'node:timers/promises';
import { FocalLoss } from 'focal-loss-wasm';
import { binaryInputs } from './inputs.mjs';

const MIB = 2 ** 20;
const LENGTHS = [12, 14, 16, 18, 20, 22, 24].map((power) => 4 * 2 ** power);
const FEWEST = 5;
const MILLISECONDS = 1000;
/** Elements a reading of the clock, which is that of the processor's time: others interrupt a call of 100 ms. */
const CALL = 2 ** 20;
/** Inputs that leave the cache may cost this much more. */
const ALLOWED_TIME = 1.5;
const ALLOWED_MEMORY = 4 * MIB;

const { logits, targets } = binaryInputs(LENGTHS.at(-1));
const criterion = new FocalLoss({ gamma: 2, reduction: 'sum' });
for (let k = 0; k < 500; k++) criterion.forward(logits.subarray(0, 4096), targets.subarray(0, 4096));
if (globalThis.gc === undefined) throw new Error('cost.mjs needs "node --expose-gc"');
await settle();
const before = process.memoryUsage();

console.log('  elements   ns/element   resident memory above the inputs');
const times = LENGTHS.map((length) => {
  const x = logits.subarray(0, length);
  const y = targets.subarray(0, length);
  const calls = Math.ceil(CALL / length);
  let best = Number.POSITIVE_INFINITY;
  const end = performance.now() + MILLISECONDS;
  for (let k = 0; k < FEWEST || performance.now() < end; k++) {
    const start = process.cpuUsage();
    for (let call = 0; call < calls; call++) criterion.forward(x, y);
    const { user, system } = process.cpuUsage(start);
    best = Math.min(best, (user + system) / calls);
  }
  const time = (1000 * best) / length;
  const above = (process.memoryUsage().rss - before.rss) / MIB;
  console.log(`${String(length).padStart(10)}${time.toFixed(3).padStart(13)}${above.toFixed(2).padStart(12)} MiB`);
  return time;
});

await settle();
const grown = process.memoryUsage().rss - before.rss;
const dearest = Math.max(...times) / times[0];
console.log(
  `dearest ${dearest.toFixed(2)} x the first, at most ${ALLOWED_TIME}; memory ${(grown / MIB).toFixed(2)} MiB, at most 4`,
);
if (dearest > ALLOWED_TIME || grown > ALLOWED_MEMORY) process.exitCode = 1;

/** Lets go of what the collector has freed, which happens on another thread. */
async function settle() {
  for (let k = 0; k < 5; k++) {
    globalThis.gc();
    await setTimeout(50);
  }
}
