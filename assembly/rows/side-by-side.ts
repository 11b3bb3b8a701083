import { bytesOf } from '../frame';
import { loadColumns, strideOf } from './columns';
import { ROW_REDUCE, exponentiateRow, reduceLogits, reduceTwo } from './exponential';
import {
  LANES,
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
  nth,
  read,
  splat,
  sub,
} from '../simd/lanes';
import { BLOCK, V0 } from '../simd/tile';
import { Hinge, Largest, Logits, Lowest, Rounding, get, getNumber, next, put, putNumber } from '../slots';

// Rows of few classes, side by side: a vector holds one class of LANES rows, so that no vector is part empty and no row
// is added up across lanes. Logits are brought to the slots class by class, one vector of each LANES rows after another.

/** Up to this many classes rows go side by side. */
export const NARROW: i32 = 32;

/** How many rows of so many classes the slots hold side by side. */
// @ts-ignore: decorator
@inline export function rowsAcross(classes: i32): i32 {
  return (BLOCK / classes) & -LANES;
}

/** Exponential = the exponentials of `count` > 0 rows, Largest their largest logits, Hinge the n of their common factors. */
export function exponentiateAcross(frame: usize, logits: usize, row: i32, count: i32, classes: i32): void {
  const stride = strideOf(count);
  loadColumns<Logits>(frame, logits, count, classes);
  for (let r = 0; r < count; r += LANES) measureAcross(frame, row + r, r, stride, classes);
  reduceAcross(frame, stride, <usize>classes * stride);
  exponentiateRow(frame, classes * <i32>(stride >> alignof<Float>()));
}

const ROUND: usize = memory.data<Float>(
  [
    1000.5, // what is as far from 0 is shifted
    sizeof<Float>() == 4 ? 12582912.0 : 6755399441055744.0, // 1.5 2^23 (2^52): adding it rounds to an integer
    sizeof<Float>() == 4 ? 127.0 : 1023.0,
    sizeof<Float>() == 4 ? 0.6931471824645996 : 0.6931471805599453, // ln 2
    sizeof<Float>() == 4 ? 12583039.0 : 6755399441056767.0, // the sum of the first and 127 (1023)
  ],
  16,
);

/** The largest logits of the rows of a vector, the n of it, and what their logits are reduced with. */
// @ts-ignore: decorator
@inline function measureAcross(frame: usize, row: i32, r: i32, stride: usize, classes: i32): void {
  const column = frame + bytesOf(r);
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

/** Of the rows of a vector, the n of their largest logits, and what their logits are reduced with. */
// @ts-ignore: decorator
@inline export function scaleRows(row: usize, column: usize, largest: v128): void {
  const rounding = nth(ROUND, 1);
  const n = sub(mulAdd(largest, every(ROW_REDUCE), rounding), rounding);
  put<Hinge, V0>(row, n);
  put<Lowest, V0>(column, mul(sub(n, nth(ROUND, 2)), nth(ROUND, 3)));
  put<Rounding, V0>(column, sub(nth(ROUND, 4), n));
}

/** Remainder and Scale of all logits, which take `bytes`. */
export function reduceAcross(frame: usize, stride: usize, bytes: usize): void {
  const log2e = every(ROW_REDUCE);
  const high = nth(ROW_REDUCE, 1);
  const low = nth(ROW_REDUCE, 2);
  let row: usize = 0;
  if ((stride & 31) == 0) {
    for (let o: usize = 0; o < bytes; o += 32) {
      const at = frame + o;
      const group = frame + row;
      reduceTwo<V0>(
        at,
        get<Logits, V0>(at),
        next<Logits, V0>(at),
        get<Lowest, V0>(group),
        next<Lowest, V0>(group),
        log2e,
        get<Rounding, V0>(group),
        next<Rounding, V0>(group),
        high,
        low,
      );
      row += 32;
      row = row == stride ? 0 : row;
    }
    return;
  }
  for (let o: usize = 0; o < bytes; o += 16) {
    const at = frame + o;
    const group = frame + row;
    reduceLogits(at, get<Logits, V0>(at), get<Lowest, V0>(group), log2e, get<Rounding, V0>(group), high, low);
    row += 16;
    row = row == stride ? 0 : row;
  }
}

/** Takes the largest logit off the rows of a vector whose largest is far from 0: infinite ones are at no distance from it. */
function shiftAcross(frame: usize, row: i32, r: i32, stride: usize, classes: i32): void {
  for (let lane = 0; lane < LANES; lane++) {
    const largest = getNumber<Largest>(frame + bytesOf(row + lane));
    if (Math.abs(largest) < 1000.5) continue;
    for (let j = 0; j < classes; j++) {
      const at = frame + bytesOf(r + lane) + <usize>j * stride;
      const logit = getNumber<Logits>(at);
      putNumber<Logits>(at, logit == largest ? 0 : logit - largest);
    }
  }
}

/** The sums over the classes of the rows of a vector, the first of which is at `column`. */
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

/** log of the targets' exponentials of rows: their logits less n ln 2, n being what Hinge holds. */
// @ts-ignore: decorator
@inline export function logsOf(logits: v128, n: v128): v128 {
  return mulSub(n, nth(ROW_REDUCE, 2), mulSub(n, nth(ROW_REDUCE, 1), logits));
}
