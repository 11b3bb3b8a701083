import type { Values } from './table.js';

/** What a model was trained with, so that its scores can be turned into probabilities. */
export interface TrainedWith {
  readonly gamma: number;
  readonly alpha: number | null;
  readonly posWeight: number;
}

// With these the focal posterior is the sigmoid.
export const SIGMOID: TrainedWith = { gamma: 0, alpha: null, posWeight: 1 };

/** As the library rounds logits; a view where they are float32 already. */
export function float32Of(values: Values): Float32Array {
  return values instanceof Float32Array ? values : Float32Array.from(values);
}

/** The first that is no probability even as float32, a NaN aside; -1 where there is none. */
export function firstOutside(probabilities: Values): number {
  for (let i = 0; i < probabilities.length; i++) {
    const p = probabilities[i];
    if ((p < 0 || p > 1) && Math.fround(p) !== 1) return i;
  }
  return -1;
}

/** The logits whose sigmoid the probabilities are, computed in float64. */
export function logitsOf(probabilities: Values): Float32Array {
  const logits = new Float32Array(probabilities.length);
  for (let i = 0; i < logits.length; i++) {
    const p = Math.min(1, probabilities[i]);
    logits[i] = Math.log(p) - Math.log1p(-p);
  }
  return logits;
}

/** The logarithms of probabilities: logits of a softmax that gives these probabilities. */
export function logsOf(probabilities: Values): Float32Array {
  const logits = new Float32Array(probabilities.length);
  for (let i = 0; i < logits.length; i++) logits[i] = Math.log(probabilities[i]);
  return logits;
}

/** The probability behind a score, and that of the other class, which is not lost where the first is near 1. */
export interface Probability {
  of(score: number): number;
  not(score: number): number;
  /** Whether scores are the probabilities themselves. */
  readonly same: boolean;
}

/**
 * The posterior of a focal-trained score in float64: C / (A + C) with A = a q^g (q - g p log p) and C = (1 - a) p^g
 * (p - g q log q), from Charoenphakdee et al. 2021 with alpha; posWeight multiplies A. With gamma 0 it is the sigmoid.
 */
export function probabilityOf(trained: TrainedWith, fromLogits: boolean): Probability {
  const { gamma, alpha, posWeight } = trained;
  if (gamma === 0 && alpha === null && posWeight === 1) return fromLogits ? OF_LOGITS : THEMSELVES;
  const [a, b] = alpha === null ? [0.5, 0.5] : [alpha, 1 - alpha];
  const parts = (score: number): [number, number] => {
    const x = fromLogits ? score : Math.log(score) - Math.log1p(-score);
    if (Math.abs(x) === Infinity) return x > 0 ? [1, 0] : [0, 1];
    const [p, q] = [sigmoid(x), sigmoid(-x)];
    const [logP, logQ] = [-softplus(-x), -softplus(x)];
    // both divided by the larger power, so that neither vanishes
    const shift = gamma * Math.max(logP, logQ);
    const A = posWeight * a * Math.exp(gamma * logQ - shift) * (q - gamma * p * logP);
    const C = b * Math.exp(gamma * logP - shift) * (p - gamma * q * logQ);
    return [C, A];
  };
  const ratio = (own: number, other: number) => (own + other === 0 ? Number.NaN : own / (own + other));
  return {
    of(score) {
      const [C, A] = parts(score);
      return ratio(C, A);
    },
    not(score) {
      const [C, A] = parts(score);
      return ratio(A, C);
    },
    same: false,
  };
}

const THEMSELVES: Probability = { of: (p) => p, not: (p) => 1 - p, same: true };

/** What the formula above comes to where it is the sigmoid, to the bit, at a fifth of the time. */
const OF_LOGITS: Probability = { of: (x) => sigmoidShare(x), not: (x) => sigmoidShare(-x), same: false };

function sigmoidShare(x: number): number {
  if (Math.abs(x) === Infinity) return x > 0 ? 1 : 0;
  const e = Math.exp(-Math.abs(x));
  const larger = 0.5 * (1 / (1 + e));
  const smaller = 0.5 * (e / (1 + e));
  return (x >= 0 ? larger : smaller) / (larger + smaller);
}

function sigmoid(x: number): number {
  return x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x));
}

function softplus(x: number): number {
  return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
}
