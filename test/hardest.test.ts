import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FocalLoss, hardest } from '../src/index.js';
import { errorOf, hardTargets, someLogits } from './support.js';

/** By definition: sort all, the larger loss first, the smaller index where they are equal. */
function sorted(losses: ArrayLike<number>, k: number): number[] {
  return Array.from(losses, (_, index) => index)
    .sort((a, b) => losses[b] - losses[a] || a - b)
    .slice(0, k);
}

test('the k largest, hardest first', () => {
  const losses = Float32Array.of(0.5, 3, 0.1, 7, 3);
  expect([...hardest(losses, 1)]).toEqual([3]);
  expect([...hardest(losses, 3)]).toEqual([3, 1, 4]);
  expect([...hardest(losses, 5)]).toEqual([3, 1, 4, 0, 2]);
});

test('ties go by index', () => {
  expect([...hardest(new Float32Array(6), 4)]).toEqual([0, 1, 2, 3]);
  expect([...hardest(Float32Array.of(1, 2, 2, 1, 2), 4)]).toEqual([1, 2, 4, 0]);
  // -0 and 0 are the same loss
  expect([...hardest(Float32Array.of(-0, 0, -0), 3)]).toEqual([0, 1, 2]);
});

test('NaN counts as the largest, and among NaN the index decides', () => {
  const losses = Float32Array.of(1, Number.NaN, 7, Number.NaN, Infinity, 0, Number.NaN);
  for (let k = 0; k <= losses.length; k++) {
    expect([...hardest(losses, k)]).toEqual([1, 3, 6, 4, 2, 0, 5].slice(0, k));
  }
  expect([...hardest(losses.toReversed(), 4)]).toEqual([0, 3, 5, 2]);
});

test('any losses and any k agree with sorting', () => {
  const loss = fc.oneof(fc.constantFrom(0, 1, 2), fc.float({ min: 0, noNaN: true }));
  fc.assert(
    fc.property(fc.array(loss, { maxLength: 200 }), fc.nat(200), (values, k) => {
      const losses = Float32Array.from(values);
      const count = Math.min(k, losses.length);
      expect([...hardest(losses, count)]).toEqual(sorted(losses, count));
    }),
    { numRuns: 150 },
  );
});

test('of many', () => {
  const losses = new FocalLoss({ reduction: 'none' }).forward(someLogits(100_000), hardTargets(100_000));
  for (const k of [1, 10, 1000]) expect([...hardest(losses, k)]).toEqual(sorted(losses, k));
});

test('sorted either way', () => {
  const rising = Float32Array.from({ length: 1000 }, (_, k) => k);
  expect([...hardest(rising, 3)]).toEqual([999, 998, 997]);
  expect([...hardest(rising.slice().reverse(), 3)]).toEqual([0, 1, 2]);
});

test('none and nothing', () => {
  expect([...hardest(Float32Array.of(1, 2), 0)]).toEqual([]);
  expect([...hardest(new Float32Array(), 0)]).toEqual([]);
});

test('infinite losses are hard', () => {
  expect([...hardest(Float32Array.of(1, Number.POSITIVE_INFINITY, 5), 2)]).toEqual([1, 2]);
});

test('the losses are left as they were', () => {
  const losses = Float32Array.of(1, 3, 2);
  hardest(losses, 2);
  expect([...losses]).toEqual([1, 3, 2]);
});

test('refusals', () => {
  for (const k of [-1, 1.5, Number.NaN]) {
    expect(errorOf(() => hardest(Float32Array.of(1), k)).message).toMatch(new RegExp(`^"k" expected .*got ${k}`));
  }
  expect(errorOf(() => hardest('12' as never, 1)).message).toMatch(/^"losses" expected .*got/);
});
