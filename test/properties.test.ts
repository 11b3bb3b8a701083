import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { firstDifference, sum64 } from './support.js';
import { WIDTHS } from './widths.js';

const RUNS = { numRuns: 60 };
const gammas = fc.oneof(
  fc.constantFrom(0, 0.5, 1, 1.5, 2, 2.5, 3, 4, 5),
  fc.double({ min: 0, max: 10, noNaN: true, noDefaultInfinity: true }),
);
const alphas = fc.option(fc.constantFrom(0, 0.25, 0.5, 0.875, 1), { nil: null });
/** Targets that float32 holds exactly, and so does 1 - y. */
const soft = fc.integer({ min: 0, max: 64 }).map((k) => k / 64);
const hard = fc.constantFrom(0, 1);
const pairs = <T>(x: fc.Arbitrary<number>, y: fc.Arbitrary<T>) => fc.array(fc.tuple(x, y), { maxLength: 40 });

/** What each entry promises, and the steps in which its numbers can be differentiated. */
const PROMISES = {
  float32: { value: 2e-6, grad: { relative: 2e-6, absolute: 2e-7 }, sum: 1e-7, smallest: 2 ** -126, h: 2 ** -7 },
  float64: { value: 4e-15, grad: { relative: 1e-14, absolute: 1e-15 }, sum: 1e-14, smallest: 2 ** -1022, h: 2 ** -15 },
};

describe.each(WIDTHS)('of %s', (name, { library, Floats, toFloat, unit }) => {
  const { BCEWithLogitsLoss, FocalLoss } = library;
  const promise = PROMISES[name];
  const inRange = (range: { min?: number; max?: number }) =>
    unit === 1 ? fc.float({ ...range, noNaN: true }) : fc.double({ ...range, noNaN: true });
  const anyLogit = inRange({});
  const logit = inRange({ min: -40, max: 40 });

  function split(elements: [number, number][], bytes = false) {
    const logits = Floats.from(elements, ([x]) => x);
    const labels = elements.map(([, y]) => y);
    return { logits, targets: bytes ? Uint8Array.from(labels) : Floats.from(labels) };
  }

  test('gamma 0 without alpha is BCEWithLogitsLoss bit for bit', () => {
    fc.assert(
      fc.property(pairs(anyLogit, soft), fc.double({ min: 0, max: 10, noNaN: true }), (elements, posWeight) => {
        const { logits, targets } = split(elements);
        const focal = new FocalLoss({ gamma: 0, alpha: null, posWeight, reduction: 'none' });
        const base = new BCEWithLogitsLoss({ posWeight, reduction: 'none' });
        const [a, b] = [focal.valueAndGrad(logits, targets), base.valueAndGrad(logits, targets)];
        expect(firstDifference(a.value, b.value)).toBe(-1);
        expect(firstDifference(a.grad, b.grad)).toBe(-1);
        expect(firstDifference(focal.gradHess(logits, targets).hess, base.gradHess(logits, targets).hess)).toBe(-1);
      }),
      RUNS,
    );
  });

  describe.each([
    ['hard', hard],
    ['soft', soft],
  ])('%s targets', (kind, targetsOf) => {
    test('L(x, y) with alpha is L(-x, 1 - y) with 1 - alpha', () => {
      fc.assert(
        fc.property(pairs(anyLogit, targetsOf), gammas, alphas, (elements, gamma, alpha) => {
          const { logits, targets } = split(elements, kind === 'hard');
          const mirror = split(
            elements.map(([x, y]) => [-x, 1 - y]),
            kind === 'hard',
          );
          const here = new FocalLoss({ gamma, alpha, reduction: 'none' });
          const there = new FocalLoss({ gamma, alpha: alpha === null ? null : 1 - alpha, reduction: 'none' });
          const a = here.valueAndGrad(logits, targets);
          const b = there.valueAndGrad(mirror.logits, mirror.targets);
          a.value.forEach((value, k) => {
            const other = b.value[k];
            if (value !== other)
              expect(Math.abs(value - other)).toBeLessThanOrEqual(promise.value * other + promise.smallest);
            expect(Math.abs(a.grad[k] + b.grad[k])).toBeLessThanOrEqual(
              2 * (promise.grad.relative * Math.abs(a.grad[k]) + promise.grad.absolute),
            );
          });
        }),
        RUNS,
      );
    });

    test('gradient and Hessian are the differences of value and gradient', () => {
      const { h } = promise;
      fc.assert(
        fc.property(pairs(logit, targetsOf), gammas, alphas, (elements, gamma, alpha) => {
          const { logits, targets } = split(elements, kind === 'hard');
          const criterion = new FocalLoss({ gamma, alpha, reduction: 'none' });
          const up = criterion.valueAndGrad(
            logits.map((x) => x + h),
            targets,
          );
          const down = criterion.valueAndGrad(
            logits.map((x) => x - h),
            targets,
          );
          const { grad, hess } = criterion.gradHess(logits, targets);
          logits.forEach((x, k) => {
            // the step that was really made, the rounding of both ends, and the third derivative
            const step = toFloat(x + h) - toFloat(x - h);
            const rounding = (promise.value * (up.value[k] + down.value[k])) / step;
            const curve = 2.56 * h ** 2 * (1 + gamma) ** 2;
            expect(Math.abs((up.value[k] - down.value[k]) / step - grad[k])).toBeLessThanOrEqual(rounding + curve);
            expect(Math.abs((up.grad[k] - down.grad[k]) / step - hess[k])).toBeLessThanOrEqual(
              (2 * promise.grad.relative * (Math.abs(up.grad[k]) + 1)) / step + curve * (1 + gamma),
            );
          });
        }),
        RUNS,
      );
    });

    test('none summed exactly agrees with sum, and pieces with the whole', () => {
      fc.assert(
        fc.property(pairs(logit, targetsOf), gammas, alphas, fc.nat(40), (elements, gamma, alpha, at) => {
          const { logits, targets } = split(elements, kind === 'hard');
          const none = new FocalLoss({ gamma, alpha, reduction: 'none' });
          const sum = new FocalLoss({ gamma, alpha, reduction: 'sum' });
          const each = none.forward(logits, targets);
          const total = sum64(each);
          const tolerance = promise.sum * total + promise.smallest * each.length;
          expect(Math.abs(sum.forward(logits, targets) - total)).toBeLessThanOrEqual(tolerance);
          const cut = Math.min(at, logits.length);
          const left = sum.forward(logits.subarray(0, cut), targets.subarray(0, cut));
          const right = sum.forward(logits.subarray(cut), targets.subarray(cut));
          expect(Math.abs(left + right - total)).toBeLessThanOrEqual(tolerance);
          const pieces = Floats.of(
            ...none.forward(logits.subarray(0, cut), targets.subarray(0, cut)),
            ...none.forward(logits.subarray(cut), targets.subarray(cut)),
          );
          expect(firstDifference(pieces, each)).toBe(-1);
        }),
        RUNS,
      );
    });
  });

  test('a larger logit never costs a positive more, nor a negative less, beyond the rounding', () => {
    fc.assert(
      fc.property(fc.array(anyLogit, { minLength: 2, maxLength: 40 }), gammas, (values, gamma) => {
        const logits = Floats.from(values).sort();
        const criterion = new FocalLoss({ gamma, alpha: null, reduction: 'none' });
        const positive = criterion.forward(logits, new Uint8Array(logits.length).fill(1));
        const negative = criterion.forward(logits, new Uint8Array(logits.length)).reverse();
        for (const losses of [positive, negative]) {
          for (let k = 1; k < losses.length; k++) {
            if (losses[k] > losses[k - 1])
              expect(losses[k]).toBeLessThanOrEqual(losses[k - 1] * (1 + 2 * promise.value) + promise.smallest);
          }
        }
      }),
      RUNS,
    );
  });

  test('posWeight and weight scale, and order does not matter', () => {
    fc.assert(
      fc.property(pairs(logit, hard), fc.constantFrom(0.5, 2, 4, 8), (elements, factor) => {
        const { logits, targets } = split(elements, true);
        const plain = new FocalLoss({ gamma: 2, reduction: 'none' }).forward(logits, targets);
        const scaled = new FocalLoss({ gamma: 2, posWeight: factor, reduction: 'none' }).forward(logits, targets);
        const weight = Floats.from(targets, (y) => (y ? factor : 1));
        const weighted = new FocalLoss({ gamma: 2, reduction: 'none' }).forward(logits, targets, { weight });
        plain.forEach((value, k) => {
          const want = value * (targets[k] ? factor : 1);
          if (want < 64 * promise.smallest) return;
          expect(Math.abs(scaled[k] - want)).toBeLessThanOrEqual(3e-7 * unit * want);
          expect(Math.abs(weighted[k] - want)).toBeLessThanOrEqual(3e-7 * unit * want);
        });
        const reversed = new FocalLoss({ gamma: 2, reduction: 'none' }).forward(
          logits.slice().reverse(),
          targets.slice().reverse(),
        );
        expect(firstDifference(reversed.reverse(), plain)).toBe(-1);
      }),
      RUNS,
    );
  });
});
