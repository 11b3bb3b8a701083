import { ValueOnly, WithCurve, WithGaussNewton } from './derivative';
import {
  add,
  and,
  div,
  every,
  greaterMask,
  larger,
  load4,
  mul,
  mulAdd,
  nonZeroMask,
  or,
  select4,
  signBit,
  splat,
  store4,
  sub,
} from './lanes';
import { naturalLog } from './logarithm';
import { complement } from './soft';
import { CURVE, ENTROPY, FACTOR, GAMMA, PAD_ALPHA, PAD_ALPHA_NEGATIVE, PAD_POS_WEIGHT, SLOPE } from './layout';

// Terms of a first argument that is a probability p, with respect to p; q = 1 - p, z = 1 - y, P = posWeight.
//   c = 1 - p_t = y q + z p, B = -P y log p - z log q, both logarithms held at -100, as PyTorch's BCELoss does.
// All with alpha_t; slope and curve without the power c^g, with c' = 1 - 2 y:
//   slope = B' + g c' B / c, curve = B'' + 2 g (c'/c) B' + g (g - 1) (c'/c)^2 B,
//   B' = z / q - P y / p, B'' = z / q^2 + P y / p^2, every divisor held at 1e-12, as PyTorch's gradient does.

@final
@unmanaged
export class ProbabilityTerms<Derivative> {
  // @ts-ignore: decorator
  @inline step(frame: usize, o: usize, x: usize, y: usize): void {
    probabilityTerms<Derivative>(frame + o, load4(x + o), load4(y + o), every(frame + GAMMA));
  }
}

// @ts-ignore: decorator
@inline function probabilityTerms<Derivative>(at: usize, p: v128, y: v128, gamma: v128): void {
  const q = sub(splat(1), p);
  const lost = sub(sub(splat(1), q), p); // 1 - p is q + lost, which a small p needs
  const z = complement(at, y);
  const positive = mul(y, load4(at + PAD_POS_WEIGHT));
  const alphaT = mulAdd(load4(at + PAD_ALPHA), y, mul(load4(at + PAD_ALPHA_NEGATIVE), z));
  const coefficient = mul(alphaT, add(positive, z));
  const c = mulAdd(y, q, mul(z, p));
  const entropy = mul(alphaT, mulAdd(positive, surprise(p), mul(z, sub(surprise(q), div(lost, larger(q, splat(1e-12)))))));
  store4(at + FACTOR, c);
  store4(at + ENTROPY, or(entropy, and(greaterMask(y, splat(0.5)), signBit())));
  if (idof<Derivative>() == idof<ValueOnly>()) return;
  const floor = splat(1e-12);
  const overP = div(splat(1), larger(p, floor));
  const overQ = div(splat(1), larger(q, floor));
  const turn = sub(z, y); // c'
  // B / c, whose limit at c = 0 is the coefficient
  const quotient = select4(div(entropy, c), coefficient, nonZeroMask(c));
  const first = mul(alphaT, sub(mul(z, overQ), mul(positive, overP)));
  store4(at + SLOPE, mulAdd(mul(gamma, turn), quotient, first));
  if (idof<Derivative>() == idof<WithCurve>() || idof<Derivative>() == idof<WithGaussNewton>()) {
    const second = mul(alphaT, mulAdd(mul(z, overQ), overQ, mul(mul(positive, overP), overP)));
    if (idof<Derivative>() == idof<WithGaussNewton>()) return store4(at + CURVE, second);
    const relative = mul(gamma, div(turn, larger(c, floor)));
    const bend = mul(mul(relative, sub(gamma, splat(1))), mul(turn, quotient));
    store4(at + CURVE, add(add(second, mul(add(relative, relative), first)), bend));
  }
}

// -log v of v in [0, 1], at most 100.
// @ts-ignore: decorator
@inline function surprise(v: v128): v128 {
  const held = select4(larger(naturalLog(v), splat(-100)), splat(-100), nonZeroMask(v));
  return sub(sub(v, v), held); // v - v is NaN for NaN, which the logarithm takes for a number
}

/** Whether any of `count` probabilities lies outside [0, 1]; NaN does not count. */
export function outOfRange(probabilities: usize, count: i32): bool {
  for (let i = 0; i < count; i++) {
    const p = load<f32>(probabilities + (i << 2));
    if (p < 0 || p > 1) return true;
  }
  return false;
}
