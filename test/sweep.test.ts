import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { FocalLoss } from '../src/index.js';
import { exact, float32FromBits, focalLoss, gradient, hessian, ulpDistance } from './oracle.js';
import { derivatives64, focalLoss64, softFocalLoss64, ulps } from './reference.js';
import { random } from './support.js';

/** A prime stride through the bits of every finite float32, of both signs. */
const STRIDE = 104_729;
const FINITE = 0x7f800000;
/** Where loss and slopes change most, a finer stride: 2^-6 to 128. */
const FINE = 10_007;

const bits: number[] = [];
for (let word = 0; word < FINITE; word += word >= 0x3c800000 && word < 0x43000000 ? FINE : STRIDE) {
  bits.push(word, word + 2 ** 31);
}
const logits = Float32Array.from(bits, float32FromBits);

/** What the kernel's header promises: `@bound A gamma + B ulp` and `@bound R relative`. */
const header = readFileSync(new URL('../assembly/losses/focal-hard.ts', import.meta.url), 'utf8');
const [, perGamma, fixed] = /@bound ([\d.]+) gamma \+ ([\d.]+) ulp/.exec(header) ?? expect.fail('no bound in ulp');
const [, relative] = /@bound ([\de.-]+) relative/.exec(header) ?? expect.fail('no relative bound');

const ULPS = [0, 0.5, 1, 1.5, 2, 2.5, 3, 4, 5];
const RELATIVE = [0.3, 1.7, 7.3, 10];

test('the float64 reference is good to 1e-12', () => {
  for (let k = 0; k < logits.length; k += 24_023) {
    const u = logits[k];
    for (const gamma of [0, 1.7, 5]) {
      const truth = focalLoss(u, 1, { gamma });
      const value = focalLoss64(u, gamma);
      if (truth.gt(1e-290)) expect(exact(value).div(truth).minus(1).abs().toNumber()).toBeLessThan(1e-12);
      else expect(value).toBeLessThan(1e-280);
      const soft = focalLoss(u, 0.3, { gamma });
      expect(
        exact(softFocalLoss64(u, 0.3, gamma))
          .div(soft)
          .minus(1)
          .abs()
          .toNumber(),
      ).toBeLessThan(1e-12);
      const { grad, hess } = derivatives64(u, gamma);
      expect(
        exact(grad)
          .minus(gradient(u, 1, { gamma }))
          .abs()
          .toNumber(),
      ).toBeLessThan(1e-12);
      expect(
        exact(hess)
          .minus(hessian(u, 1, { gamma }))
          .abs()
          .toNumber(),
      ).toBeLessThan(1e-12);
      // and so is its count of ulps
      const got = Math.fround(value * (1 + 1e-6));
      if (truth.gt(2 ** -126)) expect(ulps(got, value)).toBeCloseTo(ulpDistance(got, truth), 4);
    }
  }
});

describe.each([...ULPS, ...RELATIVE])('gamma %d', (gamma) => {
  const bound = ULPS.includes(gamma) ? Number(perGamma) * gamma + Number(fixed) : Number.POSITIVE_INFINITY;
  const criterion = new FocalLoss({ gamma, alpha: null, reduction: 'none' });

  test(`${logits.length} logits of either target`, () => {
    let worst = { ulp: 0, at: 0, y: 0 };
    const faults: string[] = [];
    for (const y of [0, 1]) {
      const targets = new Uint8Array(logits.length).fill(y);
      const value = criterion.forward(logits, targets);
      const { grad, hess } = criterion.gradHess(logits, targets);
      const sign = y === 1 ? 1 : -1;
      const name = (k: number) => `x 0x${bits[k].toString(16).padStart(8, '0')} (${logits[k]}) y ${y}`;
      for (let k = 0; k < logits.length; k++) {
        const u = sign * logits[k];
        const truth = focalLoss64(u, gamma);
        const error = Math.abs(value[k] - truth);
        if (truth < 2 ** -126) {
          if (!(error <= 2 ** -126 && value[k] >= 0)) faults.push(`${name(k)}: ${value[k]}, not ${truth}`);
        } else {
          const ulp = ulps(value[k], truth);
          if (ulp > worst.ulp) worst = { ulp, at: k, y };
          if (!(ulp <= bound && error <= Number(relative) * truth))
            faults.push(`${name(k)}: ${ulp} ulp, ${value[k]}, not ${truth}`);
        }
        const slopes = derivatives64(u, gamma);
        if (!(Math.abs(grad[k] - sign * slopes.grad) <= 2e-6 * Math.abs(slopes.grad) + 2e-7)) {
          faults.push(`${name(k)}: grad ${grad[k]}, not ${sign * slopes.grad}`);
        }
        if (!(Math.abs(hess[k] - slopes.hess) <= 2e-6 * Math.abs(slopes.hess) + 2e-7)) {
          faults.push(`${name(k)}: hess ${hess[k]}, not ${slopes.hess}`);
        }
      }
    }
    const at = bits[worst.at].toString(16).padStart(8, '0');
    console.info(`gamma ${gamma}: worst ${worst.ulp.toFixed(2)} ulp at logit 0x${at}, target ${worst.y}`);
    expect(faults.slice(0, 5)).toEqual([]);
  });

  test('soft targets', () => {
    const next = random(7);
    const x = Float32Array.from({ length: 20_000 }, () => 40 * (next() - 0.5) * next());
    // near 0 and 1 as well, where 1 - y counts
    const y = Float32Array.from(x, () => {
      const near = next() ** 6;
      return Math.min(Math.max(next() < 0.5 ? near : 1 - near, 1e-30), 1 - 2 ** -24);
    });
    const value = criterion.forward(x, y);
    let worst = { ulp: 0, relative: 0, at: 0 };
    x.forEach((_, k) => {
      const truth = softFocalLoss64(x[k], y[k], gamma);
      if (truth < 2 ** -126) return;
      const ulp = ulps(value[k], truth);
      const relative = Math.abs(value[k] / truth - 1);
      if (!(relative <= worst.relative)) worst = { ulp, relative, at: k };
      if (!(ulp <= bound)) expect.fail(`x ${x[k]} y ${y[k]}: ${ulp} ulp, ${value[k]}, not ${truth}`);
    });
    const where = `x ${x[worst.at]} y ${y[worst.at]}`;
    console.info(
      `gamma ${gamma}: soft, worst ${worst.relative.toExponential(2)}, ${worst.ulp.toFixed(2)} ulp, at ${where}`,
    );
    expect(worst.relative, where).toBeLessThanOrEqual(2e-6);
  });
});
