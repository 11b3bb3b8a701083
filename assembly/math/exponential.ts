import { add, div, larger, mul, mulAdd, mulSub, nth, or, read, readNext, shiftLeft, sub } from '../simd/lanes';
import { TileStage } from '../simd/stage';
import { SINGLY, V0, V2 } from '../simd/tile';
import { Correction, Denominator, Numerator, Remainder, Scale, Slot, get, next, put2 } from '../slots';

// e^-|x| as a quotient N / D, left undivided because every later stage divides by something of its own.
//
// Method: -|x| = n ln 2 + r with |r| <= ln 2 / 2, and e^r = (v + r) / (v - r) with v = r coth(r / 2), which is even:
//   v = c0 + c1 r^2 + c2 r^4, minimax on [0, (ln 2 / 2)^2], relative error of e^r 0.01 2^-24 before rounding;
//   of float64 up to c5 r^10, 0.002 2^-53.
// Coefficients: scripts/coefficients.mjs.
// Domain: all of float32. Below -88 the scale is 2^-127, stored as zero: e^-infinity is exactly 0. NaN stays NaN. Of float64
// that is so below -709, where the scale is 2^-1023.
// Rounding: D and N to half a unit each. What they lost is kept: Correction is N e^-r - D, near enough, so that
// 1 + Correction / 2 repairs the quotient to a tenth of a unit.

/** The bits of a Float behind its exponent. */
export const MANTISSA_BITS: i32 = sizeof<Float>() == 4 ? 23 : 52;

const REDUCE: usize = memory.data<Float>(
  [
    1.4426950408889634, // log2 e
    // 1.5 2^23 + 127 (1.5 2^52 + 1023): adding it rounds to an integer n, and leaves n + 127 in the low bits
    sizeof<Float>() == 4 ? 12583039.0 : 6755399441056767.0,
    sizeof<Float>() == 4 ? 0.693145751953125 : 0.6931471805598903, // ln 2 in 16 (42) bits, so that its product with n is exact
    sizeof<Float>() == 4 ? 1.428606765330187e-6 : 5.497923018708371e-14, // the rest of ln 2
    sizeof<Float>() == 4 ? -88.0 : -709.0, // n is -127 (-1023) from here on
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
    reduce<V0>(at, read(logits), readNext(logits), sign, log2e, round, high, low, lowest);
    if (!SINGLY) reduce<V2>(at, read(logits + 32), readNext(logits + 32), sign, log2e, round, high, low, lowest);
  }
}

// @ts-ignore: decorator
@inline function reduce<V>(
  at: usize,
  x0: v128,
  x1: v128,
  sign: v128,
  log2e: v128,
  round: v128,
  high: v128,
  low: v128,
  lowest: v128,
): void {
  const a0 = larger(or(x0, sign), lowest);
  const a1 = larger(or(x1, sign), lowest);
  const rounded0 = mulAdd(a0, log2e, round);
  const rounded1 = mulAdd(a1, log2e, round);
  const n0 = sub(rounded0, round);
  const n1 = sub(rounded1, round);
  put2<Remainder, V>(at, mulSub(n0, low, mulSub(n0, high, a0)), mulSub(n1, low, mulSub(n1, high, a1)));
  put2<Scale, V>(at, shiftLeft(rounded0, MANTISSA_BITS), shiftLeft(rounded1, MANTISSA_BITS));
}

export const EVEN: usize =
  sizeof<Float>() == 4
    ? memory.data<Float>([2.0, 0.1666661947965622, -0.0027661488857120275], 16)
    : memory.data<Float>(
        [
          2.0,
          0.16666666666666555,
          -0.002777777777669822,
          0.00006613756250505968,
          -0.00000165338374747111,
          4.136056592753004e-8,
        ],
        16,
      );

// v of r, for the few who divide by something else.
// @ts-ignore: decorator
@inline export function evenPartOf(r: v128): v128 {
  return evenPart(r, nth(EVEN, 0), nth(EVEN, 1), nth(EVEN, 2));
}

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
    if (!SINGLY) quotient<V2>(at, c0, c1, c2);
  }
}

// @ts-ignore: decorator
@inline function quotient<V>(at: usize, c0: v128, c1: v128, c2: v128): void {
  const r0 = get<Remainder, V>(at);
  const r1 = next<Remainder, V>(at);
  const v0 = evenPart(r0, c0, c1, c2);
  const v1 = evenPart(r1, c0, c1, c2);
  const d0 = sub(v0, r0);
  const d1 = sub(v1, r1);
  const n0 = add(v0, r0);
  const n1 = add(v1, r1);
  const scaled0 = mul(n0, get<Scale, V>(at));
  const scaled1 = mul(n1, next<Scale, V>(at));
  put2<Correction, V>(at, sub(add(r0, r0), sub(n0, d0)), sub(add(r1, r1), sub(n1, d1)));
  put2<Numerator, V>(at, scaled0, scaled1);
  put2<Denominator, V>(at, d0, d1);
}

// v = r coth(r / 2)
// @ts-ignore: decorator
@inline export function evenPart(r: v128, c0: v128, c1: v128, c2: v128): v128 {
  const square = mul(r, r);
  if (sizeof<Float>() == 8) {
    const high = mulAdd(square, mulAdd(square, nth(EVEN, 5), nth(EVEN, 4)), nth(EVEN, 3));
    return mulAdd(square, mulAdd(square, mulAdd(square, high, c2), c1), c0);
  }
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

// The exponential of a remainder, times its scale.
// @ts-ignore: decorator
@inline export function exponentialOf(r: v128, scale: v128): v128 {
  const v = evenPartOf(r);
  return mul(div(add(v, r), sub(v, r)), scale);
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
    if (!SINGLY) exponentiate<Result, V2>(at, c0, c1, c2);
  }
}

// @ts-ignore: decorator
@inline function exponentiate<Result extends Slot, V>(at: usize, c0: v128, c1: v128, c2: v128): void {
  const r0 = get<Remainder, V>(at);
  const r1 = next<Remainder, V>(at);
  const v0 = evenPart(r0, c0, c1, c2);
  const v1 = evenPart(r1, c0, c1, c2);
  const e0 = mul(div(add(v0, r0), sub(v0, r0)), get<Scale, V>(at));
  const e1 = mul(div(add(v1, r1), sub(v1, r1)), next<Scale, V>(at));
  put2<Result, V>(at, e0, e1);
}
