import { Exponential } from './exponential';
import { every, larger, load4, mulAdd, mulSub, shiftLeft, splat, sub } from './lanes';
import { PAD_LOGITS, REMAINDER, SCALE, wholeTiles } from './layout';
import { rowShift } from './rows';
import { sweep } from './sweep';

// The exponentials of rows, up to a factor common to a row.
//
// Method: e^z = 2^n e^r as in exponential.ts, and the common factor is 2^-k, k the n of the row's largest logit, taken off
//   the exponent: no logit is subtracted from another, so nothing of a difference is lost to rounding.
//   n is below 2^11, so the first part of ln 2 has 13 bits, and its product with n is exact; that of the second errs by 2^-28.
// Domain: rows whose largest logit is within 1000 of 0; any other row is shifted by its largest logit first.

export const REDUCE: usize = memory.data<f32>(
  [
    1.4426950408889634, // log2 e
    0.693115234375, // ln 2 in 13 bits
    3.194618329871446e-5, // the rest
  ],
  16,
);

// @ts-ignore: decorator
@inline function exponentOf(largest: f32): i32 {
  return <i32>nearest(<f64>largest * 1.4426950408889634);
}

// @ts-ignore: decorator
@inline export function needsShift(largest: f32): bool {
  return !(largest <= 1000 && largest >= -1000);
}

/**
 * REMAINDER and SCALE at byte `at` of the slots, of `count` <= BLOCK logits of a row whose largest is given. Where they are
 * fewer than 4, lanes beyond them are computed too: of the pad, into places that the next row fills.
 */
export function reduceRow(frame: usize, at: usize, logits: usize, count: i32, largest: f32): void {
  let source = logits;
  let k = exponentOf(largest);
  if (needsShift(largest)) {
    source = frame + PAD_LOGITS;
    rowShift(logits, source, count, largest);
    k = 0;
  } else if (count < 4) {
    source = frame + PAD_LOGITS;
    memory.copy(source, logits, count << 2);
  }
  const lowest = splat(<f32>(<f64>(k - 127) * 0.6931471805599453)); // its scale is zero
  const log2e = every(REDUCE);
  const round = splat(<f32>(12583039.0 - <f64>k));
  const high = every(REDUCE + 4);
  const low = every(REDUCE + 8);
  const slots = frame + at;
  const end = <usize>count << 2;
  const last: usize = count < 4 ? 0 : end - 16; // the last four, some of them again
  for (let o: usize = 0; o < end; o += 16) {
    const from = min(o, last);
    reduce(slots + from, load4(source + from), lowest, log2e, round, high, low);
  }
}

// @ts-ignore: decorator
@inline export function reduce(
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
  v128.store(at, mulSub(n, low, mulSub(n, high, a)), REMAINDER);
  v128.store(at, shiftLeft(rounded, 23), SCALE);
}

/** FACTOR = the exponentials of what reduceRow left in the first `count` places of the slots. */
// @ts-ignore: decorator
@inline export function exponentiate(frame: usize, count: i32): void {
  sweep<Exponential>(frame, 0, 0, <usize>wholeTiles(count) << 2);
}

/** A logit less the logarithm of the row's common factor: log of its exponential, exact where that is not. */
export function logOf(logit: f32, largest: f32): f64 {
  if (needsShift(largest)) return logit == largest ? 0 : <f64>logit - <f64>largest;
  return <f64>logit - <f64>exponentOf(largest) * 0.6931471805599453;
}
