// What every result should be, in decimal arithmetic and from the definitions: derivatives are central differences of the
// loss, posteriors are the zero of the expected derivative. Nothing here follows the way the kernel computes.
import { Decimal as Base } from 'decimal.js';

/** A loss is good to about 100 digits, a first derivative to 38 and a second to 36. */
export const Decimal = Base.clone({ precision: 110, minE: -9e15, maxE: 9e15 });
export type Decimal = Base;

const ZERO = new Decimal(0);
const ONE = new Decimal(1);
const STEP = new Decimal('1e-20');
/** Beyond this the neglected e^-400 is under the working precision. */
const FAR = 400;

export const SMALLEST_NORMAL = 2 ** -126;
export const LARGEST = 3.4028234663852886e38;

export interface BinaryOptions {
  gamma: number;
  alpha?: number | null;
  posWeight?: number;
  weight?: number;
  labelSmoothing?: number;
  fromLogits?: boolean;
}

export type HessianPolicy = 'exact' | 'clip' | 'gaussNewton' | 'absGrad';

const words = new DataView(new ArrayBuffer(8));

export function float32FromBits(bits: number): number {
  words.setUint32(0, bits);
  return words.getFloat32(0);
}

export function float32Bits(value: number): number {
  words.setFloat32(0, value);
  return words.getUint32(0);
}

/** Every binary digit of a double, which `new Decimal(value)` would round to its shortest decimal form. */
export function exact(value: number | Decimal): Decimal {
  if (typeof value !== 'number') return new Decimal(value);
  if (!Number.isFinite(value) || value === 0) return new Decimal(value);
  let mantissa = value;
  let exponent = 0;
  while (!Number.isSafeInteger(mantissa)) {
    const shift = Math.abs(mantissa) < 1 ? 52 : Math.abs(mantissa) > Number.MAX_SAFE_INTEGER ? -52 : 1;
    mantissa *= 2 ** shift;
    exponent -= shift;
  }
  return new Decimal(mantissa).times(new Decimal(2).pow(exponent));
}

/** Distance in units in the last place of the float32 numbers around `truth`. */
export function ulpDistance(actual: number, truth: Decimal): number {
  const size = Math.abs(truth.toNumber());
  words.setFloat64(0, Math.max(Math.min(size, LARGEST), SMALLEST_NORMAL));
  const exponent = (words.getUint32(0) >>> 20) - 1023;
  if (!Number.isFinite(actual)) return actual === truth.toNumber() ? 0 : Number.POSITIVE_INFINITY;
  return exact(actual)
    .minus(truth)
    .abs()
    .div(new Decimal(2).pow(exponent - 23))
    .toNumber();
}

function log1p(z: Decimal): Decimal {
  if (z.abs().gt('1e-4')) return Decimal.ln(ONE.plus(z));
  let sum = z;
  let power = z;
  for (let k = 2; k < 40; k++) {
    power = power.times(z).neg();
    sum = sum.plus(power.div(k));
  }
  return sum;
}

/** -log sigmoid(-z), the cross entropy of a wrong logit z. */
export function softplus(z: Decimal): Decimal {
  return z.gt(FAR) ? z : log1p(Decimal.exp(z));
}

export function sigmoid(x: Decimal): Decimal {
  return ONE.div(ONE.plus(Decimal.exp(x.neg())));
}

/** 0 times Infinity is 0: a term that is not there does not count. */
function product(factor: Decimal, value: Decimal): Decimal {
  return factor.isZero() ? ZERO : factor.times(value);
}

function smoothed(y: number, options: BinaryOptions): Decimal {
  const s = exact(options.labelSmoothing ?? 0);
  return exact(y).times(ONE.minus(s)).plus(s.div(2));
}

function alphaOf(y: Decimal, alpha: number | null | undefined): Decimal {
  if (alpha === null || alpha === undefined) return ONE;
  const a = exact(alpha);
  return a.times(y).plus(ONE.minus(a).times(ONE.minus(y)));
}

/** -log of a probability, not above 100. */
function clampedLog(probability: Decimal): Decimal {
  return probability.isZero() ? new Decimal(100) : Decimal.min(Decimal.ln(probability).neg(), 100);
}

function lossAt(x: Decimal, target: number, options: BinaryOptions): Decimal {
  const y = smoothed(target, options);
  const n = ONE.minus(y);
  const fromLogits = options.fromLogits ?? true;
  const p = fromLogits ? sigmoid(x) : x;
  const q = fromLogits ? sigmoid(x.neg()) : ONE.minus(x);
  const positive = fromLogits ? softplus(x.neg()) : clampedLog(p);
  const negative = fromLogits ? softplus(x) : clampedLog(q);
  const crossEntropy = product(exact(options.posWeight ?? 1).times(y), positive).plus(product(n, negative));
  const modulation = Decimal.pow(y.times(q).plus(n.times(p)), exact(options.gamma));
  const factor = exact(options.weight ?? 1)
    .times(alphaOf(y, options.alpha))
    .times(modulation);
  return product(factor, crossEntropy);
}

/** An infinite logit's derivatives are those of a logit where nothing moves any more. */
function finite(x: number): Decimal {
  return exact(Number.isFinite(x) ? x : Math.sign(x) * LARGEST);
}

function stepAt(x: Decimal, options: BinaryOptions): Decimal {
  return options.fromLogits === false ? STEP.times(Decimal.min(x, ONE.minus(x))) : STEP;
}

export function focalLoss(x: number, y: number, options: BinaryOptions): Decimal {
  return lossAt(exact(x), y, options);
}

/** dL/dx by central difference. */
export function gradient(x: number, y: number, options: BinaryOptions): Decimal {
  const at = finite(x);
  const h = stepAt(at, options);
  return lossAt(at.plus(h), y, options)
    .minus(lossAt(at.minus(h), y, options))
    .div(h.times(2));
}

/** d2L/dx2 by central difference. */
export function hessian(x: number, y: number, options: BinaryOptions): Decimal {
  const at = finite(x);
  const h = stepAt(at, options);
  return lossAt(at.plus(h), y, options)
    .minus(lossAt(at, y, options).times(2))
    .plus(lossAt(at.minus(h), y, options))
    .div(h.times(h));
}

export function hessianPolicy(policy: HessianPolicy, x: number, y: number, options: BinaryOptions): Decimal {
  if (policy === 'absGrad') return gradient(x, y, options).abs();
  if (policy === 'clip') return Decimal.max(hessian(x, y, options), '1e-16');
  if (policy === 'exact') return hessian(x, y, options);
  const at = finite(x);
  const p = sigmoid(at);
  const q = sigmoid(at.neg());
  const t = smoothed(y, options);
  return exact(options.weight ?? 1)
    .times(alphaOf(t, options.alpha))
    .times(Decimal.pow(t.times(q).plus(ONE.minus(t).times(p)), exact(options.gamma)))
    .times(p)
    .times(q);
}

/** P(y = 1 | x): the probability at which the expected derivative of the two hard targets is 0. */
export function posterior(x: number, options: BinaryOptions): Decimal {
  const alpha = options.alpha === undefined ? null : options.alpha;
  const negative = gradient(x, 0, { ...options, alpha });
  const positive = gradient(x, 1, { ...options, alpha });
  return negative.div(negative.minus(positive));
}

/** The analytic derivatives of the documentation, kept apart so that a test can hold them against the differences. */
export function analytic(x: number, y: number, options: BinaryOptions): { grad: Decimal; hess: Decimal } {
  const at = finite(x);
  const p = sigmoid(at);
  const q = sigmoid(at.neg());
  const t = smoothed(y, options);
  const n = ONE.minus(t);
  const g = exact(options.gamma);
  const positive = exact(options.posWeight ?? 1).times(t);
  const c = t.times(q).plus(n.times(p));
  const b = product(positive, softplus(at.neg())).plus(product(n, softplus(at)));
  const b1 = n.times(p).minus(positive.times(q));
  const b2 = positive.plus(n).times(p).times(q);
  const r = ONE.minus(t.times(2)).times(p).times(q).div(c);
  const factor = exact(options.weight ?? 1)
    .times(alphaOf(t, options.alpha))
    .times(Decimal.pow(c, g));
  const curvature = g
    .minus(1)
    .times(r)
    .times(r)
    .plus(r.times(ONE.minus(p.times(2))));
  return {
    grad: factor.times(b1.plus(g.times(r).times(b))),
    hess: factor.times(b2.plus(g.times(2).times(r).times(b1)).plus(g.times(b).times(curvature))),
  };
}
