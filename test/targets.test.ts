import { describe, expect, test } from 'vitest';
import { FocalLoss } from '../src/index.js';
import { ACROSS, errorOf, firstDifference, hardTargets, SEGMENT, softTargets, someLogits } from './support.js';

const criterion = new FocalLoss({ gamma: 2, reduction: 'none' });
const KINDS = { Uint8Array, Uint8ClampedArray, Int8Array, Int32Array, Float32Array, Float64Array };

const bad: [kind: string, make: (n: number, at: number) => unknown, value: string][] = [
  ...(['Uint8Array', 'Uint8ClampedArray', 'Int32Array'] as const).flatMap((kind) =>
    [2, 255].map((v): (typeof bad)[number] => [kind, (n, at) => new KINDS[kind](n).fill(v, at), String(v)]),
  ),
  ['Int8Array', (n, at) => new Int8Array(n).fill(-1, at), '-1'],
  ['Int8Array', (n, at) => new Int8Array(n).fill(2, at), '2'],
  ['Int32Array', (n, at) => new Int32Array(n).fill(-1, at), '-1'],
  ['Int32Array', (n, at) => new Int32Array(n).fill(256, at), '256'],
  ['Int32Array', (n, at) => new Int32Array(n).fill(2 ** 16 + 1, at), '65537'],
  ['BigInt64Array', (n, at) => new BigInt64Array(n).fill(2n ** 32n, at), '4294967296'],
  ['BigInt64Array', (n, at) => new BigInt64Array(n).fill(2n ** 32n + 1n, at), '4294967297'],
  ['BigInt64Array', (n, at) => new BigInt64Array(n).fill(-1n, at), '-1'],
  ['Float32Array', (n, at) => new Float32Array(n).fill(2, at), '2'],
  ['Float32Array', (n, at) => new Float32Array(n).fill(-1, at), '-1'],
  ['Float32Array', (n, at) => new Float32Array(n).fill(-(2 ** -149), at), '-1.40129'],
  ['Float32Array', (n, at) => new Float32Array(n).fill(Number.NaN, at), 'NaN'],
  ['Float32Array', (n, at) => new Float32Array(n).fill(1 + 2 ** -23, at), '1.0000001'],
  ['Float32Array', (n, at) => new Float32Array(n).fill(Number.POSITIVE_INFINITY, at), 'Infinity'],
  ['Float64Array', (n, at) => new Float64Array(n).fill(1.0000001, at), '1.0000001'],
  ['Float64Array', (n, at) => new Float64Array(n).fill(1 + 1e-12, at), '1.000000000001'],
  ['number[]', (n, at) => new Array(n).fill(0).fill(Number.NaN, at), 'NaN'],
  ['number[]', (n, at) => new Array(n).fill(0).fill(2, at), '2'],
  ['number[]', (n, at) => new Array(n).fill(0).fill(-1, at), '-1'],
];

describe.each(bad)('%s', (_, make, value) => {
  test(`the first ${value} is named with its index`, () => {
    for (const [n, at] of [
      [1, 0],
      [7, 3],
      [300, 299],
      [ACROSS, 2 * SEGMENT + 1],
    ]) {
      const targets = make(n, at) as Uint8Array;
      const logits = new Float32Array(n);
      for (const run of [
        () => criterion.forward(logits, targets),
        () => criterion.valueAndGrad(logits, targets),
        () => criterion.gradHess(logits, targets),
        () => new FocalLoss().forward(logits, targets),
      ]) {
        const { name, message } = errorOf(run);
        expect(name).toBe('RangeError');
        expect(message).toMatch(/^"targets/);
        expect(message).toMatch(new RegExp(`\\b${at}\\b`));
        expect(message).toContain(`got ${value}`);
      }
    }
  });
});

test('the first of several is named, and a later call is not hurt', () => {
  const targets = new Uint8Array(1000);
  targets[500] = 9;
  targets[17] = 7;
  const { message } = errorOf(() => criterion.forward(new Float32Array(1000), targets));
  expect(message).toMatch(/\b17\b/);
  expect(message).toContain('got 7');
  expect(criterion.forward(Float32Array.of(0), [1])[0]).toBeCloseTo(0.25 * 0.25 * Math.LN2, 7);
});

test('float64 is looked at before it is rounded to float32', () => {
  for (const bad of [1 + 2 ** -40, -(2 ** -200)]) {
    const targets = Float64Array.of(0, 1, bad, 1);
    expect(errorOf(() => new FocalLoss().forward(new Float32Array(4), targets)).message).toBe(
      `"targets" expected a number in [0, 1] at index 2, got ${bad}`,
    );
    expect(new FocalLoss().forward(new Float32Array(4), targets, { validate: false })).toBeGreaterThan(0);
  }
});

test('bigints are integers of 64 bits, and booleans are never left out', () => {
  const run = (last: bigint) => new FocalLoss({ ignoreIndex: -1 }).forward([1, 2], [1n, last]);
  expect(run(-1n)).toBe(new FocalLoss().forward([1], [1]));
  expect(errorOf(() => run(2n ** 64n - 1n)).message).toBe(
    '"targets" expected an integer of 64 bits at index 1, got 18446744073709551615n',
  );
  const all = new FocalLoss().forward([1, 2], [true, false]);
  for (const ignoreIndex of [0, 1]) expect(new FocalLoss({ ignoreIndex }).forward([1, 2], [true, false])).toBe(all);
});

test('soft values only where targets are floating point', () => {
  expect(criterion.forward([0], Float32Array.of(0.5))[0]).toBeGreaterThan(0);
  expect(criterion.forward([0], Float64Array.of(0.5))[0]).toBeGreaterThan(0);
  expect(criterion.forward([0], [0.5])[0]).toBeGreaterThan(0);
  // -0 is 0
  expect([...criterion.forward([1.5], Float32Array.of(-0))]).toEqual([...criterion.forward([1.5], Float32Array.of(0))]);
});

describe('validate: false', () => {
  test('changes no result of good targets', () => {
    const logits = someLogits(500);
    for (const targets of [hardTargets(500), softTargets(500)]) {
      const checked = criterion.valueAndGrad(logits, targets);
      expect(criterion.valueAndGrad(logits, targets, { validate: false })).toEqual(checked);
    }
  });

  test('does not look at the values', () => {
    for (const targets of [Uint8Array.of(2, 255), Float32Array.of(-1, Number.NaN), Int32Array.of(256, -1)]) {
      expect(criterion.forward([0, 1], targets, { validate: false })).toHaveLength(2);
    }
  });

  test('still looks at type and length', () => {
    errorOf(() => criterion.forward([0, 1], [1], { validate: false }));
    errorOf(() => criterion.forward([0, 1], new DataView(new ArrayBuffer(2)) as never, { validate: false }));
    errorOf(() => criterion.forward('ab' as never, [1, 1], { validate: false }));
  });
});

describe('ignoreIndex', () => {
  const kinds: [string, number, (labels: number[]) => Uint8Array | number[] | BigInt64Array][] = [
    ['Uint8Array', 255, (labels) => Uint8Array.from(labels)],
    ['Int8Array', -1, (labels) => Int8Array.from(labels) as never],
    ['Int32Array', -100, (labels) => Int32Array.from(labels) as never],
    ['Float32Array', -1, (labels) => Float32Array.from(labels) as never],
    ['Float64Array', 7, (labels) => Float64Array.from(labels) as never],
    ['BigInt64Array', -100, (labels) => BigInt64Array.from(labels.map(BigInt))],
    ['number[]', 2, (labels) => labels],
  ];

  test.each(kinds)('%s, %d', (_, ignoreIndex, make) => {
    for (const n of [6, ACROSS]) {
      const labels = Array.from({ length: n }, (_, k) => (k % 3 === 1 ? ignoreIndex : k % 2));
      const logits = someLogits(n);
      // what an ignored element holds is nobody's business
      logits[1] = Number.NaN;
      logits[4] = Number.POSITIVE_INFINITY;
      const keep = labels.map((label) => label !== ignoreIndex);
      const keptLogits = logits.filter((_, k) => keep[k]);
      const keptLabels = labels.filter((_, k) => keep[k]);
      const options = { gamma: 2, ignoreIndex };

      const none = new FocalLoss({ ...options, reduction: 'none' });
      const { value, grad } = none.valueAndGrad(logits, make(labels));
      const { hess } = none.gradHess(logits, make(labels));
      const plain = new FocalLoss({ gamma: 2, reduction: 'none' });
      const expected = plain.valueAndGrad(keptLogits, make(keptLabels));
      expect([value, grad, hess].map((array) => array.filter((_, k) => !keep[k]).every((v) => v === 0))).toEqual([
        true,
        true,
        true,
      ]);
      const kept = (array: Float32Array) => array.filter((_, k) => keep[k]);
      expect(firstDifference(kept(value), expected.value)).toBe(-1);
      expect(firstDifference(kept(grad), expected.grad)).toBe(-1);

      const mean = new FocalLoss(options).valueAndGrad(logits, make(labels));
      const keptMean = new FocalLoss({ gamma: 2 }).valueAndGrad(keptLogits, make(keptLabels));
      expect(Math.abs(mean.value / keptMean.value - 1)).toBeLessThan(1e-7);
      mean.grad
        .filter((_, k) => keep[k])
        .forEach((g, k) => {
          if (!(Math.abs(g - keptMean.grad[k]) <= 3e-7 * Math.abs(g))) expect(g).toBe(keptMean.grad[k]);
        });
    }
  });

  test('comes before labelSmoothing and the check of the values', () => {
    const options = { labelSmoothing: 0.2, reduction: 'sum', ignoreIndex: 3 } as const;
    const kept = new FocalLoss({ ...options, ignoreIndex: null }).forward([1, 2], [0, 1]);
    expect(new FocalLoss(options).forward([1, 5, 2], [0, 3, 1])).toBeCloseTo(kept, 6);
    expect(errorOf(() => new FocalLoss(options).forward([1, 5, 2], [3, 0, 4])).message).toMatch(/\b2\b.*got 4/);
  });

  test('leaves nothing in value, gradient or Hessian, at any gamma and policy, of logits or probabilities', () => {
    const x = Float32Array.of(0.3, 0.9, 1, 0, 0.999);
    const faults: string[] = [];
    for (const gamma of [0, 0.05, 0.5, 1.7, 2]) {
      for (const fromLogits of [true, false]) {
        for (const hessian of ['exact', 'clip', 'gaussNewton', 'absGrad'] as const) {
          for (const ignored of [new Float32Array(5).fill(2), new Uint8Array(5).fill(2)]) {
            const criterion = new FocalLoss({ gamma, fromLogits, hessian, ignoreIndex: 2, reduction: 'none' });
            const { value, grad } = criterion.valueAndGrad(x, ignored);
            const { hess } = criterion.gradHess(x, ignored);
            if ([...value, ...grad, ...hess].some((v) => v !== 0)) {
              faults.push(`gamma ${gamma} fromLogits ${fromLogits} ${hessian}: ${value}; ${grad}; ${hess}`);
            }
          }
        }
      }
    }
    expect(faults).toEqual([]);
  });

  test('0 and 1 can be ignored', () => {
    const logits = Float32Array.of(1, 2, 3);
    const none = new FocalLoss({ ignoreIndex: 0, reduction: 'none' }).forward(logits, Uint8Array.of(0, 1, 0));
    expect([none[0] === 0, none[1] > 0, none[2] === 0]).toEqual([true, true, true]);
  });

  test('all ignored: sum 0, mean NaN', () => {
    const targets = Uint8Array.of(9, 9);
    expect(new FocalLoss({ ignoreIndex: 9, reduction: 'sum' }).forward([1, 2], targets)).toBe(0);
    expect(new FocalLoss({ ignoreIndex: 9 }).forward([1, 2], targets)).toBeNaN();
    expect(new FocalLoss({ ignoreIndex: 9, normalizer: 'positives' }).forward([1, 2], targets)).toBe(0);
  });

  test('an ignored target above 0.5 is no positive', () => {
    const mean = new FocalLoss({ ignoreIndex: 255, normalizer: 'positives' });
    const sum = new FocalLoss({ ignoreIndex: 255, reduction: 'sum' });
    const targets = Uint8Array.of(255, 1, 1, 0);
    expect(mean.forward([1, 2, 3, 4], targets)).toBeCloseTo(sum.forward([1, 2, 3, 4], targets) / 2, 10);
  });
});
