import { add, addLanes, any, equalMask, larger, largestLane, mul, read, splat, write } from '../simd/lanes';

// Loops over one row of logits or of their exponentials, of any length and alignment.

/** The largest of `count` > 0 values, NaN passed over unless it comes first. */
export function rowMax(row: usize, count: i32): f32 {
  let i = 0;
  let largest = load<f32>(row);
  if (count >= 4) {
    // Four at once where there are many: one chain of maxima would wait for itself.
    let lanes = read(row);
    if (count >= 16) {
      let second = read(row + 16);
      let third = read(row + 32);
      let fourth = read(row + 48);
      for (i = 16; i + 16 <= count; i += 16) {
        const at = row + (i << 2);
        lanes = larger(lanes, read(at));
        second = larger(second, read(at + 16));
        third = larger(third, read(at + 32));
        fourth = larger(fourth, read(at + 48));
      }
      lanes = larger(larger(lanes, second), larger(third, fourth));
    }
    for (; i + 4 <= count; i += 4) lanes = larger(lanes, read(row + (i << 2)));
    lanes = larger(lanes, read(row + ((count - 4) << 2))); // the last four again
    return largestLane(lanes);
  }
  for (i = 1; i < count; i++) {
    const value = load<f32>(row + (i << 2));
    largest = largest < value ? value : largest;
  }
  return largest;
}

/** The index of the first of `count` values that equals one, `count` if none does. */
export function rowIndex(row: usize, count: i32, value: f32): i32 {
  const all = splat(value);
  let i = 0;
  while (i + 4 <= count && !any(equalMask(read(row + (i << 2)), all))) i += 4;
  while (i < count && load<f32>(row + (i << 2)) != value) i++;
  return i;
}

/** Writes `count` values less `offset`; values equal to an infinite offset are at no distance from it. */
export function rowShift(row: usize, out: usize, count: i32, offset: f32): void {
  for (let i = 0; i < count; i++) {
    const value = load<f32>(row + (i << 2));
    store<f32>(out + (i << 2), value == offset ? 0 : value - offset);
  }
}

/** The sum of `count` values. */
export function rowSum(row: usize, count: i32): f32 {
  let i = 0;
  let lanes = splat(0);
  let second = splat(0);
  let third = splat(0);
  let fourth = splat(0);
  for (; i + 16 <= count; i += 16) {
    const at = row + (i << 2);
    lanes = add(lanes, read(at));
    second = add(second, read(at + 16));
    third = add(third, read(at + 32));
    fourth = add(fourth, read(at + 48));
  }
  lanes = add(add(lanes, second), add(third, fourth));
  for (; i + 4 <= count; i += 4) lanes = add(lanes, read(row + (i << 2)));
  let sum = addLanes(lanes);
  for (; i < count; i++) sum += load<f32>(row + (i << 2));
  return sum;
}

/** Multiplies `count` values by a factor. */
// @ts-ignore: decorator
@inline export function rowScale(row: usize, count: i32, factor: f32): void {
  const all = splat(factor);
  let i = 0;
  for (; i + 4 <= count; i += 4) write(row + (i << 2), mul(read(row + (i << 2)), all));
  for (; i < count; i++) store<f32>(row + (i << 2), load<f32>(row + (i << 2)) * factor);
}
