// Inputs that say two things, or that look like what they are not: an error, and never a number.
import { describe, expect, test } from 'vitest';
import * as double from '../dist/float64.js';
import {
  AsymmetricLoss,
  BCEWithLogitsLoss,
  FocalLoss,
  type Logits,
  LossMeter,
  QualityFocalLoss,
  SoftmaxFocalLoss,
} from '../src/index.js';
import { CalibrationMeter } from '../src/metrics.js';
import { errorOf } from './support.js';

const focal = new FocalLoss({ reduction: 'none' });
const message = (run: () => unknown) => errorOf(run).message;

describe('typed arrays in an array', () => {
  test('are of a kind that is accepted, as one alone must be', () => {
    // half floats as bits are no numbers
    expect(message(() => focal.forward([Uint16Array.of(15360)] as never, [1]))).toMatch(
      /^"logits" expected a Float32Array, .*, got a Uint16Array of length 1; half floats as bits are/,
    );
    expect(
      errorOf(() =>
        focal.forward([[1, 2], Int32Array.of(3, 4)] as never, [
          [1, 0],
          [1, 0],
        ]),
      ).argument,
    ).toBe('logits');
    expect(errorOf(() => focal.forward([1], [1], { weight: [Uint8Array.of(1)] as never })).argument).toBe('weight');
  });

  test('may be of any kind that is', () => {
    const logits: Logits = [Float32Array.of(1, 2), [3, 4]];
    const bytes = [Uint8Array.of(1, 0), Int32Array.of(1, 0)];
    expect(focal.forward(logits, bytes)).toEqual(focal.forward([1, 2, 3, 4], [1, 0, 1, 0]));
  });
});

test('shapes of probabilities, targets and weights of a calibration agree', () => {
  const meter = new CalibrationMeter();
  const [wide, tall] = [
    [
      [0, 0.5, 1],
      [1, 0, 1],
    ],
    [
      [0, 1],
      [1, 0],
      [1, 1],
    ],
  ];
  expect(message(() => meter.update(wide, tall))).toBe(
    '"targets" expected dims [2, 3] (those of "probabilities"), got [3, 2]',
  );
  expect(errorOf(() => meter.update(wide, [0, 1, 0, 1, 0, 1], { weight: tall })).argument).toBe('weight');
  expect(meter.compute().count).toBe(0);
  meter.update(wide, { data: [0, 1, 0, 1, 0, 1], dims: [1, 2, 3] });
  expect(meter.compute().count).toBe(6);
});

test('weights so small that their products are rounded to the smallest number can be merged', () => {
  const [few, all] = [new CalibrationMeter(), new CalibrationMeter()];
  few.update(Array(9).fill(0.9), Array(9).fill(1), { weight: Array(9).fill(Number.MIN_VALUE) });
  all.merge(few);
  expect(all.compute().count).toBe(9);
});

describe('a target to ignore that float32 does not hold', () => {
  const targets = Float32Array.of(0.1, 0, 1);

  test('is that of float32 targets next to it, for every loss and check', () => {
    const probabilities = new FocalLoss({ ignoreIndex: 0.1, fromLogits: false, reduction: 'none' });
    expect(probabilities.forward([7, 0.5, 0.5], targets)[0]).toBe(0);
    expect(new QualityFocalLoss({ ignoreIndex: 0.1, reduction: 'none' }).forward([1, 2, 3], targets)[0]).toBe(0);
    expect(new AsymmetricLoss({ ignoreIndex: 0.1, reduction: 'none' }).forward([1, 2, 3], targets)[0]).toBe(0);
  });

  test('is not what is named as bad', () => {
    const bad = Float32Array.of(2.1, 0, 5);
    expect(errorOf(() => new FocalLoss({ ignoreIndex: 2.1 }).forward([1, 2, 3], bad)).index).toBe(2);
  });

  test('is a number, not its bits, where targets are half floats beside probabilities', () => {
    const loss = new FocalLoss({ ignoreIndex: -1, fromLogits: false, reduction: 'none' });
    const halves = { data: Uint16Array.of(0xbc00, 0x3c00), dims: [2], type: 'float16' };
    expect(loss.forward([7, 1], halves)[0]).toBe(0);
  });
});

test('of no rows a weight by row and shares have any dims of nothing', () => {
  const empty = { data: new Float32Array(0), dims: [0, 3] };
  const loss = new FocalLoss({ numClasses: 3, reduction: 'sum' });
  expect(loss.forward(empty, new Uint8Array(0), { weight: { data: [], dims: [0] } })).toBe(0);
  expect(new SoftmaxFocalLoss({ numClasses: 3, reduction: 'sum' }).forward(empty, empty)).toBe(0);
});

describe('what an error says', () => {
  test('of one-hot integers for a softmax: which arrays hold shares', () => {
    const loss = new SoftmaxFocalLoss({ numClasses: 3 });
    expect(message(() => loss.forward([1, 2, 3], Uint8Array.of(1, 0, 0)))).toBe(
      '"targets" expected length 1 (the rows of "logits"), got 3; shares of classes are a Float32Array, Float64Array or number[]',
    );
  });

  test('of a base loss that is another loss: no more than that', () => {
    const text = '"lossFcn" expected a BCEWithLogitsLoss of this package, got a FocalLoss';
    expect(message(() => new FocalLoss({ lossFcn: focal as never }))).toBe(text);
  });

  test('of a meter of another entry: that it is one', () => {
    const meter = new LossMeter(new BCEWithLogitsLoss());
    const other = new double.LossMeter(new double.BCEWithLogitsLoss());
    expect(message(() => meter.merge(other as never))).toMatch(/got a LossMeter; this one is of another copy or entry/);
  });
});
