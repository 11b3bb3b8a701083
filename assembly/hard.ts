import { LogOnly, ValueOnly, WithCurve } from './derivative';
import { ratio } from './exponential';
import {
  add,
  and,
  andNot,
  CAP,
  div,
  every,
  HALF,
  larger,
  load4,
  mul,
  mulAdd,
  negativeMask,
  or,
  SIGN,
  signsHigh,
  signsLow,
  smaller,
  sub,
  wordsHigh,
  wordsLow,
  xor,
  ZERO,
} from './lanes';
import {
  CORRECT,
  CORRECTION,
  CURVE,
  DENOMINATOR,
  DIVISOR,
  ENTROPY,
  FACTOR,
  GAMMA,
  HINGE,
  NUMERATOR,
  OTHER,
  RATIO,
  SLOPE,
} from './layout';
import { First, Fourth, Second, Third } from './tile';

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

// The correction of e is meant for easy elements, whose loss is a power of e. It makes others a little worse, which there
// is room for up to gamma 2; above that they are spared it.

/** The last power that has room, as gamma.ts knows it. */
export const UNMASKED: i32 = 4;

/** CORRECTION = 0 of elements that are not easy. */
@final
@unmanaged
export class EasyCorrection {
  // @ts-ignore: decorator
  @inline tile(frame: usize, o: usize, x: usize, y: usize): void {
    const at = frame + o;
    const logits = x + o;
    const zero = every(ZERO);
    const bytes = load4(y + (o >> 2));
    const low = wordsLow(bytes, zero);
    const high = wordsHigh(bytes, zero);
    easyCorrection<First>(at, load4(logits), signsLow(low, zero));
    easyCorrection<Second>(at, load4(logits + 16), signsHigh(low, zero));
    easyCorrection<Third>(at, load4(logits + 32), signsLow(high, zero));
    easyCorrection<Fourth>(at, load4(logits + 48), signsHigh(high, zero));
  }
}

// @ts-ignore: decorator
@inline function easyCorrection<Vector>(at: usize, x: v128, sign: v128): void {
  const easy = negativeMask(xor(x, sign));
  v128.store(at, and(v128.load(at, CORRECTION + offsetof<Vector>()), easy), CORRECTION + offsetof<Vector>());
}

@final
@unmanaged
export class HardTerms<Derivative> {
  // @ts-ignore: decorator
  @inline tile(frame: usize, o: usize, x: usize, y: usize): void {
    const at = frame + o;
    const logits = x + o;
    const correct = v128.load32_splat(frame, CORRECT);
    const half = every(HALF);
    const zero = every(ZERO);
    const bytes = load4(y + (o >> 2));
    const low = wordsLow(bytes, zero);
    const high = wordsHigh(bytes, zero);
    hardTerms<Derivative, First>(at, load4(logits), signsLow(low, zero), correct, half);
    hardTerms<Derivative, Second>(at, load4(logits + 16), signsHigh(low, zero), correct, half);
    hardTerms<Derivative, Third>(at, load4(logits + 32), signsLow(high, zero), correct, half);
    hardTerms<Derivative, Fourth>(at, load4(logits + 48), signsHigh(high, zero), correct, half);
  }
}

// @ts-ignore: decorator
@inline function hardTerms<Derivative, Vector>(at: usize, x: v128, sign: v128, correct: v128, half: v128): void {
  const easy = negativeMask(xor(x, sign));
  const d = v128.load(at, DENOMINATOR + offsetof<Vector>());
  const n = v128.load(at, NUMERATOR + offsetof<Vector>());
  const correction = v128.load(at, CORRECTION + offsetof<Vector>());
  v128.store(at, ratio(d, n, or(sign, n), correction, correct, half), RATIO + offsetof<Vector>());
  v128.store(at, andNot(x, easy), HINGE + offsetof<Vector>());
  if (idof<Derivative>() == idof<LogOnly>()) return;
  const both = add(d, n);
  const above = larger(n, andNot(d, easy)); // N <= D
  v128.store(at, above, FACTOR + offsetof<Vector>());
  v128.store(at, both, DIVISOR + offsetof<Vector>());
  if (idof<Derivative>() != idof<ValueOnly>()) {
    v128.store(at, div(xor(above, xor(d, n)), both), OTHER + offsetof<Vector>()); // whichever of the two is left
  }
}

// Without the power q^g, q = 1 - p_t, p = p_t, l = -log p_t, and up to the sign of the class for the slope:
//   dL/dx = q^g (q + g p l), d2L/dx2 = q^g p ((1 + 2 g) q - g l (q - g p)).
// l is capped: where it is infinite p is 0, and their product must be 0.
@final
@unmanaged
export class HardDerivatives<Derivative> {
  // @ts-ignore: decorator
  @inline step(frame: usize, o: usize, x: usize, y: usize): void {
    hardDerivatives<Derivative>(frame + o, every(frame + GAMMA));
  }
}

// @ts-ignore: decorator
@inline function hardDerivatives<Derivative>(at: usize, gamma: v128): void {
  const signed = v128.load(at, ENTROPY);
  const sign = and(signed, every(SIGN));
  const l = smaller(xor(signed, sign), every(CAP));
  const q = v128.load(at, FACTOR);
  const p = v128.load(at, OTHER);
  v128.store(at, or(sign, mulAdd(mul(gamma, p), l, q)), SLOPE);
  if (idof<Derivative>() == idof<WithCurve>()) {
    const inner = mul(mul(gamma, l), sub(q, mul(gamma, p)));
    const outer = mulAdd(add(gamma, gamma), q, q);
    v128.store(at, mul(p, sub(outer, inner)), CURVE);
  }
}

/** CURVE = p q, as Gauss and Newton have it. */
@final
@unmanaged
export class HardGaussNewton {
  // @ts-ignore: decorator
  @inline step(frame: usize, o: usize, x: usize, y: usize): void {
    const at = frame + o;
    v128.store(at, mul(v128.load(at, OTHER), v128.load(at, FACTOR)), CURVE);
  }
}
