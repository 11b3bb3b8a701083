import {
  absolute,
  add,
  and,
  div,
  every,
  greaterMask,
  HALF,
  larger,
  load4,
  mul,
  mulAdd,
  nonZeroMask,
  ONE,
  or,
  select4,
  SIGN,
  splat,
  sub,
} from './lanes';
import { naturalLog } from './logarithm';
import { alphaOf, complement } from './soft';
import { COEFFICIENT, CURVE, ENTROPY, FACTOR, GAMMA, PAD_POS_WEIGHT, SLOPE } from './layout';

// Terms of a first argument that is a probability p, with respect to p; q = 1 - p, z = 1 - y, P = posWeight.
//   c = 1 - p_t = y q + z p, B = -P y log p - z log q, both logarithms held at -100, as PyTorch's BCELoss does.
// All with alpha_t; slope and curve without the power c^g, with c' = 1 - 2 y:
//   slope = B' + g c' B / c, curve = B'' + 2 g (c'/c) B' + g (g - 1) (c'/c)^2 B,
//   B' = z / q - P y / p, B'' = z / q^2 + P y / p^2, every divisor held at 1e-12, as PyTorch's gradient does.

@final
@unmanaged
export class ProbabilityTerms {
  // @ts-ignore: decorator
  @inline step(frame: usize, o: usize, x: usize, y: usize): void {
    const at = frame + o;
    const p = load4(x + o);
    const target = load4(y + o);
    const q = sub(every(ONE), p);
    const lost = sub(sub(every(ONE), q), p); // 1 - p is q + lost, which a small p needs
    const z = complement(at, target);
    const negatives = mul(z, sub(surprise(q), div(lost, larger(q, splat(1e-12)))));
    const entropy = mulAdd(mul(target, v128.load(at, PAD_POS_WEIGHT)), surprise(p), negatives);
    v128.store(at, mulAdd(target, q, mul(z, p)), FACTOR);
    v128.store(at, or(mul(alphaOf(at, target, z), entropy), and(greaterMask(target, every(HALF)), every(SIGN))), ENTROPY);
  }
}

@final
@unmanaged
export class ProbabilityDerivatives {
  // @ts-ignore: decorator
  @inline step(frame: usize, o: usize, x: usize, y: usize): void {
    const at = frame + o;
    const p = load4(x + o);
    const target = load4(y + o);
    const gamma = every(frame + GAMMA);
    const floor = splat(1e-12);
    const z = complement(at, target);
    const alphaT = alphaOf(at, target, z);
    const positive = mul(target, v128.load(at, PAD_POS_WEIGHT));
    const overP = div(every(ONE), larger(p, floor));
    const overQ = div(every(ONE), larger(sub(every(ONE), p), floor));
    const c = v128.load(at, FACTOR);
    const turn = sub(z, target); // c'
    // B / c, whose limit at c = 0 is the sum of the coefficients
    const limit = mul(alphaT, add(positive, z));
    const quotient = select4(div(absolute(v128.load(at, ENTROPY)), c), limit, nonZeroMask(c));
    const first = mul(alphaT, sub(mul(z, overQ), mul(positive, overP)));
    const second = mul(alphaT, mulAdd(mul(z, overQ), overQ, mul(mul(positive, overP), overP)));
    v128.store(at, mulAdd(mul(gamma, turn), quotient, first), SLOPE);
    v128.store(at, second, COEFFICIENT); // Gauss and Newton's curve
    const relative = mul(gamma, div(turn, larger(c, floor)));
    const bend = mul(mul(relative, sub(gamma, every(ONE))), mul(turn, quotient));
    v128.store(at, add(add(second, mul(add(relative, relative), first)), bend), CURVE);
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
