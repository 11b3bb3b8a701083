import { WithCurve, WithGaussNewton } from './derivative';
import {
  absolute,
  add,
  and,
  div,
  every,
  greaterMask,
  larger,
  load4,
  mul,
  mulAdd,
  negativeMask,
  nonZeroMask,
  or,
  select4,
  signBit,
  smaller,
  splat,
  store4,
  sub,
} from './lanes';
import {
  COEFFICIENT,
  CORRECTION,
  CURVE,
  DENOMINATOR,
  ENTROPY,
  FACTOR,
  GAMMA,
  HINGE,
  NUMERATOR,
  PAD_ALPHA,
  PAD_ALPHA_NEGATIVE,
  PAD_LOST,
  PAD_POS_WEIGHT,
  RATIO,
  SLOPE,
} from './layout';

const CONSTANTS: usize = memory.data<f32>([1.0, 0.5], 8);

// Terms of a target y in [0, 1], read as float32; z = 1 - y, P = posWeight, a_t = a y + (1 - a) z, e = e^-|x|.
// With h the weight of the class that x speaks against (y where x < 0, z elsewhere) and v = e / (1 + e):
//   c = 1 - p_t = h (1 - v) + (1 - h) v = a + b (1 - 2 a), a the larger of v and h and b the smaller: the rounding
//   errors of the small term are small against the sum, and nothing cancels;
//   a_t B = a_t (P y + z) log(1 + e) + a_t |x| (x < 0 ? P y : z).
// Coefficient and hinge carry the class, y > 1/2, as their sign, and so does the cross entropy made of them.

// 1 - y, of a smoothed target with what its float32 has lost.
// @ts-ignore: decorator
@inline export function complement(at: usize, y: v128): v128 {
  return sub(sub(splat(1), y), load4(at + PAD_LOST));
}

// a y + (1 - a) z
// @ts-ignore: decorator
@inline export function alphaOf(at: usize, y: v128, z: v128): v128 {
  return mulAdd(load4(at + PAD_ALPHA), y, mul(load4(at + PAD_ALPHA_NEGATIVE), z));
}

/** posWeight is 1, and targets are not smoothed. */
@final
export class Plain {}

/** Any posWeight and smoothing. */
@final
export class General {}

@final
@unmanaged
export class SoftTerms<Kind> {
  // @ts-ignore: decorator
  @inline tile(frame: usize, o: usize, x: usize, y: usize): void {
    const at = frame + o;
    const logits = x + o;
    const targets = y + o;
    const one = every(CONSTANTS);
    const half = every(CONSTANTS + 4);
    softTerms<Kind>(at, load4(logits), load4(targets), one, half);
    softTerms<Kind>(at + 16, load4(logits + 16), load4(targets + 16), one, half);
    softTerms<Kind>(at + 32, load4(logits + 32), load4(targets + 32), one, half);
    softTerms<Kind>(at + 48, load4(logits + 48), load4(targets + 48), one, half);
  }

  // @ts-ignore: decorator
  @inline step(frame: usize, o: usize, x: usize, y: usize): void {
    softTerms<Kind>(frame + o, load4(x + o), load4(y + o), every(CONSTANTS), every(CONSTANTS + 4));
  }
}

// @ts-ignore: decorator
@inline function softTerms<Kind>(at: usize, x: v128, y: v128, one: v128, half: v128): void {
  const d = load4(at + DENOMINATOR);
  const n = load4(at + NUMERATOR);
  const both = add(d, n);
  const sign = and(greaterMask(y, half), signBit());
  store4(at + RATIO, div(n, add(both, d)));
  const negative = negativeMask(x);
  const z = idof<Kind>() == idof<General>() ? complement(at, y) : sub(one, y);
  const h = select4(y, z, negative);
  const v = div(n, both);
  const major = larger(v, h);
  store4(at + FACTOR, mulAdd(smaller(v, h), sub(one, add(major, major)), major));
  store4(at + CORRECTION, and(load4(at + CORRECTION), greaterMask(v, h)));
  const alphaT = or(sign, alphaOf(at, y, z));
  let against = mul(alphaT, h);
  if (idof<Kind>() == idof<General>()) {
    const posWeight = load4(at + PAD_POS_WEIGHT);
    against = mul(against, select4(posWeight, one, negative));
    store4(at + COEFFICIENT, mul(alphaT, mulAdd(posWeight, y, z)));
  } else {
    store4(at + COEFFICIENT, alphaT);
  }
  // 0 times an infinite logit is 0 here.
  store4(at + HINGE, and(mul(against, absolute(x)), nonZeroMask(against)));
}

// Without the power c^g but with a_t, and with r = c'/c = (1 - 2 y) p q / c, which is bounded:
//   slope = B' + g r B, curve = B'' + 2 g r B' + g B ((g - 1) r^2 + r (q - p)),
//   B' = z p - P y q, B'' = (P y + z) p q.
// N is kept off 0, where r is 0 / 0 and its limit p or q; B is capped, so that r B is 0 where r is.
@final
@unmanaged
export class SoftDerivatives<Derivative> {
  // @ts-ignore: decorator
  @inline step(frame: usize, o: usize, x: usize, y: usize): void {
    softDerivatives<Derivative>(frame + o, load4(x + o), load4(y + o), every(frame + GAMMA));
  }
}

// @ts-ignore: decorator
@inline function softDerivatives<Derivative>(at: usize, x: v128, y: v128, gamma: v128): void {
  const z = complement(at, y);
  const negative = negativeMask(x);
  const d = load4(at + DENOMINATOR);
  const n = larger(load4(at + NUMERATOR), splat(1e-37));
  const both = add(d, n);
  const high = div(d, both);
  const low = div(n, both);
  const p = select4(low, high, negative);
  const q = select4(high, low, negative);
  const positive = mul(y, load4(at + PAD_POS_WEIGHT));
  const c = mulAdd(y, q, mul(z, p));
  const r = mul(sub(z, y), div(mul(high, low), c));
  const alphaT = alphaOf(at, y, z);
  const capped = smaller(absolute(load4(at + ENTROPY)), splat(1e4)); // a_t B
  const bend = mul(gamma, mul(r, capped)); // a_t g r B
  const first = mul(alphaT, sub(mul(z, p), mul(positive, q))); // a_t B'
  store4(at + SLOPE, add(first, bend));
  const second = mul(mul(alphaT, add(positive, z)), mul(p, q)); // a_t B''
  if (idof<Derivative>() == idof<WithGaussNewton>()) store4(at + CURVE, second);
  if (idof<Derivative>() == idof<WithCurve>()) {
    const doubled = mul(add(gamma, gamma), mul(r, first));
    const rest = mul(bend, add(mul(sub(gamma, splat(1)), r), sub(q, p)));
    store4(at + CURVE, add(add(second, doubled), rest));
  }
}
