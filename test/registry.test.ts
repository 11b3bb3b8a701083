// Every loss of the registry: its values, derivatives, options and ways of being called.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { defaultsOf, LOSSES, type LossEntry, type Numbers, ROW_LOSSES } from '../losses/registry.js';
import { SEGMENT } from '../src/abi.js';
import type { Criterion } from '../src/index.js';
import { errorOf, firstDifference, random, someLogits, sum64 } from './support.js';
import { WIDTHS } from './widths.js';

type Options = Record<string, unknown>;

describe.each(WIDTHS)('%s', (_, { library, unit }) => {
  // biome-ignore lint/suspicious/noExplicitAny: losses are looked up by their names
  const classes = library as any;
  const make = (entry: LossEntry, options: Options = {}) => new classes[entry.name]({ ...entry.fixed, ...options });
  const isMember = (entry: LossEntry) => entry.name !== 'BCEWithLogitsLoss';

  /** Options on a grid of each loss: the defaults, the ends, and some between. */
  function optionsOf(entry: Pick<LossEntry, 'title' | 'options'>): Numbers[] {
    const next = random(entry.title.length);
    const between = Array.from({ length: 6 }, () =>
      Object.fromEntries(
        Object.entries(entry.options).map(([key, o]) => [key, Math.fround(o.min + (o.max - o.min) * next())]),
      ),
    );
    const ends = Object.entries(entry.options).flatMap(([key, o]) =>
      [o.min, o.max, Math.min(o.max, 0.5)].map((value) => ({ ...defaultsOf(entry), [key]: value })),
    );
    return [defaultsOf(entry), ...ends, ...between];
  }

  const LOGITS = Float32Array.from({ length: 241 }, (_, k) => (k - 120) / 6 + 1 / 97);
  const TARGETS = { soft: [0, 1, 0.5, 0.1, 0.9, 2 ** -20, 1 - 2 ** -20, 0.3], hard: [0, 1] };

  function targetsOf(entry: LossEntry): readonly number[] {
    return TARGETS[entry.soft ? 'soft' : 'hard'];
  }

  /** A central difference of the formula, with the steps that float64 allows. */
  function difference(f: (x: number) => number, x: number, order: 1 | 2): number {
    const h = order === 1 ? 1e-5 * Math.max(1, Math.abs(x)) : 2e-4 * Math.max(1, Math.abs(x));
    return order === 1 ? (f(x + h) - f(x - h)) / (2 * h) : (f(x + h) - 2 * f(x) + f(x - h)) / (h * h);
  }

  describe.each(LOSSES.map((entry) => [entry.title, entry] as const))('%s', (_, entry) => {
    test('has the values of its formula', () => {
      for (const options of optionsOf(entry)) {
        const criterion = make(entry, { ...options, reduction: 'none' });
        for (const y of targetsOf(entry)) {
          const got = criterion.forward(LOGITS, new Float32Array(LOGITS.length).fill(y));
          const scale = Math.max(1, options.posWeight ?? 1, Math.abs(options.polyEpsilon ?? 0));
          LOGITS.forEach((x, k) => {
            const expected = entry.value(x, Math.fround(y), options);
            const allowed = (entry.bound.relative * Math.abs(expected) + entry.bound.absolute * scale) * unit;
            if (!(Math.abs(got[k] - expected) <= allowed)) {
              expect.fail(`${JSON.stringify(options)} x ${x} y ${y}: ${got[k]}, expected ${expected}`);
            }
          });
        }
      }
    });

    test('has the gradient and the Hessian of its formula', () => {
      for (const options of optionsOf(entry)) {
        const criterion = make(entry, options);
        for (const y of targetsOf(entry)) {
          const { grad, hess } = criterion.gradHess(LOGITS, new Float32Array(LOGITS.length).fill(y));
          const kinks = entry.kinks?.(Math.fround(y), options) ?? [];
          const scale = Math.max(1, options.posWeight ?? 1, Math.abs(options.polyEpsilon ?? 0));
          LOGITS.forEach((x, k) => {
            if (kinks.some((kink) => Math.abs(kink - x) < 0.1)) return;
            const f = (at: number) => entry.value(at, Math.fround(y), options);
            const first = difference(f, x, 1);
            const second = difference(f, x, 2);
            const value = Math.abs(f(x));
            const near = (got: number, expected: number, noise: number, what: string) => {
              const allowed = entry.bound.gradient * 5 * Math.abs(expected) + noise * scale;
              if (!(Math.abs(got - expected) <= allowed)) {
                expect.fail(`${what} ${JSON.stringify(options)} x ${x} y ${y}: ${got}, expected ${expected}`);
              }
            };
            near(grad[k], first, 1e-6 + 1e-9 * value, 'gradient');
            near(hess[k], second, 3e-5 + 1e-6 * value, 'Hessian');
          });
        }
      }
    });

    test('gives no NaN for finite logits, nor for infinite ones where its limit is a number', () => {
      const logits = Float32Array.of(0, -0, 1e-45, 88, -88, 104, -104, 710, -710, 1e31, -1e31, 3.4e38, -3.4e38);
      for (const options of optionsOf(entry)) {
        for (const y of targetsOf(entry)) {
          const targets = new Float32Array(logits.length).fill(y);
          const criterion = make(entry, { ...options, reduction: 'none' });
          const { grad, hess } = criterion.gradHess(logits, targets);
          for (const array of [criterion.forward(logits, targets), grad, hess]) {
            expect([...array].filter(Number.isNaN), JSON.stringify({ options, y })).toEqual([]);
          }
        }
      }
      const criterion = make(entry, { reduction: 'none' });
      const ends = criterion.forward([Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN], [1, 0, 1]);
      expect([...ends]).toEqual([0, 0, Number.NaN]);
    });

    const n = 2 * SEGMENT + 77;
    const logits = someLogits(n);
    const targets = Float32Array.from(logits, (_, k) => targetsOf(entry)[k % targetsOf(entry).length]);

    test('adds up to the sum and the mean of its elements, weighed and not', () => {
      const weight = someLogits(n, 5);
      for (const call of [undefined, { weight }]) {
        const each = make(entry, { reduction: 'none' }).forward(logits, targets, call);
        const sum = make(entry, { reduction: 'sum' }).forward(logits, targets, call);
        const size = each.reduce((a: number, b: number) => a + Math.abs(b), 0);
        expect(Math.abs(sum - sum64(each))).toBeLessThanOrEqual((unit === 1 ? 1e-7 : 1e-14) * size);
        const normalizer = entry.name === 'HeatmapFocalLoss' ? targets.filter((y) => y === 1).length : n;
        expect(make(entry).forward(logits, targets, call)).toBeCloseTo(sum / normalizer, 12);
        expect(make(entry).forward(logits, targets, { ...call, normalizer: 3 })).toBe(sum / 3);
        const { value, grad } = make(entry, { reduction: 'sum' }).valueAndGrad(logits, targets, call);
        expect(value).toBe(sum);
        expect(firstDifference(grad, make(entry).gradHess(logits, targets, call).grad)).toBe(-1);
      }
    });

    test('gives the same bits in a workspace, in place, and of every kind of array', () => {
      const criterion = make(entry, { reduction: 'none' });
      const expected = criterion.valueAndGrad(logits, targets);
      const workspace = new library.Workspace(24 * n);
      const floats = () => (unit === 1 ? workspace.float32(n) : (workspace.float64(n) as unknown as Float32Array));
      const [x, y, grad] = [floats(), floats(), floats()];
      x.set(logits);
      y.set(targets);
      const got = criterion.valueAndGrad(x, y, { out: x, gradOut: grad });
      expect(firstDifference(got.value, expected.value)).toBe(-1);
      expect(firstDifference(got.grad, expected.grad)).toBe(-1);
      const doubles = criterion.forward(Float64Array.from(logits), Float64Array.from(targets));
      expect(firstDifference(doubles, expected.value)).toBe(-1);
      const hard = Uint8Array.from(targets, (value) => (value > 0.5 ? 1 : 0));
      const bytes = criterion.forward(logits, hard);
      for (const same of [Int32Array.from(hard), [...hard].map(Boolean), BigInt64Array.from(hard, BigInt)]) {
        expect(firstDifference(criterion.forward(logits, same), bytes)).toBe(-1);
      }
    });

    test('is metered by class, and refuses a bad target with its index', () => {
      const meter = new library.LossMeter(make(entry));
      meter.update(logits, targets);
      const { sum, count, sumPositives, sumNegatives, positives } = meter.compute();
      const each = make(entry, { reduction: 'none' }).forward(logits, targets);
      const above = entry.name === 'HeatmapFocalLoss' ? 1 - 2 ** -24 * unit : 0.5;
      const ofClass = (positive: boolean) =>
        sum64(each.filter((_: number, k: number) => targets[k] > above === positive));
      expect(count).toBe(n);
      expect(positives).toBe(targets.filter((y) => y > above).length);
      expect(sumPositives).toBeCloseTo(ofClass(true), 6);
      expect(sumNegatives).toBeCloseTo(ofClass(false), 6);
      expect(sum).toBeCloseTo(sumPositives + sumNegatives, 8);
      const bad = targets.slice();
      bad[SEGMENT + 3] = 1.5;
      expect(errorOf(() => make(entry).forward(logits, bad))).toMatchObject({
        argument: 'targets',
        index: SEGMENT + 3,
      });
    });

    // the base loss has neither option
    if (!isMember(entry)) return;

    test('leaves out what is ignored, and puts class weights where classes are', () => {
      const marked = targets.map((y, k) => (k % 5 === 2 ? -1 : y));
      const skipping = make(entry, { ignoreIndex: -1, reduction: 'none' });
      const plain = make(entry, { reduction: 'none' });
      const { value, grad } = skipping.valueAndGrad(logits, marked);
      const all = plain.valueAndGrad(logits, targets);
      const keep = (array: Float32Array) => array.map((v, k) => (k % 5 === 2 ? 0 : v));
      expect(firstDifference(value, keep(all.value))).toBe(-1);
      expect(firstDifference(grad, keep(all.grad))).toBe(-1);
      const rows = { data: logits.slice(0, 60), dims: [2, 3, 10] };
      const classWeight = [0, 2, 4];
      const byClass = make(entry, { numClasses: 3, classAxis: 1, classWeight, reduction: 'none' });
      const expected = plain
        .forward(rows.data, targets.slice(0, 60))
        .map((v: number, k: number) => v * classWeight[Math.floor(k / 10) % 3]);
      expect(firstDifference(byClass.forward(rows, targets.slice(0, 60)), expected)).toBe(-1);
    });
  });

  describe.each(ROW_LOSSES.map((entry) => [entry.title, entry] as const))('%s', (_, entry) => {
    test('has the values and the gradient of its formula', () => {
      for (const options of optionsOf(entry)) {
        const numClasses = Math.max(2, Math.round(options.numClasses) % 13);
        const criterion = new classes[entry.name]({ ...options, numClasses, reduction: 'none' });
        const rows = 40;
        const logits = someLogits(rows * numClasses, numClasses).map((x) => x / 3);
        const labels = Int32Array.from({ length: rows }, (_, row) => (row * 7) % numClasses);
        const { value, grad } = criterion.valueAndGrad(logits, labels);
        for (let row = 0; row < rows; row++) {
          const own = [...logits.subarray(row * numClasses, (row + 1) * numClasses)];
          const expected = entry.values(own, labels[row], options);
          const total = (z: readonly number[]) => entry.values(z, labels[row], options).reduce((sum, v) => sum + v, 0);
          const scale = Math.max(1, options.posWeight ?? 1, Math.abs(options.polyEpsilon));
          const near = (got: number, wanted: number, relative: number, absolute: number) => {
            if (Math.abs(got - wanted) < relative * Math.abs(wanted) + absolute * scale) return;
            expect.fail(`${JSON.stringify(options)} row ${row}: ${got}, expected ${wanted}`);
          };
          const each = value.length / rows;
          expected.forEach((wanted, k) => {
            near(value[row * each + k], wanted, entry.bound.relative, entry.bound.absolute);
          });
          own.forEach((x, k) => {
            const slope = difference((at) => total(own.with(k, at)), x, 1);
            near(grad[row * numClasses + k], slope, 5 * entry.bound.gradient, 1e-6 + 1e-9 * Math.abs(total(own)));
          });
        }
      }
    });
  });

  describe('where a loss is another one, it has its bits', () => {
    const logits = someLogits(1000);
    const hard = Uint8Array.from(logits, (_, k) => (k % 3 === 0 ? 1 : 0));
    const same = (a: Criterion, b: Criterion, targets: Uint8Array | Float32Array = hard) => {
      const [left, right] = [a, b].map((criterion) => criterion.gradHess(logits, targets as never));
      expect(
        firstDifference(a.forward(logits, targets as never) as never, b.forward(logits, targets as never) as never),
      ).toBe(-1);
      expect(firstDifference(left.grad, right.grad)).toBe(-1);
      expect(firstDifference(left.hess, right.hess)).toBe(-1);
    };
    const none = { reduction: 'none' } as const;
    const { FocalLoss } = library;

    test.each([0, 0.5, 1, 1.5, 2, 3.7])('exponent %s', (gamma) => {
      const focal = new FocalLoss({ gamma, alpha: null, ...none });
      same(new classes.QualityFocalLoss({ beta: gamma, ...none }), focal);
      same(new classes.AsymmetricLoss({ gammaPositive: gamma, gammaNegative: gamma, margin: 0, ...none }), focal);
      same(new FocalLoss({ gamma, alpha: null, polyEpsilon: 0, ...none }), focal);
    });

    test('a focal loss of hard targets, whatever soft ones would mean', () => {
      const focal = new FocalLoss({ gamma: 2, ...none });
      fc.assert(
        fc.property(fc.constantFrom('split', 'crossEntropy'), (softTargets) => {
          same(new FocalLoss({ gamma: 2, softTargets: softTargets as 'split', ...none }), focal);
        }),
      );
    });
  });
});
