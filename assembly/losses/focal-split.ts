import { Hessian } from '../../src/abi';
import { wantsCurve, wantsSlope } from '../elements/derivative';
import { Loss, setFactors } from '../elements/evaluate';
import { CORRECT, GAMMA, POLY, State } from '../frame';
import { Quotient, Reduce, ratio } from '../math/exponential';
import { AddEntropy, Logged } from '../math/logarithm';
import { FIRST_POWER, powerOf, raise } from '../math/raise';
import {
  HALF,
  LOSS_LIMIT,
  ONE,
  absolute,
  add,
  choose,
  div,
  every,
  larger,
  mul,
  mulAdd,
  mulSub,
  negativeMask,
  read,
  smaller,
  splat,
  sub,
  zero,
  and,
  xor,
  SIGN,
} from '../simd/lanes';
import { VectorStage, eachTile, eachVector } from '../simd/stage';
import { V0 } from '../simd/tile';
import {
  Alpha,
  AlphaNegative,
  Correction,
  Curve,
  Denominator,
  Entropy,
  Hinge,
  LikelyPower,
  LogOnePlus,
  Modulation,
  Numerator,
  PosWeight,
  Ratio,
  Slope,
  get,
  put,
} from '../slots';
import { signByClass } from './focal-soft';
import { complement } from './target';
import { putSigned, signResults } from './poly';

// The focal loss of a target y in [0, 1] that is a focal loss of each class:
//   L = a y q^g (P sp(-x) + E q) + (1 - a) z p^g (sp(x) + E p), E the epsilon of Poly-1.
// A logit x speaks for one of the classes, the likely one, and against the other. With e = e^-|x|, l = 1 / (1 + e), m = e / (1 + e)
// and the weights of the two, A of the unlikely and F of the likely one:
//   L = A (l^g (|x| + log(1 + e)) + ...) + F (m^g log(1 + e) + ...), a sum of what is not negative but for E.

@final
@unmanaged
export class FocalSplit extends Loss {
  @inline override readsNumbers(frame: usize): bool {
    return true;
  }

  @inline override filler(frame: usize): Float {
    return -Infinity;
  }

  @inline override prepare(frame: usize): void {
    const call = changetype<State>(frame);
    call.correct = <Float>0.75;
    call.poly = <Float>call.polyEpsilon;
    setFactors(frame, 1, 1);
  }

  override terms(frame: usize, bytes: usize): i32 {
    const call = changetype<State>(frame);
    eachTile<Reduce>(frame, call.x, 0, bytes);
    eachTile<Quotient>(frame, 0, 0, bytes);
    eachVector<UnlikelyTerms>(frame, call.x, 0, bytes);
    eachTile<AddEntropy<Logged>>(frame, 0, 0, bytes);
    raise(frame, powerOf(frame), bytes);
    eachVector<LikelyTerms>(frame, 0, 0, bytes);
    raise(frame, powerOf(frame), bytes);
    if (wantsSlope(frame)) {
      eachVector<SplitDerivatives>(frame, call.x, call.y, bytes);
      if (wantsCurve(frame) && call.hessian == Hessian.gaussNewton) {
        eachVector<SplitGaussNewton>(frame, call.x, call.y, bytes);
      }
    }
    eachVector<SplitEntropy>(frame, call.x, call.y, bytes);
    signByClass(frame, bytes);
    if (call.polyEpsilon < 0) signResults(frame, bytes);
    return FIRST_POWER;
  }
}

/** Ratio and Hinge of the unlikely class, and Modulation = l. */
@final
@unmanaged
class UnlikelyTerms extends VectorStage {
  @inline override vector(frame: usize, o: usize, x: usize, y: usize): void {
    const at = frame + o;
    const d = get<Denominator, V0>(at);
    const n = get<Numerator, V0>(at);
    put<Ratio, V0>(at, ratio(d, n, n, get<Correction, V0>(at), v128.load_splat<Float>(frame, CORRECT), every(HALF)));
    put<Hinge, V0>(at, absolute(read(x + o)));
    put<Modulation, V0>(at, div(d, add(d, n)));
  }
}

/** From l^g as Modulation: LikelyPower = l^g, and Modulation = m. */
@final
@unmanaged
class LikelyTerms extends VectorStage {
  @inline override vector(frame: usize, o: usize, x: usize, y: usize): void {
    const at = frame + o;
    const d = get<Denominator, V0>(at);
    const n = get<Numerator, V0>(at);
    put<LikelyPower, V0>(at, get<Modulation, V0>(at));
    put<Modulation, V0>(at, div(n, add(d, n)));
  }
}

// What multiplies the unlikely class, and the likely one.
// @ts-ignore: decorator
@inline function unlikelyOf(at: usize, y: v128, negative: v128): v128 {
  return choose(positiveOf(at, y), negativeOf(at, y), negative);
}

// @ts-ignore: decorator
@inline function likelyOf(at: usize, y: v128, negative: v128): v128 {
  return choose(negativeOf(at, y), positiveOf(at, y), negative);
}

// @ts-ignore: decorator
@inline function positiveOf(at: usize, y: v128): v128 {
  return mul(get<Alpha, V0>(at), y);
}

// @ts-ignore: decorator
@inline function negativeOf(at: usize, y: v128): v128 {
  return mul(get<AlphaNegative, V0>(at), complement(at, y));
}

// The posWeight of the unlikely class, and of the likely one.
// @ts-ignore: decorator
@inline function unlikelyWeight(at: usize, negative: v128): v128 {
  return choose(get<PosWeight, V0>(at), every(ONE), negative);
}

// @ts-ignore: decorator
@inline function likelyWeight(at: usize, negative: v128): v128 {
  return choose(every(ONE), get<PosWeight, V0>(at), negative);
}

/** From l^g, m^g as Modulation and the logarithms: Entropy = L, and Modulation = 1. */
@final
@unmanaged
class SplitEntropy extends VectorStage {
  @inline override vector(frame: usize, o: usize, x: usize, y: usize): void {
    const at = frame + o;
    const negative = negativeMask(read(x + o));
    const target = read(y + o);
    const d = get<Denominator, V0>(at);
    const n = get<Numerator, V0>(at);
    const both = add(d, n);
    const unlikely = mul(unlikelyOf(at, target, negative), get<LikelyPower, V0>(at));
    const likely = mul(likelyOf(at, target, negative), get<Modulation, V0>(at));
    // 0 times an infinite logit is 0 here; NaN comes with the other product
    const wrong = larger(zero(), mul(mul(unlikely, unlikelyWeight(at, negative)), get<Entropy, V0>(at)));
    const right = mul(mul(likely, likelyWeight(at, negative)), get<LogOnePlus, V0>(at));
    const poly = mul(div(mulAdd(unlikely, d, mul(likely, n)), both), v128.load_splat<Float>(frame, POLY));
    putSigned(at, add(add(wrong, right), poly), zero());
    put<Modulation, V0>(at, every(ONE));
  }
}

// By |x|, with U and F for what multiplies the two, their powers in it, and w = |x| + log(1 + e), f = log(1 + e):
//   U (l + g m w) - F (m + g l f),
//   U m ((1 + 2 g) l - g w (l - g m)) + F l ((1 + 2 g) m - g f (m - g l)),
// and of Poly-1, without posWeight: E (g + 1) l m (U - F), E (g + 1) l m (U ((g + 1) m - l) + F ((g + 1) l - m)).
@final
@unmanaged
class SplitDerivatives extends VectorStage {
  @inline override vector(frame: usize, o: usize, x: usize, y: usize): void {
    const at = frame + o;
    const logits = read(x + o);
    const negative = negativeMask(logits);
    const target = read(y + o);
    const gamma = v128.load_splat<Float>(frame, GAMMA);
    const one = every(ONE);
    const d = get<Denominator, V0>(at);
    const n = get<Numerator, V0>(at);
    const both = add(d, n);
    const l = div(d, both);
    const m = div(n, both);
    const unlikely = mul(unlikelyOf(at, target, negative), get<LikelyPower, V0>(at));
    const likely = mul(likelyOf(at, target, negative), get<Modulation, V0>(at));
    const wrong = mul(unlikely, unlikelyWeight(at, negative));
    const right = mul(likely, likelyWeight(at, negative));
    const w = smaller(get<Entropy, V0>(at), every(LOSS_LIMIT));
    const f = get<LogOnePlus, V0>(at);
    const lm = mul(l, m);
    const more = add(gamma, one);
    const poly = mul(mul(v128.load_splat<Float>(frame, POLY), more), lm);
    const rising = mul(wrong, mulAdd(mul(gamma, m), w, l));
    const falling = mul(right, mulAdd(mul(gamma, l), f, m));
    const slope = mulAdd(poly, sub(unlikely, likely), sub(rising, falling));
    put<Slope, V0>(at, xor(slope, and(logits, every(SIGN))));
    const twice = add(more, gamma); // 1 + 2 g
    const ofUnlikely = mul(mul(wrong, m), mulSub(mul(gamma, w), mulSub(gamma, m, l), mul(twice, l)));
    const ofLikely = mul(mul(right, l), mulSub(mul(gamma, f), mulSub(gamma, l, m), mul(twice, m)));
    const ofPoly = mul(poly, mulAdd(unlikely, mulSub(one, l, mul(more, m)), mul(likely, mulSub(one, m, mul(more, l)))));
    put<Curve, V0>(at, add(add(ofUnlikely, ofLikely), ofPoly));
  }
}

/** Curve = (U + F) p q, as Gauss and Newton have it. */
@final
@unmanaged
class SplitGaussNewton extends VectorStage {
  @inline override vector(frame: usize, o: usize, x: usize, y: usize): void {
    const at = frame + o;
    const negative = negativeMask(read(x + o));
    const target = read(y + o);
    const d = get<Denominator, V0>(at);
    const n = get<Numerator, V0>(at);
    const both = add(d, n);
    const wrong = mul(mul(unlikelyOf(at, target, negative), get<LikelyPower, V0>(at)), unlikelyWeight(at, negative));
    const right = mul(mul(likelyOf(at, target, negative), get<Modulation, V0>(at)), likelyWeight(at, negative));
    put<Curve, V0>(at, mul(add(wrong, right), mul(div(d, both), div(n, both))));
  }
}
