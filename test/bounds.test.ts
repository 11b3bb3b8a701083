// Every bound of docs/numerics.md, with all that multiplies a loss and for gamma in [0, 64].
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { FocalLoss, SoftmaxFocalLoss } from '../src/index.js';
import * as bounds from './bounds.js';
import { exact, focalLoss, gradient, hessian } from './oracle.js';
import { softmaxDifference, softmaxFocalLoss, softmaxHessian } from './oracle-softmax.js';
import { binary64, softmax64, ulps } from './reference.js';
import { random } from './support.js';

const GAMMAS = [0, 0.5, 1, 1.5, 2, 2.5, 3, 3.5, 4, 4.5, 5, 0.3, 1.7, 7.3, 10, 13.37, 20, 33, 50, 64];
const FACTORS = [
  { alpha: null },
  { alpha: 0.187 },
  { alpha: 0.25, weight: 3 },
  { alpha: 0.9, posWeight: 3.3 },
  { alpha: null, posWeight: 0.1 },
  { alpha: 0.6, posWeight: 1000, weight: 0.01 },
];

test('docs/numerics.md states these bounds', () => {
  const text = readFileSync(new URL('../docs/numerics.md', import.meta.url), 'utf8').replaceAll(/\s+/g, ' ');
  for (const bound of Object.values(bounds)) if (typeof bound === 'object') expect(text).toContain(bound.text);
});

test('the float64 reference of all factors is good to 1e-11', () => {
  const next = random(5);
  const near = (got: number, truth: { toNumber(): number }, scale = 0) =>
    expect(Math.abs(got - truth.toNumber())).toBeLessThanOrEqual(1e-11 * Math.abs(truth.toNumber()) + 1e-12 * scale);
  for (const [gamma, { alpha, posWeight = 1 }] of [
    [0.5, FACTORS[1]],
    [7.3, FACTORS[3]],
    [64, FACTORS[4]],
  ] as const) {
    const options = { gamma, alpha, posWeight };
    const [x, y] = [Math.fround(30 * (next() - 0.5)), Math.fround(next())];
    const { loss, grad, hess } = binary64(x, y, options);
    near(loss, focalLoss(x, y, options));
    near(grad, gradient(x, y, options), posWeight);
    near(hess, hessian(x, y, options), posWeight);
  }
  const row = [3, -1.5, 0.25].map(Math.fround);
  for (const [gamma, labelSmoothing, label] of [
    [0.5, 0, 0],
    [2, 0.1, 1],
  ]) {
    const options = { gamma, alpha: [0.25, 7, 1], labelSmoothing };
    const { loss, grad, hess } = softmax64(row, label, options);
    near(loss, softmaxFocalLoss(row, label, options));
    for (const j of [0, 1]) {
      near(grad[j], softmaxDifference(row, label, j, options), 10);
      near(hess[j], softmaxHessian(row, label, j, options), 10);
    }
  }
});

/** Logits of which most are where the loss changes, with targets of which many are near 0 and 1. */
function elements(count: number, hard: boolean) {
  const next = random(hard ? 11 : 12);
  const x = Float32Array.from({ length: count }, (_, k) =>
    k % 8 === 0 ? 200 * (next() - 0.5) : 40 * (next() - 0.5) * next(),
  );
  const y = Float32Array.from({ length: count }, () => {
    if (hard) return next() < 0.5 ? 0 : 1;
    if (next() < 0.3) return next();
    const near = next() ** 6;
    return Math.min(Math.max(next() < 0.5 ? near : 1 - near, 1e-30), 1 - 2 ** -24);
  });
  return { x, y };
}

const kinds = {
  'hard targets as bytes': { ...elements(900, true), bytes: true },
  'hard targets as floats': { ...elements(900, true), bytes: false },
  'soft targets': { ...elements(900, false), bytes: false },
};

describe.each(Object.entries(kinds))('%s', (kind, { x, y, bytes }) => {
  test.each(GAMMAS)('gamma %d: loss, gradient and Hessian, whatever multiplies them', (gamma) => {
    const targets = bytes ? Uint8Array.from(y) : y;
    const faults: string[] = [];
    for (const { weight = 1, ...options } of FACTORS) {
      const criterion = new FocalLoss({ gamma, ...options, reduction: 'none' });
      const call = weight === 1 ? {} : { weight: new Float32Array(x.length).fill(weight) };
      const w = Math.fround(weight);
      const loss = criterion.forward(x, targets, call);
      const { grad, hess } = criterion.gradHess(x, targets, call);
      const { alpha, posWeight = 1 } = options;
      const named = [alpha !== null, posWeight !== 1, weight !== 1].filter(Boolean).length;
      const factors = named + (kind === 'soft targets' && named > 0 ? 1 : 0);
      for (let k = 0; k < x.length; k++) {
        const truth = binary64(x[k], y[k], { gamma, ...options });
        const multiplier = w * (alpha === null ? 1 : alpha * y[k] + (1 - alpha) * (1 - y[k])) * Math.max(1, posWeight);
        const name = `${JSON.stringify({ weight, ...options })} x ${x[k]} y ${y[k]}`;
        const wanted = w * truth.loss;
        const floor = bounds.underflow.of(multiplier, Math.abs(x[k]) + 1);
        const error = Math.abs(loss[k] - wanted);
        if (!(loss[k] >= 0 && error <= bounds.binaryRelative.of(gamma, factors) * wanted + floor)) {
          faults.push(`${name}: loss ${loss[k]}, not ${wanted}`);
        }
        const ulp = ulps(loss[k], wanted);
        if (bounds.isExactPower(gamma) && error > floor && !(ulp <= bounds.binaryUlps.of(gamma, factors))) {
          faults.push(`${name}: ${ulp} ulp, ${loss[k]}, not ${wanted}`);
        }
        if (!(Math.abs(grad[k] - w * truth.grad) <= bounds.slope.of(gamma, multiplier, w * truth.grad))) {
          faults.push(`${name}: grad ${grad[k]}, not ${w * truth.grad}`);
        }
        if (!(Math.abs(hess[k] - w * truth.hess) <= bounds.curve.of(gamma, multiplier, w * truth.hess))) {
          faults.push(`${name}: hess ${hess[k]}, not ${w * truth.hess}`);
        }
      }
    }
    expect(faults.slice(0, 5)).toEqual([]);
  });
});

test('an alpha on a soft target costs an ulp, which the bound of the loss alone did not allow', () => {
  const [x, y] = [0.23706823587417603, 0.31584492325782776];
  const [loss] = new FocalLoss({ gamma: 0, alpha: 0.187, reduction: 'none' }).forward([x], Float32Array.of(y));
  const ulp = ulps(loss, binary64(x, y, { gamma: 0, alpha: 0.187 }).loss);
  expect(ulp).toBeGreaterThan(bounds.binaryUlps.of(0, 0));
  expect(ulp).toBeLessThanOrEqual(bounds.binaryUlps.of(0, 2));
});

test('no posWeight is too large for the derivatives of a float target', () => {
  const x = Float32Array.of(-90, -5, -0.1, 0.3, 4, 60);
  for (const posWeight of [1e4, 1e6, 1e12, 1e28]) {
    for (const target of [1, 0.7]) {
      for (const gamma of [0.5, 2, 64]) {
        const y = new Float32Array(x.length).fill(target);
        const { grad, hess } = new FocalLoss({ gamma, alpha: 0.6, posWeight }).gradHess(x, y);
        x.forEach((logit, k) => {
          const truth = binary64(logit, y[k], { gamma, alpha: 0.6, posWeight });
          expect(Math.abs(grad[k] - truth.grad)).toBeLessThanOrEqual(bounds.slope.of(gamma, posWeight, truth.grad));
          expect(Math.abs(hess[k] - truth.hess)).toBeLessThanOrEqual(bounds.curve.of(gamma, posWeight, truth.hess));
        });
      }
    }
  }
});

describe.each([2, 3, 10, 80])('rows of %i classes', (numClasses) => {
  test.each(GAMMAS)('gamma %d: loss, gradient and Hessian, with alpha, smoothing and easy rows', (gamma) => {
    const rows = numClasses === 80 ? 30 : 150;
    const next = random(numClasses);
    const labels = Int32Array.from({ length: rows }, () => Math.floor(next() * numClasses));
    const logits = Float32Array.from({ length: rows * numClasses }, (_, k) => {
      const spread = [10, 60, 180][Math.floor(k / numClasses) % 3];
      return spread * (next() - 0.5);
    });
    for (let row = 0; row < rows; row += 2) logits[row * numClasses + labels[row]] += 90 * next();
    const faults: string[] = [];
    const weights = Array.from({ length: numClasses }, (_, k) => [0.25, 7, 100][k % 3]);
    for (const alpha of [null, weights]) {
      for (const labelSmoothing of [0, 0.1]) {
        const options = { gamma, alpha, labelSmoothing };
        const criterion = new SoftmaxFocalLoss({ ...options, numClasses, reduction: 'none' });
        const loss = criterion.forward(logits, labels);
        const { grad, hess } = criterion.gradHess(logits, labels);
        for (let row = 0; row < rows; row++) {
          const from = row * numClasses;
          const z = Array.from(logits.subarray(from, from + numClasses));
          const truth = softmax64(z, labels[row], options);
          const name = `${JSON.stringify({ alpha: alpha !== null, labelSmoothing })} row ${row}`;
          const widest = Math.max(...z) - Math.min(...z) + 1 + Math.log(numClasses);
          const floor = bounds.underflow.of(truth.alpha, widest, numClasses);
          if (!(Math.abs(loss[row] - truth.loss) <= bounds.softmaxRelative.of(gamma) * truth.loss + floor)) {
            faults.push(`${name}: loss ${loss[row]}, not ${truth.loss}`);
          }
          for (const [what, found, wanted] of [
            ['grad', grad, truth.grad],
            ['hess', hess, truth.hess],
          ] as const) {
            wanted.forEach((value, j) => {
              const got = found[from + j];
              if (!(Math.abs(got - value) <= bounds.softmaxSlope.of(gamma, truth.alpha, value))) {
                faults.push(`${name} class ${j}: ${what} ${got}, not ${value}`);
              }
            });
          }
        }
      }
    }
    expect(faults.slice(0, 5)).toEqual([]);
  });
});

test('at gamma 0 near 1e-36 a softmax keeps the bound below the normal numbers, and misses the relative one', () => {
  const row = [59.68904495239258, -24.877212524414062, -29.217411041259766].map(Math.fround);
  const [loss] = new SoftmaxFocalLoss({ numClasses: 3, gamma: 0, reduction: 'none' }).forward(row, [0]);
  const truth = softmaxFocalLoss(row, 0, { gamma: 0 });
  const error = exact(loss).minus(truth).abs();
  expect(error.div(truth).toNumber()).toBeGreaterThan(1e-3);
  expect(error.toNumber()).toBeLessThanOrEqual(bounds.underflow.of(1, 1, 3));
});
