// For any runtime: nanoseconds an element of the loss and its gradient, and of the same loop by hand, as one line of JSON. Slices are long,
// since browsers tell the time to a millisecond.
import { FocalLoss, Workspace } from 'focal-loss-wasm';
import { binaryInputs } from './inputs.mjs';
import { focalSum } from './scalar.mjs';

const LENGTH = 16_384;
const ROUNDS = 7;
const SLICE = 100;

const { logits, targets } = binaryInputs(LENGTH);
const workspace = new Workspace(10 * LENGTH);
const x = workspace.float32(LENGTH);
const y = workspace.uint8(LENGTH);
const gradOut = workspace.float32(LENGTH);
x.set(logits);
y.set(targets);
const criterion = new FocalLoss({ gamma: 2, alpha: 0.25, reduction: 'sum' });
const cases = {
  loop: () => focalSum(logits, targets, 0.25),
  workspace: () => criterion.forward(x, y),
  arrays: () => criterion.forward(logits, targets),
  gradient: () => criterion.valueAndGrad(x, y, { gradOut }),
};

const best = {};
for (let round = 0; round <= ROUNDS; round++) {
  for (const [name, run] of Object.entries(cases)) {
    const spent = time(run);
    // the first round is the compilers'
    if (round > 0) best[name] = Math.min(best[name] ?? spent, spent);
  }
}
console.log(JSON.stringify(best));

function time(run) {
  const started = performance.now();
  let calls = 0;
  let spent = 0;
  for (; spent < SLICE; spent = performance.now() - started) {
    for (let k = 0; k < 20; k++) run();
    calls += 20;
  }
  return (1e6 * spent) / calls / LENGTH;
}
