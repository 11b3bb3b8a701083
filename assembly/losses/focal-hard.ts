import { Hessian } from '../../src/abi';
import { LogOnly, ValueOnly, WithCurve } from '../elements/derivative';
import { Loss, setFactors } from '../elements/evaluate';
import { CORRECT, GAMMA, State } from '../frame';
import { Quotient, Reduce, ratio } from '../math/exponential';
import { AddEntropy, Divide, Divided, Logged } from '../math/logarithm';
import { ANY_POWER, FIRST_POWER, powerOf, raiseHard } from '../math/raise';
import {
  HALF,
  LOSS_LIMIT,
  SIGN,
  ZERO,
  add,
  and,
  andNot,
  div,
  every,
  larger,
  mul,
  mulAdd,
  negativeMask,
  or,
  read,
  signsHigh,
  signsLow,
  smaller,
  sub,
  wordsHigh,
  wordsLow,
  xor,
} from '../simd/lanes';
import { TileStage, VectorStage, eachTile, eachVector } from '../simd/stage';
import { V0, V1, V2, V3 } from '../simd/tile';
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
  put,
} from '../slots';

// Terms of a target that is 0 or 1, read as a byte.
// With w = x, its sign flipped where y = 1, and N / D = e^-|x|:
//   1 - p_t = sigmoid(w), which is N / (D + N) where w < 0 (an easy element) and D / (D + N) elsewhere;
//   -log p_t = max(w, 0) + log(1 + e^-|x|).
//
// @bound 2 gamma + 4 ulp, gamma a half of an integer up to 5
// @bound 2e-6 relative, any other gamma up to 10
// Worst over every float32 at gamma 2: 6.99 ulp at 0x414073f7, y = 1.
//
// Ratio and hinge carry the target as their sign, and so does the cross entropy made of them: the class of an
// element costs no storage of its own.

/** The focal loss of targets that are bytes 0 and 1, with one alpha and one posWeight for all. */
@final
@unmanaged
export class FocalHard extends Loss {
  @inline override readsNumbers(): bool {
    return false;
  }

  @inline override filler(): Float {
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

  override terms<Order>(frame: usize, bytes: usize): i32 {
    const call = changetype<State>(frame);
    const power = powerOf(frame);
    eachTile<Reduce>(frame, call.x, 0, bytes);
    eachTile<Quotient>(frame, 0, 0, bytes);
    if (power > UNMASKED) eachTile<KeepEasyCorrection>(frame, call.x, call.y, bytes);
    if (power == ANY_POWER) {
      raisedTerms<Order>(frame, bytes);
      return FIRST_POWER;
    }
    eachTile<HardTerms<Order>>(frame, call.x, call.y, bytes);
    eachTile<AddEntropy<Divided>>(frame, 0, 0, bytes);
    if (idof<Order>() != idof<ValueOnly>()) derivatives<Order>(frame, bytes);
    return power;
  }
}

/** The same with Modulation raised to the power, which costs less from the logarithms at hand than from Modulation. */
function raisedTerms<Order>(frame: usize, bytes: usize): void {
  const call = changetype<State>(frame);
  if (idof<Order>() == idof<ValueOnly>()) eachTile<HardTerms<LogOnly>>(frame, call.x, call.y, bytes);
  else eachTile<HardTerms<Order>>(frame, call.x, call.y, bytes);
  eachTile<AddEntropy<Logged>>(frame, 0, 0, bytes);
  if (idof<Order>() != idof<ValueOnly>()) {
    eachVector<Divide>(frame, 0, 0, bytes);
    derivatives<Order>(frame, bytes);
  }
  raiseHard(frame, bytes);
}

function derivatives<Order>(frame: usize, bytes: usize): void {
  eachVector<HardDerivatives<Order>>(frame, 0, 0, bytes);
  if (idof<Order>() == idof<WithCurve>() && changetype<State>(frame).hessian == Hessian.gaussNewton) {
    eachVector<HardGaussNewton>(frame, 0, 0, bytes);
  }
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
    const zero = every(ZERO);
    const bytes = read(y + (o >> alignof<Float>()));
    const low = wordsLow(bytes, zero);
    const high = wordsHigh(bytes, zero);
    easyCorrection<V0>(at, read(logits), signsLow(low, zero));
    easyCorrection<V1>(at, read(logits + 16), signsHigh(low, zero));
    easyCorrection<V2>(at, read(logits + 32), signsLow(high, zero));
    easyCorrection<V3>(at, read(logits + 48), signsHigh(high, zero));
  }
}

// @ts-ignore: decorator
@inline function easyCorrection<V>(at: usize, x: v128, sign: v128): void {
  const easy = negativeMask(xor(x, sign));
  put<Correction, V>(at, and(get<Correction, V>(at), easy));
}

@final
@unmanaged
class HardTerms<Order> extends TileStage {
  @inline override tile(frame: usize, o: usize, x: usize, y: usize): void {
    const at = frame + o;
    const logits = x + o;
    const correct = v128.load_splat<Float>(frame, CORRECT);
    const half = every(HALF);
    const zero = every(ZERO);
    const bytes = read(y + (o >> alignof<Float>()));
    const low = wordsLow(bytes, zero);
    const high = wordsHigh(bytes, zero);
    hardTerms<Order, V0>(at, read(logits), signsLow(low, zero), correct, half);
    hardTerms<Order, V1>(at, read(logits + 16), signsHigh(low, zero), correct, half);
    hardTerms<Order, V2>(at, read(logits + 32), signsLow(high, zero), correct, half);
    hardTerms<Order, V3>(at, read(logits + 48), signsHigh(high, zero), correct, half);
  }
}

// @ts-ignore: decorator
@inline function hardTerms<Order, V>(at: usize, x: v128, sign: v128, correct: v128, half: v128): void {
  const easy = negativeMask(xor(x, sign));
  const d = get<Denominator, V>(at);
  const n = get<Numerator, V>(at);
  const correction = get<Correction, V>(at);
  put<Ratio, V>(at, ratio(d, n, or(sign, n), correction, correct, half));
  put<Hinge, V>(at, andNot(x, easy));
  if (idof<Order>() == idof<LogOnly>()) return;
  const both = add(d, n);
  const above = larger(n, andNot(d, easy)); // N <= D
  put<Modulation, V>(at, above);
  put<Divisor, V>(at, both);
  if (idof<Order>() != idof<ValueOnly>()) {
    put<Probability, V>(at, div(xor(above, xor(d, n)), both)); // whichever of the two is left
  }
}

// Without the power q^g, q = 1 - p_t, p = p_t, l = -log p_t, and up to the sign of the class for the slope:
//   dL/dx = q^g (q + g p l), d2L/dx2 = q^g p ((1 + 2 g) q - g l (q - g p)).
// l is limited: where it is infinite p is 0, and their product must be 0.
@final
@unmanaged
export class HardDerivatives<Order> extends VectorStage {
  @inline override vector(frame: usize, o: usize, x: usize, y: usize): void {
    hardDerivatives<Order>(frame + o, v128.load_splat<Float>(frame, GAMMA));
  }
}

// @ts-ignore: decorator
@inline function hardDerivatives<Order>(at: usize, gamma: v128): void {
  const signed = get<Entropy, V0>(at);
  const sign = and(signed, every(SIGN));
  const l = smaller(xor(signed, sign), every(LOSS_LIMIT));
  const q = get<Modulation, V0>(at);
  const p = get<Probability, V0>(at);
  put<Slope, V0>(at, or(sign, mulAdd(mul(gamma, p), l, q)));
  if (idof<Order>() == idof<WithCurve>()) {
    const inner = mul(mul(gamma, l), sub(q, mul(gamma, p)));
    const outer = mulAdd(add(gamma, gamma), q, q);
    put<Curve, V0>(at, mul(p, sub(outer, inner)));
  }
}

/** Curve = p q, as Gauss and Newton have it. */
@final
@unmanaged
class HardGaussNewton extends VectorStage {
  @inline override vector(frame: usize, o: usize, x: usize, y: usize): void {
    const at = frame + o;
    put<Curve, V0>(at, mul(get<Probability, V0>(at), get<Modulation, V0>(at)));
  }
}
