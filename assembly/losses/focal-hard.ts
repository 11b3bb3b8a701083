import { Hessian } from '../../src/abi';
import { LogOnly, ValueOnly, WithCurve, WithSlope, wantsCurve, wantsSlope } from '../elements/derivative';
import { Loss, setFactors } from '../elements/evaluate';
import { CORRECT, GAMMA, State } from '../frame';
import { Quotient, Reduce, ratio } from '../math/exponential';
import { AddEntropy, Divide, Divided, Logged } from '../math/logarithm';
import { ANY_POWER, FIRST_POWER, powerOf, raiseHard } from '../math/raise';
import {
  HALF,
  LOSS_LIMIT,
  SIGN,
  add,
  and,
  andNot,
  div,
  every,
  firstSigns,
  larger,
  mul,
  mulAdd,
  negativeMask,
  nextSigns,
  or,
  read,
  readNext,
  smaller,
  sub,
  targetsAt,
  xor,
} from '../simd/lanes';
import { PairStage, TileStage, eachPair, eachTile } from '../simd/stage';
import { SINGLY, TILE_BYTES, V0, V2 } from '../simd/tile';
import {
  Correction,
  Curve,
  Denominator,
  Divisor,
  Entropy,
  Hinge,
  Modulation,
  Numerator,
  Probability,
  Ratio,
  Slope,
  get,
  next,
  put2,
} from '../slots';

// Terms of a target that is 0 or 1, read as a byte.
// With w = x, its sign flipped where y = 1, and N / D = e^-|x|:
//   1 - p_t = sigmoid(w), which is N / (D + N) where w < 0 (an easy element) and D / (D + N) elsewhere;
//   -log p_t = max(w, 0) + log(1 + e^-|x|).
//
// @bound 2 gamma + 4 ulp, gamma a half of an integer up to 5
// @bound 2e-6 relative, any other gamma up to 10
// @bound64 2 gamma + 8 ulp, any gamma up to 10
// Worst over every float32 at gamma 2: 6.99 ulp at 0x414073f7, y = 1.
//
// Ratio and hinge carry the target as their sign, and so does the cross entropy made of them: the class of an
// element costs no storage of its own.

/** The focal loss of targets that are bytes 0 and 1, with one alpha and one posWeight for all. */
@final
@unmanaged
export class FocalHard extends Loss {
  @inline override readsNumbers(frame: usize): bool {
    return false;
  }

  @inline override filler(frame: usize): Float {
    return -Infinity;
  }

  @inline override prepare(frame: usize): void {
    const call = changetype<State>(frame);
    const power = powerOf(frame);
    // The loss of an easy element goes as e^(gamma + 1), that of others less: these fractions leave the least error over
    // all. A power that is taken from logarithms knows nothing of e.
    const counted = power == ANY_POWER ? 0 : call.gamma;
    call.correct = <Float>((power > UNMASKED ? 0.75 : 0.65) * (counted + 1));
    setFactors(frame, call.alphaPositive * call.posWeight, call.alphaNegative);
  }

  override terms(frame: usize, bytes: usize): i32 {
    const call = changetype<State>(frame);
    const power = powerOf(frame);
    eachTile<Reduce>(frame, call.x, 0, bytes);
    eachTile<Quotient>(frame, 0, 0, bytes);
    if (power > UNMASKED) eachTile<KeepEasyCorrection>(frame, call.x, call.y, bytes);
    if (!isDefined(LITE) && power == ANY_POWER) {
      raisedTerms(frame, bytes);
      return FIRST_POWER;
    }
    if (wantsSlope(frame)) eachTile<HardTerms<WithSlope>>(frame, call.x, call.y, bytes);
    else eachTile<HardTerms<ValueOnly>>(frame, call.x, call.y, bytes);
    eachTile<AddEntropy<Divided>>(frame, 0, 0, bytes);
    if (wantsSlope(frame)) derivatives(frame, bytes);
    // the lite build has one stage for both kinds of power, which divides in vain where the quotient is not the base of it
    if (isDefined(LITE) && power == ANY_POWER) {
      raiseHard(frame, bytes);
      return FIRST_POWER;
    }
    return power;
  }
}

/** The same with Modulation raised to the power, which costs less from the logarithms at hand than from Modulation. */
function raisedTerms(frame: usize, bytes: usize): void {
  const call = changetype<State>(frame);
  if (wantsSlope(frame)) eachTile<HardTerms<WithSlope>>(frame, call.x, call.y, bytes);
  else eachTile<HardTerms<LogOnly>>(frame, call.x, call.y, bytes);
  eachTile<AddEntropy<Logged>>(frame, 0, 0, bytes);
  if (wantsSlope(frame)) {
    eachPair<Divide>(frame, 0, 0, bytes);
    derivatives(frame, bytes);
  }
  raiseHard(frame, bytes);
}

function derivatives(frame: usize, bytes: usize): void {
  if (wantsCurve(frame)) {
    eachPair<HardDerivatives<WithCurve>>(frame, 0, 0, bytes);
    if (changetype<State>(frame).hessian == Hessian.gaussNewton) eachPair<HardGaussNewton>(frame, 0, 0, bytes);
  } else eachPair<HardDerivatives<WithSlope>>(frame, 0, 0, bytes);
}

// The correction of e is meant for easy elements, whose loss is a power of e. It makes others a little worse, which there
// is room for up to gamma 2; above that they are spared it.

/** The last power that has room, as math/raise.ts knows it. */
const UNMASKED: i32 = 4;

/** Correction = 0 of elements that are not easy. */
@final
@unmanaged
class KeepEasyCorrection extends TileStage {
  @inline override tile(frame: usize, o: usize, x: usize, y: usize): void {
    const at = frame + o;
    const logits = x + o;
    const targets = y + (o >> alignof<Float>());
    const bytes = TILE_BYTES >> (alignof<Float>() + 1);
    keepEasyCorrection<V0>(at, read(logits), readNext(logits), targetsAt(targets));
    if (!SINGLY) keepEasyCorrection<V2>(at, read(logits + 32), readNext(logits + 32), targetsAt(targets + bytes));
  }
}

// @ts-ignore: decorator
@inline function keepEasyCorrection<V>(at: usize, x0: v128, x1: v128, targets: v128): void {
  const easy0 = negativeMask(xor(x0, firstSigns(targets)));
  const easy1 = negativeMask(xor(x1, nextSigns(targets)));
  put2<Correction, V>(at, and(get<Correction, V>(at), easy0), and(next<Correction, V>(at), easy1));
}

@final
@unmanaged
export class HardTerms<Order> extends TileStage {
  @inline override tile(frame: usize, o: usize, x: usize, y: usize): void {
    const at = frame + o;
    const logits = x + o;
    const targets = y + (o >> alignof<Float>());
    const bytes = TILE_BYTES >> (alignof<Float>() + 1);
    const correct = v128.load_splat<Float>(frame, CORRECT);
    const half = every(HALF);
    hardTerms<Order, V0>(at, read(logits), readNext(logits), targetsAt(targets), correct, half);
    if (!SINGLY) hardTerms<Order, V2>(at, read(logits + 32), readNext(logits + 32), targetsAt(targets + bytes), correct, half);
  }
}

// @ts-ignore: decorator
@inline function hardTerms<Order, V>(
  at: usize,
  x0: v128,
  x1: v128,
  targets: v128,
  correct: v128,
  half: v128,
): void {
  const sign0 = firstSigns(targets);
  const sign1 = nextSigns(targets);
  const easy0 = negativeMask(xor(x0, sign0));
  const easy1 = negativeMask(xor(x1, sign1));
  const d0 = get<Denominator, V>(at);
  const d1 = next<Denominator, V>(at);
  const n0 = get<Numerator, V>(at);
  const n1 = next<Numerator, V>(at);
  const ratio0 = ratio(d0, n0, or(sign0, n0), get<Correction, V>(at), correct, half);
  const ratio1 = ratio(d1, n1, or(sign1, n1), next<Correction, V>(at), correct, half);
  put2<Ratio, V>(at, ratio0, ratio1);
  put2<Hinge, V>(at, andNot(x0, easy0), andNot(x1, easy1));
  if (idof<Order>() == idof<LogOnly>()) return;
  const both0 = add(d0, n0);
  const both1 = add(d1, n1);
  const above0 = larger(n0, andNot(d0, easy0)); // N <= D
  const above1 = larger(n1, andNot(d1, easy1));
  put2<Modulation, V>(at, above0, above1);
  put2<Divisor, V>(at, both0, both1);
  if (idof<Order>() != idof<ValueOnly>()) {
    const rest0 = xor(above0, xor(d0, n0)); // whichever of the two is left
    const rest1 = xor(above1, xor(d1, n1));
    put2<Probability, V>(at, div(rest0, both0), div(rest1, both1));
  }
}

// Without the power q^g, q = 1 - p_t, p = p_t, l = -log p_t, and up to the sign of the class for the slope:
//   dL/dx = q^g (q + g p l), d2L/dx2 = q^g p ((1 + 2 g) q - g l (q - g p)).
// l is limited: where it is infinite p is 0, and their product must be 0.
@final
@unmanaged
export class HardDerivatives<Order> extends PairStage {
  @inline override pair(frame: usize, o: usize, x: usize, y: usize): void {
    const at = frame + o;
    const gamma = v128.load_splat<Float>(frame, GAMMA);
    const signBit = every(SIGN);
    const limit = every(LOSS_LIMIT);
    const signed0 = get<Entropy, V0>(at);
    const signed1 = next<Entropy, V0>(at);
    const sign0 = and(signed0, signBit);
    const sign1 = and(signed1, signBit);
    const l0 = smaller(xor(signed0, sign0), limit);
    const l1 = smaller(xor(signed1, sign1), limit);
    const q0 = get<Modulation, V0>(at);
    const q1 = next<Modulation, V0>(at);
    const p0 = get<Probability, V0>(at);
    const p1 = next<Probability, V0>(at);
    const slope0 = or(sign0, mulAdd(mul(gamma, p0), l0, q0));
    const slope1 = or(sign1, mulAdd(mul(gamma, p1), l1, q1));
    put2<Slope, V0>(at, slope0, slope1);
    if (idof<Order>() == idof<WithCurve>()) {
      put2<Curve, V0>(at, curve(gamma, l0, q0, p0), curve(gamma, l1, q1, p1));
    }
  }
}

// @ts-ignore: decorator
@inline function curve(gamma: v128, l: v128, q: v128, p: v128): v128 {
  const inner = mul(mul(gamma, l), sub(q, mul(gamma, p)));
  const outer = mulAdd(add(gamma, gamma), q, q);
  return mul(p, sub(outer, inner));
}

/** Curve = p q, as Gauss and Newton have it. */
@final
@unmanaged
class HardGaussNewton extends PairStage {
  @inline override pair(frame: usize, o: usize, x: usize, y: usize): void {
    const at = frame + o;
    const curve0 = mul(get<Probability, V0>(at), get<Modulation, V0>(at));
    const curve1 = mul(next<Probability, V0>(at), next<Modulation, V0>(at));
    put2<Curve, V0>(at, curve0, curve1);
  }
}
