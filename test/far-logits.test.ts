import { describe, expect, test } from 'vitest';
import { FocalLoss, SoftmaxFocalLoss, softmaxFocalPosterior } from '../src/index.js';

// Where e^-|x| leaves the normal numbers of float32, gradient and Hessian follow the true value down and vanish.

const NORMAL = 2 ** -126;
const sigmoid = (x: number) => (x < 0 ? Math.exp(x) / (1 + Math.exp(x)) : 1 / (1 + Math.exp(-x)));
const softplus = (x: number) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));

/** In float64, which has no such border here. */
function derivatives(x: number, y: number, gamma: number): [slope: number, curve: number] {
  const [p, q, z] = [sigmoid(x), sigmoid(-x), 1 - y];
  const c = y * q + z * p;
  const entropy = (y > 0 ? y * softplus(-x) : 0) + (y < 1 ? z * softplus(x) : 0);
  const first = z * p - y * q;
  const r = ((z - y) * p * q) / c;
  const bend = gamma * entropy * ((gamma - 1) * r * r + r * (q - p));
  const power = c ** gamma;
  return [power * (first + gamma * r * entropy), power * (p * q + 2 * gamma * r * first + bend)];
}

const LOGITS = [80, 84, 85.5, 86.2, 87, 87.3, 87.5, 87.7, 88, 89, 95, 103, 104, 110, 300];

test.each([
  ['bytes', 0, [0, 1], (y: number) => Uint8Array.of(y)],
  ['float32', 0, [0, 1, 0.25, 1e-3], (y: number) => Float32Array.of(y)],
  ['smoothed', 0.1, [0, 1], (y: number) => Uint8Array.of(y)],
] as const)('%s targets: derivatives go to 0 as the true ones do', (_, labelSmoothing, targets, make) => {
  for (const gamma of [0, 0.3, 0.5, 1, 1.7, 2]) {
    const loss = new FocalLoss({ gamma, alpha: null, labelSmoothing, reduction: 'none' });
    for (const x of LOGITS.flatMap((logit) => [logit, -logit]).map(Math.fround))
      for (const y of targets) {
        const smoothed = Math.fround(y) * (1 - labelSmoothing) + labelSmoothing / 2;
        const [slope, curve] = derivatives(x, smoothed, gamma);
        const { grad, hess } = loss.gradHess([x], make(y));
        const name = `gamma ${gamma}, x ${x}, y ${y}`;
        expect(Math.abs(grad[0] - slope), name).toBeLessThanOrEqual(2e-6 * Math.abs(slope) + NORMAL);
        // a term of the second derivative is e^-|x| times gamma |x|, and the first factor may have vanished
        const multiplier = 1 + 2 * gamma * (1 + Math.abs(x));
        expect(Math.abs(hess[0] - curve), name).toBeLessThanOrEqual(4e-6 * Math.abs(curve) + NORMAL * multiplier);
        if (Math.abs(x) > 104 && labelSmoothing === 0 && (y === 0 || y === 1))
          expect(hess[0], name).toBeCloseTo(0, 300);
      }
  }
});

test.each([Uint8Array, Float32Array])(
  'at gamma 0 the gradient of a certain and right logit is exactly 0, %o',
  (Targets) => {
    const loss = new FocalLoss({ gamma: 0, alpha: null, reduction: 'none' });
    const { grad } = loss.valueAndGrad([104, -104, 1e30, -Infinity, Infinity], Targets.of(1, 0, 1, 0, 1));
    expect([...grad].map(Math.abs)).toEqual([0, 0, 0, 0, 0]);
  },
);

test('rows about 1000 away from 0 are what they are near 0, whatever rows are beside them', () => {
  for (const classes of [3, 40]) {
    const near = Float32Array.from({ length: 8 * classes }, (_, k) => ((k * 29) % 64) / 16 - 4);
    // every other one the largest
    const labels = Int32Array.from({ length: 8 }, (_, r) => {
      const row = near.subarray(r * classes, (r + 1) * classes);
      return r % 2 === 0 ? row.indexOf(Math.max(...row)) : (r * 2) % classes;
    });
    const loss = new SoftmaxFocalLoss({ numClasses: classes, gamma: 2, reduction: 'none' });
    const expected = loss.forward(near, labels);
    const posterior = softmaxFocalPosterior(near, { numClasses: classes, gamma: 2 });
    for (const shifts of [[1001.5], [-1001.5], [1001.5, 5000], [997, -3000], [1000.75, 0]]) {
      const far = near.map((z, k) => z + shifts[Math.floor(k / classes) % shifts.length]);
      const got = loss.forward(far, labels);
      for (let r = 0; r < 8; r++) expect(got[r] / expected[r], `row ${r} of ${shifts}`).toBeCloseTo(1, 3);
      const probabilities = softmaxFocalPosterior(far, { numClasses: classes, gamma: 2 });
      probabilities.forEach((p, k) => {
        expect(p / posterior[k], `class ${k} of ${shifts}`).toBeCloseTo(1, 3);
      });
    }
  }
});

test('a class far below the others has no part in a row, however far below 0 all are', () => {
  const loss = new SoftmaxFocalLoss({ numClasses: 3, gamma: 2, reduction: 'none' });
  for (const offset of [0, -300, -900])
    for (const far of [-5000, -Infinity]) {
      const { value, grad } = loss.valueAndGrad([offset, offset - 1, far], [1]);
      const { value: near } = loss.valueAndGrad([0, -1, -200], [1]);
      expect(value[0] / near[0]).toBeCloseTo(1, 5);
      expect(grad[2]).toBe(0);
    }
});

describe('a class without any probability, of a share that makes its cross entropy endless, moves no other', () => {
  /** The gradient of c^g B, c' without anything that cancels: of two equal shares the difference is 0. */
  function gradientOf(z: readonly number[], shares: readonly number[], gamma: number): number[] {
    const largest = Math.max(...z);
    const top = z.indexOf(largest);
    const rest = z.reduce((sum, x, k) => (k === top ? sum : sum + Math.exp(x - largest)), 0);
    const p = z.map((x) => Math.exp(x - largest) / (1 + rest));
    const entropy = z.reduce((sum, x, k) => sum + shares[k] * (largest - x + Math.log1p(rest)), 0);
    const c = p.reduce((sum, pk, k) => sum + (1 - shares[k]) * pk, 0);
    const lead = p.reduce((sum, pk, k) => sum + (shares[k] - shares[top]) * pk, 0);
    return z.map((_, j) => {
      const turn = p[j] * (lead + (shares[top] - shares[j]));
      return c ** gamma * (p[j] - shares[j]) + gamma * c ** (gamma - 1) * turn * entropy;
    });
  }

  test.each([3, 5, 40, 700])('%i classes', (numClasses) => {
    for (const far of [50, 200, 1e5, 1e15]) {
      for (const gamma of [1, 2, 5]) {
        const z = Array.from({ length: numClasses }, (_, k) => ((k * 29) % 64) / 16);
        z[1] = Math.fround(-far);
        const spread = z.map(() => 1 / numClasses);
        const label = 1;
        const smoothed = z.map((_, k) => 0.3 / numClasses + (k === label ? 0.7 : 0));
        const results: [number[], ArrayLike<number>][] = [
          [smoothed, new SoftmaxFocalLoss({ numClasses, gamma, labelSmoothing: 0.3 }).valueAndGrad(z, [label]).grad],
          [spread, new SoftmaxFocalLoss({ numClasses, gamma }).valueAndGrad(z, spread).grad],
        ];
        for (const [shares, grad] of results) {
          const errors = gradientOf(z, shares, gamma).map((v, j) => Math.abs(grad[j] - v) / (0.1 + Math.abs(v)));
          expect(Math.max(...errors), `far ${far}, gamma ${gamma}`).toBeLessThan(2e-6);
        }
      }
    }
  });
});
