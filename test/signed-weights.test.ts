import { expect, test } from 'vitest';
import { Flag } from '../src/abi.js';
import { BCEWithLogitsLoss, FocalLoss, SoftmaxFocalLoss } from '../src/index.js';
import { RawKernel } from './kernel-support.js';
import { ACROSS, hardTargets, random, softTargets, someLogits } from './support.js';

// A loss times a negative weight is negative: in every sum, in the value that comes with a gradient, and in the gradient.

const next = random(7);
const weight = Float32Array.from({ length: ACROSS }, () => 4 * next() - 2);
const logits = someLogits(ACROSS);

/** The largest relative error. */
function farthest(actual: Float32Array, expected: (k: number) => number): number {
  return actual.reduce((worst, value, k) => {
    const error = Math.abs(value - expected(k)) / (Math.abs(expected(k)) + 1e-30);
    return error <= worst ? worst : error;
  }, 0);
}

test('a loss weighed by -1 is the negative of the loss', () => {
  expect(new FocalLoss().forward([1], [0], { weight: Float32Array.of(-1) })).toBeCloseTo(-0.6156598, 6);
  expect(new FocalLoss().forward([1], [1], { weight: Float32Array.of(-1) })).toBeLessThan(0);
  const bce = new BCEWithLogitsLoss({ reduction: 'sum' });
  expect(bce.forward([1, 1], [0, 0], { weight: Float32Array.of(-1, 3) })).toBeCloseTo(2.6265234, 6);
});

test.each([
  ['bytes', hardTargets(ACROSS), 0],
  ['bytes, smoothed', hardTargets(ACROSS), 0.1],
  ['soft', softTargets(ACROSS), 0],
] as const)('%s: sum and mean are those of the weighed losses, whatever their signs', (_, targets, labelSmoothing) => {
  for (const gamma of [0, 1.7, 2]) {
    const options = { gamma, alpha: 0.25, labelSmoothing };
    const plain = new FocalLoss({ ...options, reduction: 'none' }).valueAndGrad(logits, targets);
    const summed = new FocalLoss({ ...options, reduction: 'sum' });
    const { value, grad } = summed.valueAndGrad(logits, targets, { weight });
    let truth = 0;
    let size = 0;
    for (let k = 0; k < ACROSS; k++) {
      truth += weight[k] * plain.value[k];
      size += Math.abs(weight[k] * plain.value[k]);
    }
    expect(farthest(grad, (k) => weight[k] * plain.grad[k])).toBeLessThan(3e-7);
    expect(Math.abs(value - truth)).toBeLessThan(2e-7 * size);
    expect(summed.forward(logits, targets, { weight })).toBe(value);
    const mean = new FocalLoss(options).forward(logits, targets, { weight });
    expect(Math.abs(mean * ACROSS - truth)).toBeLessThan(2e-7 * size);
  }
});

test('the sums by class keep their sign and their class', () => {
  const raw = new RawKernel(64);
  const frame = {
    logits: raw.place(Float32Array.of(1, 1, -1, -1)),
    targets: raw.place(Uint8Array.of(0, 1, 0, 1)),
    weight: raw.place(Float32Array.of(-2, -1, 1, 0.5)),
    count: 4,
    flags: Flag.sums | Flag.byClass,
  };
  raw.write(frame);
  raw.kernel.binary(raw.frame);
  const [near, far] = [Math.log1p(Math.exp(-1)), 1 + Math.log1p(Math.exp(-1))];
  expect(raw.read('sumNegatives')).toBeCloseTo(-2 * far + near, 6);
  expect(raw.read('sumPositives')).toBeCloseTo(-near + 0.5 * far, 6);
  expect(raw.read('sum')).toBeCloseTo(-2 * far + near - near + 0.5 * far, 6);
});

test('the sum of a class that counts for nothing is 0 where its losses overflow', () => {
  const raw = new RawKernel(64);
  const frame = {
    logits: raw.place(Float32Array.of(1e10, 1e10)),
    targets: raw.place(Uint8Array.of(0, 0)),
    weight: raw.place(Float32Array.of(3e38, 3e38)),
    alphaNegative: 0,
    count: 2,
    flags: Flag.sums | Flag.byClass,
  };
  raw.write(frame);
  raw.kernel.binary(raw.frame);
  expect([raw.read('sum'), raw.read('sumPositives'), raw.read('sumNegatives')]).toEqual([0, 0, 0]);
});

test('a class that counts for nothing stays 0 beside an infinite loss, whatever the sign of its weight', () => {
  const loss = new FocalLoss({ gamma: 2, alpha: 1, reduction: 'sum' });
  const call = { weight: Float32Array.of(-1, -1) };
  expect(loss.forward([Infinity, 0], [0, 1], call)).toBeCloseTo(-0.25 * Math.LN2, 6);
});

test.each([3, 40, 350])('softmax of %d classes: sum, mean and gradient keep the sign of a weight', (numClasses) => {
  const rows = Math.floor(4000 / numClasses);
  const z = logits.subarray(0, rows * numClasses);
  const labels = Int32Array.from({ length: rows }, (_, row) => (row * 7) % numClasses);
  const weights = weight.subarray(0, rows);
  for (const labelSmoothing of [0, 0.1]) {
    const options = { numClasses, labelSmoothing };
    const plain = new SoftmaxFocalLoss({ ...options, reduction: 'none' }).valueAndGrad(z, labels);
    const summed = new SoftmaxFocalLoss({ ...options, reduction: 'sum' }).valueAndGrad(z, labels, { weight: weights });
    const truth = plain.value.reduce((total, value, row) => total + weights[row] * value, 0);
    const size = plain.value.reduce((total, value, row) => total + Math.abs(weights[row] * value), 0);
    expect(Math.abs(summed.value - truth)).toBeLessThan(2e-7 * size);
    const expected = (k: number) => weights[Math.floor(k / numClasses)] * plain.grad[k];
    expect(farthest(summed.grad, expected)).toBeLessThan(4e-7);
  }
});
