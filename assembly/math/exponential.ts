import { add, div, larger, mul, mulAdd, mulSub, nth, or, read, shiftLeft, sub } from '../simd/lanes';
import { TileStage } from '../simd/stage';
import { V0, V1, V2, V3 } from '../simd/tile';
import { Correction, Denominator, Numerator, Remainder, Scale, Slot, get, put } from '../slots';

// e^-|x| as a quotient N / D, left undivided because every later stage divides by something of its own.
//
// Method: -|x| = n ln 2 + r with |r| <= ln 2 / 2, and e^r = (v + r) / (v - r) with v = r coth(r / 2), which is even:
//   v = c0 + c1 r^2 + c2 r^4, minimax on [0, (ln 2 / 2)^2], relative error of e^r 0.01 2^-24 before rounding.
// Coefficients: scripts/coefficients.mjs.
// Domain: all of float32. Below -88 the scale is 2^-127, stored as zero: e^-infinity is exactly 0. NaN stays NaN.
// Rounding: D and N to half a unit each. What they lost is kept: Correction is N e^-r - D, near enough, so that
// 1 + Correction / 2 repairs the quotient to a tenth of a unit.

/** The bits of a Float behind its exponent. */
export const MANTISSA_BITS: i32 = 23;

const REDUCE: usize = memory.data<Float>(
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

/** From the logits: Remainder and Scale. */
@final
@unmanaged
export class Reduce extends TileStage {
  @inline override tile(frame: usize, o: usize, x: usize, y: usize): void {
    const log2e = nth(REDUCE, 0);
    const round = nth(REDUCE, 1);
    const high = nth(REDUCE, 2);
    const low = nth(REDUCE, 3);
    const lowest = nth(REDUCE, 4);
    const sign = nth(REDUCE, 5);
    const at = frame + o;
    const logits = x + o;
    reduce<V0>(at, read(logits), sign, log2e, round, high, low, lowest);
    reduce<V1>(at, read(logits + 16), sign, log2e, round, high, low, lowest);
    reduce<V2>(at, read(logits + 32), sign, log2e, round, high, low, lowest);
    reduce<V3>(at, read(logits + 48), sign, log2e, round, high, low, lowest);
  }
}

// @ts-ignore: decorator
@inline function reduce<V>(
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
  put<Remainder, V>(at, mulSub(n, low, mulSub(n, high, a)));
  put<Scale, V>(at, shiftLeft(rounded, MANTISSA_BITS));
}

const EVEN: usize = memory.data<Float>([2.0, 0.1666661947965622, -0.0027661488857120275], 16);

/** From Remainder and Scale: Denominator, Numerator and Correction. */
@final
@unmanaged
export class Quotient extends TileStage {
  @inline override tile(frame: usize, o: usize, x: usize, y: usize): void {
    const c0 = nth(EVEN, 0);
    const c1 = nth(EVEN, 1);
    const c2 = nth(EVEN, 2);
    const at = frame + o;
    quotient<V0>(at, c0, c1, c2);
    quotient<V1>(at, c0, c1, c2);
    quotient<V2>(at, c0, c1, c2);
    quotient<V3>(at, c0, c1, c2);
  }
}

// @ts-ignore: decorator
@inline function quotient<V>(at: usize, c0: v128, c1: v128, c2: v128): void {
  const r = get<Remainder, V>(at);
  const v = evenPart(r, c0, c1, c2);
  const d = sub(v, r);
  const n = add(v, r);
  put<Denominator, V>(at, d);
  put<Numerator, V>(at, mul(n, get<Scale, V>(at)));
  put<Correction, V>(at, sub(add(r, r), sub(n, d)));
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

/** Result, a slot, is the exponential of Remainder, times Scale. */
@final
@unmanaged
export class Exponentiate<Result extends Slot> extends TileStage {
  @inline override tile(frame: usize, o: usize, x: usize, y: usize): void {
    const c0 = nth(EVEN, 0);
    const c1 = nth(EVEN, 1);
    const c2 = nth(EVEN, 2);
    const at = frame + o;
    exponentiate<Result, V0>(at, c0, c1, c2);
    exponentiate<Result, V1>(at, c0, c1, c2);
    exponentiate<Result, V2>(at, c0, c1, c2);
    exponentiate<Result, V3>(at, c0, c1, c2);
  }
}

// @ts-ignore: decorator
@inline function exponentiate<Result extends Slot, V>(at: usize, c0: v128, c1: v128, c2: v128): void {
  const r = get<Remainder, V>(at);
  const v = evenPart(r, c0, c1, c2);
  put<Result, V>(at, mul(div(add(v, r), sub(v, r)), get<Scale, V>(at)));
}
