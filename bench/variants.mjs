// The relaxed build and several threads, beside the default build on one: `npm run bench:variants [-- --threads 2]`.

import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { FocalLoss, Workspace } from 'focal-loss-wasm';
import { ParallelFocalLoss } from 'focal-loss-wasm/parallel';
import * as fused from 'focal-loss-wasm/relaxed';
import { binaryInputs } from './inputs.mjs';
import { interleave } from './interleave.mjs';
import { machine } from './machine.mjs';
import { round } from './round.mjs';

const { values } = parseArgs({ options: { threads: { type: 'string', default: '2' } } });
const threads = Number(values.threads);
const OPTIONS = { alpha: 0.25, reduction: 'sum' };
const SECONDS = 12;

const run = machine();
console.log(`${run.processor}, ${run.cores} cores, Node ${run.node}, ${run.date}, ${threads} threads`);
if (!fused.relaxed) console.log('this engine has no fused operations: the relaxed build is the default one');

const rows = [];
for (const length of [16_384, 1_048_576]) await compare('the relaxed build', length, relaxedCases(length), false);

const criterion = new FocalLoss({ ...OPTIONS, gamma: 2 });
const parallel = new ParallelFocalLoss({ ...OPTIONS, gamma: 2, threads });
for (const length of [1_048_576, 4_194_304, 16_777_216]) {
  await compare(`${threads} threads`, length, threadCases(length), true);
}
await parallel.close();
writeFileSync(
  new URL('results/variants.json', import.meta.url),
  `${JSON.stringify({ ...run, relaxed: fused.relaxed, threads, rows }, null, 2)}\n`,
);

/** Pairs of cases: `[name, default, variant]`. */
async function compare(variant, length, pairs, asynchronous) {
  const cases = pairs.flatMap(([name, base, other]) => [
    { name: `default: ${name}`, run: base },
    { name, run: other, asynchronous },
  ]);
  const times = await interleave(cases, { seconds: SECONDS });
  const title = `${variant}, ${length.toLocaleString('en')} elements`;
  console.log(`\n${title.padEnd(47)}     M/s  default   times`);
  for (const [name] of pairs) {
    const [own, base] = [times[name], times[`default: ${name}`]].map((nanoseconds) => (1000 * length) / nanoseconds);
    rows.push({ variant, length, name, megaPerSecond: round(own), default: round(base), ratio: round(own / base) });
    const cells = [own.toFixed(0), base.toFixed(0), (own / base).toFixed(2)].map((cell) => cell.padStart(8)).join(' ');
    console.log(`  ${name.padEnd(45)}${cells}`);
  }
}

function relaxedCases(length) {
  const { logits, targets, soft } = binaryInputs(length);
  const [own, other] = [Workspace, fused.Workspace].map((Class) => {
    const workspace = new Class(14 * length);
    const [x, s, grad] = [0, 1, 2].map(() => workspace.float32(length));
    const y = workspace.uint8(length);
    x.set(logits);
    y.set(targets);
    s.set(soft);
    return { x, y, s, call: { gradOut: grad } };
  });
  const pair = (name, gamma, call) => {
    const [base, variant] = [FocalLoss, fused.FocalLoss].map((Class) => new Class({ ...OPTIONS, gamma }));
    return [name, () => call(base, own), () => call(variant, other)];
  };
  return [
    pair('sum, gamma 2', 2, (loss, { x, y }) => loss.forward(x, y)),
    pair('sum, gamma 1.5', 1.5, (loss, { x, y }) => loss.forward(x, y)),
    pair('sum, gamma 1.7', 1.7, (loss, { x, y }) => loss.forward(x, y)),
    pair('sum, soft targets', 2, (loss, { x, s }) => loss.forward(x, s)),
    pair('loss and gradient', 2, (loss, { x, y, call }) => loss.valueAndGrad(x, y, call)),
  ];
}

function threadCases(length) {
  const { logits, targets } = binaryInputs(length);
  const shared = (array) => {
    const copy = new array.constructor(new SharedArrayBuffer(array.byteLength));
    copy.set(array);
    return copy;
  };
  const [x, y] = [shared(logits), shared(targets)];
  const inShared = { gradOut: shared(logits) };
  const ordinary = { gradOut: new Float32Array(length) };
  return [
    ['sum, shared memory', () => criterion.forward(x, y), () => parallel.forward(x, y)],
    ['sum, ordinary arrays', () => criterion.forward(logits, targets), () => parallel.forward(logits, targets)],
    [
      'loss and gradient, shared memory',
      () => criterion.valueAndGrad(x, y, inShared),
      () => parallel.valueAndGrad(x, y, inShared),
    ],
    [
      'loss and gradient, ordinary arrays',
      () => criterion.valueAndGrad(logits, targets, ordinary),
      () => parallel.valueAndGrad(logits, targets, ordinary),
    ],
  ];
}
