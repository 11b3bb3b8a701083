import { WithCurve } from './derivative';
import { ratio } from './exponential';
import {
  absolute,
  add,
  and,
  CAP,
  div,
  every,
  greaterMask,
  HALF,
  larger,
  load4,
  mul,
  mulAdd,
  negativeMask,
  ONE,
  or,
  select4,
  SIGN,
  smaller,
  splat,
  sub,
  zero,
} from './lanes';
import {
  COEFFICIENT,
  CORRECT,
  CORRECTION,
  CURVE,
  DENOMINATOR,
  DIVISOR,
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
import { First, Fourth, Second, Third } from './tile';

// Terms of a target y in [0, 1], read as float32; z = 1 - y, P = posWeight, a_t = a y + (1 - a) z, N / D = e = e^-|x|.
// With h the weight of the class that x speaks against (y where x < 0, z elsewhere):
//   1 - p_t = h (1 - v) + (1 - h) v = v + h (1 - 2 v), v = e / (1 + e) at most 1/2: nothing cancels;
//   a_t B = a_t (P y + z) log(1 + e) + a_t |x| (x < 0 ? P y : z).

// 1 - y, of a smoothed target with what its float32 has lost.
// @ts-ignore: decorator
@inline export function complement(at: usize, y: v128): v128 {
  return sub(sub(every(ONE), y), v128.load(at, PAD_LOST));
}

// a y + (1 - a) z
// @ts-ignore: decorator
@inline export function alphaOf(at: usize, y: v128, z: v128): v128 {
  return mulAdd(v128.load(at, PAD_ALPHA), y, mul(v128.load(at, PAD_ALPHA_NEGATIVE), z));
}

/** One alpha for all, posWeight 1, no smoothing, gamma at most 3. */
@final
export class Plain {}

/** Any of these. */
@final
export class General {}

@final
@unmanaged
export class SoftTerms<Kind> {
  // @ts-ignore: decorator
  @inline tile(frame: usize, o: usize, x: usize, y: usize): void {
    const alpha = v128.load32_splat(frame, PAD_ALPHA);
    const alphaNegative = v128.load32_splat(frame, PAD_ALPHA_NEGATIVE);
    const correct = every(frame + CORRECT);
    const one = every(ONE);
    const half = every(HALF);
    const at = frame + o;
    const logits = x + o;
    const targets = y + o;
    softTerms<Kind, First>(at, load4(logits), load4(targets), alpha, alphaNegative, correct, one, half);
    softTerms<Kind, Second>(at, load4(logits + 16), load4(targets + 16), alpha, alphaNegative, correct, one, half);
    softTerms<Kind, Third>(at, load4(logits + 32), load4(targets + 32), alpha, alphaNegative, correct, one, half);
    softTerms<Kind, Fourth>(at, load4(logits + 48), load4(targets + 48), alpha, alphaNegative, correct, one, half);
  }

  // @ts-ignore: decorator
  @inline step(frame: usize, o: usize, x: usize, y: usize): void {
    const at = frame + o;
    const alpha = v128.load(at, PAD_ALPHA);
    const alphaNegative = v128.load(at, PAD_ALPHA_NEGATIVE);
    softTerms<Kind, First>(at, load4(x + o), load4(y + o), alpha, alphaNegative, every(frame + CORRECT), every(ONE), every(HALF));
  }
}

// @ts-ignore: decorator
@inline function softTerms<Kind, Vector>(
  at: usize,
  x: v128,
  y: v128,
  alpha: v128,
  alphaNegative: v128,
  correct: v128,
  one: v128,
  half: v128,
): void {
  const general = idof<Kind>() == idof<General>();
  const d = v128.load(at, DENOMINATOR + offsetof<Vector>());
  const n = v128.load(at, NUMERATOR + offsetof<Vector>());
  const both = add(d, n);
  const negative = negativeMask(x);
  const z = general ? complement(at, y) : sub(one, y);
  const h = select4(y, z, negative);
  let correction = v128.load(at, CORRECTION + offsetof<Vector>());
  if (general) {
    const rounding = sub(n, sub(both, d)); // of both, whose power is in the loss as well
    correction = mul(sub(correction, rounding), sub(one, add(h, h))); // the larger h, the less a larger e makes of p_t
  }
  v128.store(at, ratio(d, n, n, correction, correct, half), RATIO + offsetof<Vector>());
  v128.store(at, both, DIVISOR + offsetof<Vector>());
  v128.store(at, h, FACTOR + offsetof<Vector>());
  const alphaT = mulAdd(alpha, y, mul(alphaNegative, z));
  let against = mul(alphaT, h);
  let coefficient = alphaT;
  if (general) {
    const posWeight = v128.load(at, PAD_POS_WEIGHT + offsetof<Vector>());
    against = mul(against, select4(posWeight, one, negative));
    coefficient = mul(alphaT, mulAdd(posWeight, y, z));
  }
  v128.store(at, coefficient, COEFFICIENT + offsetof<Vector>());
  // 0 times an infinite logit is 0 here.
  v128.store(at, larger(zero(), mul(against, absolute(x))), HINGE + offsetof<Vector>());
}

/** ENTROPY takes the sign of the class, y > 1/2, as a hard target's has it. */
@final
@unmanaged
export class Mark {
  // @ts-ignore: decorator
  @inline step(frame: usize, o: usize, x: usize, y: usize): void {
    const at = frame + o;
    const sign = and(greaterMask(load4(y + o), every(HALF)), every(SIGN));
    v128.store(at, or(v128.load(at, ENTROPY), sign), ENTROPY);
  }
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
  const d = v128.load(at, DENOMINATOR);
  const n = larger(v128.load(at, NUMERATOR), splat(1e-37));
  const both = add(d, n);
  const high = div(d, both);
  const low = div(n, both);
  const p = select4(low, high, negative);
  const q = select4(high, low, negative);
  const positive = mul(y, v128.load(at, PAD_POS_WEIGHT));
  const c = mulAdd(y, q, mul(z, p));
  const r = mul(sub(z, y), div(mul(high, low), c));
  const alphaT = alphaOf(at, y, z);
  const capped = smaller(absolute(v128.load(at, ENTROPY)), every(CAP)); // a_t B
  const bend = mul(gamma, mul(r, capped)); // a_t g r B
  const first = mul(alphaT, sub(mul(z, p), mul(positive, q))); // a_t B'
  v128.store(at, add(first, bend), SLOPE);
  const second = mul(mul(alphaT, add(positive, z)), mul(p, q)); // a_t B''
  if (idof<Derivative>() == idof<WithCurve>()) {
    const doubled = mul(add(gamma, gamma), mul(r, first));
    const rest = mul(bend, add(mul(sub(gamma, every(ONE)), r), sub(q, p)));
    v128.store(at, add(add(second, doubled), rest), CURVE);
  }
}

/** CURVE = a_t B'', as Gauss and Newton have it. */
@final
@unmanaged
export class SoftGaussNewton {
  // @ts-ignore: decorator
  @inline step(frame: usize, o: usize, x: usize, y: usize): void {
    const at = frame + o;
    const both = v128.load(at, DIVISOR);
    const pq = mul(div(v128.load(at, DENOMINATOR), both), div(v128.load(at, NUMERATOR), both));
    v128.store(at, mul(v128.load(at, COEFFICIENT), pq), CURVE);
  }
}
