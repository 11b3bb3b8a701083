import { add, div, every, larger, load4, mul, mulAdd, mulSub, or, shiftLeft, sub } from './lanes';
import { CORRECTION, DENOMINATOR, FACTOR, NUMERATOR, REMAINDER, SCALE } from './layout';
import { First, Fourth, Second, Third } from './tile';

// e^-|x| as a quotient N / D, left undivided because every later stage divides by something of its own.
//
// Method: -|x| = n ln 2 + r with |r| <= ln 2 / 2, and e^r = (v + r) / (v - r) with v = r coth(r / 2), which is even:
//   v = c0 + c1 r^2 + c2 r^4, minimax on [0, (ln 2 / 2)^2], relative error of e^r 0.01 2^-24 before rounding.
// Coefficients: scripts/coefficients.mjs.
// Domain: all of float32. Below -88 the scale is 2^-127, stored as zero: e^-infinity is exactly 0. NaN stays NaN.
// Rounding: D and N to half a unit each. What they lost is kept: CORRECTION is N e^-r - D, near enough, so that
// 1 + CORRECTION / 2 repairs the quotient to a tenth of a unit.

const REDUCE: usize = memory.data<f32>(
  [
    1.4426950408889634, // log2 e
    12583039.0, // 1.5 2^23 + 127: adding it rounds to an integer n, and leaves n + 127 in the low bits
    0.693145751953125, // ln 2 in 16 bits, so that its product with n is exact
    1.428606765330187e-6, // the rest of ln 2
    -88.0, // n is -127 from here on
    -0.0, // the sign bit
  ],
  16,
);

@final
@unmanaged
export class Reduce {
  // @ts-ignore: decorator
  @inline tile(frame: usize, o: usize, x: usize, y: usize): void {
    const log2e = every(REDUCE);
    const round = every(REDUCE + 4);
    const high = every(REDUCE + 8);
    const low = every(REDUCE + 12);
    const lowest = every(REDUCE + 16);
    const sign = every(REDUCE + 20);
    const at = frame + o;
    const logits = x + o;
    reduce<First>(at, load4(logits), sign, log2e, round, high, low, lowest);
    reduce<Second>(at, load4(logits + 16), sign, log2e, round, high, low, lowest);
    reduce<Third>(at, load4(logits + 32), sign, log2e, round, high, low, lowest);
    reduce<Fourth>(at, load4(logits + 48), sign, log2e, round, high, low, lowest);
  }
}

// @ts-ignore: decorator
@inline function reduce<Vector>(
  at: usize,
  x: v128,
  sign: v128,
  log2e: v128,
  round: v128,
  high: v128,
  low: v128,
  lowest: v128,
): void {
  const a = larger(or(x, sign), lowest);
  const rounded = mulAdd(a, log2e, round);
  const n = sub(rounded, round);
  v128.store(at, mulSub(n, low, mulSub(n, high, a)), REMAINDER + offsetof<Vector>());
  v128.store(at, shiftLeft(rounded, 23), SCALE + offsetof<Vector>());
}

const EVEN: usize = memory.data<f32>([2.0, 0.1666661947965622, -0.0027661488857120275], 16);

@final
@unmanaged
export class Quotient {
  // @ts-ignore: decorator
  @inline tile(frame: usize, o: usize, x: usize, y: usize): void {
    const c0 = every(EVEN);
    const c1 = every(EVEN + 4);
    const c2 = every(EVEN + 8);
    const at = frame + o;
    quotient<First>(at, c0, c1, c2);
    quotient<Second>(at, c0, c1, c2);
    quotient<Third>(at, c0, c1, c2);
    quotient<Fourth>(at, c0, c1, c2);
  }
}

// @ts-ignore: decorator
@inline function quotient<Vector>(at: usize, c0: v128, c1: v128, c2: v128): void {
  const r = v128.load(at, REMAINDER + offsetof<Vector>());
  const v = evenPart(r, c0, c1, c2);
  const d = sub(v, r);
  const n = add(v, r);
  v128.store(at, d, DENOMINATOR + offsetof<Vector>());
  v128.store(at, mul(n, v128.load(at, SCALE + offsetof<Vector>())), NUMERATOR + offsetof<Vector>());
  v128.store(at, sub(add(r, r), sub(n, d)), CORRECTION + offsetof<Vector>());
}

// v = r coth(r / 2)
// @ts-ignore: decorator
@inline function evenPart(r: v128, c0: v128, c1: v128, c2: v128): v128 {
  const square = mul(r, r);
  return mulAdd(square, mulAdd(square, c2, c1), c0);
}

/**
 * e / (1 + e / 2), the argument of log(1 + e), with the sign that `signed`, which is N otherwise, has. It is a quotient that
 * takes the correction as well, times what the whole loss needs of it: a loss that goes as a power of e needs it that many times.
 */
// @ts-ignore: decorator
@inline export function ratio(d: v128, n: v128, signed: v128, correction: v128, times: v128, half: v128): v128 {
  return div(signed, mulAdd(n, half, mulSub(correction, times, d)));
}

/** FACTOR = the exponential of REMAINDER, times SCALE. */
@final
@unmanaged
export class Exponential {
  // @ts-ignore: decorator
  @inline tile(frame: usize, o: usize, x: usize, y: usize): void {
    const c0 = every(EVEN);
    const c1 = every(EVEN + 4);
    const c2 = every(EVEN + 8);
    const at = frame + o;
    exponential<First>(at, c0, c1, c2);
    exponential<Second>(at, c0, c1, c2);
    exponential<Third>(at, c0, c1, c2);
    exponential<Fourth>(at, c0, c1, c2);
  }
}

// @ts-ignore: decorator
@inline function exponential<Vector>(at: usize, c0: v128, c1: v128, c2: v128): void {
  const r = v128.load(at, REMAINDER + offsetof<Vector>());
  const v = evenPart(r, c0, c1, c2);
  v128.store(at, mul(div(add(v, r), sub(v, r)), v128.load(at, SCALE + offsetof<Vector>())), FACTOR + offsetof<Vector>());
}
