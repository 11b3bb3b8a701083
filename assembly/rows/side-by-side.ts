import { bytesOf } from '../frame';
import { loadColumns, strideOf } from './columns';
import { ROW_REDUCE, exponentiateRow, reduceLogits } from './exponential';
import {
  absolute,
  add,
  andNot,
  any,
  every,
  greaterMask,
  larger,
  mul,
  mulAdd,
  mulSub,
  not,
  read,
  splat,
  sub,
} from '../simd/lanes';
import { BLOCK, V0 } from '../simd/tile';
import { Hinge, Largest, Logits, Lowest, Rounding, get, getNumber, put, putNumber } from '../slots';

// Rows of few classes, side by side: a vector holds one class of four rows, so that no vector is part empty and no row
// is added up across lanes. Logits are brought to the slots class by class, one vector of each four rows after another.

/** Up to this many classes rows go side by side. */
export const NARROW: i32 = 32;

/** How many rows of so many classes the slots hold side by side. */
// @ts-ignore: decorator
@inline export function rowsAcross(classes: i32): i32 {
  return (BLOCK / classes) & ~3;
}

/** Exponential = the exponentials of `count` > 0 rows, Largest their largest logits, Hinge the n of their common factors. */
export function exponentiateAcross(frame: usize, logits: usize, row: i32, count: i32, classes: i32): void {
  const stride = strideOf(count);
  loadColumns<Logits>(frame, logits, count, classes);
  for (let r = 0; r < count; r += 4) measureAcross(frame, row + r, r, stride, classes);
  reduceAcross(frame, stride, <usize>classes * stride);
  exponentiateRow(frame, classes * <i32>(stride >> 2));
}

const ROUND: usize = memory.data<Float>(
  [
    1000.5, // what is as far from 0 is shifted
    12582912.0, // 1.5 2^23: adding it rounds to an integer
    127.0,
    0.6931471824645996, // ln 2
    12583039.0, // 1.5 2^23 + 127
  ],
  16,
);

/** The largest logits of four rows, the n of it, and what their logits are reduced with. */
// @ts-ignore: decorator
@inline function measureAcross(frame: usize, row: i32, r: i32, stride: usize, classes: i32): void {
  const column = frame + (r << 2);
  let largest = get<Logits, V0>(column);
  const end = column + <usize>classes * stride;
  for (let at = column + stride; at < end; at += stride) largest = larger(largest, get<Logits, V0>(at));
  put<Largest, V0>(frame + bytesOf(row), largest);
  const far = farMask(largest);
  if (any(far)) {
    shiftAcross(frame, row, r, stride, classes);
    largest = andNot(largest, far);
  }
  scaleRows(frame + bytesOf(row), column, largest);
}

/** Mask of the rows whose largest logit is so far from 0 that it is taken off all of them. */
// @ts-ignore: decorator
@inline export function farMask(largest: v128): v128 {
  return not(greaterMask(every(ROUND), absolute(largest)));
}

/** Of four rows, the n of their largest logits, and what their logits are reduced with. */
// @ts-ignore: decorator
@inline export function scaleRows(row: usize, column: usize, largest: v128): void {
  const rounding = every(ROUND + 4);
  const n = sub(mulAdd(largest, every(ROW_REDUCE), rounding), rounding);
  put<Hinge, V0>(row, n);
  put<Lowest, V0>(column, mul(sub(n, every(ROUND + 8)), every(ROUND + 12)));
  put<Rounding, V0>(column, sub(every(ROUND + 16), n));
}

/** Remainder and Scale of all logits, which take `bytes`. */
export function reduceAcross(frame: usize, stride: usize, bytes: usize): void {
  const log2e = every(ROW_REDUCE);
  const high = every(ROW_REDUCE + 4);
  const low = every(ROW_REDUCE + 8);
  let row: usize = 0;
  for (let o: usize = 0; o < bytes; o += 16) {
    const at = frame + o;
    const group = frame + row;
    reduceLogits(at, get<Logits, V0>(at), get<Lowest, V0>(group), log2e, get<Rounding, V0>(group), high, low);
    row += 16;
    row = row == stride ? 0 : row;
  }
}

/** Takes the largest logit off the rows among four whose largest is far from 0: infinite ones are at no distance from it. */
function shiftAcross(frame: usize, row: i32, r: i32, stride: usize, classes: i32): void {
  for (let lane = 0; lane < 4; lane++) {
    const largest = getNumber<Largest>(frame + bytesOf((row + lane)));
    if (Math.abs(largest) < 1000.5) continue;
    for (let j = 0; j < classes; j++) {
      const at = frame + ((r + lane) << 2) + <usize>j * stride;
      const logit = getNumber<Logits>(at);
      putNumber<Logits>(at, logit == largest ? 0 : logit - largest);
    }
  }
}

/** The sums over the classes of four rows side by side, the first of which is at `column`. */
// @ts-ignore: decorator
@inline export function sumAcross(column: usize, stride: usize, classes: i32): v128 {
  let even = read(column);
  let odd = splat(0);
  let at = column + stride;
  let j = 1;
  for (; j + 1 < classes; j += 2) {
    odd = add(odd, read(at));
    even = add(even, read(at + stride));
    at += stride << 1;
  }
  if (j < classes) odd = add(odd, read(at));
  return add(even, odd);
}

/** log of the targets' exponentials of four rows: their logits less n ln 2, n being what Hinge holds. */
// @ts-ignore: decorator
@inline export function logsOf(logits: v128, n: v128): v128 {
  return mulSub(n, every(ROW_REDUCE + 8), mulSub(n, every(ROW_REDUCE + 4), logits));
}
