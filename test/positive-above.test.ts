// From which soft target on an element is of the positive class: for the counts, and for the sums by class.
import { expect, test } from 'vitest';
import { Flag } from '../src/abi.js';
import { call } from './raw-kernel.js';
import { random, someLogits, sum64 } from './support.js';

const next = random(4);
const EDGES = [0, 0.25, 0.5, 0.5 + 2 ** -24, 0.75, 1 - 2 ** -24, 1];
const LENGTH = 1000;
const targets = Float32Array.from({ length: LENGTH }, (_, k) => EDGES[k] ?? (next() < 0.3 ? 1 : next()));
const logits = someLogits(LENGTH);

test.each([0, 0.25, 0.5, 0.9, 1 - 2 ** -24, 1])('above %d', (positiveAbove) => {
  for (const ignore of [Number.NaN, 0.25]) {
    const flags = Flag.sums | Flag.byClass | (Number.isNaN(ignore) ? 0 : Flag.ignore);
    const result = call('binary', { logits, targets, positiveAbove, flags, ignore });
    const kept = Array.from(targets.keys()).filter((k) => targets[k] !== ignore);
    const positive = kept.filter((k) => targets[k] > positiveAbove);
    const negative = kept.filter((k) => !(targets[k] > positiveAbove));
    expect(result.positives).toBe(positive.length);
    expect(result.negatives).toBe(negative.length);
    expect(result.sumPositives).toBeCloseTo(sum64(positive.map((k) => result.loss[k])), 9);
    expect(result.sumNegatives).toBeCloseTo(sum64(negative.map((k) => result.loss[k])), 9);
    expect(result.bad).toBe(false);
    const census = call('census', { logits, targets, positiveAbove, flags, ignore, want: [] });
    expect(census).toMatchObject({ positives: positive.length, negatives: negative.length });
  }
});

test('smoothing moves the border with the targets', () => {
  const flags = Flag.sums | Flag.byClass;
  const result = call('binary', { logits, targets, positiveAbove: 0.75, labelSmoothing: 0.2, flags });
  const positive = Array.from(targets.keys()).filter((k) => targets[k] > 0.75);
  expect(result.positives).toBe(positive.length);
  expect(result.sumPositives).toBeCloseTo(sum64(positive.map((k) => result.loss[k])), 9);
});

test('it says nothing about bytes', () => {
  const bytes = Uint8Array.from(targets, Math.round);
  for (const positiveAbove of [0, 1]) {
    const flags = Flag.sums | Flag.byClass;
    const result = call('binary', { logits, targets: bytes, positiveAbove, labelSmoothing: 0.1, flags });
    expect(result.positives).toBe(sum64(bytes));
    expect(result.sumPositives).toBeCloseTo(sum64(result.loss.filter((_, k) => bytes[k] === 1)), 9);
  }
});
