import { Hessian } from '../../src/abi';
import { wantsSlope } from '../elements/derivative';
import { Loss, setFactors } from '../elements/evaluate';
import { GAMMA, MARGIN, NEAR, OTHER_GAMMA, State } from '../frame';
import { Quotient, Reduce } from '../math/exponential';
import { log1p, surpriseOf } from '../math/logarithm';
import { FIRST_POWER, prepareExponent, prepareOtherExponent, raiseByClass } from '../math/raise';
import { exponential } from '../math/scalar';
import {
  LOSS_LIMIT,
  ONE,
  SIGN,
  absolute,
  add,
  and,
  andNot,
  choose,
  div,
  every,
  greaterMask,
  larger,
  mul,
  mulAdd,
  negativeMask,
  or,
  read,
  signsAt,
  smaller,
  splat,
  sub,
  xor,
  zero,
  zeroMask,
} from '../simd/lanes';
import { VectorStage, eachTile, eachVector } from '../simd/stage';
import { TILE_BYTES, V0 } from '../simd/tile';
import {
  Curve,
  Denominator,
  Entropy,
  Modulation,
  Near,
  Numerator,
  Probability,
  Slope,
  get,
  put,
  putNumber,
} from '../slots';
import { anyNear, isNear } from './near';

// Asymmetric loss (Ridnik et al. 2021) of hard targets: q^G sp(-x) of a positive, and d^g (-log(1 - d)) of a negative, d = p - m where
// p is above the margin m; below it the loss and its derivatives are 0. 1 - d = q + m is a sum.
// Where d is small beside p, the roundings of p are not: those elements are evaluated one by one in float64.
//
// @bound 4e-6 relative, of what is not below 1e-7; gammas up to 10

/** The asymmetric loss of bytes, with the fields gamma for positives and beta for negatives. */
@final
@unmanaged
export class Asymmetric extends Loss {
  @inline override readsNumbers(frame: usize): bool {
    return false;
  }

  @inline override filler(frame: usize): Float {
    return -Infinity;
  }

  @inline override prepare(frame: usize): void {
    const call = changetype<State>(frame);
    prepareOtherExponent(frame, call.beta);
    call.near = <Float>nearPart(call.beta);
    call.marginRounded = call.margin <= SMALLEST_NORMAL ? 0 : <Float>call.margin;
    setFactors(frame, call.alphaPositive * call.posWeight, call.alphaNegative);
  }

  override terms(frame: usize, bytes: usize): i32 {
    const call = changetype<State>(frame);
    eachTile<Reduce>(frame, call.x, 0, bytes);
    eachTile<Quotient>(frame, 0, 0, bytes);
    eachVector<AsymmetricDistance>(frame, call.x, call.y, bytes);
    eachVector<AsymmetricEntropy>(frame, call.x, 0, bytes);
    if (wantsSlope(frame)) derivatives(frame, bytes);
    if (call.marginRounded != 0) refine(frame, bytes);
    raiseByClass(frame, bytes);
    return FIRST_POWER;
  }
}

/** Slope, and a Curve where a Hessian is asked for. */
function derivatives(frame: usize, bytes: usize): void {
  const call = changetype<State>(frame);
  eachVector<AsymmetricSlope>(frame, 0, 0, bytes);
  if (call.hess == 0) return;
  if (call.hessian == Hessian.gaussNewton) eachVector<AsymmetricGaussNewton>(frame, 0, 0, bytes);
  else eachVector<AsymmetricCurve>(frame, 0, 0, bytes);
}

/** A margin up to it is none. */
const SMALLEST_NORMAL: Float = sizeof<Float>() == 4 ? 1.1754943508222875e-38 : 2.2250738585072014e-308;

/**
 * The part of p below which a distance from the margin is not taken from p. A second derivative goes as d^(g - 1), so that from a
 * gamma of 2 on only which side of the margin an element is on counts.
 */
// @ts-ignore: decorator
@inline function nearPart(gamma: f64): f64 {
  return gamma < 2 ? 1 / 32.0 : 1 / 262144.0;
}

// Both classes have the form d^g (-log v), v = 1 - d: of a positive d = q, v = p, of a negative d = p - m, v = q + m. So one logarithm
// is enough; where v underflows, which only a margin of 0 lets it, it is |x|.

/** Modulation = d, Probability = p_t, Near, and the class as the sign of Entropy. */
@final
@unmanaged
class AsymmetricDistance extends VectorStage {
  @inline override vector(frame: usize, o: usize, x: usize, y: usize): void {
    const at = frame + o;
    const sign = signsAt(y + (o >> alignof<Float>()));
    const margin = marginOf(frame, sign);
    const easy = negativeMask(xor(read(x + o), sign));
    const denominator = get<Denominator, V0>(at);
    const numerator = get<Numerator, V0>(at);
    const part = div(every(ONE), add(denominator, numerator));
    const against = larger(numerator, andNot(denominator, easy));
    const c = mul(against, part);
    const other = mul(xor(against, xor(denominator, numerator)), part);
    const above = sub(c, margin);
    put<Probability, V0>(at, other);
    put<Modulation, V0>(at, larger(above, zero()));
    put<Entropy, V0>(at, sign);
    const near = greaterMask(mul(c, v128.load_splat<Float>(frame, NEAR)), absolute(above));
    put<Near, V0>(at, andNot(near, zeroMask(margin)));
  }
}

/** From those Entropy. */
@final
@unmanaged
class AsymmetricEntropy extends VectorStage {
  @inline override vector(frame: usize, o: usize, x: usize, y: usize): void {
    const at = frame + o;
    const sign = get<Entropy, V0>(at);
    const d = get<Modulation, V0>(at);
    const v = add(get<Probability, V0>(at), marginOf(frame, sign));
    const l = choose(surpriseOf(d, v), absolute(read(x + o)), greaterMask(v, splat(SMALLEST_NORMAL)));
    // NaN stays NaN, and below the margin v is not 1 - d
    put<Entropy, V0>(at, or(andNot(add(l, sub(d, d)), zeroMask(d)), sign));
  }
}

/** The margin of negatives, 0 of positives. */
// @ts-ignore: decorator
@inline function marginOf(frame: usize, sign: v128): v128 {
  return andNot(v128.load_splat<Float>(frame, MARGIN), negativeMask(sign));
}

// With w = q + m, without the power, where p > m: B = -log w, B' = p q / w, B'' = B' (q - p) + B'^2, r = p q / d; slope and curve as in
// focal-soft.ts. Of positives, and where m is 0, those of focal-hard.ts. Gauss and Newton's curve is B'', but not less than 0.
@final
@unmanaged
class AsymmetricSlope extends VectorStage {
  @inline override vector(frame: usize, o: usize, x: usize, y: usize): void {
    const at = frame + o;
    const signed = get<Entropy, V0>(at);
    const margin = marginOf(frame, signed);
    const d = get<Modulation, V0>(at);
    const q = get<Probability, V0>(at);
    const p = add(d, margin);
    const pq = mul(p, q);
    const gamma = gammaOf(frame, signed);
    const l = limitedEntropy(signed);
    const slope = add(div(pq, add(q, margin)), mul(gamma, mul(div(pq, d), l)));
    const chosen = choose(mulAdd(mul(gamma, q), l, p), slope, zeroMask(margin));
    put<Slope, V0>(at, or(andNot(chosen, deadMask(d, signed)), and(signed, every(SIGN))));
  }
}

@final
@unmanaged
class AsymmetricCurve extends VectorStage {
  @inline override vector(frame: usize, o: usize, x: usize, y: usize): void {
    const at = frame + o;
    const signed = get<Entropy, V0>(at);
    const margin = marginOf(frame, signed);
    const gamma = gammaOf(frame, signed);
    const d = get<Modulation, V0>(at);
    const q = get<Probability, V0>(at);
    const p = add(d, margin);
    const l = limitedEntropy(signed);
    const pq = mul(p, q);
    const first = div(pq, add(q, margin));
    const r = div(pq, d);
    const bend = mul(gamma, mul(r, l));
    const twice = add(gamma, gamma);
    const hard = mul(q, sub(mulAdd(twice, p, p), mul(mul(gamma, l), sub(p, mul(gamma, q)))));
    const turn = sub(q, p);
    const second = mulAdd(first, turn, mul(first, first));
    const rest = mulAdd(mul(twice, r), first, mul(bend, mulAdd(sub(gamma, every(ONE)), r, turn)));
    put<Curve, V0>(at, andNot(choose(hard, add(second, rest), zeroMask(margin)), deadMask(d, signed)));
  }
}

/** The exponent of the class whose sign it is. */
// @ts-ignore: decorator
@inline function gammaOf(frame: usize, sign: v128): v128 {
  return choose(v128.load_splat<Float>(frame, GAMMA), v128.load_splat<Float>(frame, OTHER_GAMMA), negativeMask(sign));
}

// @ts-ignore: decorator
@inline function limitedEntropy(signed: v128): v128 {
  return smaller(absolute(signed), every(LOSS_LIMIT));
}

/** Negatives below the margin. */
// @ts-ignore: decorator
@inline function deadMask(d: v128, sign: v128): v128 {
  return andNot(zeroMask(d), negativeMask(sign));
}

/** Curve is that of Gauss and Newton, from the same. */
@final
@unmanaged
class AsymmetricGaussNewton extends VectorStage {
  @inline override vector(frame: usize, o: usize, x: usize, y: usize): void {
    const at = frame + o;
    const signed = get<Entropy, V0>(at);
    const margin = marginOf(frame, signed);
    const d = get<Modulation, V0>(at);
    const q = get<Probability, V0>(at);
    const p = add(d, margin);
    const first = div(mul(p, q), add(q, margin));
    const second = larger(zero(), mulAdd(first, sub(q, p), mul(first, first)));
    const curve = choose(mul(p, q), second, zeroMask(margin));
    put<Curve, V0>(at, andNot(curve, deadMask(d, signed)));
  }
}

/** All terms of elements that are Near, by float64: few, whatever of them is asked for. */
function refine(frame: usize, bytes: usize): void {
  for (let o: usize = 0; o < bytes; o += TILE_BYTES) {
    if (!anyNear(frame + o)) continue;
    for (let lane = o; lane < o + TILE_BYTES; lane += sizeof<Float>()) {
      if (isNear(frame + lane)) refineOne(frame, lane);
    }
  }
}

function refineOne(frame: usize, o: usize): void {
  const call = changetype<State>(frame);
  const at = frame + o;
  const x = <f64>load<Float>(call.x + o);
  const e = exponential(-Math.abs(x));
  const p = (x < 0 ? e : 1) / (1 + e);
  const q = (x < 0 ? 1 : e) / (1 + e);
  const d = max(p - call.margin, 0);
  const l = -log1p(-d);
  putNumber<Modulation>(at, <Float>d);
  putNumber<Entropy>(at, <Float>l);
  const gamma = call.beta;
  const first = (p * q) / (1 - d);
  const r = (p * q) / d; // nothing is made of it where d is 0
  putNumber<Slope>(at, d == 0 ? 0 : <Float>(first + gamma * r * l));
  let curve = first * (q - p) + first * first;
  if (call.hessian == Hessian.gaussNewton) curve = max(curve, 0);
  else curve += 2 * gamma * r * first + gamma * l * r * ((gamma - 1) * r + q - p);
  putNumber<Curve>(at, d == 0 ? 0 : <Float>curve);
}
