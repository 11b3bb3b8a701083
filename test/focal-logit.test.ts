import { describe, expect, test } from 'vitest';
import { type FocalLogitOptions, focalLogit, focalPosterior, Workspace } from '../src/index.js';
import { Decimal as Base, exact } from './oracle.js';
import { errorOf, firstDifference, random } from './support.js';

const GAMMAS = [0, 1e-9, 0.1, 0.5, 1, 1.5, 1.7, 2, 3, 5, 10, 20, 40, 64];
const Decimal = Base.clone({ precision: 60 });
type Decimal = Base;
const ONE = new Decimal(1);

const digits = (value: number) => new Decimal(exact(value));

/** The class probability behind a logit, P = C / (A + C), where C and A are the derivatives of the two classes' losses. */
function posterior(x: Decimal, { gamma, alpha, posWeight = 1 }: FocalLogitOptions & { gamma: number }): Decimal {
  const [p, q] = [x.neg(), x].map((z) => ONE.div(ONE.plus(Decimal.exp(z))));
  const g = digits(gamma);
  const slope = (own: Decimal, other: Decimal) =>
    Decimal.pow(other, g).times(other.minus(g.times(own).times(Decimal.ln(own))));
  const [a, b] = alpha === null || alpha === undefined ? [ONE, ONE] : [digits(alpha), ONE.minus(digits(alpha))];
  const A = a.times(digits(posWeight)).times(slope(p, q));
  const C = b.times(slope(q, p));
  return C.div(A.plus(C));
}

describe('focalLogit', () => {
  test('a class of 155 among 13,607 at gamma 2, alpha .75 starts from -1.253', () => {
    const [logit] = focalLogit([155 / 13_607], { gamma: 2, alpha: 0.75 });
    expect(logit).toBeCloseTo(-1.253, 3);
  });

  test('a bias for 1 % at the defaults of RetinaNet', () => {
    const [logit] = focalLogit([0.01], { gamma: 2, alpha: 0.25 });
    expect(focalPosterior([logit], { gamma: 2, alpha: 0.25 })[0]).toBeCloseTo(0.01, 7);
  });

  test.each(GAMMAS)('is the float32 nearest to the solution, or next to it, at gamma %d', (gamma) => {
    const next = random(Math.round(1000 * gamma));
    const probabilities = [1e-30, 1e-20, 1e-9, 0.5, 0.75, 1 - 1e-9, 1 - 2 ** -53, ...Array.from({ length: 4 }, next)];
    for (const weights of [{ alpha: null }, { alpha: 0.25 }, { alpha: 0.001, posWeight: 7 }]) {
      const options = { gamma, ...weights };
      const logits = focalLogit(probabilities, options);
      probabilities.forEach((p, k) => {
        // the solution lies between the neighbours of the result
        const ulp = Math.max(2 ** (Math.floor(Math.log2(Math.abs(logits[k]))) - 23), 1e-15);
        const [below, above] = [-0.5001, 0.5001].map((side) => posterior(digits(logits[k] + side * ulp), options));
        expect(below.lte(digits(p)) && above.gte(digits(p)), `p ${p}, ${JSON.stringify(options)}: ${logits[k]}`).toBe(
          true,
        );
      });
    }
  });

  test.each(GAMMAS)('focalPosterior gives the probability back at gamma %d', (gamma) => {
    const next = random(7);
    const probabilities = Float32Array.from({ length: 4000 }, (_, k) => (k % 2 === 0 ? next() : 10 ** (-7 * next())));
    // as far as float32 powers go beyond 10
    const bound = gamma <= 10 ? 2e-6 : 2e-7 * (gamma + 10);
    for (const options of [
      { gamma, alpha: null },
      { gamma, alpha: 0.75, posWeight: 2 },
    ]) {
      const back = focalPosterior(focalLogit(probabilities, options), options);
      const worst = probabilities.reduce((most, p, k) => Math.max(most, Math.abs(back[k] / p - 1)), 0);
      expect(worst).toBeLessThan(bound);
    }
  });

  test('rises with the probability, from -Infinity at 0 to Infinity at 1; NaN stays NaN', () => {
    const steps = Float32Array.from({ length: 3000 }, (_, k) => k / 2999).sort();
    const close = Float32Array.from({ length: 3000 }, (_, k) => 0.5 + (k - 1500) * 2 ** -24);
    for (const gamma of GAMMAS) {
      for (const probabilities of [steps, close]) {
        const logits = focalLogit(probabilities, { gamma, alpha: 0.4 });
        for (let k = 1; k < logits.length; k++) {
          if (!(logits[k] > logits[k - 1]) && probabilities[k] > probabilities[k - 1]) {
            expect.fail(
              `gamma ${gamma}: ${logits[k - 1]} at ${probabilities[k - 1]}, ${logits[k]} at ${probabilities[k]}`,
            );
          }
        }
      }
      expect([...focalLogit([0, 1, NaN], { gamma })]).toEqual([-Infinity, Infinity, NaN]);
      expect(focalLogit([0.5], { gamma, alpha: null })[0]).toBe(0);
    }
  });

  test('defaults, kinds of arrays, out', () => {
    const want = focalLogit([0.25, 0.75], { gamma: 1.5, alpha: 0.25, posWeight: 1 });
    expect(focalLogit([0.25, 0.75])).toEqual(want);
    expect(focalLogit(Float64Array.of(0.25, 0.75))).toEqual(want);
    expect(focalLogit({ data: Float32Array.of(0.25, 0.75), dims: [2] })).toEqual(want);
    const inside = new Workspace(64).float32(2);
    inside.set([0.25, 0.75]);
    expect(focalLogit(inside, { out: inside })).toBe(inside);
    expect(firstDifference(inside, want)).toBe(-1);
    expect(focalLogit([])).toHaveLength(0);
    // float64 numbers are not rounded to float32, which would make 1 of this
    expect(focalLogit([1 - 2 ** -40], { gamma: 0, alpha: null })[0]).toBeCloseTo(40 * Math.LN2, 4);
  });

  const certain = 'where a class counts for nothing, every score of the other is best';
  test.each<[unknown, unknown, string]>([
    [[0.5, 1.5], {}, '"probabilities" expected a number in [0, 1] at index 1, got 1.5'],
    [[-0.1], {}, '"probabilities" expected a number in [0, 1] at index 0, got -0.1'],
    [[0.1, '0.2'], {}, '"probabilities" expected a number at index 1, got \'0.2\''],
    [
      [0.5],
      { gamma: 65 },
      '"gamma" expected a number in [0, 64], got 65; a power above 64 has no digits that mean anything',
    ],
    [[0.5], { gamma: -1 }, '"gamma" expected a number in [0, 64], got -1'],
    [[0.5], { alpha: 0 }, `"alpha" expected a number in (0, 1) in float32, or null, got 0; ${certain}`],
    [[0.5], { alpha: 1e-60 }, `"alpha" expected a number in (0, 1) in float32, or null, got 1e-60; ${certain}`],
    [[0.5], { alpha: 1 }, `"alpha" expected a number in (0, 1) in float32, or null, got 1; ${certain}`],
    [[0.5], { posWeight: 0 }, `"posWeight" expected a number > 0 in float32, got 0; ${certain}`],
    [
      [0.5],
      { posWeight: 1e39, alpha: null },
      '"posWeight" expected a finite number >= 0, got 1e+39; float32 holds at most 3.4028235e38',
    ],
    [[0.5], { out: new Float32Array(2) }, '"out" expected length 1 (the length of "probabilities"), got 2'],
    [[0.5], { out: [0] }, '"out" expected a Float32Array, got an array of length 1'],
    [[0.5], { gama: 2 }, '"options" expected keys among gamma, alpha, posWeight, out, got \'gama\''],
  ])('refuses %j, %j', (probabilities, options, message) => {
    expect(errorOf(() => focalLogit(probabilities as number[], options as FocalLogitOptions)).message).toBe(message);
  });
});
