// Threads give the bits of one thread.
import { FocalLoss } from 'focal-loss-wasm';
import { ParallelFocalLoss, SharedWorkspace } from 'focal-loss-wasm/parallel';

const COUNT = 1_300_001;
const options = { gamma: 2, alpha: 0.75 };
const workspace = new SharedWorkspace(5 * COUNT);
const logits = workspace.float32(COUNT);
const targets = workspace.uint8(COUNT);
for (let k = 0; k < COUNT; k++) {
  logits[k] = ((k * 7919) % 4001) / 200 - 10;
  targets[k] = k % 11 === 0 ? 1 : 0;
}
const parallel = new ParallelFocalLoss({ ...options, threads: 2 });
await parallel.ready();
const many = await parallel.valueAndGrad(logits, targets);
await parallel.close();
const one = new FocalLoss(options).valueAndGrad(logits, targets);
const same = Object.is(many.value, one.value) && many.grad.every((value, k) => Object.is(value, one.grad[k]));
console.log(same ? 'same bits as one thread' : `threads give ${many.value}, one thread ${one.value}`);
