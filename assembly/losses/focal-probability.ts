import { BAD_PROBABILITY, Hessian } from '../../src/abi';
import { wantsCurve, wantsSlope } from '../elements/derivative';
import { Loss, setFactors } from '../elements/evaluate';
import { CLASS_ABOVE, GAMMA, POLY, State, bytesOf } from '../frame';
import { alphaOf, complement } from './target';
import { finishPoly } from './poly';
import { naturalLog } from '../math/logarithm';
import { powerOf } from '../math/raise';
import {
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
  nonZeroMask,
  or,
  read,
  splat,
  sub,
} from '../simd/lanes';
import { VectorStage, eachVector } from '../simd/stage';
import { V0 } from '../simd/tile';
import { Coefficient, Curve, Entropy, Modulation, PosWeight, Slope, claim, get, put, slot } from '../slots';

// Terms of a first argument that is a probability p, with respect to p; q = 1 - p, z = 1 - y, P = posWeight.
//   c = 1 - p_t = y q + z p, B = -P y log p - z log q, both logarithms held at -100, as PyTorch's BCELoss does.
// All with alpha_t; slope and curve without the power c^g, with c' = 1 - 2 y:
//   slope = B' + g c' B / c, curve = B'' + 2 g (c'/c) B' + g (g - 1) (c'/c)^2 B,
//   B' = z / q - P y / p, B'' = z / q^2 + P y / p^2, every divisor held at 1e-12, as PyTorch's gradient does.

/** The focal loss of probabilities, and its derivatives with respect to them. */
@final
@unmanaged
export class FocalProbability extends Loss {
  @inline override readsNumbers(frame: usize): bool {
    return true;
  }

  @inline override filler(frame: usize): Float {
    return 0;
  }

  @inline override prepare(frame: usize): void {
    const call = changetype<State>(frame);
    setFactors(frame, 1, 1);
    call.poly = <Float>call.polyEpsilon;
    if (anyOutOfRange(call.logits, bytesOf(call.count))) call.bad |= BAD_PROBABILITY;
  }

  override terms(frame: usize, bytes: usize): i32 {
    const call = changetype<State>(frame);
    eachVector<TermsOfProbability>(frame, call.x, call.y, bytes);
    // The curve costs little beside the logarithms, so it comes with the slope.
    if (wantsSlope(frame)) eachVector<DerivativesOfProbability>(frame, call.x, call.y, bytes);
    if (call.polyEpsilon != 0 && wantsSlope(frame)) {
      eachVector<PolyOfProbability>(frame, 0, call.y, bytes);
    }
    if (wantsCurve(frame) && call.hessian == Hessian.gaussNewton) {
      memory.copy(frame + slot<Curve>(), frame + slot<Coefficient>(), bytes);
      claim<Curve>(frame, bytes);
    }
    return call.polyEpsilon == 0 ? powerOf(frame) : finishPoly(frame, bytes);
  }
}

@final
@unmanaged
class TermsOfProbability extends VectorStage {
  @inline override vector(frame: usize, o: usize, x: usize, y: usize): void {
    const at = frame + o;
    const p = read(x + o);
    const target = read(y + o);
    const q = sub(every(ONE), p);
    const lost = sub(sub(every(ONE), q), p); // 1 - p is q + lost, which a small p needs
    const z = complement(at, target);
    const negatives = mul(z, sub(surprise(q), div(lost, larger(q, splat(1e-12)))));
    const entropy = mulAdd(mul(target, get<PosWeight, V0>(at)), surprise(p), negatives);
    put<Modulation, V0>(at, mulAdd(target, q, mul(z, p)));
    put<Entropy, V0>(at, or(mul(alphaOf(at, target, z), entropy), and(greaterMask(target, v128.load_splat<Float>(frame, CLASS_ABOVE)), every(SIGN))));
  }
}

@final
@unmanaged
class DerivativesOfProbability extends VectorStage {
  @inline override vector(frame: usize, o: usize, x: usize, y: usize): void {
    const at = frame + o;
    const p = read(x + o);
    const target = read(y + o);
    const gamma = v128.load_splat<Float>(frame, GAMMA);
    const floor = splat(1e-12);
    const z = complement(at, target);
    const alphaT = alphaOf(at, target, z);
    const positive = mul(target, get<PosWeight, V0>(at));
    const overP = div(every(ONE), larger(p, floor));
    const overQ = div(every(ONE), larger(sub(every(ONE), p), floor));
    const c = get<Modulation, V0>(at);
    const turn = sub(z, target); // c'
    // B / c, whose limit at c = 0 is the sum of the coefficients
    const limit = mul(alphaT, add(positive, z));
    const quotient = choose(div(absolute(get<Entropy, V0>(at)), c), limit, nonZeroMask(c));
    const first = mul(alphaT, sub(mul(z, overQ), mul(positive, overP)));
    const second = mul(alphaT, mulAdd(mul(z, overQ), overQ, mul(mul(positive, overP), overP)));
    put<Slope, V0>(at, mulAdd(mul(gamma, turn), quotient, first));
    put<Coefficient, V0>(at, second); // Gauss and Newton's curve
    const relative = mul(gamma, div(turn, larger(c, floor)));
    const bend = mul(mul(relative, sub(gamma, every(ONE))), mul(turn, quotient));
    put<Curve, V0>(at, add(add(second, mul(add(relative, relative), first)), bend));
  }
}

/** Adds the derivatives of Poly-1, see poly.ts, with c'' = 0. */
@final
@unmanaged
class PolyOfProbability extends VectorStage {
  @inline override vector(frame: usize, o: usize, x: usize, y: usize): void {
    const at = frame + o;
    const target = read(y + o);
    const z = complement(at, target);
    const gamma = v128.load_splat<Float>(frame, GAMMA);
    const turn = sub(z, target);
    const epsilon = mul(alphaOf(at, target, z), v128.load_splat<Float>(frame, POLY));
    const first = mul(mul(epsilon, add(gamma, every(ONE))), turn);
    const relative = div(mul(gamma, turn), larger(get<Modulation, V0>(at), splat(1e-12)));
    put<Slope, V0>(at, add(get<Slope, V0>(at), first));
    put<Curve, V0>(at, mulAdd(first, relative, get<Curve, V0>(at)));
  }
}

// -log v of v in [0, 1], at most 100.
// @ts-ignore: decorator
@inline function surprise(v: v128): v128 {
  const held = choose(larger(naturalLog(v), splat(-100)), splat(-100), nonZeroMask(v));
  return sub(sub(v, v), held); // v - v is NaN for NaN, which the logarithm takes for a number
}

/** Whether any probability lies outside [0, 1]; NaN does not count. */
function anyOutOfRange(probabilities: usize, bytes: usize): bool {
  for (let o: usize = 0; o < bytes; o += sizeof<Float>()) {
    const p = load<Float>(probabilities + o);
    if (p < 0 || p > 1) return true;
  }
  return false;
}
