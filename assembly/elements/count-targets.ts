import { BAD_TARGET, Flag } from '../../src/abi';
import { ignoredTarget, targetAt } from './inputs';
import { Frame, IGNORED, bytesOf, has } from '../frame';
import { addBytes, addIntegers, splat } from '../simd/lanes';

// Counts the targets by class and finds out whether any is outside its range. Reads nothing but them.

/** Counts the targets of a call into the frame's results. */
export function countTargets(frame: usize): void {
  const call = changetype<Frame>(frame);
  const targets = call.targets;
  const count = call.count;
  clearCounts(call);
  if (isDefined(LITE)) {
    if (has(call, Flag.soft) || has(call, Flag.ignore)) countKept(call, targets, count);
    else countBytes(call, targets, count);
    return;
  }
  if (has(call, Flag.labels)) return; // they are counted block by block, see labels.ts
  if (has(call, Flag.ignore)) {
    if (has(call, Flag.soft)) countKept(call, targets, count);
    else countBytesKept(call, targets, count);
  } else if (has(call, Flag.soft)) countSoft(call, targets, count);
  else countBytes(call, targets, count);
}

// @ts-ignore: decorator
@inline export function clearCounts(call: Frame): void {
  call.positives = 0;
  call.negatives = 0;
  call.bad = 0;
}

// @ts-ignore: decorator
@inline function record(call: Frame, kept: i32, positives: i32, bad: bool): void {
  call.positives += <f64>positives;
  call.negatives += <f64>(kept - positives);
  call.bad |= bad ? BAD_TARGET : 0;
}

function countBytes(call: Frame, targets: usize, count: i32): void {
  let positives = 0;
  let seen = i8x16.splat(0);
  // Addresses and lengths are unsigned: near 2^31 an index of i32 could not be added to.
  const end = targets + max(count, 0);
  let at = targets;
  while (end - at >= 16) {
    // A lane of bytes holds 255 ones.
    const stop = at + min((end - at) & ~15, 255 * 16);
    let ones = i8x16.splat(0);
    for (; at < stop; at += 16) {
      const bytes = v128.load(at);
      seen = v128.or(seen, bytes);
      ones = i8x16.add(ones, bytes);
    }
    positives += addBytes(ones);
  }
  let bad: bool = v128.any_true(v128.andnot(seen, i8x16.splat(1)));
  for (; at < end; at++) {
    const byte = load<u8>(at);
    positives += byte;
    bad = bad || byte > 1;
  }
  record(call, max(count, 0), positives, bad);
}

function countBytesKept(call: Frame, targets: usize, count: i32): void {
  const one = i8x16.splat(1);
  const two = i8x16.splat(IGNORED);
  let positives = 0;
  let ignored = 0;
  let highest = i8x16.splat(0);
  const end = targets + max(count, 0);
  let at = targets;
  while (end - at >= 16) {
    const stop = at + min((end - at) & ~15, 255 * 16);
    let ones = i8x16.splat(0);
    let twos = i8x16.splat(0);
    for (; at < stop; at += 16) {
      const bytes = v128.load(at);
      highest = i8x16.max_u(highest, bytes);
      ones = i8x16.sub(ones, i8x16.eq(bytes, one));
      twos = i8x16.sub(twos, i8x16.eq(bytes, two));
    }
    positives += addBytes(ones);
    ignored += addBytes(twos);
  }
  let bad: bool = v128.any_true(i8x16.gt_u(highest, two));
  for (; at < end; at++) {
    const byte = load<u8>(at);
    positives += byte == 1 ? 1 : 0;
    ignored += byte == IGNORED ? 1 : 0;
    bad = bad || byte > IGNORED;
  }
  record(call, max(count, 0) - ignored, positives, bad);
}

function countSoft(call: Frame, targets: usize, count: i32): void {
  if (sizeof<Float>() == 8) return countDoubles(call, targets, count);
  // As integers, numbers in [0, 1] are those up to the bits of 1, and -0.
  let highest = i32x4.splat(0);
  let above = i32x4.splat(0);
  const positiveAbove = splat(<Float>call.positiveAbove);
  let i = 0;
  for (; i + 8 <= count; i += 8) {
    const a = v128.load(targets + (i << 2));
    const b = v128.load(targets + (i << 2), 16);
    highest = i32x4.max_u(highest, i32x4.max_u(a, b));
    above = i32x4.add(above, i32x4.add(i32x4.gt_s(a, positiveAbove), i32x4.gt_s(b, positiveAbove)));
  }
  let positives = -addIntegers(above);
  const suspect = v128.any_true(i32x4.gt_u(highest, i32x4.splat(0x3f800000)));
  let bad: bool = suspect && anyOutside(targets, i);
  for (; i < count; i++) {
    const y = load<Float>(targets + bytesOf(i));
    if (y > <Float>call.positiveAbove) positives++;
    bad = bad || isOutside(y);
  }
  record(call, count, positives, bad);
}

/** The same of float64: no integers of 64 bits have a maximum. */
function countDoubles(call: Frame, targets: usize, count: i32): void {
  const one = splat(1);
  const zero = splat(0);
  const positiveAbove = splat(<Float>call.positiveAbove);
  let inside = i64x2.splat(-1);
  let above = i64x2.splat(0);
  let i = 0;
  for (; i + 2 <= count; i += 2) {
    const y = v128.load(targets + bytesOf(i));
    inside = v128.and(inside, v128.and(f64x2.ge(y, zero), f64x2.le(y, one)));
    above = i64x2.add(above, f64x2.gt(y, positiveAbove));
  }
  let positives = -<i32>(i64x2.extract_lane(above, 0) + i64x2.extract_lane(above, 1));
  let bad: bool = v128.any_true(v128.not(inside));
  if (i < count) {
    const y = load<Float>(targets + bytesOf(i));
    if (y > <Float>call.positiveAbove) positives++;
    bad = bad || isOutside(y);
  }
  record(call, count, positives, bad);
}

function anyOutside(targets: usize, count: i32): bool {
  for (let i = 0; i < count; i++) if (isOutside(load<Float>(targets + bytesOf(i)))) return true;
  return false;
}

/** Whether a soft target is outside [0, 1], or NaN. */
// @ts-ignore: decorator
@inline function isOutside(y: Float): bool {
  return !(y >= 0 && y <= 1);
}

/** Soft targets, of which some may be ignored; in the lite build all that are not bytes of which none is ignored. */
function countKept(call: Frame, targets: usize, count: i32): void {
  const ignore = ignoredTarget(call);
  let positives = 0;
  let kept = 0;
  let bad: bool = false;
  for (let i = 0; i < count; i++) {
    const y = targetAt(call, targets, i);
    if (y == ignore) continue;
    kept++;
    if (y > <Float>call.positiveAbove) positives++;
    bad = bad || isOutside(y);
  }
  record(call, kept, positives, bad);
}
