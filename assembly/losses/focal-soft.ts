import { Flag, Hessian } from '../../src/abi';
import { ValueOnly, WithCurve } from '../elements/derivative';
import { Loss, setFactors } from '../elements/evaluate';
import { CLASS_ABOVE, CORRECT, GAMMA, State, has } from '../frame';
import { Quotient, Reduce, ratio } from '../math/exponential';
import { AddWeighedEntropy } from '../math/logarithm';
import { powerOf } from '../math/raise';
import {
  HALF,
  LOSS_LIMIT,
  ONE,
  SIGN,
  absolute,
  add,
  and,
  choose,
  div,
  every,
  greaterMask,
  larger,
  mul,
  mulAdd,
  negativeMask,
  nonZeroMask,
  or,
  read,
  smaller,
  splat,
  sub,
  zero,
} from '../simd/lanes';
import { TileStage, VectorStage, eachTile, eachVector } from '../simd/stage';
import { V0, V1, V2, V3 } from '../simd/tile';
import {
  Alpha,
  AlphaNegative,
  Coefficient,
  Correction,
  Curve,
  Denominator,
  Divisor,
  Entropy,
  Hinge,
  Modulation,
  Numerator,
  PosWeight,
  Ratio,
  Slope,
  TargetError,
  get,
  getEvery,
  put,
} from '../slots';

// Terms of a target y in [0, 1], read as a number; z = 1 - y, P = posWeight, a_t = a y + (1 - a) z, N / D = e = e^-|x|.
// With h the weight of the class that x speaks against (y where x < 0, z elsewhere):
//   1 - p_t = h (1 - v) + (1 - h) v = v + h (1 - 2 v), v = e / (1 + e) at most 1/2: nothing cancels;
//   a_t B = a_t (P y + z) log(1 + e) + a_t |x| (x < 0 ? P y : z).

/** The focal loss of targets in [0, 1], smoothed ones among them, or with options that are per element. */
@final
@unmanaged
export class FocalSoft extends Loss {
  @inline override readsNumbers(): bool {
    return true;
  }

  @inline override filler(): Float {
    return -Infinity;
  }

  @inline override prepare(frame: usize): void {
    const call = changetype<State>(frame);
    // as in focal-hard.ts
    call.correct = <Float>(0.75 * (Math.min(call.gamma, 64) + 1));
    setFactors(frame, 1, 1);
  }

  override terms<Order>(frame: usize, bytes: usize): i32 {
    const call = changetype<State>(frame);
    eachTile<Reduce>(frame, call.x, 0, bytes);
    eachTile<Quotient>(frame, 0, 0, bytes);
    if (isPlain(call)) eachTile<PlainTerms>(frame, call.x, call.y, bytes);
    else eachVector<GeneralTerms>(frame, call.x, call.y, bytes);
    eachTile<AddWeighedEntropy>(frame, 0, 0, bytes);
    if (has(call, Flag.byClass)) eachVector<SignByClass>(frame, 0, call.y, bytes);
    if (idof<Order>() != idof<ValueOnly>()) eachVector<SoftDerivatives<Order>>(frame, call.x, call.y, bytes);
    if (idof<Order>() == idof<WithCurve>() && call.hessian == Hessian.gaussNewton) {
      eachVector<SoftGaussNewton>(frame, 0, 0, bytes);
    }
    return powerOf(frame);
  }
}

// @ts-ignore: decorator
@inline function isPlain(call: State): bool {
  const single = call.alphas == 0 && call.posWeights == 0 && call.posWeight == 1;
  return single && call.labelSmoothing == 0 && call.gamma <= 3;
}

// 1 - y, of a smoothed target with what its number has lost.
// @ts-ignore: decorator
@inline export function complement(at: usize, y: v128): v128 {
  return sub(sub(every(ONE), y), get<TargetError, V0>(at));
}

// a y + (1 - a) z
// @ts-ignore: decorator
@inline export function alphaOf(at: usize, y: v128, z: v128): v128 {
  return mulAdd(get<Alpha, V0>(at), y, mul(get<AlphaNegative, V0>(at), z));
}

/** Terms with one alpha for all, posWeight 1, no smoothing, gamma at most 3. */
@final
class Plain {}

/** Terms with any of these. */
@final
class General {}

@final
@unmanaged
class PlainTerms extends TileStage {
  @inline override tile(frame: usize, o: usize, x: usize, y: usize): void {
    const alpha = getEvery<Alpha>(frame);
    const alphaNegative = getEvery<AlphaNegative>(frame);
    const correct = v128.load_splat<Float>(frame, CORRECT);
    const one = every(ONE);
    const half = every(HALF);
    const at = frame + o;
    const logits = x + o;
    const targets = y + o;
    softTerms<Plain, V0>(at, read(logits), read(targets), alpha, alphaNegative, correct, one, half);
    softTerms<Plain, V1>(at, read(logits + 16), read(targets + 16), alpha, alphaNegative, correct, one, half);
    softTerms<Plain, V2>(at, read(logits + 32), read(targets + 32), alpha, alphaNegative, correct, one, half);
    softTerms<Plain, V3>(at, read(logits + 48), read(targets + 48), alpha, alphaNegative, correct, one, half);
  }
}

@final
@unmanaged
class GeneralTerms extends VectorStage {
  @inline override vector(frame: usize, o: usize, x: usize, y: usize): void {
    const at = frame + o;
    const alpha = get<Alpha, V0>(at);
    const alphaNegative = get<AlphaNegative, V0>(at);
    const correct = v128.load_splat<Float>(frame, CORRECT);
    softTerms<General, V0>(at, read(x + o), read(y + o), alpha, alphaNegative, correct, every(ONE), every(HALF));
  }
}

// @ts-ignore: decorator
@inline function softTerms<Kind, V>(
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
  const d = get<Denominator, V>(at);
  const n = get<Numerator, V>(at);
  const both = add(d, n);
  const negative = negativeMask(x);
  const z = general ? complement(at, y) : sub(one, y);
  const h = choose(y, z, negative);
  let correction = get<Correction, V>(at);
  if (general) {
    const rounding = sub(n, sub(both, d)); // of both, whose power is in the loss as well
    correction = mul(sub(correction, rounding), sub(one, add(h, h))); // the larger h, the less a larger e makes of p_t
  }
  put<Ratio, V>(at, ratio(d, n, n, correction, correct, half));
  put<Divisor, V>(at, both);
  put<Modulation, V>(at, h);
  const alphaT = mulAdd(alpha, y, mul(alphaNegative, z));
  let against = mul(alphaT, h);
  let coefficient = alphaT;
  if (general) {
    const posWeight = get<PosWeight, V>(at);
    against = mul(against, choose(posWeight, one, negative));
    coefficient = mul(alphaT, mulAdd(posWeight, y, z));
  }
  put<Coefficient, V>(at, coefficient);
  // 0 times an infinite logit is 0 here.
  put<Hinge, V>(at, larger(zero(), mul(against, absolute(x))));
}

/** Entropy takes the sign of the class, as a hard target's has it. */
@final
@unmanaged
class SignByClass extends VectorStage {
  @inline override vector(frame: usize, o: usize, x: usize, y: usize): void {
    const at = frame + o;
    const sign = and(greaterMask(read(y + o), v128.load_splat<Float>(frame, CLASS_ABOVE)), every(SIGN));
    put<Entropy, V0>(at, or(get<Entropy, V0>(at), sign));
  }
}

// Without the power c^g but with a_t, and with r = c'/c = (1 - 2 y) p q / c, which is bounded:
//   slope = B' + g r B, curve = B'' + 2 g r B' + g B ((g - 1) r^2 + r (q - p)),
//   B' = z p - P y q, B'' = (P y + z) p q.
// Where c is 0 so is p or q, and p q / c the other of them. B is limited, so that r B is 0 where r is: to LOSS_LIMIT times what
// multiplies its logarithms, since a posWeight must not reach the limit, and to what stays finite times the square of a gamma of 64.
@final
@unmanaged
class SoftDerivatives<Order> extends VectorStage {
  @inline override vector(frame: usize, o: usize, x: usize, y: usize): void {
    softDerivatives<Order>(frame + o, read(x + o), read(y + o), v128.load_splat<Float>(frame, GAMMA));
  }
}

// @ts-ignore: decorator
@inline function softDerivatives<Order>(at: usize, x: v128, y: v128, gamma: v128): void {
  const z = complement(at, y);
  const negative = negativeMask(x);
  const d = get<Denominator, V0>(at);
  const n = get<Numerator, V0>(at);
  const both = add(d, n);
  const high = div(d, both);
  const low = div(n, both);
  const p = choose(low, high, negative);
  const q = choose(high, low, negative);
  const positive = mul(y, get<PosWeight, V0>(at));
  const c = mulAdd(y, q, mul(z, p));
  const pqOverC = choose(div(mul(high, low), c), high, nonZeroMask(c));
  const r = mul(sub(z, y), pqOverC);
  const alphaT = alphaOf(at, y, z);
  const weight = mul(alphaT, add(positive, z));
  const limit = smaller(mul(weight, every(LOSS_LIMIT)), splat(1e33));
  const limited = smaller(absolute(get<Entropy, V0>(at)), limit); // a_t B
  const bend = mul(gamma, mul(r, limited)); // a_t g r B
  const first = mul(alphaT, sub(mul(z, p), mul(positive, q))); // a_t B'
  put<Slope, V0>(at, add(first, bend));
  const second = mul(weight, mul(p, q)); // a_t B''
  if (idof<Order>() == idof<WithCurve>()) {
    const doubled = mul(add(gamma, gamma), mul(r, first));
    const rest = mul(bend, add(mul(sub(gamma, every(ONE)), r), sub(q, p)));
    put<Curve, V0>(at, add(add(second, doubled), rest));
  }
}

/** Curve = a_t B'', as Gauss and Newton have it. */
@final
@unmanaged
class SoftGaussNewton extends VectorStage {
  @inline override vector(frame: usize, o: usize, x: usize, y: usize): void {
    const at = frame + o;
    const both = get<Divisor, V0>(at);
    const pq = mul(div(get<Denominator, V0>(at), both), div(get<Numerator, V0>(at), both));
    put<Curve, V0>(at, mul(get<Coefficient, V0>(at), pq));
  }
}
