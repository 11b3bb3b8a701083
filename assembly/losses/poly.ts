import { Hessian } from '../../src/abi';
import { WithCurve, WithSlope, wantsCurve, wantsSlope } from '../elements/derivative';
import { GAMMA, POLY, State } from '../frame';
import { FIRST_POWER, powerOf, raise } from '../math/raise';
import {
  ONE,
  SIGN,
  TINY,
  absolute,
  add,
  and,
  choose,
  div,
  every,
  larger,
  mul,
  mulAdd,
  negativeMask,
  or,
  read,
  splat,
  sub,
  xor,
} from '../simd/lanes';
import { VectorStage, eachVector } from '../simd/stage';
import { V0 } from '../simd/tile';
import { Curve, Denominator, Entropy, LossSign, Modulation, Numerator, Slope, Slot, get, put } from '../slots';
import { alphaOf, complement } from './target';

// Poly-1 (Leng et al. 2022): L = a_t c^g (B + E c), c = 1 - p_t, E the epsilon. What E adds to the derivatives, again without
// the power c^g, with r = c'/c:
//   slope: a_t E (g + 1) c', curve: a_t E (g + 1) (c'' + g r c').
// Gauss and Newton's curve is that of B alone: that of E c has either sign.
//
// Of a negative E a loss may be negative. The sign of Entropy is the class, so that Modulation has the sign of the loss.

/**
 * Adds E c to the terms of a soft target, whose derivatives are those of B alone. Returns which power of Modulation is left to
 * take.
 */
export function addPoly(frame: usize, bytes: usize): i32 {
  const call = changetype<State>(frame);
  if (wantsCurve(frame) && call.hessian != Hessian.gaussNewton) {
    eachVector<PolyDerivatives<WithCurve>>(frame, call.x, call.y, bytes);
  } else if (wantsSlope(frame)) eachVector<PolyDerivatives<WithSlope>>(frame, call.x, call.y, bytes);
  return finishPoly(frame, bytes);
}

/** The same where the derivatives have E in them already. */
export function finishPoly(frame: usize, bytes: usize): i32 {
  const call = changetype<State>(frame);
  eachVector<PolyEntropy>(frame, 0, call.y, bytes);
  if (call.polyEpsilon >= 0) return powerOf(frame);
  raise(frame, powerOf(frame), bytes);
  signResults(frame, bytes);
  return FIRST_POWER;
}

/** Entropy = |a_t (B + E c)|, and LossSign. */
@final
@unmanaged
class PolyEntropy extends VectorStage {
  @inline override vector(frame: usize, o: usize, x: usize, y: usize): void {
    const at = frame + o;
    const target = read(y + o);
    const epsilon = mul(alphaOf(at, target, complement(at, target)), v128.load_splat<Float>(frame, POLY));
    const entropy = get<Entropy, V0>(at);
    putSigned(at, mulAdd(epsilon, get<Modulation, V0>(at), absolute(entropy)), entropy);
  }
}

/** A loss but for its power, which may be negative, with the sign that another entropy has for the class. */
// @ts-ignore: decorator
@inline export function putSigned(at: usize, loss: v128, entropy: v128): void {
  put<LossSign, V0>(at, and(loss, every(SIGN)));
  put<Entropy, V0>(at, or(absolute(loss), and(entropy, every(SIGN))));
}

/** A loss and its derivatives take the sign of the loss: Modulation, Slope and Curve, as far as they are wanted. */
export function signResults(frame: usize, bytes: usize): void {
  eachVector<Sign<Modulation>>(frame, 0, 0, bytes);
  if (wantsSlope(frame)) eachVector<Sign<Slope>>(frame, 0, 0, bytes);
  if (wantsCurve(frame)) eachVector<Sign<Curve>>(frame, 0, 0, bytes);
}

@final
@unmanaged
class Sign<Result extends Slot> extends VectorStage {
  @inline override vector(frame: usize, o: usize, x: usize, y: usize): void {
    const at = frame + o;
    put<Result, V0>(at, xor(get<Result, V0>(at), get<LossSign, V0>(at)));
  }
}

// c' = (1 - 2 y) p q, c'' = c' (q - p); N is kept off 0, where c may be 0.
@final
@unmanaged
class PolyDerivatives<Order> extends VectorStage {
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
    const turn = mul(sub(z, target), mul(high, low)); // c'
    const gamma = v128.load_splat<Float>(frame, GAMMA);
    const epsilon = mul(alphaOf(at, target, z), v128.load_splat<Float>(frame, POLY));
    const first = mul(mul(epsilon, add(gamma, every(ONE))), turn);
    put<Slope, V0>(at, add(get<Slope, V0>(at), first));
    if (idof<Order>() == idof<WithCurve>()) {
      const r = div(turn, mulAdd(target, q, mul(z, p)));
      put<Curve, V0>(at, mulAdd(first, mulAdd(gamma, r, sub(q, p)), get<Curve, V0>(at)));
    }
  }
}
