import { bytesOf } from '../frame';
import { LANES, add, addLanes, any, equalMask, larger, largestLane, mul, read, splat, write } from '../simd/lanes';

// Loops over one row of logits or of their exponentials, of any length and alignment.

/** The largest of `count` values, four vectors at least; NaN is passed over unless it comes first. */
export function rowMax(row: usize, count: i32): Float {
  // Four at once: one chain of maxima would wait for itself.
  let lanes = read(row);
  let second = read(row + 16);
  let third = read(row + 32);
  let fourth = read(row + 48);
  let i = 4 * LANES;
  for (; i + 4 * LANES <= count; i += 4 * LANES) {
    const at = row + bytesOf(i);
    lanes = larger(lanes, read(at));
    second = larger(second, read(at + 16));
    third = larger(third, read(at + 32));
    fourth = larger(fourth, read(at + 48));
  }
  lanes = larger(larger(lanes, second), larger(third, fourth));
  for (; i + LANES <= count; i += LANES) lanes = larger(lanes, read(row + bytesOf(i)));
  return largestLane(larger(lanes, read(row + bytesOf(count - LANES)))); // the last ones again
}

/** The index of the first of `count` values that equals one, `count` if none does. */
export function rowIndex(row: usize, count: i32, value: Float): i32 {
  const all = splat(value);
  let i = 0;
  while (i + LANES <= count && !any(equalMask(read(row + bytesOf(i)), all))) i += LANES;
  while (i < count && load<Float>(row + bytesOf(i)) != value) i++;
  return i;
}

/** Writes `count` values less `offset`; values equal to an infinite offset are at no distance from it. */
export function rowShift(row: usize, out: usize, count: i32, offset: Float): void {
  for (let i = 0; i < count; i++) {
    const value = load<Float>(row + bytesOf(i));
    store<Float>(out + bytesOf(i), value == offset ? 0 : value - offset);
  }
}

/** The sum of `count` values. */
export function rowSum(row: usize, count: i32): Float {
  let i = 0;
  let lanes = splat(0);
  let second = splat(0);
  let third = splat(0);
  let fourth = splat(0);
  for (; i + 4 * LANES <= count; i += 4 * LANES) {
    const at = row + bytesOf(i);
    lanes = add(lanes, read(at));
    second = add(second, read(at + 16));
    third = add(third, read(at + 32));
    fourth = add(fourth, read(at + 48));
  }
  lanes = add(add(lanes, second), add(third, fourth));
  for (; i + LANES <= count; i += LANES) lanes = add(lanes, read(row + bytesOf(i)));
  let sum = addLanes(lanes);
  for (; i < count; i++) sum += load<Float>(row + bytesOf(i));
  return sum;
}

/** Multiplies `count` values by a factor. */
// @ts-ignore: decorator
@inline export function rowScale(row: usize, count: i32, factor: Float): void {
  const all = splat(factor);
  let i = 0;
  for (; i + LANES <= count; i += LANES) write(row + bytesOf(i), mul(read(row + bytesOf(i)), all));
  for (; i < count; i++) store<Float>(row + bytesOf(i), load<Float>(row + bytesOf(i)) * factor);
}
