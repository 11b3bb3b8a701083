import { describe, expect, expectTypeOf, test } from 'vitest';
import { BCEWithLogitsLoss, FocalLoss, type FocalLossOptions, sigmoidFocalLoss } from '../src/index.js';
import { hardTargets, SEGMENT, softTargets, someLogits, sum64 } from './support.js';

const BLOCKS = [320, SEGMENT].flatMap((block) => [-1, 0, 1].flatMap((off) => [block + off, 2 * block + off]));
const LENGTHS = [...Array.from({ length: 300 }, (_, n) => n + 1), ...BLOCKS];
const logits = someLogits(2 * SEGMENT + 8);
const hard = hardTargets(logits.length);
const soft = softTargets(logits.length);

const cases: { name: string; targets: Uint8Array | Float32Array; options: Omit<FocalLossOptions, 'lossFcn'> }[] = [
  { name: 'bytes', targets: hard, options: { gamma: 2, alpha: 0.75 } },
  { name: 'bytes, gamma 1.7, posWeight 3', targets: hard, options: { gamma: 1.7, posWeight: 3 } },
  { name: 'floats', targets: soft, options: { gamma: 1.5 } },
  { name: 'floats, no alpha', targets: soft, options: { gamma: 0.3, alpha: null } },
];

describe.each(cases)('$name', ({ targets, options }) => {
  const none = new FocalLoss({ ...options, reduction: 'none' });
  const sum = new FocalLoss({ ...options, reduction: 'sum' });
  const mean = new FocalLoss({ ...options, reduction: 'mean' });

  test('sum is the float64 sum of the elements, to 1e-7 at every length', () => {
    const faults: string[] = [];
    for (const n of LENGTHS) {
      const x = logits.subarray(0, n);
      const y = targets.subarray(0, n);
      const truth = sum64(none.forward(x, y));
      const error = Math.abs(sum.forward(x, y) - truth) / truth;
      if (!(error <= 1e-7)) faults.push(`length ${n}: relative error ${error}`);
      if (sum.valueAndGrad(x, y).value !== sum.forward(x, y)) faults.push(`length ${n}: valueAndGrad differs`);
    }
    expect(faults).toEqual([]);
  });

  test('weighted sum', () => {
    const weight = softTargets(1000, 5);
    const call = { weight };
    const x = logits.subarray(0, 1000);
    const y = targets.subarray(0, 1000);
    const truth = sum64(none.forward(x, y, call));
    expect(Math.abs(sum.forward(x, y, call) / truth - 1)).toBeLessThan(1e-7);
    // the mean is over elements, not over weights
    expect(mean.forward(x, y, call)).toBe(sum.forward(x, y, call) / 1000);
  });

  test('mean is the sum over the count', () => {
    for (const n of [1, 2, 3, 100, 2 * SEGMENT + 1]) {
      const x = logits.subarray(0, n);
      const y = targets.subarray(0, n);
      expect(Math.abs((mean.forward(x, y) * n) / sum.forward(x, y) - 1)).toBeLessThan(1e-14);
      expect(mean.valueAndGrad(x, y).value).toBe(mean.forward(x, y));
    }
  });

  test('grad is the derivative of what forward returns', () => {
    const n = 777;
    const x = logits.subarray(0, n);
    const y = targets.subarray(0, n);
    const each = none.valueAndGrad(x, y).grad;
    const summed = sum.valueAndGrad(x, y).grad;
    const averaged = mean.valueAndGrad(x, y).grad;
    const unreduced = mean.gradHess(x, y).grad;
    for (let k = 0; k < n; k++) {
      expect(summed[k]).toBe(each[k]);
      expect(unreduced[k]).toBe(each[k]);
      if (Math.abs(averaged[k] - each[k] / n) > 3e-7 * Math.abs(each[k] / n)) expect(averaged[k]).toBe(each[k] / n);
    }
  });
});

test('no elements: an empty array, sum 0, mean NaN', () => {
  for (const targets of [new Uint8Array(), new Float32Array(), []]) {
    expect(new FocalLoss({ reduction: 'none' }).forward(new Float32Array(), targets)).toEqual(new Float32Array());
    expect(new FocalLoss({ reduction: 'sum' }).forward(new Float32Array(), targets)).toBe(0);
    expect(new FocalLoss().forward(new Float32Array(), targets)).toBeNaN();
    expect(new FocalLoss().valueAndGrad([], targets)).toEqual({ value: Number.NaN, grad: new Float32Array() });
    const empty = { grad: new Float32Array(), hess: new Float32Array() };
    expect(new BCEWithLogitsLoss().gradHess(new Float32Array(), targets)).toEqual(empty);
  }
});

test('a sum beyond float32 is still a sum', () => {
  const wrong = new Float32Array(40).fill(-3e38);
  for (const positives of [new Uint8Array(40).fill(1), new Float32Array(40).fill(1)]) {
    const value = new BCEWithLogitsLoss({ reduction: 'sum' }).forward(wrong, positives);
    expect(value / (40 * Math.fround(3e38))).toBeCloseTo(1, 6);
    expect(new BCEWithLogitsLoss().forward(wrong, positives) / Math.fround(3e38)).toBeCloseTo(1, 6);
  }
});

test('normalizer replaces the count in the mean, of the value and of the gradient', () => {
  const x = logits.subarray(0, 50);
  const y = hard.subarray(0, 50);
  const total = new FocalLoss({ reduction: 'sum' }).valueAndGrad(x, y);
  const positives = y.reduce((count, label) => count + label, 0);
  expect(positives).toBeGreaterThan(1);
  for (const [normalizer, divisor] of [
    [3, 3],
    [0.25, 0.25],
    ['positives', positives],
  ] as const) {
    const { value, grad } = new FocalLoss({ normalizer }).valueAndGrad(x, y);
    expect(value).toBeCloseTo(total.value / divisor, 12);
    grad.forEach((g, k) => {
      expect(Math.abs(g - total.grad[k] / divisor)).toBeLessThanOrEqual(3e-7 * Math.abs(total.grad[k] / divisor));
    });
    expect(new FocalLoss({ normalizer }).forward(x, y)).toBe(value);
  }
});

test('positives are the targets above 0.5, and at least one', () => {
  const x = Float32Array.of(1, -1, 0.5, 2);
  const y = Float32Array.of(0.5, 0.6, 1, 0);
  const sum = new FocalLoss({ reduction: 'sum' });
  const mean = new FocalLoss({ normalizer: 'positives' });
  expect(mean.forward(x, y)).toBeCloseTo(sum.forward(x, y) / 2, 12);
  for (const none of [Float32Array.of(0.5, 0.2, 0, 0), new Uint8Array(4)]) {
    expect(mean.forward(x, none)).toBeCloseTo(sum.forward(x, none), 12);
  }
});

test('a soft target of a half is no positive, ignored ones beside it or not', () => {
  const x = Float32Array.of(1, -1, 0.5, 2, 3);
  const y = Float32Array.of(0.5, 0.5, 0.75, -1, 1);
  const options = { ignoreIndex: -1, gamma: 2 } as const;
  const sum = new FocalLoss({ ...options, reduction: 'sum' }).forward(x, y);
  const mean = new FocalLoss({ ...options, normalizer: 'positives' });
  expect(mean.forward(x, y)).toBeCloseTo(sum / 2, 12);
  // the gradient needs the count before it is computed
  const { value, grad } = mean.valueAndGrad(x, y);
  expect(value).toBeCloseTo(sum / 2, 12);
  const each = new FocalLoss({ ...options, reduction: 'none' }).valueAndGrad(x, y).grad;
  grad.forEach((slope, k) => {
    expect(slope).toBeCloseTo(each[k] / 2, 6);
  });
});

test('the return type follows the reduction', () => {
  const x = Float32Array.of(1);
  const y = Uint8Array.of(1);
  const none = new FocalLoss({ reduction: 'none' });
  const sum = new FocalLoss({ gamma: 2, reduction: 'sum' });
  expectTypeOf(none.forward(x, y)).toExtend<Float32Array>();
  expectTypeOf(none.valueAndGrad(x, y).value).toExtend<Float32Array>();
  expectTypeOf(sum.forward(x, y)).toEqualTypeOf<number>();
  expectTypeOf(sum.valueAndGrad(x, y).value).toEqualTypeOf<number>();
  expectTypeOf(sum.valueAndGrad(x, y).grad).toExtend<Float32Array>();
  expectTypeOf(new FocalLoss().forward(x, y)).toEqualTypeOf<number>();
  expectTypeOf(new FocalLoss({ gamma: 2 }).forward(x, y)).toEqualTypeOf<number>();
  const base = new BCEWithLogitsLoss({ reduction: 'none' });
  expectTypeOf(base.forward(x, y)).toExtend<Float32Array>();
  expectTypeOf(new BCEWithLogitsLoss({ posWeight: 2 }).forward(x, y)).toEqualTypeOf<number>();
  expectTypeOf(new FocalLoss({ lossFcn: base }).forward(x, y)).toExtend<Float32Array>();
  expectTypeOf(sigmoidFocalLoss(x, y)).toEqualTypeOf<number>();
  expectTypeOf(sigmoidFocalLoss(x, y, { gamma: 2 })).toEqualTypeOf<number>();
  expectTypeOf(sigmoidFocalLoss(x, y, { reduction: 'none' })).toExtend<Float32Array>();
  expectTypeOf(sum.gradHess(x, y).hess).toExtend<Float32Array>();

  expect(none.forward(x, y)).toBeInstanceOf(Float32Array);
  expect(new FocalLoss({ lossFcn: base }).forward(x, y)).toBeInstanceOf(Float32Array);
  expect(sigmoidFocalLoss(x, y, { reduction: 'none' })).toBeInstanceOf(Float32Array);
  expect(sigmoidFocalLoss(x, y)).toBeTypeOf('number');
  expect(sum.gradHess(x, y).hess).toBeInstanceOf(Float32Array);
});
