// What targets between 0 and 1 mean (softTargets), and Poly-1, against their definitions.
import { describe, expect, test } from 'vitest';
import { Flag, SoftTargets } from '../src/abi.js';
import { type FocalOptions, focal } from './family-reference.js';
import { type Call, call } from './raw-kernel.js';
import { firstDifference, softTargets, someLogits, sum64 } from './support.js';

const LENGTH = 1200;
/** Some of every size, and targets next to 0 and 1 among them. */
const logits = someLogits(LENGTH, 5).map((x, k) => (k % 50 === 0 ? 8 * x : k % 50 === 1 ? 1e-3 * x : x));
const targets = softTargets(LENGTH, 6).map((y, k) => [0, 1, y ** 12, 1 - y ** 12, y, y, y, y][k % 8]);

const OPTIONS: FocalOptions[] = [
  { gamma: 2 },
  { gamma: 0 },
  { gamma: 0.5 },
  { gamma: 1.7, alphaPositive: 0.25, alphaNegative: 0.75 },
  { gamma: 3, posWeight: 5 },
  { gamma: 4.5, posWeight: 0.2, labelSmoothing: 0.1 },
  { gamma: 10 },
];
/** The same bits, but for what is below the normal numbers. */
function expectSame(actual: Float32Array, expected: Float32Array): void {
  const different = actual.findIndex((value, k) => value !== expected[k] && Math.abs(value - expected[k]) > 2 ** -126);
  expect([different, actual[different]]).toEqual([-1, undefined]);
}

const KINDS = ['linear', 'split', 'crossEntropy'] as const;
const EPSILONS = [0, 1, -1, 3, -4];

// The worst over all of these is 0.31 of the bound, in a Hessian of 'split' at gamma 10; of losses 0.27, at gamma 10.
describe.each(KINDS)('%s', (kind) => {
  describe.each(EPSILONS)('epsilon %d', (polyEpsilon) => {
    test.each(OPTIONS)('value and derivatives, %o', (option) => {
      const options = { ...option, polyEpsilon, softTargets: SoftTargets[kind] };
      const scale = Math.max(1, option.posWeight ?? 1) * (1 + Math.abs(polyEpsilon));
      const exact = call('binary', { ...options, logits, targets });
      const gaussNewton = call('binary', { ...options, logits, targets, hessian: 'gaussNewton' });
      const faults: string[] = [];
      const check = (name: 'loss' | 'grad' | 'hess', k: number, actual: number, truth: number, absolute: number) => {
        if (Math.abs(actual - truth) <= 4e-6 * Math.abs(truth) + absolute * scale) return;
        faults.push(`${name} at x ${logits[k]} y ${targets[k]}: ${actual}, not ${truth}`);
      };
      for (let k = 0; k < LENGTH; k++) {
        const reference = focal(logits[k], targets[k], options);
        check('loss', k, exact.loss[k], reference.loss.v, 1e-7);
        check('grad', k, exact.grad[k], reference.loss.d, 4e-7);
        check('hess', k, exact.hess[k], reference.loss.h, 4e-7);
        check('hess', k, gaussNewton.hess[k], reference.gaussNewton, 4e-7);
      }
      expect(faults.slice(0, 5)).toEqual([]);
      expect(firstDifference(gaussNewton.grad, exact.grad)).toBe(-1);
    });

    test('every other output is made of the same losses', () => {
      const options = { gamma: 1.5, posWeight: 0.5, polyEpsilon, softTargets: SoftTargets[kind], logits, targets };
      const { loss, grad, hess, sum } = call('binary', options);
      const close = (actual: number, expected: number) => expect(Math.abs(actual / expected - 1)).toBeLessThan(1e-7);
      close(sum, sum64(loss));
      close(call('binary', { ...options, want: [] }).sum, sum);
      const positive = Array.from(targets.keys()).filter((k) => targets[k] > 0.5);
      const byClass = call('binary', { ...options, flags: Flag.sums | Flag.byClass });
      close(byClass.sumPositives, sum64(positive.map((k) => loss[k])));
      close(byClass.sumPositives + byClass.sumNegatives, sum);
      const clip = call('binary', { ...options, hessian: 'clip' });
      expectSame(
        clip.hess,
        hess.map((h) => Math.max(h, Math.fround(1e-16))),
      );
      expectSame(call('binary', { ...options, hessian: 'absGrad' }).hess, grad.map(Math.abs));
      const weight = logits.map((x) => Math.sign(x) * 0.5);
      const weighed = call('binary', { ...options, weight, gradScale: 4 });
      expectSame(
        weighed.loss,
        loss.map((l, k) => l * weight[k]),
      );
      expectSame(
        weighed.grad,
        grad.map((g, k) => g * weight[k] * 4),
      );
      expectSame(call('binary', { ...options, want: ['loss'] }).loss, loss);
      expectSame(call('binary', { ...options, want: ['grad'] }).grad, grad);
    });
  });

  test('alpha and posWeight of each element', () => {
    const alphas = softTargets(LENGTH, 8);
    const posWeights = softTargets(LENGTH, 9);
    const alphaNegatives = alphas.map((a) => 1 - a);
    const base = { gamma: 2, polyEpsilon: 0.5, softTargets: SoftTargets[kind] };
    const result = call('binary', { ...base, logits, targets, alphas, alphaNegatives, posWeights });
    for (let k = 0; k < LENGTH; k++) {
      const own = { alphaPositive: alphas[k], alphaNegative: alphaNegatives[k], posWeight: posWeights[k] };
      const { loss } = focal(logits[k], targets[k], { ...base, ...own });
      expect(Math.abs(result.loss[k] - loss.v)).toBeLessThanOrEqual(4e-6 * loss.v + 1e-7);
      expect(Math.abs(result.grad[k] - loss.d)).toBeLessThanOrEqual(4e-6 * Math.abs(loss.d) + 4e-7);
    }
  });

  test('infinite, huge and NaN logits', () => {
    const x = Float32Array.of(Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 3e38, -3e38, Number.NaN, -100, 100);
    for (const gamma of [0, 0.5, 2, 1.7, 7]) {
      for (const polyEpsilon of [0, 2, -1, -3]) {
        for (const y of [0, 2 ** -149, 0.25, 1 - 2 ** -24, 1]) {
          const given: Call = {
            gamma,
            polyEpsilon,
            softTargets: SoftTargets[kind],
            logits: x,
            targets: x.map(() => y),
          };
          const { loss, grad, hess } = call('binary', given);
          expect([loss[4], grad[4], hess[4]]).toEqual([Number.NaN, Number.NaN, Number.NaN]);
          expect(loss[0]).toBe(y === 1 ? 0 : Number.POSITIVE_INFINITY);
          expect(loss[1]).toBe(y === 0 ? 0 : Number.POSITIVE_INFINITY);
          for (const k of [0, 1, 2, 3, 5, 6]) {
            expect(Number.isNaN(loss[k])).toBe(false);
            const { loss: truth } = focal(Math.max(-1e3, Math.min(1e3, x[k])), y, given as FocalOptions);
            expect(Math.abs(grad[k] - truth.d)).toBeLessThanOrEqual(4e-6 * Math.abs(truth.d) + 1e-6);
            expect(Math.abs(hess[k] - truth.h)).toBeLessThanOrEqual(1e-6);
          }
        }
      }
    }
  });
});

const hard = Uint8Array.from(targets, Math.round);

test('of bytes softTargets says nothing: the bits are those of the default', () => {
  const expected = call('binary', { logits, targets: hard });
  for (const kind of KINDS) {
    const { loss, grad, hess } = call('binary', { logits, targets: hard, softTargets: SoftTargets[kind] });
    expect({ loss, grad, hess }).toEqual({ loss: expected.loss, grad: expected.grad, hess: expected.hess });
  }
});

test('an epsilon of 0 changes no bit', () => {
  for (const y of [hard, targets]) {
    const expected = call('binary', { gamma: 1.5, logits, targets: y });
    expect(call('binary', { gamma: 1.5, logits, targets: y, polyEpsilon: 0 })).toEqual(expected);
    expect(call('binary', { gamma: 1.5, logits, targets: y, polyEpsilon: -0 })).toEqual(expected);
  }
});

test('Poly-1 of hard targets, as Leng et al. write it', () => {
  const { loss } = call('binary', { gamma: 2, logits, targets: hard, polyEpsilon: 1 });
  for (let k = 0; k < LENGTH; k++) {
    const pt = 1 / (1 + Math.exp(hard[k] === 1 ? -logits[k] : logits[k]));
    const truth = -((1 - pt) ** 2) * Math.log(pt) + (1 - pt) ** 3;
    expect(Math.abs(loss[k] - truth)).toBeLessThan(4e-6 * truth + 1e-7);
  }
});

test('Poly-1 of probabilities has the derivatives of its value', () => {
  const flags = Flag.probabilities | Flag.sums;
  const p = softTargets(LENGTH, 11).map((value) => 0.05 + 0.9 * value);
  for (const gamma of [0, 0.5, 2, 3.3]) {
    for (const polyEpsilon of [2, -3]) {
      const { loss, grad, hess } = call('binary', { gamma, polyEpsilon, logits: p, targets, flags });
      for (let k = 0; k < LENGTH; k++) {
        const y = targets[k];
        const at = (u: number) => {
          const c = y * (1 - u) + (1 - y) * u;
          return c ** gamma * (-y * Math.log(u) - (1 - y) * Math.log1p(-u) + polyEpsilon * c);
        };
        const h = 1e-4;
        const [before, here, after] = [at(p[k] - h), at(p[k]), at(p[k] + h)];
        expect(Math.abs(loss[k] - here)).toBeLessThan(4e-6 * Math.abs(here) + 4e-7);
        expect(Math.abs(grad[k] - (after - before) / (2 * h))).toBeLessThan(2e-5 * (1 + Math.abs(grad[k])));
        expect(Math.abs(hess[k] - (after - 2 * here + before) / (h * h))).toBeLessThan(1e-3 * (1 + Math.abs(hess[k])));
      }
    }
  }
});
