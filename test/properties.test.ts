import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BCEWithLogitsLoss, FocalLoss } from '../src/index.js';
import { firstDifference, sum64 } from './support.js';

const RUNS = { numRuns: 60 };
const gammas = fc.oneof(
  fc.constantFrom(0, 0.5, 1, 1.5, 2, 2.5, 3, 4, 5),
  fc.double({ min: 0, max: 10, noNaN: true, noDefaultInfinity: true }),
);
const alphas = fc.option(fc.constantFrom(0, 0.25, 0.5, 0.875, 1), { nil: null });
/** Targets that float32 holds exactly, and so does 1 - y. */
const soft = fc.integer({ min: 0, max: 64 }).map((k) => k / 64);
const hard = fc.constantFrom(0, 1);
const anyLogit = fc.float({ noNaN: true });
const logit = fc.float({ min: -40, max: 40, noNaN: true });
const pairs = <T>(x: fc.Arbitrary<number>, y: fc.Arbitrary<T>) => fc.array(fc.tuple(x, y), { maxLength: 40 });

function split(elements: [number, number][], bytes = false) {
  const logits = Float32Array.from(elements, ([x]) => x);
  const labels = elements.map(([, y]) => y);
  return { logits, targets: bytes ? Uint8Array.from(labels) : Float32Array.from(labels) };
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
          if (value !== other) expect(Math.abs(value - other)).toBeLessThanOrEqual(2e-6 * other + 2 ** -126);
          expect(Math.abs(a.grad[k] + b.grad[k])).toBeLessThanOrEqual(4e-6 * Math.abs(a.grad[k]) + 4e-7);
        });
      }),
      RUNS,
    );
  });

  test('gradient and Hessian are the differences of value and gradient', () => {
    const h = 2 ** -7;
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
          // the step that float32 really made, the rounding of both ends, and the third derivative
          const step = Math.fround(x + h) - Math.fround(x - h);
          const rounding = (2e-6 * (up.value[k] + down.value[k])) / step;
          const curve = 0.02 * h * (1 + gamma) ** 2;
          expect(Math.abs((up.value[k] - down.value[k]) / step - grad[k])).toBeLessThanOrEqual(rounding + curve);
          expect(Math.abs((up.grad[k] - down.grad[k]) / step - hess[k])).toBeLessThanOrEqual(
            (4e-6 * (Math.abs(up.grad[k]) + 1)) / step + curve * (1 + gamma),
          );
        });
      }),
      RUNS,
    );
  });

  test('none summed in float64 agrees with sum, and pieces with the whole', () => {
    fc.assert(
      fc.property(pairs(logit, targetsOf), gammas, alphas, fc.nat(40), (elements, gamma, alpha, at) => {
        const { logits, targets } = split(elements, kind === 'hard');
        const none = new FocalLoss({ gamma, alpha, reduction: 'none' });
        const sum = new FocalLoss({ gamma, alpha, reduction: 'sum' });
        const each = none.forward(logits, targets);
        const total = sum64(each);
        const tolerance = 1e-7 * total + 2 ** -126 * each.length;
        expect(Math.abs(sum.forward(logits, targets) - total)).toBeLessThanOrEqual(tolerance);
        const cut = Math.min(at, logits.length);
        const left = sum.forward(logits.subarray(0, cut), targets.subarray(0, cut));
        const right = sum.forward(logits.subarray(cut), targets.subarray(cut));
        expect(Math.abs(left + right - total)).toBeLessThanOrEqual(tolerance);
        const pieces = Float32Array.of(
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
      const logits = Float32Array.from(values).sort();
      const criterion = new FocalLoss({ gamma, alpha: null, reduction: 'none' });
      const positive = criterion.forward(logits, new Uint8Array(logits.length).fill(1));
      const negative = criterion.forward(logits, new Uint8Array(logits.length)).reverse();
      for (const losses of [positive, negative]) {
        for (let k = 1; k < losses.length; k++) {
          if (losses[k] > losses[k - 1]) expect(losses[k]).toBeLessThanOrEqual(losses[k - 1] * (1 + 4e-6) + 2 ** -126);
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
      const weight = Float32Array.from(targets, (y) => (y ? factor : 1));
      const weighted = new FocalLoss({ gamma: 2, reduction: 'none' }).forward(logits, targets, { weight });
      plain.forEach((value, k) => {
        const want = value * (targets[k] ? factor : 1);
        if (want < 2 ** -120) return;
        expect(Math.abs(scaled[k] - want)).toBeLessThanOrEqual(3e-7 * want);
        expect(Math.abs(weighted[k] - want)).toBeLessThanOrEqual(3e-7 * want);
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
