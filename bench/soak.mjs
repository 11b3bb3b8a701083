// Minutes of calls of mixed sizes, options, arrays and workspaces, after which nothing has grown: the process, the heap and
// the memory of the kernel. Then a million calls of one element, which leave the heap where it was.
// node --expose-gc bench/soak.mjs [--seconds 600]

import { parseArgs } from 'node:util';
import * as library from 'focal-loss-wasm';
import { binaryInputs, softmaxInputs } from './inputs.mjs';

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '600' } } });
const seconds = Number(values.seconds);
if (!(seconds > 0)) throw new RangeError(`"--seconds" expected a number > 0, got ${values.seconds}`);
if (globalThis.gc === undefined) throw new Error('soak.mjs needs "node --expose-gc"');

const MIB = 2 ** 20;
const LONGEST = 300_000;
const CLASSES = 80;
/** Where the first part of the time is over, caches and compilers have what they want. */
const SETTLED = 0.25;
/** What may be more at the end. A minute that leaks its workspaces adds a gigabyte. */
const ALLOWED = { heapUsed: 2 * MIB, external: MIB, arrayBuffers: MIB, rss: 48 * MIB };
const CALLS = 1_000_000;
const ALLOWED_AFTER_CALLS = 256 * 1024;

const { FocalLoss, LossMeter, SoftmaxFocalLoss, Workspace, focalPosterior, hardest } = library;

let kernelMemories = 0;
let kernelBytes = 0;
const { grow } = WebAssembly.Memory.prototype;
WebAssembly.Memory.prototype.grow = function (pages) {
  kernelMemories++;
  kernelBytes += pages * 65_536;
  return grow.call(this, pages);
};

const { logits, targets, soft } = binaryInputs(LONGEST);
const rows = softmaxInputs(Math.floor(LONGEST / CLASSES), CLASSES);
const longs = BigInt64Array.from(targets.subarray(0, 5000), BigInt);
const reductions = ['none', 'mean', 'sum'];
const pick = (list) => list[Math.floor(Math.random() * list.length)];

/** One call of many kinds, the lengths spread evenly over their logarithm. */
function call() {
  const length = Math.floor(Math.exp(Math.random() * Math.log(LONGEST)));
  const x = logits.subarray(0, length);
  const y = pick([targets, soft]).subarray(0, length);
  const gamma = pick([0, 0.5, 1, 1.5, 1.7, 2, 5]);
  const criterion = new FocalLoss({ gamma, alpha: pick([0.25, null]), reduction: pick(reductions) });
  switch (Math.floor(Math.random() * 8)) {
    case 0:
      return criterion.forward(x, y);
    case 1:
      return criterion.valueAndGrad(x, y);
    case 2:
      return criterion.gradHess(x, y, { weight: soft.subarray(0, length) });
    case 3:
      return new LossMeter(criterion).update(x, y);
    case 4:
      return hardest(focalPosterior(x, { gamma }), Math.min(length, 10));
    case 5:
      return criterion.forward(x.subarray(0, 5000), longs.subarray(0, Math.min(length, 5000)));
    case 6: {
      const few = 1 + (length % rows.labels.length);
      const options = { gamma, numClasses: CLASSES, reduction: pick(reductions) };
      return new SoftmaxFocalLoss(options).valueAndGrad(
        rows.logits.subarray(0, few * CLASSES),
        rows.labels.subarray(0, few),
      );
    }
    default: {
      const workspace = new Workspace(5 * length);
      const here = workspace.float32(length);
      here.set(x);
      const labels = workspace.uint8(length);
      labels.set(targets.subarray(0, length));
      return criterion.forward(here, labels);
    }
  }
}

async function settled() {
  // twice, and by turns with the event loop: what a finalizer frees is collected by the next
  for (let k = 0; k < 4; k++) {
    globalThis.gc();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return process.memoryUsage();
}

async function soak(duration) {
  const end = performance.now() + 1000 * duration;
  let calls = 0;
  while (performance.now() < end) {
    for (let k = 0; k < 50; k++) call();
    calls += 50;
    // workspaces are freed when the collector has seen that they are gone
    if (calls % 500 === 0) await settled();
  }
  return calls;
}

const failures = [];
function expect(what, grown, allowed) {
  const ok = grown <= allowed;
  console.log(`${what.padEnd(34)}${(grown / MIB).toFixed(3).padStart(10)} MiB, at most ${(allowed / MIB).toFixed(2)}`);
  if (!ok) failures.push(what);
}

await soak(SETTLED * seconds);
const before = await settled();
const calls = await soak((1 - SETTLED) * seconds);
const after = await settled();
console.log(`${calls} calls in ${((1 - SETTLED) * seconds).toFixed(0)} s; growth of`);
for (const [kind, allowed] of Object.entries(ALLOWED)) expect(kind, after[kind] - before[kind], allowed);

// The shared instance must not grow, and a call must not make another one.
const one = new FocalLoss();
const x = logits.subarray(0, 1);
const y = targets.subarray(0, 1);
const million = () => {
  for (let k = 0; k < CALLS; k++) one.forward(x, y);
};
million();
const heapBefore = (await settled()).heapUsed;
const memoriesBefore = kernelMemories;
const bytesBefore = kernelBytes;
million();
expect('heap, a million calls', (await settled()).heapUsed - heapBefore, ALLOWED_AFTER_CALLS);
one.forward(logits, targets);
expect('linear memory, calls of any length', kernelBytes - bytesBefore + (kernelMemories - memoriesBefore), 0);

if (failures.length > 0) {
  console.error(`grown: ${failures.join(', ')}`);
  process.exitCode = 1;
}
