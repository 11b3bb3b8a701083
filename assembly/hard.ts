import { ValueOnly, WithCurve, WithGaussNewton } from './derivative';
import {
  absolute,
  add,
  and,
  andNot,
  div,
  every,
  larger,
  load4,
  mul,
  mulAdd,
  negativeMask,
  or,
  signBit,
  signsHigh,
  signsLow,
  smaller,
  splat,
  store4,
  sub,
  wordsHigh,
  wordsLow,
  xor,
} from './lanes';
import {
  CORRECTION,
  CURVE,
  DENOMINATOR,
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
//   -log p_t = max(w, 0) + log(1 + e^-|x|), and e^-|x| / (2 + e^-|x|) = N / (2 D + N).
//
// @bound 2 gamma + 4 ulp, gamma a half of an integer up to 5
// @bound 2e-6 relative, any other gamma up to 10
// Worst over every float32 at gamma 2: 6.63 ulp at 0x3f6063d4, y = 1.
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
    const bytes = load4(y + (o >> 2));
    const low = wordsLow(bytes);
    const high = wordsHigh(bytes);
    hardTerms<Derivative>(at, load4(logits), signsLow(low));
    hardTerms<Derivative>(at + 16, load4(logits + 16), signsHigh(low));
    hardTerms<Derivative>(at + 32, load4(logits + 32), signsLow(high));
    hardTerms<Derivative>(at + 48, load4(logits + 48), signsHigh(high));
  }
}

// @ts-ignore: decorator
@inline function hardTerms<Derivative>(at: usize, x: v128, sign: v128): void {
  const easy = negativeMask(xor(x, sign));
  const d = load4(at + DENOMINATOR);
  const n = load4(at + NUMERATOR);
  const both = add(d, n);
  const above = larger(n, andNot(d, easy)); // N <= D
  store4(at + RATIO, or(sign, div(n, add(both, d))));
  store4(at + FACTOR, div(above, both));
  store4(at + HINGE, andNot(x, easy));
  store4(at + CORRECTION, and(load4(at + CORRECTION), easy));
  if (idof<Derivative>() != idof<ValueOnly>()) {
    store4(at + OTHER, div(xor(above, xor(d, n)), both)); // whichever of the two is left
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
  const signed = load4(at + ENTROPY);
  const sign = and(signed, signBit());
  const l = smaller(absolute(signed), splat(1e4));
  const q = load4(at + FACTOR);
  const p = load4(at + OTHER);
  store4(at + SLOPE, or(sign, mulAdd(mul(gamma, p), l, q)));
  if (idof<Derivative>() == idof<WithCurve>()) {
    const inner = mul(mul(gamma, l), sub(q, mul(gamma, p)));
    const outer = mulAdd(add(gamma, gamma), q, q);
    store4(at + CURVE, mul(p, sub(outer, inner)));
  }
  if (idof<Derivative>() == idof<WithGaussNewton>()) store4(at + CURVE, mul(p, q));
}
