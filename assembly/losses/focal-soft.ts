import { Flag, Hessian } from '../../src/abi';
import { WithCurve, WithSlope, wantsCurve, wantsSlope } from '../elements/derivative';
import { Loss, setFactors } from '../elements/evaluate';
import { CLASS_ABOVE, CORRECT, FACTOR_UP_TO, GAMMA, OF_DISTANCE, State, has } from '../frame';
import { Quotient, Reduce, ratio } from '../math/exponential';
import { AddWeighedEntropy } from '../math/logarithm';
import { addPoly } from './poly';
import { powerOf } from '../math/raise';
import {
  HALF,
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
  nonZeroMask,
  or,
  read,
  readNext,
  smaller,
  splat,
  sub,
  zero,
} from '../simd/lanes';
import { PairStage, TileStage, VectorStage, eachPair, eachTile, eachVector } from '../simd/stage';
import { SINGLY, V0, V2 } from '../simd/tile';
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
  next,
  put,
  put2,
} from '../slots';

// Terms of a target y in [0, 1], read as a number; z = 1 - y, P = posWeight, a_t = a y + (1 - a) z, N / D = e = e^-|x|.
// With h the weight of the class that x speaks against (y where x < 0, z elsewhere):
//   1 - p_t = h (1 - v) + (1 - h) v = v + h (1 - 2 v), v = e / (1 + e) at most 1/2: nothing cancels;
//   a_t B = a_t (P y + z) log(1 + e) + a_t |x| (x < 0 ? P y : z).

/** The focal loss of targets in [0, 1], smoothed ones among them, or with options that are per element. */
@final
@unmanaged
export class FocalSoft extends Loss {
  @inline override readsNumbers(frame: usize): bool {
    return true;
  }

  @inline override filler(frame: usize): Float {
    return -Infinity;
  }

  @inline override prepare(frame: usize): void {
    prepareSoft(frame);
  }

  override terms(frame: usize, bytes: usize): i32 {
    const call = changetype<State>(frame);
    softTerms(frame, bytes);
    if (wantsCurve(frame)) softDerivatives(frame, bytes);
    else if (wantsSlope(frame)) eachPair<SoftDerivatives<WithSlope>>(frame, call.x, call.y, bytes);
    return isDefined(LITE) || call.polyEpsilon == 0 ? powerOf(frame) : addPoly(frame, bytes);
  }
}

/** What the terms of targets as numbers need before the first block. */
export function prepareSoft(frame: usize): void {
  const call = changetype<State>(frame);
  // as in focal-hard.ts
  call.correct = <Float>(0.75 * (Math.min(call.gamma, 64) + 1));
  call.poly = <Float>call.polyEpsilon;
  call.ofDistance = 0;
  call.factorUpTo = Infinity;
  setFactors(frame, 1, 1);
}

/** Modulation and Entropy, with what they are made of, by the least that the options need. */
export function softTerms(frame: usize, bytes: usize): void {
  const call = changetype<State>(frame);
  beginTerms(frame, bytes);
  if (isDefined(LITE)) {
    call.plain = isPlain(call) ? 1 : 0;
    eachPair<ElementTerms<Either>>(frame, call.x, call.y, bytes);
  } else if (isPlain(call)) eachTile<PlainTerms>(frame, call.x, call.y, bytes);
  else eachPair<ElementTerms<General>>(frame, call.x, call.y, bytes);
  endTerms(frame, bytes);
}

/** The same where Alpha and AlphaNegative are of the element, and nothing else is. */
export function weighedTerms(frame: usize, bytes: usize): void {
  const call = changetype<State>(frame);
  beginTerms(frame, bytes);
  if (call.gamma <= PLAIN_GAMMA) eachPair<ElementTerms<Plain>>(frame, call.x, call.y, bytes);
  else eachPair<ElementTerms<General>>(frame, call.x, call.y, bytes);
  endTerms(frame, bytes);
}

function beginTerms(frame: usize, bytes: usize): void {
  eachTile<Reduce>(frame, changetype<State>(frame).x, 0, bytes);
  eachTile<Quotient>(frame, 0, 0, bytes);
}

function endTerms(frame: usize, bytes: usize): void {
  eachTile<AddWeighedEntropy>(frame, 0, 0, bytes);
  signByClass(frame, bytes);
}

/** Entropy takes the sign of the class where sums of each are wanted. */
export function signByClass(frame: usize, bytes: usize): void {
  const call = changetype<State>(frame);
  if (!isDefined(LITE) && has(call, Flag.byClass)) eachPair<SignByClass>(frame, 0, call.y, bytes);
}

/** Slope and Curve of what softTerms has left, whichever factor the call has. Their loop is one, since few calls ask for it. */
export function softDerivatives(frame: usize, bytes: usize): void {
  const call = changetype<State>(frame);
  eachPair<SoftDerivatives<WithCurve>>(frame, call.x, call.y, bytes);
  if (wantsCurve(frame)) softGaussNewton(frame, bytes);
}

/** Curve is that of Gauss and Newton where the call asks for it. */
export function softGaussNewton(frame: usize, bytes: usize): void {
  if (changetype<State>(frame).hessian == Hessian.gaussNewton) eachVector<SoftGaussNewton>(frame, 0, 0, bytes);
}

// @ts-ignore: decorator
@inline function isPlain(call: State): bool {
  const single = call.alphas == 0 && call.posWeights == 0 && call.posWeight == 1;
  return single && call.labelSmoothing == 0 && call.gamma <= PLAIN_GAMMA;
}

/** The last gamma that leaves room for what General terms are spared. */
const PLAIN_GAMMA: f64 = 3;

/** Terms with one alpha for all, posWeight 1, no smoothing, gamma at most 3. */
@final
class Plain {}

/** Terms with any of these. */
@final
class General {}

/** Whichever of the two the call says: in the lite build. */
@final
class Either {}

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
    termsOf<Plain, V0>(at, logits, targets, alpha, alpha, alphaNegative, alphaNegative, correct, one, half, false);
    if (!SINGLY) termsOf<Plain, V2>(at, logits, targets, alpha, alpha, alphaNegative, alphaNegative, correct, one, half, false);
  }
}

@final
@unmanaged
class ElementTerms<Kind> extends PairStage {
  @inline override pair(frame: usize, o: usize, x: usize, y: usize): void {
    const at = frame + o;
    const alpha0 = get<Alpha, V0>(at);
    const alpha1 = next<Alpha, V0>(at);
    const negative0 = get<AlphaNegative, V0>(at);
    const negative1 = next<AlphaNegative, V0>(at);
    const correct = v128.load_splat<Float>(frame, CORRECT);
    const one = every(ONE);
    const plain = idof<Kind>() == idof<Either>() && changetype<State>(frame).plain != 0;
    termsOf<Kind, V0>(at, x + o, y + o, alpha0, alpha1, negative0, negative1, correct, one, every(HALF), plain);
  }
}

// @ts-ignore: decorator
@inline function termsOf<Kind, V>(
  at: usize,
  logits: usize,
  targets: usize,
  alpha0: v128,
  alpha1: v128,
  alphaNegative0: v128,
  alphaNegative1: v128,
  correct: v128,
  one: v128,
  half: v128,
  plain: bool, // of Either
): void {
  const general = idof<Kind>() != idof<Plain>();
  const y0 = v128.load(targets, offsetof<V>());
  const y1 = v128.load(targets, offsetof<V>() + 16);
  const z0 = general ? sub(sub(one, y0), get<TargetError, V>(at)) : sub(one, y0);
  const z1 = general ? sub(sub(one, y1), next<TargetError, V>(at)) : sub(one, y1);
  const negative0 = negativeMask(v128.load(logits, offsetof<V>()));
  const negative1 = negativeMask(v128.load(logits, offsetof<V>() + 16));
  const h0 = choose(y0, z0, negative0);
  const h1 = choose(y1, z1, negative1);
  const alphaT0 = mulAdd(alpha0, y0, mul(alphaNegative0, z0));
  const alphaT1 = mulAdd(alpha1, y1, mul(alphaNegative1, z1));
  put2<Modulation, V>(at, h0, h1);
  let against0 = mul(alphaT0, h0);
  let against1 = mul(alphaT1, h1);
  if (general) {
    const posWeight0 = get<PosWeight, V>(at);
    const posWeight1 = next<PosWeight, V>(at);
    const coefficient0 = mul(alphaT0, mulAdd(posWeight0, y0, z0));
    const coefficient1 = mul(alphaT1, mulAdd(posWeight1, y1, z1));
    if (idof<Kind>() == idof<Either>() && plain) put<Coefficient, V>(at, alphaT0);
    else put2<Coefficient, V>(at, coefficient0, coefficient1);
    against0 = mul(against0, choose(posWeight0, one, negative0));
    against1 = mul(against1, choose(posWeight1, one, negative1));
  } else put2<Coefficient, V>(at, alphaT0, alphaT1);
  // 0 times an infinite logit is 0 here.
  const hinge0 = larger(zero(), mul(against0, absolute(v128.load(logits, offsetof<V>()))));
  const hinge1 = larger(zero(), mul(against1, absolute(v128.load(logits, offsetof<V>() + 16))));
  put2<Hinge, V>(at, hinge0, hinge1);
  const d0 = get<Denominator, V>(at);
  const d1 = next<Denominator, V>(at);
  const n0 = get<Numerator, V>(at);
  const n1 = next<Numerator, V>(at);
  const both0 = add(d0, n0);
  const both1 = add(d1, n1);
  let correction0 = get<Correction, V>(at);
  let correction1 = next<Correction, V>(at);
  if (general && !(idof<Kind>() == idof<Either>() && plain)) {
    correction0 = softCorrection(correction0, d0, n0, both0, h0, one);
    correction1 = softCorrection(correction1, d1, n1, both1, h1, one);
  }
  const ratio0 = ratio(d0, n0, n0, correction0, correct, half);
  const ratio1 = ratio(d1, n1, n1, correction1, correct, half);
  put2<Divisor, V>(at, both0, both1);
  put2<Ratio, V>(at, ratio0, ratio1);
}

// The larger h, the less a larger e makes of p_t; and what is lost of D + N, whose power is in the loss as well.
// @ts-ignore: decorator
@inline function softCorrection(correction: v128, d: v128, n: v128, both: v128, h: v128, one: v128): v128 {
  const lost = sub(n, sub(both, d));
  return mul(sub(correction, lost), sub(one, add(h, h)));
}

/** Entropy takes the sign of the class, as a hard target's has it. */
@final
@unmanaged
class SignByClass extends PairStage {
  @inline override pair(frame: usize, o: usize, x: usize, y: usize): void {
    const at = frame + o;
    const border = v128.load_splat<Float>(frame, CLASS_ABOVE);
    const signBit = every(SIGN);
    const sign0 = and(greaterMask(read(y + o), border), signBit);
    const sign1 = and(greaterMask(readNext(y + o), border), signBit);
    put2<Entropy, V0>(at, or(get<Entropy, V0>(at), sign0), or(next<Entropy, V0>(at), sign1));
  }
}

// Without the power c^g but with a_t, and with r = c'/c = (1 - 2 y) p q / c, which is bounded:
//   slope = B' + g r B, curve = B'' + 2 g r B' + g B ((g - 1) r^2 + r (q - p)),
//   B' = z p - P y q, B'' = (P y + z) p q.
// Where c is 0 so is p or q, and p q / c the other of them. B is limited, so that r B is 0 where r is: to LOSS_LIMIT times what
// multiplies its logarithms, since a posWeight must not reach the limit, and to what stays finite times the square of a gamma of 64.
@final
@unmanaged
class SoftDerivatives<Order> extends PairStage {
  @inline override pair(frame: usize, o: usize, x: usize, y: usize): void {
    const at = frame + o;
    const gamma = v128.load_splat<Float>(frame, GAMMA);
    const one = every(ONE);
    const limit = every(LOSS_LIMIT);
    const ofDistance = nonZeroMask(v128.load_splat<Float>(frame, OF_DISTANCE));
    const upTo = v128.load_splat<Float>(frame, FACTOR_UP_TO);
    const y0 = read(y + o);
    const y1 = readNext(y + o);
    const z0 = sub(sub(one, y0), get<TargetError, V0>(at));
    const z1 = sub(sub(one, y1), next<TargetError, V0>(at));
    const alphaT0 = mulAdd(get<Alpha, V0>(at), y0, mul(get<AlphaNegative, V0>(at), z0));
    const alphaT1 = mulAdd(next<Alpha, V0>(at), y1, mul(next<AlphaNegative, V0>(at), z1));
    const positive0 = mul(y0, get<PosWeight, V0>(at));
    const positive1 = mul(y1, next<PosWeight, V0>(at));
    const both0 = add(get<Denominator, V0>(at), get<Numerator, V0>(at));
    const both1 = add(next<Denominator, V0>(at), next<Numerator, V0>(at));
    const high0 = div(get<Denominator, V0>(at), both0);
    const high1 = div(next<Denominator, V0>(at), both1);
    const low0 = div(get<Numerator, V0>(at), both0);
    const low1 = div(next<Numerator, V0>(at), both1);
    const negative0 = negativeMask(read(x + o));
    const negative1 = negativeMask(readNext(x + o));
    const p0 = choose(low0, high0, negative0);
    const p1 = choose(low1, high1, negative1);
    const q0 = choose(high0, low0, negative0);
    const q1 = choose(high1, low1, negative1);
    const r0 = turn<Order>(y0, z0, p0, q0, high0, low0, ofDistance, upTo);
    const r1 = turn<Order>(y1, z1, p1, q1, high1, low1, ofDistance, upTo);
    const weight0 = mul(alphaT0, add(positive0, z0));
    const weight1 = mul(alphaT1, add(positive1, z1));
    const bend0 = mul(gamma, mul(r0, limitedEntropy(get<Entropy, V0>(at), weight0, limit))); // a_t g r B
    const bend1 = mul(gamma, mul(r1, limitedEntropy(next<Entropy, V0>(at), weight1, limit)));
    const first0 = mul(alphaT0, sub(mul(z0, p0), mul(positive0, q0))); // a_t B'
    const first1 = mul(alphaT1, sub(mul(z1, p1), mul(positive1, q1)));
    put2<Slope, V0>(at, add(first0, bend0), add(first1, bend1));
    if (idof<Order>() == idof<WithCurve>()) {
      const second0 = mul(weight0, mul(p0, q0)); // a_t B''
      const second1 = mul(weight1, mul(p1, q1));
      const doubled0 = mul(add(gamma, gamma), mul(r0, first0));
      const doubled1 = mul(add(gamma, gamma), mul(r1, first1));
      const rest0 = mul(bend0, add(mul(sub(gamma, one), r0), sub(q0, p0)));
      const rest1 = mul(bend1, add(mul(sub(gamma, one), r1), sub(q1, p1)));
      put2<Curve, V0>(at, add(add(second0, doubled0), rest0), add(add(second1, doubled1), rest1));
    }
  }
}

// r = c'/c, with p and q by size as high and low. The factor c is 1 - p_t = y q + z p; of a call with a curve it is |p - y| where
// `ofDistance` is 1, and 1 of targets above `factorUpTo`.
// @ts-ignore: decorator
@inline function turn<Order>(
  y: v128,
  z: v128,
  p: v128,
  q: v128,
  high: v128,
  low: v128,
  ofDistance: v128, // a mask
  upTo: v128,
): v128 {
  const pq = mul(high, low);
  const turned = sub(z, y);
  const c = mulAdd(y, q, mul(z, p));
  if (idof<Order>() == idof<WithCurve>()) {
    const distance = sub(mul(z, p), mul(y, q)); // p - y
    const divisor = choose(distance, c, ofDistance);
    const limit = or(high, and(turned, and(every(SIGN), ofDistance)));
    const quotient = choose(div(pq, divisor), limit, nonZeroMask(divisor));
    return choose(quotient, andNot(mul(turned, quotient), greaterMask(y, upTo)), ofDistance);
  }
  return mul(turned, choose(div(pq, c), high, nonZeroMask(c)));
}

// a_t B, of which `weight` multiplies the logarithms
// @ts-ignore: decorator
@inline function limitedEntropy(entropy: v128, weight: v128, limit: v128): v128 {
  return smaller(absolute(entropy), smaller(mul(weight, limit), splat(1e33)));
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
