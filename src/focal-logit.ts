import { exponent, factor, fraction, onlyKeys, wrongValue } from './checks.js';
import { toFloat } from './engine/arena.js';
import { numbersOf, operandOf } from './engine/operand.js';
import { outputOf } from './engine/results.js';
import { FLOATS } from './engine/targets.js';
import type { Logits } from './types.js';

/** The options that a binary model is trained with. Every key is optional, unknown keys are refused. */
export interface FocalLogitOptions {
  /** In [0, 64]. Default 1.5. */
  readonly gamma?: number;
  /** In (0, 1), or `null` for none. Default 0.25. */
  readonly alpha?: number | null;
  /** Finite, > 0. Default 1. */
  readonly posWeight?: number;
  /** Receives the logits and is returned; may be `probabilities` themselves. Default: a new array. */
  readonly out?: Float32Array;
}

/** More than any probability and gamma take: 16 steps were the most in 40,000 random calls for each gamma. */
const MOST_STEPS = 60;

/**
 * The logit that a model trained with focal loss gives where the class has this probability: the inverse of `focalPosterior`.
 * It is where boosting starts from, and what the bias of a detector's last layer is set to. 0 gives -Infinity, 1 Infinity, and
 * NaN stays NaN. Solved in float64, from Charoenphakdee et al. 2021, https://arxiv.org/abs/2011.09172, with alpha and posWeight.
 *
 * @param probabilities numbers in [0, 1], in any array that is accepted for logits; float64 numbers are taken as they are.
 * @returns a logit for each probability, in `out` or a new Float32Array.
 * @throws TypeError for an unknown key or an array or option of the wrong kind; RangeError for a probability outside [0, 1],
 * a length that does not agree, an option out of range, and where a class counts for nothing (alpha 0 or 1, posWeight 0): no
 * score is best then.
 * @example
 * ```ts
 * import { focalLogit } from 'focal-loss-wasm';
 *
 * const [start] = focalLogit([155 / 13_607], { gamma: 2, alpha: 0.75 }); // -1.253
 * ```
 */
export function focalLogit(probabilities: Logits, options?: FocalLogitOptions): Float32Array {
  const given = onlyKeys('options', options, ['gamma', 'alpha', 'posWeight', 'out']);
  const gamma = exponent('gamma', given.gamma === undefined ? 1.5 : given.gamma);
  const alpha = given.alpha === undefined ? 0.25 : given.alpha === null ? null : fraction('alpha', given.alpha);
  const posWeight = factor('posWeight', given.posWeight === undefined ? 1 : given.posWeight);
  checkWeights(alpha, posWeight);
  const x = operandOf('probabilities', probabilities, FLOATS);
  const p = numbersOf(x);
  const out = outputOf(given.out, x, 'the length of "probabilities"');
  checkProbabilities(p, x.length);
  // the odds of the class in what the loss counts
  const shift = (alpha === null ? 0 : Math.log(alpha) - Math.log1p(-alpha)) + Math.log(posWeight);
  for (let k = 0; k < x.length; k++) out[k] = inverse(Math.log(p[k]) - Math.log1p(-p[k]) + shift, gamma);
  return out;
}

/** Refuses weights with which one class, in float32, counts for nothing or for everything. */
function checkWeights(alpha: number | null, posWeight: number): void {
  const remedy = 'where a class counts for nothing, every score of the other is best';
  if (alpha === 1 || (alpha !== null && toFloat(alpha) === 0)) {
    throw wrongValue('alpha', 'a number in (0, 1) in float32, or null', alpha, remedy);
  }
  const positive = toFloat((alpha ?? 1) * posWeight);
  if (positive === 0) throw wrongValue('posWeight', 'a number > 0 in float32', posWeight, remedy);
}

function checkProbabilities(p: ArrayLike<number>, length: number): void {
  for (let k = 0; k < length; k++) {
    if (p[k] < 0 || p[k] > 1) {
      throw wrongValue('probabilities', `a number in [0, 1] at index ${k}`, p[k], undefined, k);
    }
  }
}

/**
 * The x with F(x) = t, where F(x) = log(p^g (p - g q log q)) - log(q^g (q - g p log p)) at p = sigmoid(x), q = 1 - p. F is odd
 * and rises. With e = e^x and L = log(1 + e), for x <= 0:
 *
 *     F = (g + 1) x + log1p(g L / e) - log1p(g e (L - x)), which nowhere subtracts numbers that are close to each other.
 *
 * By Newton's steps between bounds that close in: (t - log1p(g)) / (g + 1) is never above x, since L / e <= 1.
 */
function inverse(t: number, g: number): number {
  if (g === 0 || t === 0 || !Number.isFinite(t)) return t;
  const target = -Math.abs(t);
  let low = (target - Math.log1p(g)) / (g + 1);
  let high = 0;
  let x = low;
  for (let step = 0; step < MOST_STEPS; step++) {
    const e = Math.exp(x);
    const log = Math.log1p(e);
    const ratio = e === 0 ? 1 : log / e;
    const hinge = e * (log - x);
    const q = 1 / (1 + e);
    const error = (g + 1) * x + Math.log1p(g * ratio) - Math.log1p(g * hinge) - target;
    if (error <= 0) low = x;
    if (error >= 0) high = x;
    const slope = g + 1 + (g * (q - ratio)) / (1 + g * ratio) - (g * e * (log - x - q)) / (1 + g * hinge);
    const next = x - error / slope;
    const inside = next >= low && next <= high ? next : (low + high) / 2;
    if (Math.abs(inside - x) <= 1e-15 * (1 - x)) return t < 0 ? inside : -inside;
    x = inside;
  }
  return t < 0 ? x : -x;
}
