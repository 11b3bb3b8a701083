// Time an element and memory above the inputs, from 16 thousand to 64 million elements: both must stay flat.
// node --expose-gc bench/cost.mjs

import { setTimeout } from 'node:timers/promises';
import { FocalLoss, Workspace } from 'focal-loss-wasm';
import { binaryInputs } from './inputs.mjs';

const MIB = 2 ** 20;
const LENGTHS = [12, 14, 16, 18, 20, 22, 24].map((power) => 4 * 2 ** power);
const FEWEST = 5;
const MILLISECONDS = 1000;
/** Elements a reading of the clock, which is that of the processor's time: others interrupt a call of 100 ms. */
const CALL = 2 ** 20;
/** Inputs that leave the cache may cost this much more. */
const ALLOWED_TIME = 1.5;
const ALLOWED_MEMORY = 8 * MIB;
const PIECE = 16_384;

const { logits, targets } = binaryInputs(LENGTHS.at(-1));
const workspace = new Workspace(5 * LENGTHS.at(-1) + 4096);
const inside = { logits: workspace.float32(LENGTHS.at(-1)), targets: workspace.uint8(LENGTHS.at(-1)) };
inside.logits.set(logits);
inside.targets.set(targets);
const stage = new Float32Array(PIECE);
const stageBytes = new Uint8Array(4 * PIECE);
const criterion = new FocalLoss({ gamma: 2, reduction: 'sum' });
for (let k = 0; k < 500; k++) criterion.forward(logits.subarray(0, 4096), targets.subarray(0, 4096));
if (globalThis.gc === undefined) throw new Error('cost.mjs needs "node --expose-gc"');
await settle();
const before = process.memoryUsage();

console.log(
  '  elements   ns/element, in a workspace   in ordinary arrays   their copy alone   resident memory above the inputs',
);
const rows = LENGTHS.map((length) => {
  const [x, y] = [logits.subarray(0, length), targets.subarray(0, length)];
  const [ownX, ownY] = [inside.logits.subarray(0, length), inside.targets.subarray(0, length)];
  const own = time(length, () => criterion.forward(ownX, ownY));
  const ordinary = time(length, () => criterion.forward(x, y));
  const copy = time(length, () => copyPieces(x, y));
  const above = (process.memoryUsage().rss - before.rss) / MIB;
  const columns = [own, ordinary, copy].map((each, k) => each.toFixed(3).padStart([28, 21, 19][k]));
  columns.push(above.toFixed(2).padStart(16));
  console.log(`${String(length).padStart(10)}${columns.join('')} MiB`);
  return [own, ordinary];
});

await settle();
const grown = process.memoryUsage().rss - before.rss;
const [own, ordinary] = [0, 1].map((k) => Math.max(...rows.map((row) => row[k])) / rows[0][k]);
console.log(
  `dearest ${own.toFixed(2)} x the first in a workspace, ${ordinary.toFixed(2)} x in ordinary arrays, at most ${ALLOWED_TIME}; ` +
    `memory ${(grown / MIB).toFixed(2)} MiB, at most ${ALLOWED_MEMORY / MIB}`,
);
if (Math.max(own, ordinary) > ALLOWED_TIME || grown > ALLOWED_MEMORY) process.exitCode = 1;

/** What the package does to arrays that lie elsewhere, before it computes. */
function copyPieces(x, y) {
  for (let k = 0; k < x.length; k += PIECE) stage.set(x.subarray(k, k + PIECE));
  for (let k = 0; k < y.length; k += stageBytes.length) stageBytes.set(y.subarray(k, k + stageBytes.length));
}

/** Nanoseconds an element, the best of a second. */
function time(length, run) {
  const calls = Math.ceil(CALL / length);
  let best = Number.POSITIVE_INFINITY;
  const end = performance.now() + MILLISECONDS;
  for (let k = 0; k < FEWEST || performance.now() < end; k++) {
    const start = process.cpuUsage();
    for (let call = 0; call < calls; call++) run();
    const { user, system } = process.cpuUsage(start);
    best = Math.min(best, (user + system) / calls);
  }
  return (1000 * best) / length;
}

/** Lets go of what the collector has freed, which happens on another thread. */
async function settle() {
  for (let k = 0; k < 5; k++) {
    globalThis.gc();
    await setTimeout(50);
  }
}
