import { ValueOnly, WithCurve } from './derivative';
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
  store4,
  sub,
  wordsHigh,
  wordsLow,
  xor,
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

// Terms of a target that is 0 or 1, read as a byte.
// With w = x, its sign flipped where y = 1, and N / D = e^-|x|:
//   1 - p_t = sigmoid(w), which is N / (D + N) where w < 0 (an easy element) and D / (D + N) elsewhere;
//   -log p_t = max(w, 0) + log(1 + e^-|x|).
//
// @bound 2 gamma + 4 ulp, gamma a half of an integer up to 5
// @bound 2e-6 relative, any other gamma up to 10
// Worst over every float32 at gamma 2: 6.57 ulp at 0x3fdc1b41, y = 1.
//
// Ratio and hinge carry the target as their sign, and so does the cross entropy made of them: the class of an
// element costs no storage of its own.

@final
@unmanaged
export class HardTerms<Derivative> {
  // @ts-ignore: decorator
  @inline tile(frame: usize, o: usize, x: usize, y: usize): void {
    const at = frame + o;
    const logits = x + o;
    const correct = every(frame + CORRECT);
    const half = every(HALF);
    const bytes = load4(y + (o >> 2));
    const low = wordsLow(bytes);
    const high = wordsHigh(bytes);
    hardTerms<Derivative>(at, load4(logits), signsLow(low), correct, half);
    hardTerms<Derivative>(at + 16, load4(logits + 16), signsHigh(low), correct, half);
    hardTerms<Derivative>(at + 32, load4(logits + 32), signsLow(high), correct, half);
    hardTerms<Derivative>(at + 48, load4(logits + 48), signsHigh(high), correct, half);
  }
}

// @ts-ignore: decorator
@inline function hardTerms<Derivative>(at: usize, x: v128, sign: v128, correct: v128, half: v128): void {
  const easy = negativeMask(xor(x, sign));
  const d = v128.load(at, DENOMINATOR);
  const n = v128.load(at, NUMERATOR);
  const both = add(d, n);
  const correction = and(mul(v128.load(at, CORRECTION), correct), easy); // others' power hardly depends on e
  const above = larger(n, andNot(d, easy)); // N <= D
  v128.store(at, or(sign, ratio(d, n, correction, half)), RATIO);
  v128.store(at, above, FACTOR);
  v128.store(at, both, DIVISOR);
  v128.store(at, andNot(x, easy), HINGE);
  if (idof<Derivative>() != idof<ValueOnly>()) {
    v128.store(at, div(xor(above, xor(d, n)), both), OTHER); // whichever of the two is left
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
