// Faults seen in other implementations: each naive form must fail the bound that the library keeps.
import { expect, test } from 'vitest';
import { FocalLoss, SoftmaxFocalLoss } from '../src/index.js';
import { exact, focalLoss } from './oracle.js';
import { errorOf, sum64 } from './support.js';

const f32 = Math.fround;
const exp = (x: number) => f32(Math.exp(x));
const log = (x: number) => f32(Math.log(x));
const sigmoid = (x: number) => f32(1 / f32(1 + exp(-x)));

function loss(x: number, y: number, gamma: number, options: { posWeight?: number } = {}): number {
  return new FocalLoss({ gamma, alpha: null, ...options, reduction: 'none' }).forward([x], Uint8Array.of(y))[0];
}

function relativeError(got: number, x: number, y: number, gamma: number, posWeight = 1): number {
  const truth = focalLoss(f32(x), y, { gamma, posWeight });
  return exact(got).minus(truth).div(truth).abs().toNumber();
}

test('1 - p by subtraction', () => {
  const naive = (x: number) => f32(f32(1 - sigmoid(x)) ** 2 * log(f32(1 + exp(-x))));
  expect(relativeError(naive(10), 10, 1, 2)).toBeGreaterThan(5e-4);
  expect(relativeError(naive(15), 15, 1, 2)).toBeGreaterThan(0.3);
  expect(naive(17)).toBe(0);
  for (const x of [10, 15, 16.7, 17, 25]) {
    expect(relativeError(loss(f32(x), 1, 2), x, 1, 2)).toBeLessThan(1e-6);
    expect(relativeError(loss(-f32(x), 0, 2), -x, 0, 2)).toBeLessThan(1e-6);
  }
});

test('log(max(p, FLT_MIN))', () => {
  const naive = (x: number) => -log(Math.max(f32(1 - sigmoid(x)), 2 ** -126));
  expect(naive(16)).toBeCloseTo(15.9, 1);
  expect(naive(17)).toBeCloseTo(87.3365, 3);
  expect(loss(16, 0, 0)).toBeCloseTo(16, 5);
  expect(loss(17, 0, 0)).toBeCloseTo(17, 5);
});

test('probabilities clipped at 1e-7', () => {
  const naive = (x: number) => -log(Math.max(f32(1e-7), sigmoid(x)));
  expect(naive(-20)).toBe(naive(-50));
  expect(naive(-50)).toBeCloseTo(16.118, 3);
  expect([loss(-20, 1, 0), loss(-50, 1, 0)]).toEqual([20, 50]);
  const { grad } = new FocalLoss({ gamma: 2, alpha: null, reduction: 'sum' }).valueAndGrad([-20, -50], [1, 1]);
  grad.forEach((g) => {
    expect(g).toBeCloseTo(-1, 5);
  });
});

test('exp(-x) of the raw logit', () => {
  const modulator = (x: number, gamma: number) => exp(f32(gamma * -x) - f32(gamma * log(f32(1 + exp(-x)))));
  expect(modulator(-80, 2) * 80).toBeCloseTo(80, 4);
  expect(modulator(-89, 2) * 89).toBe(0);
  for (const x of [-89, -104, -1000, -1e30]) expect(loss(x, 1, 2)).toBe(f32(-x));
});

test('0 times Infinity', () => {
  const naive = (p: number, y: number) => -(y * log(p) + (1 - y) * log(1 - p));
  expect(naive(0, 0)).toBeNaN();
  expect(naive(1, 1)).toBeNaN();
  // the textbook form of logits is no better
  const textbook = (x: number, y: number) => Math.max(x, 0) - x * y + Math.log1p(Math.exp(-Math.abs(x)));
  expect(textbook(Number.POSITIVE_INFINITY, 1)).toBeNaN();
  expect(loss(Number.POSITIVE_INFINITY, 1, 0)).toBe(0);
  expect(loss(Number.NEGATIVE_INFINITY, 0, 0)).toBe(0);
  const probabilities = new FocalLoss({ fromLogits: false, gamma: 0, reduction: 'none' });
  expect([...probabilities.forward([0, 1], [0, 1])]).toEqual([0, 0]);
});

test('q^(g - 1) in the derivative', () => {
  // NaN or Infinity where q underflows and g < 1
  const naive = (x: number, g: number) => {
    const q = f32(1 - sigmoid(x));
    return f32(f32(g * q ** (g - 1)) * f32(q * sigmoid(x)) * log(sigmoid(x)));
  };
  expect(naive(17, 0.5)).toBeNaN();
  for (const gamma of [0, 0.25, 0.5]) {
    const { grad, hess } = new FocalLoss({ gamma, alpha: null }).gradHess([17, 200], [1, 1]);
    expect([...grad, ...hess].every(Number.isFinite)).toBe(true);
  }
});

test('p_t from the weighted cross entropy', () => {
  const naive = (x: number, posWeight: number) => {
    const weighted = f32(posWeight * log(f32(1 + exp(-x))));
    return f32((1 - exp(-weighted)) ** 2 * weighted);
  };
  expect(relativeError(naive(1, 3), 1, 1, 2, 3)).toBeGreaterThan(0.5);
  expect(relativeError(loss(1, 1, 2, { posWeight: 3 }), 1, 1, 2, 3)).toBeLessThan(1e-6);
});

test('a running sum in float32', () => {
  const n = 4_000_000;
  const logits = new Float32Array(n);
  for (let k = 0; k < n; k++) logits[k] = ((k * 7919) % 16384) / 4096 - 2;
  const targets = new Uint8Array(n);
  const each = new FocalLoss({ gamma: 2, reduction: 'none' }).forward(logits, targets);
  const truth = sum64(each);
  const accumulated = (lanes: number) => {
    const sums = new Float32Array(lanes);
    for (let k = 0; k < n; k++) sums[k % lanes] += each[k];
    return Math.abs(sum64(sums) / truth - 1);
  };
  expect(accumulated(1)).toBeGreaterThan(1e-4);
  expect(accumulated(16)).toBeGreaterThan(1e-6);
  const sum = new FocalLoss({ gamma: 2, reduction: 'sum' }).forward(logits, targets);
  expect(Math.abs(sum / truth - 1)).toBeLessThan(1e-8);
});

test('ignored elements counted in the mean', () => {
  const options = { gamma: 2, ignoreIndex: 255 } as const;
  const logits = [1, -2, 0.5, 3];
  const targets = Uint8Array.of(1, 255, 0, 255);
  const sum = new FocalLoss({ ...options, reduction: 'sum' }).forward(logits, targets);
  const mean = new FocalLoss(options).forward(logits, targets);
  expect(mean).not.toBeCloseTo(sum / 4, 3);
  expect(mean).toBeCloseTo(sum / 2, 12);
});

test('no positives as a normalizer', () => {
  const sum = new FocalLoss({ reduction: 'sum' }).forward([1, 2], [0, 0]);
  expect(sum / 0).toBe(Number.POSITIVE_INFINITY);
  expect(new FocalLoss({ normalizer: 'positives' }).forward([1, 2], [0, 0])).toBeCloseTo(sum, 12);
});

test('a label read as an index before it is checked', () => {
  const logits = [1, 2, 3, 4, 5, 6];
  const naive = (label: number) => logits[3 + label];
  expect(naive(-1)).toBe(logits[2]);
  expect(naive(255)).toBeUndefined();
  for (const label of [-1, 3, 255, -(2 ** 31), 2 ** 31 - 1]) {
    const options = { numClasses: 3, reduction: 'none' } as const;
    const targets = Int32Array.of(2, label);
    const { name, message } = errorOf(() => new SoftmaxFocalLoss(options).forward(logits, targets));
    expect(name).toBe('RangeError');
    expect(message).toMatch(new RegExp(`^"targets.*\\b1\\b.*got ${label}`));
    const ignoring = new SoftmaxFocalLoss({ ...options, ignoreIndex: label }).valueAndGrad(logits, targets);
    expect(ignoring.value[1]).toBe(0);
    expect([...ignoring.grad.subarray(3)]).toEqual([0, 0, 0]);
  }
});

test("alpha's direction and its off-switch", () => {
  const at = (alpha: number | null, y: number) =>
    new FocalLoss({ gamma: 2, alpha, reduction: 'none' }).forward([0], Uint8Array.of(y))[0];
  // the naive switch is off at 0 as well
  const naive = (alpha: number, y: number) => (alpha || 1) * (y ? 1 : 0);
  expect(naive(0, 1)).toBe(1);
  expect(at(0, 1)).toBe(0);
  expect(at(0.25, 1)).toBeCloseTo(0.25 * at(null, 1), 7);
  expect(at(0.25, 0)).toBeCloseTo(0.75 * at(null, 0), 7);
  expect(errorOf(() => at(-1, 1)).message).toMatch(/^"alpha" expected .*, got -1; .*null/);
});

test('float32(gamma) and exp(gamma log q)', () => {
  const gamma = 7.3;
  const naive = (x: number) => f32(exp(f32(f32(gamma) * log(f32(exp(-x) / f32(1 + exp(-x)))))) * log(f32(1 + exp(-x))));
  const worst = (of: (x: number) => number) =>
    Math.max(...[-3, 0.5, 3, 6, 8, 9, 10].map((x) => relativeError(of(x), x, 1, gamma)));
  expect(worst(naive)).toBeGreaterThan(2e-6);
  expect(worst((x) => loss(x, 1, gamma))).toBeLessThan(2e-6);
});
