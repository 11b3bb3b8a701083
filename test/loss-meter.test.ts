import { describe, expect, test } from 'vitest';
import { FocalLoss, LossMeter, SoftmaxFocalLoss } from '../src/index.js';
import { ACROSS, errorOf, firstDifference, hardTargets, SEGMENT, softTargets, someLogits } from './support.js';

const n = ACROSS;
const logits = someLogits(n);
const options = { gamma: 2, alpha: 0.75 } as const;

function pieces(size: number): [number, number][] {
  return Array.from({ length: Math.ceil(n / size) }, (_, k) => [k * size, Math.min(n, (k + 1) * size)]);
}

describe.each([
  ['hard', hardTargets(n)],
  ['soft', softTargets(n)],
])('%s targets', (_, targets) => {
  const sum = new FocalLoss({ ...options, reduction: 'sum' });

  test('batches of any size add up to the whole', () => {
    for (const size of [1, 7, 1000, SEGMENT, n]) {
      const meter = new LossMeter(new FocalLoss(options));
      for (const [start, end] of pieces(size).slice(0, 400)) {
        meter.update(logits.subarray(start, end), targets.subarray(start, end));
      }
      const count = Math.min(n, 400 * size);
      const seen = [logits.subarray(0, count), targets.subarray(0, count)] as const;
      const total = meter.compute();
      const positives = Array.from(seen[1]).filter((y) => y > 0.5).length;
      expect(total.count).toBe(count);
      expect(total.positives).toBe(positives);
      expect(total.negatives).toBe(count - positives);
      expect(Math.abs(total.sum / sum.forward(...seen) - 1)).toBeLessThan(1e-7);
      expect(total.mean).toBeCloseTo(total.sum / count, 12);
      expect(total.sumPositives + total.sumNegatives).toBeCloseTo(total.sum, 6);
    }
  });

  test('the value of a batch is what forward gives, whatever the reduction', () => {
    const [x, y] = [logits.subarray(0, 100), targets.subarray(0, 100)];
    for (const reduction of ['mean', 'sum'] as const) {
      const criterion = new FocalLoss({ ...options, reduction });
      // forward adds neighbours as float32 first
      expect(Math.abs(new LossMeter(criterion).update(x, y) / criterion.forward(x, y) - 1)).toBeLessThan(1e-7);
    }
    const criterion = new FocalLoss({ ...options, reduction: 'none' });
    const out = new Float32Array(100);
    const meter = new LossMeter(criterion);
    expect(meter.update(x, y, { out })).toBe(out);
    expect(firstDifference(out, criterion.forward(x, y))).toBe(-1);
    expect(Math.abs(meter.compute().sum / sum.forward(x, y) - 1)).toBeLessThan(1e-7);
  });
});

test('each class has its own sum', () => {
  const targets = hardTargets(n);
  const meter = new LossMeter(new FocalLoss(options));
  meter.update(logits, targets);
  const { sumPositives, sumNegatives } = meter.compute();
  const of = (label: number) =>
    new FocalLoss({ ...options, reduction: 'sum' }).forward(
      logits.filter((_, k) => targets[k] === label),
      targets.filter((y) => y === label),
    );
  expect(Math.abs(sumPositives / of(1) - 1)).toBeLessThan(1e-7);
  expect(Math.abs(sumNegatives / of(0) - 1)).toBeLessThan(1e-7);
});

test('nothing seen', () => {
  const meter = new LossMeter(new FocalLoss());
  const nothing = { sum: 0, count: 0, positives: 0, negatives: 0, sumPositives: 0, sumNegatives: 0 };
  expect(meter.compute()).toEqual({ ...nothing, mean: Number.NaN });
  expect(meter.update([], [])).toBeNaN();
  meter.update([1, 2], [1, 0]);
  expect(meter.compute().count).toBe(2);
  meter.reset();
  expect(meter.compute()).toEqual({ ...nothing, mean: Number.NaN });
});

test('ignored elements are not counted, and weights are', () => {
  const meter = new LossMeter(new FocalLoss({ ignoreIndex: 255, reduction: 'sum' }));
  const weight = Float32Array.of(1, 2, 3);
  const value = meter.update([1, 2, 3], Uint8Array.of(1, 255, 0), { weight });
  expect(meter.compute()).toMatchObject({ count: 2, positives: 1, negatives: 1, sum: value });
});

test('merge and JSON carry everything to another meter', () => {
  const criterion = new FocalLoss(options);
  const targets = hardTargets(n);
  const whole = new LossMeter(criterion);
  whole.update(logits, targets);
  const merged = new LossMeter(criterion);
  for (const [start, end] of pieces(6000)) {
    const shard = new LossMeter(criterion);
    shard.update(logits.subarray(start, end), targets.subarray(start, end));
    const text = JSON.stringify(shard);
    const copy = LossMeter.fromJSON(criterion, JSON.parse(text));
    expect(copy.compute()).toEqual(shard.compute());
    expect(JSON.stringify(copy)).toBe(text);
    merged.merge(copy);
    // the other meter stays as it was
    expect(copy.compute()).toEqual(shard.compute());
  }
  const [a, b] = [merged.compute(), whole.compute()];
  expect([a.count, a.positives, a.negatives]).toEqual([b.count, b.positives, b.negatives]);
  expect(Math.abs(a.sum / b.sum - 1)).toBeLessThan(1e-12);
  expect(merged.compute()).toEqual(a);
});

test('JSON keeps sums that JSON has no number for', () => {
  const criterion = new FocalLoss();
  const meter = new LossMeter(criterion);
  meter.update([-Infinity, 1], [1, 0]);
  const copy = LossMeter.fromJSON(criterion, JSON.parse(JSON.stringify(meter)));
  expect(copy.compute()).toEqual(meter.compute());
  meter.update([Number.NaN], [1]);
  expect(LossMeter.fromJSON(criterion, JSON.parse(JSON.stringify(meter))).compute().mean).toBeNaN();
});

test('a failed update counts nothing', () => {
  const meter = new LossMeter(new FocalLoss());
  meter.update([1, 2], [1, 0]);
  const before = meter.compute();
  const bad = new Uint8Array(n);
  bad[n - 1] = 7;
  expect(errorOf(() => meter.update(new Float32Array(n), bad)).message).toMatch(new RegExp(`\\b${n - 1}\\b.*got 7`));
  expect(meter.compute()).toEqual(before);
});

test('softmax criteria are metered too', () => {
  const criterion = new SoftmaxFocalLoss({ numClasses: 3, gamma: 2, reduction: 'sum' });
  const meter = new LossMeter(criterion);
  const value = meter.update([1, 2, 3, 3, 2, 1], [0, 2]);
  expect(value).toBe(criterion.forward([1, 2, 3, 3, 2, 1], [0, 2]));
  expect(meter.compute().count).toBe(2);
  expect(meter.compute().sum).toBeCloseTo(value, 10);
});

test('JSON of something else is refused', () => {
  for (const json of [{}, { sum: 1 }, 'x', null, []]) errorOf(() => LossMeter.fromJSON(new FocalLoss(), json as never));
});

test('the same mean however the stream is cut, to 1e-12', () => {
  const targets = hardTargets(n);
  const soft = Float32Array.from(targets, (y, i) => (y === 1 ? 1 - (i % 7) / 20 : (i % 5) / 20));
  for (const y of [targets, soft]) {
    for (const criterion of [new FocalLoss(options), new FocalLoss({ gamma: 1.7, alpha: 0.3, reduction: 'none' })]) {
      const whole = new LossMeter(criterion);
      whole.update(logits, y);
      for (const size of [1, 3, 7, 16, 100, 257, SEGMENT - 1, SEGMENT + 1, 2 * SEGMENT + 1]) {
        const cut = new LossMeter(criterion);
        for (let start = 0; start < n; start += size)
          cut.update(logits.subarray(start, start + size), y.subarray(start, start + size));
        const [a, b] = [cut.compute(), whole.compute()];
        expect(a.count).toBe(b.count);
        for (const key of ['mean', 'sumPositives', 'sumNegatives'] as const) {
          expect(Math.abs(a[key] / b[key] - 1), `${key} in pieces of ${size}`).toBeLessThan(1e-12);
        }
      }
    }
  }
});
