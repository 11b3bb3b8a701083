import { BAD_TARGET } from '../../src/abi';
import { IGNORED, State } from '../frame';
import { addBytes } from '../simd/lanes';
import { BLOCK } from '../simd/tile';
import { LabelBytes, slot } from '../slots';

// One label a row stands for a target of each class: the bytes of a block are made here, when the block is at hand, so that
// nobody holds them for a whole array.
//
// Elements lie as [images, classes, stride], and labels as [images, stride]. Where stride is 1 an image is a row.

/**
 * Makes the target bytes of `count` elements from `start` on and counts them. Returns their address; `ignores` of the call
 * says whether any is ignored.
 */
export function takeLabels(frame: usize, start: i32, count: i32): usize {
  const call = changetype<State>(frame);
  const bytes = frame + slot<LabelBytes>();
  for (let i: usize = 0; i < <usize>BLOCK; i += 16) v128.store(bytes + i, i8x16.splat(0));
  if (call.stride > 1) bytesOfPlanes(call, bytes, start, count);
  else bytesOfRows(call, bytes, start, count);
  record(call, bytes, count);
  return bytes;
}

/** Counts the targets of all blocks, and evaluates nothing. */
export function countLabels(frame: usize): void {
  const count = changetype<State>(frame).count;
  for (let start = 0; start < count; start += BLOCK) takeLabels(frame, start, min(count - start, BLOCK));
}

/** Counts bytes of which those beyond `count` are 0. */
function record(call: State, bytes: usize, count: i32): void {
  let ones = i8x16.splat(0);
  let twos = i8x16.splat(0); // bytes of at most 2, once for each of the 20 vectors of a block
  for (let i: usize = 0; i < <usize>BLOCK; i += 16) {
    const targets = v128.load(bytes + i);
    ones = i8x16.add(ones, v128.and(targets, i8x16.splat(1)));
    twos = i8x16.add(twos, v128.and(targets, i8x16.splat(IGNORED)));
  }
  const positives = addBytes(ones);
  const ignored = addBytes(twos) >> 1;
  call.positives += <f64>positives;
  call.negatives += <f64>(count - ignored - positives);
  call.ignores = ignored;
}

/** Of rows one after the other: one byte is set in each. */
function bytesOfRows(call: State, bytes: usize, start: i32, count: i32): void {
  const classes = max(call.classes, 1);
  const first = call.first + start;
  let label = call.targets + (<usize>(first / classes) << 2);
  for (let from = -(first % classes); from < count; from += classes) {
    const value = load<i32>(label);
    label += 4;
    if (<u32>value < <u32>classes) {
      const at = from + value;
      if (at >= 0 && at < count) store<u8>(bytes + at, 1);
    } else if (value != classes) {
      if (value != -1) call.bad |= BAD_TARGET;
      const begin = max(from, 0);
      memory.fill(bytes + begin, IGNORED, min(from + classes, count) - begin);
    }
  }
}

/** Of planes, one a class: the pixels of one plane are compared to its class. */
function bytesOfPlanes(call: State, bytes: usize, start: i32, count: i32): void {
  const classes = max(call.classes, 1);
  const stride = call.stride;
  for (let at = 0; at < count; ) {
    const element = call.first + start + at;
    const plane = element / stride;
    const pixel = element % stride;
    const run = min(count - at, stride - pixel);
    const labels = call.targets + (<usize>((plane / classes) * stride + pixel) << 2);
    if (bytesOfPlane(bytes + at, labels, run, plane % classes, classes)) call.bad |= BAD_TARGET;
    at += run;
  }
}

/** Returns whether any label is none at all. */
function bytesOfPlane(bytes: usize, labels: usize, count: i32, category: i32, classes: i32): bool {
  let bad = i32x4.splat(0);
  let i = 0;
  for (; i + 16 <= count; i += 16) {
    const at = labels + (<usize>i << 2);
    const a = v128.load(at);
    const b = v128.load(at, 16);
    const c = v128.load(at, 32);
    const d = v128.load(at, 48);
    const same = i32x4.splat(category);
    const last = i32x4.splat(classes);
    const outsideA = i32x4.gt_u(a, last);
    const outsideB = i32x4.gt_u(b, last);
    const outsideC = i32x4.gt_u(c, last);
    const outsideD = i32x4.gt_u(d, last);
    const ones = narrowMasks(i32x4.eq(a, same), i32x4.eq(b, same), i32x4.eq(c, same), i32x4.eq(d, same));
    const ignored = narrowMasks(outsideA, outsideB, outsideC, outsideD);
    const both = v128.or(v128.and(ones, i8x16.splat(1)), v128.and(ignored, i8x16.splat(IGNORED)));
    v128.store(bytes + i, both);
    // of what is outside, -1 alone is meant to be
    bad = v128.or(bad, v128.or(isNoLabel(a, outsideA), isNoLabel(b, outsideB)));
    bad = v128.or(bad, v128.or(isNoLabel(c, outsideC), isNoLabel(d, outsideD)));
  }
  let any: bool = v128.any_true(bad);
  for (; i < count; i++) {
    const value = load<i32>(labels + (<usize>i << 2));
    const outside = <u32>value > <u32>classes;
    any = any || (outside && value != -1);
    store<u8>(bytes + i, outside ? IGNORED : value == category ? 1 : 0);
  }
  return any;
}

// @ts-ignore: decorator
@inline function isNoLabel(labels: v128, outside: v128): v128 {
  return v128.andnot(outside, i32x4.eq(labels, i32x4.splat(-1)));
}

// Sixteen masks of 32 bits as bytes.
// @ts-ignore: decorator
@inline function narrowMasks(a: v128, b: v128, c: v128, d: v128): v128 {
  return i8x16.narrow_i16x8_s(i16x8.narrow_i32x4_s(a, b), i16x8.narrow_i32x4_s(c, d));
}
