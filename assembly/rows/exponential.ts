import { bytesOf } from '../frame';
import { Exponentiate, MANTISSA_BITS } from '../math/exponential';
import { rowShift } from './row';
import { LANES, every, larger, mulAdd, mulSub, nth, read, shiftLeft, splat, sub } from '../simd/lanes';
import { eachTile } from '../simd/stage';
import { V0, wholeTiles } from '../simd/tile';
import { Exponential, Logits, Remainder, Scale, claim, put, put2, slot } from '../slots';

// The exponentials of rows, up to a factor common to a row.
//
// Method: e^z = 2^n e^r as in exponential.ts, and the common factor is 2^-k, k the n of the row's largest logit, taken off
//   the exponent: no logit is subtracted from another, so nothing of a difference is lost to rounding.
//   n is below 2^11, so the first part of ln 2 has 13 bits (40 for float64), and its product with n is exact; that of the second
//   errs by 2^-28.
// Domain: rows whose largest logit is within 1000 of 0; any other row is shifted by its largest logit first.

export const ROW_REDUCE: usize = memory.data<Float>(
  [
    1.4426950408889634, // log2 e
    sizeof<Float>() == 4 ? 0.693115234375 : 0.6931471805601177, // ln 2 in 13 (40) bits
    sizeof<Float>() == 4 ? 3.194618329871446e-5 : -1.7239444525614835e-13, // the rest
  ],
  16,
);

/** The exponent of 1, in its bits. */
const BIAS: i32 = sizeof<Float>() == 4 ? 127 : 1023;

// @ts-ignore: decorator
@inline function exponentOf(largest: Float): i32 {
  return <i32>nearest(<f64>largest * 1.4426950408889634);
}

// @ts-ignore: decorator
@inline export function needsShift(largest: Float): bool {
  return !(largest <= 1000 && largest >= -1000);
}

/**
 * Remainder and Scale at byte `at` of the slots, of `count` <= BLOCK logits of a row whose largest is given. Where they are
 * fewer than a vector's, lanes beyond them are computed too: of the pad, into places that the next row fills.
 */
export function reduceRow(frame: usize, at: usize, logits: usize, count: i32, largest: Float): void {
  let source = logits;
  let k = exponentOf(largest);
  if (needsShift(largest)) {
    source = frame + slot<Logits>();
    rowShift(logits, source, count, largest);
    k = 0;
  } else if (count < LANES) {
    source = frame + slot<Logits>();
    memory.copy(source, logits, bytesOf(count));
  }
  const lowest = splat(<Float>(<f64>(k - BIAS) * 0.6931471805599453)); // its scale is zero
  const log2e = every(ROW_REDUCE);
  const round = splat(<Float>((sizeof<Float>() == 4 ? 12583039.0 : 6755399441056767.0) - <f64>k));
  const high = nth(ROW_REDUCE, 1);
  const low = nth(ROW_REDUCE, 2);
  const slots = frame + at;
  const end = bytesOf(count);
  const last: usize = count < LANES ? 0 : end - 16; // the last ones, some of them again
  let o: usize = 0;
  for (; o + 32 <= end; o += 32) {
    const at = source + o;
    reduceTwo<V0>(slots + o, read(at), read(at + 16), lowest, lowest, log2e, round, round, high, low);
  }
  for (; o < end; o += 16) {
    const from = min(o, last);
    reduceLogits(slots + from, read(source + from), lowest, log2e, round, high, low);
  }
}

/** The same as reduceLogits of two vectors, from V on. */
// @ts-ignore: decorator
@inline export function reduceTwo<V>(
  at: usize,
  z0: v128,
  z1: v128,
  lowest0: v128,
  lowest1: v128,
  log2e: v128,
  round0: v128,
  round1: v128,
  high: v128,
  low: v128,
): void {
  const a0 = larger(z0, lowest0);
  const a1 = larger(z1, lowest1);
  const rounded0 = mulAdd(a0, log2e, round0);
  const rounded1 = mulAdd(a1, log2e, round1);
  const n0 = sub(rounded0, round0);
  const n1 = sub(rounded1, round1);
  put2<Remainder, V>(at, mulSub(n0, low, mulSub(n0, high, a0)), mulSub(n1, low, mulSub(n1, high, a1)));
  put2<Scale, V>(at, shiftLeft(rounded0, MANTISSA_BITS), shiftLeft(rounded1, MANTISSA_BITS));
}

// @ts-ignore: decorator
@inline export function reduceLogits(
  at: usize,
  z: v128,
  lowest: v128,
  log2e: v128,
  round: v128,
  high: v128,
  low: v128,
): void {
  const a = larger(z, lowest);
  const rounded = mulAdd(a, log2e, round);
  const n = sub(rounded, round);
  put<Remainder, V0>(at, mulSub(n, low, mulSub(n, high, a)));
  put<Scale, V0>(at, shiftLeft(rounded, MANTISSA_BITS));
}

/** Exponential = the exponentials of what reduceRow left in the first `count` places of the slots. */
// @ts-ignore: decorator
@inline export function exponentiateRow(frame: usize, count: i32): void {
  const bytes = bytesOf(wholeTiles(count));
  claim<Remainder>(frame, bytes); // what is beyond the rows means nothing
  claim<Scale>(frame, bytes);
  eachTile<Exponentiate<Exponential>>(frame, 0, 0, bytes);
}

/** A logit less the logarithm of the row's common factor: log of its exponential, exact where that is not. */
export function logOf(logit: Float, largest: Float): f64 {
  if (needsShift(largest)) return logit == largest ? 0 : <f64>logit - <f64>largest;
  if (sizeof<Float>() == 8) {
    const k = <f64>exponentOf(largest);
    return <f64>logit - k * <f64>load<Float>(ROW_REDUCE, 8) - k * <f64>load<Float>(ROW_REDUCE, 16);
  }
  return <f64>logit - <f64>exponentOf(largest) * 0.6931471805599453;
}
