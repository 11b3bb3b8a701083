// Threads give the bits of one thread, over shared memory and over ordinary arrays.
import { FocalLoss, SoftmaxFocalLoss } from 'focal-loss-wasm';
import { Parallel, SharedWorkspace } from 'focal-loss-wasm/parallel';

const CLASSES = 5;
const ROWS = 260_001;
const COUNT = CLASSES * ROWS;
const workspace = new SharedWorkspace(5 * COUNT + 4 * ROWS);
const logits = workspace.float32(COUNT);
const targets = workspace.uint8(COUNT);
const labels = workspace.int32(ROWS);
for (let k = 0; k < COUNT; k++) {
  logits[k] = ((k * 7919) % 4001) / 200 - 10;
  targets[k] = k % 11 === 0 ? 1 : 0;
}
for (let row = 0; row < ROWS; row++) labels[row] = row % CLASSES;

let outcome = 'same bits as one thread';
for (const [criterion, y] of [
  [new FocalLoss({ gamma: 2, alpha: 0.75 }), targets],
  [new SoftmaxFocalLoss({ numClasses: CLASSES }), labels],
]) {
  const one = criterion.valueAndGrad(logits, y);
  const parallel = new Parallel(criterion, { threads: 3 });
  await parallel.ready();
  for (const arrays of [
    [logits, y],
    [logits.slice(), y.slice()],
  ]) {
    const many = await parallel.valueAndGrad(...arrays);
    const same = Object.is(many.value, one.value) && many.grad.every((value, k) => Object.is(value, one.grad[k]));
    if (!same) outcome = `threads give ${many.value}, one thread ${one.value}`;
  }
  await parallel.close();
}
console.log(outcome);
