// The entry that packs vectors to 256 bits beside the default one, in one interleaved run: `npm run bench:fused`, Node 22 or later.

import { writeFileSync } from 'node:fs';
import * as library from 'focal-loss-wasm';
import { binaryInputs, softmaxInputs } from './inputs.mjs';
import { interleave } from './interleave.mjs';
import { machine } from './machine.mjs';
import { round } from './round.mjs';

const LENGTH = 16_384;
const CLASSES = [10, 80];
const SECONDS = 20;

const run = machine();
console.log(`${run.processor}, ${run.cores} cores, Node ${run.node}, ${run.date}`);
const defaults = casesOf(library, 'default: ');
// The flag counts for what is compiled after it, so the default kernel is compiled with all that V8 has before.
await interleave(defaults, { seconds: 3 });
const variant = await import('focal-loss-wasm/fused');
if (!variant.fused) throw new Error('this engine does not pack vectors: Node 22 or later on x86-64 does');
const times = await interleave([...defaults, ...casesOf(variant, '')], { seconds: SECONDS });

const rows = defaults.map(({ name, length }) => {
  const own = name.replace('default: ', '');
  const [base, packed] = [times[name], times[own]].map((nanoseconds) => (1000 * length) / nanoseconds);
  const cells = [packed.toFixed(0), base.toFixed(0), (packed / base).toFixed(2)]
    .map((cell) => cell.padStart(8))
    .join(' ');
  console.log(`  ${own.padEnd(34)}${cells}`);
  return { name: own, megaPerSecond: round(packed), default: round(base), ratio: round(packed / base) };
});
const file = new URL(`results/fused-${run.node.split('.')[0]}.json`, import.meta.url);
writeFileSync(file, `${JSON.stringify({ ...run, length: LENGTH, rows }, null, 2)}\n`);

function casesOf({ FocalLoss, SoftmaxFocalLoss, Workspace }, prefix) {
  const { logits, targets, soft } = binaryInputs(LENGTH);
  const workspace = new Workspace(40 * LENGTH);
  const place = (kind, array) => {
    const copy = workspace[kind](array.length);
    copy.set(array);
    return copy;
  };
  const [x, y, s] = [place('float32', logits), place('uint8', targets), place('float32', soft)];
  const [first, second] = [workspace.float32(LENGTH), workspace.float32(LENGTH)];
  const sum = (gamma) => new FocalLoss({ gamma, alpha: 0.25, reduction: 'sum' });
  const none = new FocalLoss({ gamma: 2, alpha: 0.25, reduction: 'none' });
  const [two, oneAndHalf, other] = [sum(2), sum(1.5), sum(1.7)];
  const each = (name, run, length = LENGTH) => ({ name: prefix + name, length, run });
  const softmax = CLASSES.map((numClasses) => {
    const rows = Math.floor(LENGTH / numClasses);
    const inputs = softmaxInputs(rows, numClasses);
    const [z, labels] = [place('float32', inputs.logits), place('int32', inputs.labels)];
    const loss = new SoftmaxFocalLoss({ gamma: 2, numClasses, reduction: 'sum' });
    return each(`softmax of ${numClasses} classes`, () => loss.forward(z, labels), rows * numClasses);
  });
  return [
    each('sum, gamma 2', () => two.forward(x, y)),
    each('sum, gamma 1.5', () => oneAndHalf.forward(x, y)),
    each('sum, gamma 1.7', () => other.forward(x, y)),
    each('sum, ordinary arrays', () => two.forward(logits, targets)),
    each('sum, soft targets', () => two.forward(x, s)),
    each("'none' into out", () => none.forward(x, y, { out: first })),
    each('loss and gradient', () => two.valueAndGrad(x, y, { gradOut: first })),
    each('gradient and Hessian', () => two.gradHess(x, y, { gradOut: first, hessOut: second })),
    ...softmax,
  ];
}
