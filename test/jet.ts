// Second-order automatic differentiation in float64: a value with its first and second derivative. A loss that is written down
// in jets by its definition has its derivatives without anybody having derived them.

export interface Jet {
  readonly v: number;
  readonly d: number;
  readonly h: number;
}

export const constant = (v: number): Jet => ({ v, d: 0, h: 0 });
export const ONE = constant(1);
export const ZERO = constant(0);

export const plus = (...jets: Jet[]): Jet =>
  jets.reduce((a, b) => ({ v: a.v + b.v, d: a.d + b.d, h: a.h + b.h }), ZERO);

export const times = (...jets: Jet[]): Jet =>
  jets.reduce((a, b) => ({ v: a.v * b.v, d: a.d * b.v + a.v * b.d, h: a.h * b.v + 2 * a.d * b.d + a.v * b.h }), ONE);

/** 0 where the factor is 0, whatever it multiplies. */
export const scaled = (factor: number, jet: Jet): Jet =>
  factor === 0 ? ZERO : { v: factor * jet.v, d: factor * jet.d, h: factor * jet.h };

/** A function of a jet, from its own value and derivatives there. */
const through = (jet: Jet, v: number, first: number, second: number): Jet => ({
  v,
  d: jet.d === 0 ? 0 : first * jet.d,
  h: (jet.d === 0 ? 0 : second * jet.d * jet.d) + (jet.h === 0 ? 0 : first * jet.h),
});

export const power = (jet: Jet, g: number): Jet =>
  g === 0 ? ONE : through(jet, jet.v ** g, g * jet.v ** (g - 1), g * (g - 1) * jet.v ** (g - 2));

export const absolute = (jet: Jet): Jet => (jet.v < 0 ? scaled(-1, jet) : jet);

/** -log(1 - d). */
export const surprise = (jet: Jet): Jet => through(jet, -Math.log1p(-jet.v), 1 / (1 - jet.v), 1 / (1 - jet.v) ** 2);

/** 1 - e^-b. */
export const rise = (jet: Jet): Jet => through(jet, -Math.expm1(-jet.v), Math.exp(-jet.v), -Math.exp(-jet.v));

function logistic(x: number): number {
  const e = Math.exp(-Math.abs(x));
  return x < 0 ? e / (1 + e) : 1 / (1 + e);
}

/** sigmoid(sign x) of the variable itself. */
export function sigmoid(x: number, sign: 1 | -1 = 1): Jet {
  const p = logistic(sign * x);
  const q = logistic(-sign * x);
  return { v: p, d: sign * p * q, h: p * q * (q - p) };
}

/** log(1 + e^(sign x)). */
export function softplus(x: number, sign: 1 | -1 = 1): Jet {
  const u = sign * x;
  const v = Math.max(u, 0) + Math.log1p(Math.exp(-Math.abs(u)));
  const p = logistic(u);
  return { v, d: sign * p, h: p * logistic(-u) };
}
