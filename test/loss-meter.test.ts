import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  BCEWithLogitsLoss,
  type Criterion,
  FocalLoss,
  HeatmapFocalLoss,
  LossMeter,
  type LossMeterJSON,
  OneHotFocalLoss,
  SoftmaxFocalLoss,
} from '../src/index.js';
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
  const nothing = { sum: 0, count: 0, positives: 0, negatives: 0, sumPositives: 0, sumNegatives: 0, nan: 0 };
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

test('the same mean however the stream is cut, to 1e-12', () => {
  const targets = hardTargets(n);
  const soft = Float32Array.from(targets, (y, i) => (y === 1 ? 1 - (i % 7) / 20 : (i % 5) / 20));
  for (const y of [targets, soft]) {
    for (const criterion of [new FocalLoss(options), new FocalLoss({ gamma: 1.7, alpha: 0.3, reduction: 'none' })]) {
      const whole = new LossMeter(criterion);
      whole.update(logits, y);
      for (const size of [1, 7, 16, 257, SEGMENT - 1, SEGMENT + 1, 2 * SEGMENT + 1]) {
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

/** A batch of its own for each seed; every eighth has a loss that is not finite. */
function batch(seed: number): [Float32Array, Uint8Array] {
  const length = 1 + (seed % 97);
  const x = someLogits(length, seed).map((z) => z * 2 ** (seed % 13));
  const y = hardTargets(length, seed);
  if (seed % 8 === 0) x[0] = seed % 16 === 0 ? Number.NaN : y[0] === 1 ? -Infinity : Infinity;
  return [x, y];
}

const seeds = fc.array(fc.nat(1000), { minLength: 1, maxLength: 12 });
const binary = new FocalLoss(options);

describe.each(['propagate', 'skip'] as const)('meters under nan: %s', (nan) => {
  const meterOf = (...all: number[]) => {
    const meter = new LossMeter(binary, { nan });
    for (const seed of all) meter.update(...batch(seed));
    return meter;
  };

  test('any order and any tree of merges gives the same bits', () => {
    fc.assert(
      fc.property(seeds, fc.infiniteStream(fc.nat()), (all, choices) => {
        const want = meterOf(...all);
        const next = () => choices.next().value;
        const meters = all.map((seed) => meterOf(seed));
        while (meters.length > 1) {
          const [from] = meters.splice(next() % meters.length, 1);
          const text = JSON.stringify(from);
          // half of them go through JSON, as from another machine
          const shard = next() % 2 === 0 ? from : LossMeter.fromJSON(binary, JSON.parse(text));
          meters[next() % meters.length].merge(shard);
          expect(JSON.stringify(from)).toBe(text);
        }
        expect(JSON.stringify(meters[0])).toBe(JSON.stringify(want));
        expect(meters[0].compute()).toEqual(want.compute());
      }),
      { numRuns: 200 },
    );
  });

  test('a window slides: what was subtracted has never been there', () => {
    fc.assert(
      fc.property(seeds, fc.nat(11), (all, width) => {
        const window = meterOf();
        all.forEach((seed, k) => {
          window.merge(meterOf(seed));
          if (k > width) window.subtract(meterOf(all[k - width - 1]));
          expect(JSON.stringify(window)).toBe(JSON.stringify(meterOf(...all.slice(Math.max(0, k - width), k + 1))));
        });
      }),
      { numRuns: 100 },
    );
  });
});

test('sums are rounded once, however far apart batches are', () => {
  const meter = new LossMeter(new BCEWithLogitsLoss());
  const parts: number[] = [];
  for (const x of [2 ** 60, 1, -30, -80, 3, 2 ** 53 + 2 ** 30]) {
    const shard = new LossMeter(new BCEWithLogitsLoss());
    shard.update([x], [0]);
    parts.push(shard.compute().sum);
    meter.merge(shard);
  }
  // the large parts are whole numbers; the small ones add up to less than half of the last place
  expect(meter.compute().sum).toBe(Number(BigInt(parts[0]) + BigInt(parts[5])));
  const { terms } = meter.toJSON().sumNegatives;
  expect(terms[0]).toBe(meter.compute().sum);
  expect(terms.length).toBeGreaterThan(2);
});

test('subtract takes infinities and NaN away again', () => {
  const shard = (x: number, y: number) => {
    const meter = new LossMeter(binary);
    meter.update([x], [y]);
    return meter;
  };
  const meter = shard(1, 1);
  const before = JSON.stringify(meter);
  const others = [shard(-Infinity, 1), shard(Infinity, 0), shard(Number.NaN, 1)];
  for (const other of others) meter.merge(other);
  expect(meter.compute()).toMatchObject({ count: 4, nan: 1, sum: Number.NaN, sumNegatives: Infinity });
  for (const other of others) meter.subtract(other);
  expect(JSON.stringify(meter)).toBe(before);
  meter.subtract(meter);
  expect(JSON.stringify(meter)).toBe(JSON.stringify(new LossMeter(binary)));
});

test('a meter that is merged into itself doubles', () => {
  const meter = new LossMeter(binary);
  meter.update([1, -2, 3], [1, 0, 0]);
  const { sum, mean } = meter.compute();
  meter.merge(meter);
  expect(meter.compute()).toMatchObject({ count: 6, sum: 2 * sum, mean });
});

test('what is no meter is refused', () => {
  const message = '"other" expected a LossMeter, got an object';
  expect(errorOf(() => new LossMeter(binary).merge({} as never)).message).toBe(message);
});

describe('subtract refuses what this meter has not seen, and leaves it as it was', () => {
  const meterOf = (x: number[], y: number[]) => {
    const meter = new LossMeter(binary);
    meter.update(x, y);
    return meter;
  };
  test.each<[string, LossMeter, string]>([
    ['more positives', meterOf([1, 1], [1, 1]), '"other" expected at most 1 positives, as this meter has seen, got 2'],
    [
      'more negatives',
      meterOf([1, 1, 1], [0, 0, 0]),
      '"other" expected at most 2 negatives, as this meter has seen, got 3',
    ],
    [
      'another sum',
      meterOf([-5], [1]),
      `"other" expected a sum of positives that is part of this meter's, got ${meterOf([-5], [1]).compute().sum}; only what was merged can be taken away`,
    ],
    [
      'an infinity',
      meterOf([Infinity], [0]),
      '"other" expected a sum of negatives that is part of this meter\'s, got Infinity; only what was merged can be taken away',
    ],
  ])('%s', (_, other, message) => {
    const meter = meterOf([1, 2, 3], [1, 0, 0]);
    const before = JSON.stringify(meter);
    const error = errorOf(() => meter.subtract(other));
    expect(error.message).toBe(message);
    expect(error).toBeInstanceOf(RangeError);
    expect(JSON.stringify(meter)).toBe(before);
  });
});

describe('elements whose loss is NaN', () => {
  test.each(['skip', 'propagate'] as const)('are of the class in which the kernel counts them: %s', (nan) => {
    // float32 makes a half of it
    const halves = new FocalLoss();
    const [above, peak] = [0.5 + 2 ** -40, 1 - 2 ** -24 + 2 ** -30];
    const heatmap = new HeatmapFocalLoss();
    // a label that is a class's index, and background
    const rows = new OneHotFocalLoss({ numClasses: 3, background: 0 });
    for (const [criterion, x, y, negatives] of [
      [halves, [Number.NaN, 1], [above, above], 2],
      [heatmap, [Number.NaN, 1], [peak, peak], 2],
      [rows, [Number.NaN, 1, 2], [0], 3],
    ] as const) {
      const meter = new LossMeter(criterion as Criterion, { nan });
      meter.update(x, y);
      const left = nan === 'skip' ? 1 : 0;
      expect(meter.compute()).toMatchObject({ positives: 0, negatives: negatives - left, sumPositives: 0, nan: 1 });
      const copy = LossMeter.fromJSON(criterion as Criterion, JSON.parse(JSON.stringify(meter)));
      expect(copy.compute()).toEqual(meter.compute());
    }
  });

  const x = Float32Array.of(1, Number.NaN, -2, Number.NaN, 3, Number.NaN);
  const y = Uint8Array.of(1, 1, 0, 0, 0, 0);

  test.each(['none', 'mean', 'sum'] as const)('are counted apart under %s', (reduction) => {
    const criterion = new FocalLoss({ ...options, reduction });
    const meter = new LossMeter(criterion);
    meter.update(x, y);
    expect(meter.compute()).toEqual({
      mean: Number.NaN,
      sum: Number.NaN,
      count: 6,
      positives: 2,
      negatives: 4,
      sumPositives: Number.NaN,
      sumNegatives: Number.NaN,
      nan: 3,
    });
    const skipping = new LossMeter(criterion, { nan: 'skip' });
    skipping.update(x, y);
    const losses = new FocalLoss({ ...options, reduction: 'none' }).forward(x, y);
    expect(skipping.compute()).toEqual({
      mean: (losses[0] + losses[2] + losses[4]) / 3,
      sum: losses[0] + losses[2] + losses[4],
      count: 3,
      positives: 1,
      negatives: 2,
      sumPositives: losses[0],
      sumNegatives: losses[2] + losses[4],
      nan: 3,
    });
  });

  test('keep their class: only its sum is NaN', () => {
    const meter = new LossMeter(binary);
    meter.update([Number.NaN, 1], [1, 0]);
    expect(meter.compute()).toMatchObject({ sumPositives: Number.NaN, positives: 1, nan: 1 });
    expect(meter.compute().sumNegatives).toBeGreaterThan(0);
    const soft = new LossMeter(binary, { nan: 'skip' });
    soft.update([Number.NaN, 1, Number.NaN], Float32Array.of(0.6, 0.25, 0.5));
    expect(soft.compute()).toMatchObject({ count: 1, positives: 0, negatives: 1, nan: 2 });
  });

  test('are not those that are ignored', () => {
    for (const nan of ['propagate', 'skip'] as const) {
      const meter = new LossMeter(new FocalLoss({ ignoreIndex: 255 }), { nan });
      meter.update(x, Uint8Array.of(1, 255, 0, 255, 0, 255));
      expect(meter.compute()).toMatchObject({ count: 3, positives: 1, negatives: 2, nan: 0 });
      expect(meter.compute().sum).toBeGreaterThan(0);
    }
  });

  test("leave the caller's buffer as forward does", () => {
    const out = new Float32Array(6);
    const meter = new LossMeter(binary, { nan: 'skip' });
    expect(meter.update(x, y, { out })).toBeNaN();
    expect(firstDifference(out, new FocalLoss({ ...options, reduction: 'none' }).forward(x, y))).toBe(-1);
    expect(meter.compute()).toMatchObject({ count: 3, nan: 3 });
  });

  test('of either class are read from a state', () => {
    const meter = new LossMeter(binary);
    meter.update([Number.NaN, Number.NaN, Number.NaN], [0, 1, 0]);
    const text = JSON.stringify(meter);
    expect(JSON.stringify(LossMeter.fromJSON(binary, JSON.parse(text)))).toBe(text);
  });

  test('are found where losses take the place of logits', () => {
    const criterion = new FocalLoss({ ...options, reduction: 'none' });
    const [apart, inPlace] = [new LossMeter(criterion), new LossMeter(criterion)];
    apart.update(x, y);
    const out = x.slice();
    inPlace.update(out, y, { out });
    expect(JSON.stringify(inPlace)).toBe(JSON.stringify(apart));
  });

  test('are not taken away where they have not been seen', () => {
    const [meter, other] = [new LossMeter(binary, { nan: 'skip' }), new LossMeter(binary, { nan: 'skip' })];
    meter.update([1], [1]);
    other.update([Number.NaN], [1]);
    expect(errorOf(() => meter.subtract(other)).message).toBe(
      '"other" expected at most 0 NaN, as this meter has seen, got 1',
    );
    expect(meter.compute()).toMatchObject({ count: 1, nan: 0 });
  });

  test('in rows of a softmax', () => {
    const criterion = new SoftmaxFocalLoss({ numClasses: 2, gamma: 2 });
    const rows = [1, 2, Number.NaN, 1, 3, 1];
    const skipping = new LossMeter(criterion, { nan: 'skip' });
    skipping.update(rows, [0, 1, 1]);
    expect(skipping.compute()).toMatchObject({ count: 2, positives: 2, negatives: 0, nan: 1 });
    expect(skipping.compute().mean).toBeCloseTo(criterion.forward([1, 2, 3, 1], [0, 1]), 7);
  });
});

describe('byClass', () => {
  const criterion = new SoftmaxFocalLoss({ numClasses: 4, gamma: 2, ignoreIndex: -1 });
  const rows = 500;
  const z = someLogits(4 * rows);
  const labels = Int32Array.from({ length: rows }, (_, k) => (k % 9 === 0 ? -1 : (k * k) % 3));
  const losses = new SoftmaxFocalLoss({ numClasses: 4, gamma: 2, ignoreIndex: -1, reduction: 'none' }).forward(
    z,
    labels,
  );

  test('rows and sums of each class', () => {
    const meter = new LossMeter(criterion, { byClass: true });
    const value = meter.update(z, labels);
    expect(Math.abs(value / criterion.forward(z, labels) - 1)).toBeLessThan(1e-7);
    const { classes, sum, count } = meter.compute();
    expect(classes).toHaveLength(4);
    let [rowsInAll, sumInAll] = [0, 0];
    classes?.forEach((got, label) => {
      const of = [...losses].filter((_, k) => labels[k] === label);
      const total = of.reduce((a, b) => a + b, 0);
      expect(got.count).toBe(of.length);
      expect(got.sum).toBeCloseTo(total, 10);
      expect(got.mean).toEqual(of.length === 0 ? Number.NaN : got.sum / of.length);
      rowsInAll += got.count;
      sumInAll += got.sum;
    });
    expect(count).toBe(rowsInAll);
    expect(sum).toBeCloseTo(sumInAll, 10);
  });

  test('rows are added one by one: no cut changes a bit', () => {
    const whole = new LossMeter(criterion, { byClass: true });
    whole.update(z, labels);
    const cut = new LossMeter(criterion, { byClass: true });
    for (const [from, to] of [
      [77, 500],
      [0, 3],
      [3, 77],
    ]) {
      cut.update(z.subarray(4 * from, 4 * to), labels.subarray(from, to));
    }
    expect(JSON.stringify(cut)).toBe(JSON.stringify(whole));
    const copy = LossMeter.fromJSON(criterion, JSON.parse(JSON.stringify(whole)));
    expect(copy.compute()).toEqual(whole.compute());
    copy.subtract(cut);
    expect(JSON.stringify(copy)).toBe(JSON.stringify(new LossMeter(criterion, { byClass: true })));
    whole.reset();
    expect(JSON.stringify(whole)).toBe(JSON.stringify(copy));
  });

  test("losses that update returns are the caller's", () => {
    const none = new SoftmaxFocalLoss({ numClasses: 4, gamma: 2, reduction: 'none' });
    const meter = new LossMeter(none, { byClass: true });
    const first = meter.update([1, 2, 3, 4], [0]);
    const kept = first.slice();
    meter.update([4, 3, 2, 1], [0]);
    expect(firstDifference(first, kept)).toBe(-1);
    const out = new Float32Array(1);
    expect(meter.update([4, 3, 2, 1], [0], { out })).toBe(out);
  });

  test('NaN rows, and labels that validate: false lets pass', () => {
    for (const nan of ['propagate', 'skip'] as const) {
      const meter = new LossMeter(criterion, { byClass: true, nan });
      const rowsOf = [1, 2, 3, 4, Number.NaN, 0, 0, 0, ...Array(20).fill(1)];
      meter.update(rowsOf, [2, 2, 7, 4, -7, 0.5, Number.NaN], { validate: false });
      const { classes, count, nan: seen } = meter.compute();
      expect([seen, count, classes?.[2].count]).toEqual(nan === 'skip' ? [1, 1, 1] : [1, 2, 2]);
      expect(Number.isNaN(classes?.[2].sum)).toBe(nan === 'propagate');
      const text = JSON.stringify(meter);
      expect(JSON.stringify(LossMeter.fromJSON(criterion, JSON.parse(text)))).toBe(text);
    }
  });

  test('a class that is ignored has no rows', () => {
    const meter = new LossMeter(new SoftmaxFocalLoss({ numClasses: 2, ignoreIndex: 1 }), { byClass: true });
    meter.update([1, 2, 2, 1], [1, 0]);
    expect(meter.compute()).toMatchObject({ count: 1, classes: [{ count: 1 }, { count: 0 }] });
  });

  test('rows of shares have no class of their own, and are refused', () => {
    const meter = new LossMeter(new SoftmaxFocalLoss({ numClasses: 4 }), { byClass: true });
    const error = errorOf(() => meter.update([1, 2, 3, 4], [0.5, 0.5, 0, 0]));
    expect(error.message).toBe('"targets" expected one label a row beside "byClass", got rows of shares');
    expect(error).toHaveProperty('argument', 'targets');
    expect(meter.compute().count).toBe(0);
    // no row has neither
    meter.update([], []);
    expect(meter.compute().count).toBe(0);
  });

  test('a failed update counts nothing', () => {
    const meter = new LossMeter(criterion, { byClass: true });
    expect(errorOf(() => meter.update(z, labels.with(499, 4))).message).toMatch(/at row 499, got 4$/);
    expect(errorOf(() => meter.update(z, labels, null as never)).message).toMatch(/^"call" expected an object/);
    expect(errorOf(() => meter.update(z, labels, { weigth: 1 } as never)).message).toMatch(/^"call" expected keys/);
    expect(meter.compute().count).toBe(0);
  });
});

describe('meters of other options are refused', () => {
  const same = 'a meter adds up losses of the same options';
  const rows = new SoftmaxFocalLoss({ numClasses: 3 });
  test.each<[string, LossMeter, LossMeter, string]>([
    [
      'gamma',
      new LossMeter(binary),
      new LossMeter(new FocalLoss({ ...options, gamma: 5 })),
      `"other.gamma" expected 2 (this meter's), got 5; ${same}`,
    ],
    [
      'alpha',
      new LossMeter(binary),
      new LossMeter(new FocalLoss({ gamma: 2, alpha: null })),
      `"other.alpha" expected 0.75 (this meter's), got null; ${same}`,
    ],
    [
      'alpha of a class',
      new LossMeter(new FocalLoss({ numClasses: 2, alpha: [0.5, 0.25] })),
      new LossMeter(new FocalLoss({ numClasses: 2, alpha: [0.5, 0.75] })),
      `"other.alpha[1]" expected 0.25 (this meter's), got 0.75; ${same}`,
    ],
    [
      'what becomes of NaN',
      new LossMeter(binary),
      new LossMeter(binary, { nan: 'skip' }),
      "\"other.nan\" expected 'propagate' (this meter's), got 'skip'",
    ],
    [
      'byClass',
      new LossMeter(rows, { byClass: true }),
      new LossMeter(rows),
      '"other.byClass" expected true (this meter\'s), got false',
    ],
    [
      'byClass of the other alone',
      new LossMeter(rows),
      new LossMeter(rows, { byClass: true }),
      '"other.byClass" expected false (this meter\'s), got true',
    ],
  ])('%s', (_, meter, other, message) => {
    for (const method of ['merge', 'subtract'] as const) {
      const error = errorOf(() => meter[method](other));
      expect(error.message).toBe(message);
      expect(error).toBeInstanceOf(RangeError);
    }
    const [state, criterion] = [JSON.parse(JSON.stringify(other)), message.includes('gamma') ? binary : undefined];
    if (criterion !== undefined) {
      expect(errorOf(() => LossMeter.fromJSON(criterion, state)).message).toBe(
        `"json.options.gamma" expected 2 (the criterion's), got 5; ${same}`,
      );
    }
  });

  test('alphas of classes are the same one by one, and as many', () => {
    const byClass = new FocalLoss({ numClasses: 2, alpha: [0.5, 0.25] });
    const state = new LossMeter(byClass).toJSON();
    for (const [alpha, got] of [
      [[0.5, 0.25, 0.25], 'an array of length 3'],
      [[0.5], 'an array of length 1'],
      [0.5, '0.5'],
      [null, 'null'],
      [undefined, 'undefined'],
    ] as const) {
      const json = { ...state, options: { ...state.options, alpha } } as LossMeterJSON;
      expect(errorOf(() => LossMeter.fromJSON(byClass, json)).message).toBe(
        `"json.options.alpha" expected an array of length 2 (the criterion's), got ${got}; ${same}`,
      );
    }
    const none = new LossMeter(new FocalLoss({ numClasses: 2, alpha: null }));
    expect(errorOf(() => none.merge(new LossMeter(byClass))).message).toBe(
      `"other.alpha" expected null (this meter's), got an array of length 2; ${same}`,
    );
  });

  test('but not of another reduction or Hessian policy, which change no sum', () => {
    const meter = new LossMeter(binary);
    const other = new LossMeter(new FocalLoss({ ...options, reduction: 'none', hessian: 'clip' }));
    other.update([1, 2], [1, 0]);
    meter.merge(other);
    expect(meter.compute()).toEqual(other.compute());
    expect(LossMeter.fromJSON(binary, JSON.parse(JSON.stringify(other))).compute()).toEqual(other.compute());
  });
});

describe('states that no meter of this version has', () => {
  const meter = new LossMeter(binary);
  meter.update([1, -2, 3], [1, 0, 0]);
  const state = meter.toJSON();
  const rows = new SoftmaxFocalLoss({ numClasses: 3 });
  const byClass = new LossMeter(rows, { byClass: true });
  byClass.update([1, 2, 3, 3, 2, 1], [0, 2]);
  const [first, second] = byClass.toJSON().classes ?? [];
  const half = { terms: [0.5] };

  test('the largest count that is a whole number is read', () => {
    const json = { ...state, negatives: Number.MAX_SAFE_INTEGER };
    expect(LossMeter.fromJSON(binary, json).compute().negatives).toBe(Number.MAX_SAFE_INTEGER);
  });

  test('unknown keys are ignored', () => {
    const json = { ...state, written: '2026-01-01', sumPositives: { ...state.sumPositives, unit: 'nat' } };
    expect(LossMeter.fromJSON(binary, json).compute()).toEqual(meter.compute());
  });

  test.each<[string, unknown, string]>([
    ['nothing', undefined, '"json" expected the state of a LossMeter, got undefined'],
    ['null', null, '"json" expected the state of a LossMeter, got null'],
    ['text', JSON.stringify(state), '"json" expected the state of a LossMeter, got '],
    [
      'no version',
      { ...state, version: undefined },
      '"json.version" expected 1, got undefined; the state is of another version of this package, or none of a LossMeter',
    ],
    ['a later version', { ...state, version: 2 }, '"json.version" expected 1, got 2; the state is of another'],
    ['no options', { ...state, options: undefined }, '"json.options" expected the options of a loss, got undefined'],
    [
      'an option less',
      { ...state, options: { ...state.options, posWeight: undefined } },
      '"json.options.posWeight" expected 1 (the criterion\'s), got undefined',
    ],
    [
      'an option more',
      { ...state, options: { ...state.options, epsilon: 1 } },
      '"json.options.epsilon" expected undefined (the criterion\'s), got 1',
    ],
    [
      'an unknown policy',
      { ...state, nanPolicy: 'count' },
      "\"json.nanPolicy\" expected one of 'propagate', 'skip', got 'count'",
    ],
    ['a count that is not whole', { ...state, positives: 1.5 }, '"json.positives" expected an integer >= 0, got 1.5'],
    ['a negative count', { ...state, negatives: -1 }, '"json.negatives" expected an integer >= 0, got -1'],
    [
      'a count beyond the whole numbers',
      { ...state, negatives: 2 ** 60 },
      '"json.negatives" expected at most 9007199254740991, got 1152921504606847000',
    ],
    [
      'a sum of nothing',
      { ...state, positives: 0, sumPositives: { terms: [5] } },
      '"json.sumPositives" expected no terms where the count is 0, got 5',
    ],
    [
      'more infinities than elements',
      { ...state, sumPositives: { terms: [], infinities: 2 } },
      '"json.sumPositives" expected no more terms than the count, got Infinity',
    ],
    [
      'a sum that is not one',
      { ...state, sumPositives: [1, 0] },
      '"json.sumPositives" expected the sum that toJSON gave, an object with "terms", got an array of length 2',
    ],
    ['NaN without a trace', { ...state, nan: 1 }, '"json.nan" expected 0, as many as the sums have, got 1'],
    [
      'NaN that were to be skipped',
      { ...state, nanPolicy: 'skip', sumPositives: { terms: [], nans: 1 } },
      "\"json.nanPolicy\" expected 'propagate' where a sum is NaN, got 'skip'",
    ],
    [
      'classes of a binary loss',
      { ...state, classes: [] },
      '"byClass" expected false where the criterion is not a softmax, got true',
    ],
  ])('%s', (_, json, message) => {
    expect(errorOf(() => LossMeter.fromJSON(binary, json as LossMeterJSON)).message).toContain(message);
  });

  test.each<[string, unknown, string]>([
    ['no array', {}, '"json.classes" expected an array, got an object'],
    ['no entries', [1], '"json.classes[0]" expected an array of a label, a count and a sum, got 1'],
    ['a label out of range', [first, [3, 1, half]], '"json.classes[1][0]" expected a label above 0 and below 3, got 3'],
    ['a label twice', [first, first], '"json.classes[1][0]" expected a label above 0 and below 3, got 0'],
    ['labels out of order', [second, first], '"json.classes[1][0]" expected a label above 2 and below 3, got 0'],
    [
      'a class without rows',
      [first, [1, 0, { terms: [] }], second],
      '"json.classes[1][1]" expected an integer >= 1, got 0',
    ],
    ['a class less', [first], '"json.classes" expected 2 rows in all (positives), got 1'],
    ['another sum', [first, [2, 1, half]], '"json.classes" expected a sum of '],
  ])('classes: %s', (_, classes, message) => {
    const json = { ...byClass.toJSON(), classes } as LossMeterJSON;
    expect(errorOf(() => LossMeter.fromJSON(rows, json)).message).toContain(message);
  });

  test('a version of the wrong kind is a TypeError, one out of range a RangeError', () => {
    const read = (version: unknown) => errorOf(() => LossMeter.fromJSON(binary, { ...state, version: version as 1 }));
    expect([read('1'), read(0)]).toEqual([expect.any(TypeError), expect.any(RangeError)]);
  });

  test('options of a meter', () => {
    expect(errorOf(() => new LossMeter(binary, { nan: 'ignore' } as never)).message).toBe(
      "\"nan\" expected one of 'propagate', 'skip', got 'ignore'",
    );
    expect(errorOf(() => new LossMeter(rows, { byClass: 1 } as never)).message).toBe(
      '"byClass" expected a boolean, got 1',
    );
    expect(errorOf(() => new LossMeter(binary, { byClass: true })).message).toBe(
      '"byClass" expected false where the criterion is not a softmax, got true',
    );
    expect(errorOf(() => new LossMeter(binary, { skip: true } as never)).message).toBe(
      '"options" expected keys among nan, byClass, got \'skip\'',
    );
  });
});

describe('batches with a normalizer of their own', () => {
  const meterOf = (...normalizers: (number | undefined)[]) => {
    const meter = new LossMeter(binary);
    for (const normalizer of normalizers) meter.update([1, -2, 3], [1, 0, 0], { normalizer });
    return meter;
  };

  test('the mean is the sum of losses by the sum of normalizers', () => {
    const meter = meterOf(5, 0.25);
    expect(meter.compute().mean).toBe(meter.compute().sum / 5.25);
    const other = meterOf(7);
    const before = JSON.stringify(meter);
    meter.merge(other);
    expect(meter.compute().mean).toBe(meter.compute().sum / 12.25);
    const copy = LossMeter.fromJSON(binary, JSON.parse(JSON.stringify(meter)));
    expect(copy.compute()).toEqual(meter.compute());
    copy.subtract(other);
    expect(JSON.stringify(copy)).toBe(before);
    copy.reset();
    expect(JSON.stringify(copy)).toBe(JSON.stringify(new LossMeter(binary)));
    copy.merge(meterOf(undefined));
    expect(copy.compute().count).toBe(3);
  });

  test('an empty meter takes either, and none takes both', () => {
    const [given, plain] = [meterOf(5), meterOf(undefined)];
    const states = [given, plain].map((meter) => JSON.stringify(meter));
    expect(errorOf(() => given.update([1], [1])).message).toBe(
      '"normalizer" expected a number > 0, as this meter\'s other batches have, got undefined',
    );
    expect(errorOf(() => plain.update([1], [1], { normalizer: 5 })).message).toBe(
      '"normalizer" expected undefined, as in this meter\'s other batches, got 5',
    );
    expect(errorOf(() => given.merge(plain)).message).toBe(
      '"other" expected batches with a "normalizer" of their own, as this meter\'s, got batches without a "normalizer" of their own',
    );
    expect(errorOf(() => plain.subtract(given)).message).toMatch(
      /^"other" expected batches without .* got batches with /,
    );
    expect(errorOf(() => given.subtract(meterOf(6))).message).toBe(
      '"other" expected normalizers of at most 5, as this meter\'s, got 6',
    );
    expect([given, plain].map((meter) => JSON.stringify(meter))).toEqual(states);
  });

  test('a meter of no batches takes either kind', () => {
    for (const other of [meterOf(5, 2), meterOf(undefined)]) {
      const meter = new LossMeter(binary);
      meter.merge(other);
      expect(JSON.stringify(meter)).toBe(JSON.stringify(other));
      meter.subtract(other);
      expect(JSON.stringify(meter)).toBe(JSON.stringify(new LossMeter(binary)));
    }
  });

  test.each([-1, 0, Infinity])('a state with a sum of %d has none', (sum) => {
    const terms = sum === -1 ? [sum] : [];
    const normalizer = sum === Infinity ? { terms, infinities: 1 } : { terms };
    const json = { ...meterOf(5).toJSON(), normalizer };
    expect(errorOf(() => LossMeter.fromJSON(binary, json)).message).toBe(
      `"json.normalizer" expected a sum of numbers > 0, got ${sum}`,
    );
  });
});

test('losses of negative weights, infinite ones among them, keep their sign', () => {
  const meter = new LossMeter(binary);
  const other = new LossMeter(binary);
  meter.update([1, 2], [0, 0], { weight: Float32Array.of(1, -3) });
  expect(meter.compute().sum).toBeLessThan(0);
  const before = JSON.stringify(meter);
  other.update([Infinity, Infinity], [0, 0], { weight: Float32Array.of(1, -1) });
  meter.merge(other);
  // an Infinity less an Infinity is NaN, though no loss was
  expect(meter.compute()).toMatchObject({ sum: Number.NaN, nan: 0, count: 4 });
  meter.subtract(other);
  expect(JSON.stringify(meter)).toBe(before);
});
