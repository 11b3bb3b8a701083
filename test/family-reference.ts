// The losses beside the plain focal loss by their definitions (docs/numerics.md), in float64, with derivatives by automatic
// differentiation: nothing here follows the way the kernel computes.
import {
  absolute,
  constant,
  type Jet,
  plus,
  power,
  rise,
  scaled,
  sigmoid,
  softplus,
  surprise,
  times,
  ZERO,
} from './jet.js';

export interface FocalOptions {
  gamma: number;
  alphaPositive?: number;
  alphaNegative?: number;
  posWeight?: number;
  labelSmoothing?: number;
  polyEpsilon?: number;
  softTargets?: number;
}

/** A loss of one element, and the curve that Gauss and Newton give it. */
export interface Reference {
  loss: Jet;
  gaussNewton: number;
}

/** The focal loss of any softTargets with Poly-1. */
export function focal(x: number, target: number, options: FocalOptions): Reference {
  const { gamma, alphaPositive = 1, alphaNegative = 1, posWeight = 1 } = options;
  const { labelSmoothing = 0, polyEpsilon = 0, softTargets = 0 } = options;
  const y = target * (1 - labelSmoothing) + labelSmoothing / 2;
  const z = 1 - y;
  const p = sigmoid(x);
  const q = sigmoid(x, -1);
  const positive = softplus(x, -1);
  const negative = softplus(x);
  if (softTargets === 1) {
    const ofClass = (c: Jet, loss: Jet, weight: number, lossWeight: number) =>
      scaled(weight, times(power(c, gamma), plus(scaled(lossWeight, loss), scaled(polyEpsilon, c))));
    const a = alphaPositive * y;
    const b = alphaNegative * z;
    const powers = a * posWeight * q.v ** gamma + b * p.v ** gamma;
    return {
      loss: plus(ofClass(q, positive, a, posWeight), ofClass(p, negative, b, 1)),
      gaussNewton: powers * p.v * q.v,
    };
  }
  const crossEntropy = plus(scaled(y, positive), scaled(z, negative));
  const c = softTargets === 2 ? rise(crossEntropy) : plus(scaled(y, q), scaled(z, p));
  const b = plus(scaled(posWeight * y, positive), scaled(z, negative));
  const alpha = alphaPositive * y + alphaNegative * z;
  return {
    loss: scaled(alpha, times(power(c, gamma), plus(b, scaled(polyEpsilon, c)))),
    gaussNewton: alpha * power(c, gamma).v * b.h,
  };
}

function crossEntropyOf(x: number, y: number): Jet {
  return plus(scaled(y, softplus(x, -1)), scaled(1 - y, softplus(x)));
}

/** |p - y|^beta times the cross entropy (Li et al. 2020). */
export function quality(x: number, y: number, { gamma }: { gamma: number }): Reference {
  const distance = absolute(y === 1 ? sigmoid(x, -1) : plus(sigmoid(x), constant(-y)));
  const b = crossEntropyOf(x, y);
  return { loss: times(power(distance, gamma), b), gaussNewton: distance.v ** gamma * b.h };
}

/** y times the cross entropy of a positive, alpha p^gamma times that of a negative (Zhang et al. 2021). */
export function varifocal(x: number, y: number, options: { gamma: number; alphaNegative?: number }): Reference {
  const { gamma, alphaNegative = 1 } = options;
  const b = crossEntropyOf(x, y);
  const factor = y > 0 ? constant(y) : scaled(alphaNegative, power(sigmoid(x), gamma));
  return { loss: times(factor, b), gaussNewton: factor.v * b.h };
}

/** Another exponent for each class, and a margin that negatives are allowed (Ridnik et al. 2021). */
export function asymmetric(x: number, y: number, options: { gamma: number; beta: number; margin: number }): Reference {
  const { gamma, beta, margin } = options;
  if (y === 1) {
    const q = sigmoid(x, -1);
    const b = softplus(x, -1);
    return { loss: times(power(q, gamma), b), gaussNewton: q.v ** gamma * b.h };
  }
  const p = sigmoid(x);
  if (p.v <= margin) return { loss: ZERO, gaussNewton: 0 };
  const shifted = margin === 0 ? p : plus(p, constant(-margin));
  const b = margin === 0 ? softplus(x) : surprise(shifted);
  return { loss: times(power(shifted, beta), b), gaussNewton: shifted.v ** beta * Math.max(b.h, 0) };
}

/** Positives are peaks alone; others count the less the nearer they are to one (Law and Deng 2018). */
export function heatmap(x: number, y: number, { gamma, beta }: { gamma: number; beta: number }): Reference {
  const [c, b, weight] = y === 1 ? [sigmoid(x, -1), softplus(x, -1), 1] : [sigmoid(x), softplus(x), (1 - y) ** beta];
  return { loss: scaled(weight, times(power(c, gamma), b)), gaussNewton: weight * c.v ** gamma * b.h };
}
