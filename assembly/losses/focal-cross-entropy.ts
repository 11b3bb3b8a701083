import { wantsCurve, wantsSlope } from '../elements/derivative';
import { Loss, setFactors } from '../elements/evaluate';
import { GAMMA, POLY, State, bytesOf } from '../frame';
import { Reduce, evenPartOf } from '../math/exponential';
import { powerOf } from '../math/raise';
import {
  LOSS_LIMIT,
  ONE,
  TINY,
  absolute,
  add,
  choose,
  div,
  every,
  larger,
  mul,
  mulAdd,
  negativeMask,
  read,
  smaller,
  splat,
  sub,
  zero,
} from '../simd/lanes';
import { VectorStage, eachTile, eachVector } from '../simd/stage';
import { V0 } from '../simd/tile';
import {
  Curve,
  Decay,
  Denominator,
  Divisor,
  Entropy,
  Modulation,
  Numerator,
  PosWeight,
  Remainder,
  Rise,
  Scale,
  Slope,
  get,
  put,
  slot,
} from '../slots';
import { softGaussNewton, softTerms } from './focal-soft';
import { alphaOf, complement } from './target';
import { finishPoly } from './poly';

// The focal loss of a target y in [0, 1] whose factor is that of its cross entropy: L = a_t c^g B with c = 1 - e^-C,
//   C = y sp(-x) + z sp(x) = h |x| + log(1 + e), h the weight of the class that x speaks against: B without posWeight.
// With u = h |x|: c = (e + (1 - e^-u)) / (1 + e), a sum of what is not negative; 1 - e^-u comes from the exponential's own
// even part, not from a subtraction: with e^-u = s (v + r) / (v - r), s = 2^n, it is (v (1 - s) - r (1 + s)) / (v - r).

@final
@unmanaged
export class FocalCrossEntropy extends Loss {
  @inline override readsNumbers(frame: usize): bool {
    return true;
  }

  @inline override filler(frame: usize): Float {
    return -Infinity;
  }

  @inline override prepare(frame: usize): void {
    const call = changetype<State>(frame);
    call.correct = <Float>0.75; // of e in the logarithm alone: its part in the factor differs by target
    call.poly = <Float>call.polyEpsilon;
    setFactors(frame, 1, 1);
  }

  override terms(frame: usize, bytes: usize): i32 {
    const call = changetype<State>(frame);
    softTerms(frame, bytes);
    eachVector<Against>(frame, call.x, call.y, bytes);
    eachTile<Reduce>(frame, frame + slot<Rise>(), 0, bytes);
    eachVector<FactorOfEntropy>(frame, 0, 0, bytes);
    if (wantsSlope(frame)) eachVector<EntropyDerivatives>(frame, call.x, call.y, bytes);
    if (wantsCurve(frame)) softGaussNewton(frame, bytes);
    return call.polyEpsilon == 0 ? powerOf(frame) : finishPoly(frame, bytes);
  }
}

/** Rise = u. */
@final
@unmanaged
class Against extends VectorStage {
  @inline override vector(frame: usize, o: usize, x: usize, y: usize): void {
    const at = frame + o;
    const logits = read(x + o);
    const target = read(y + o);
    const h = choose(target, complement(at, target), negativeMask(logits));
    put<Rise, V0>(at, larger(zero(), mul(h, absolute(logits)))); // 0 times an infinite logit is 0 here
  }
}

/** From Remainder and Scale of e^-u: Rise, Decay, and Modulation = c. */
@final
@unmanaged
class FactorOfEntropy extends VectorStage {
  @inline override vector(frame: usize, o: usize, x: usize, y: usize): void {
    const at = frame + o;
    const one = every(ONE);
    const r = get<Remainder, V0>(at);
    const s = get<Scale, V0>(at);
    const v = evenPartOf(r);
    const divisor = sub(v, r);
    const rise = div(sub(mul(v, sub(one, s)), mul(r, add(one, s))), divisor);
    put<Rise, V0>(at, rise);
    put<Decay, V0>(at, div(mul(s, add(v, r)), divisor));
    const sum = mulAdd(rise, get<Denominator, V0>(at), get<Numerator, V0>(at));
    put<Modulation, V0>(at, div(sum, get<Divisor, V0>(at)));
  }
}

// With k = 1 - c = e^-C and b = C' = z p - y q: c' = k b, c'' = k (p q - b^2). N is kept off 0, where c may be 0, and B is limited as
// in focal-soft.ts.
@final
@unmanaged
class EntropyDerivatives extends VectorStage {
  @inline override vector(frame: usize, o: usize, x: usize, y: usize): void {
    const at = frame + o;
    const target = read(y + o);
    const z = complement(at, target);
    const d = get<Denominator, V0>(at);
    const n = larger(get<Numerator, V0>(at), splat(TINY));
    const both = add(d, n);
    const high = div(d, both);
    const low = div(n, both);
    const negative = negativeMask(read(x + o));
    const p = choose(low, high, negative);
    const q = choose(high, low, negative);
    const pq = mul(high, low);
    const c = div(mulAdd(get<Rise, V0>(at), d, n), both);
    const k = mul(get<Decay, V0>(at), high);
    const b = sub(mul(z, p), mul(target, q));
    const r = div(mul(k, b), c); // c'/c
    const bend = sub(mul(k, div(pq, c)), mul(r, b)); // c''/c
    const alphaT = alphaOf(at, target, z);
    const positive = mul(target, get<PosWeight, V0>(at));
    const weight = mul(alphaT, add(positive, z));
    const limit = smaller(mul(weight, every(LOSS_LIMIT)), splat(1e33));
    const gamma = v128.load_splat<Float>(frame, GAMMA);
    const one = every(ONE);
    const entropy = mul(gamma, smaller(absolute(get<Entropy, V0>(at)), limit)); // a_t g B
    const poly = mul(mul(mul(alphaT, v128.load_splat<Float>(frame, POLY)), add(gamma, one)), c); // a_t E (g + 1) c
    const first = mul(alphaT, sub(mul(z, p), mul(positive, q))); // a_t B'
    put<Slope, V0>(at, add(first, mul(r, add(entropy, poly))));
    const square = mul(r, r);
    const ofEntropy = mul(entropy, mulAdd(sub(gamma, one), square, bend));
    const ofPoly = mul(poly, mulAdd(gamma, square, bend));
    const doubled = mul(add(gamma, gamma), mul(r, first));
    put<Curve, V0>(at, add(add(mulAdd(weight, pq, doubled), ofEntropy), ofPoly));
  }
}
