import { BAD_TARGET } from '../../src/abi';
import { IGNORED, State } from '../frame';
import { addBytes } from '../simd/lanes';
import { BLOCK } from '../simd/tile';
import { LabelBytes, slot } from '../slots';

// One label a row stands for a target of each class: the bytes of some blocks are made here, when the first of them is at
// hand, so that nobody holds them for a whole array.
//
// Elements lie as [images, classes, stride], and labels as [images, stride]. Where stride is 1 an image is a row.

/** Elements whose bytes are made at once: as many as the slot holds, four blocks. */
const GROUP: i32 = BLOCK * <i32>sizeof<Float>();

/** The address of the target bytes of the block from `start` on; `ignores` of the call says whether any may be ignored. */
export function takeLabels(frame: usize, start: i32): usize {
  const place = start % GROUP;
  if (place == 0) makeBytes(frame, start);
  return frame + slot<LabelBytes>() + place;
}

/** Makes the target bytes of a group from `start` on and counts them. */
function makeBytes(frame: usize, start: i32): void {
  const call = changetype<State>(frame);
  const bytes = frame + slot<LabelBytes>();
  const count = min(call.count - start, GROUP);
  call.ignores = 0;
  const positives = call.stride > 1 ? bytesOfPlanes(call, bytes, start, count) : bytesOfRows(call, bytes, start, count);
  call.positives += <f64>positives;
  call.negatives += <f64>(count - call.ignores - positives);
}

/** Counts the targets of all blocks, and evaluates nothing. */
export function countLabels(frame: usize): void {
  const count = changetype<State>(frame).count;
  for (let start = 0; start < count; start += GROUP) makeBytes(frame, start);
}

/** Of rows one after the other: at most one byte is set in each. Returns how many are. */
function bytesOfRows(call: State, bytes: usize, start: i32, count: i32): i32 {
  for (let i: usize = 0; i < <usize>GROUP; i += 32) {
    v128.store(bytes + i, i8x16.splat(0));
    v128.store(bytes + i, i8x16.splat(0), 16);
  }
  const classes = max(call.classes, 1);
  const first = call.first + start;
  const row = first / classes;
  let label = call.targets + (<usize>row << 2);
  let positives = 0;
  for (let from = row * classes - first; from < count; from += classes) {
    const value = load<i32>(label);
    label += 4;
    // no branch: which rows have a class cannot be foreseen
    const isClass = i32(<u32>value < <u32>classes);
    const at = from + (value & -isClass);
    if (<u32>at < <u32>count) { // else in another group
      store<u8>(bytes + at, isClass);
      positives += isClass;
    }
    if (<u32>value > <u32>classes) ignoreRow(call, bytes, value, max(from, 0), min(from + classes, count));
  }
  return positives;
}

/** Marks the bytes of a row whose label, which -1 alone is meant to be, is none. */
function ignoreRow(call: State, bytes: usize, value: i32, begin: i32, end: i32): void {
  if (value != -1) call.bad |= BAD_TARGET;
  call.ignores += end - begin;
  memory.fill(bytes + begin, IGNORED, end - begin);
}

/** Of planes, one a class: the pixels of one plane are compared to its class. Returns how many are of it. */
function bytesOfPlanes(call: State, bytes: usize, start: i32, count: i32): i32 {
  const classes = max(call.classes, 1);
  const stride = call.stride;
  let plane = (call.first + start) / stride;
  let pixel = call.first + start - plane * stride;
  let positives = 0;
  for (let at = 0; at < count; ) {
    const image = plane / classes;
    const run = min(count - at, stride - pixel);
    const labels = call.targets + (<usize>(image * stride + pixel) << 2);
    positives += bytesOfPlane(call, bytes + at, labels, run, plane - image * classes);
    at += run;
    plane++;
    pixel = 0;
  }
  return positives;
}

function bytesOfPlane(call: State, bytes: usize, labels: usize, count: i32, category: i32): i32 {
  const same = i32x4.splat(category);
  let ones = i8x16.splat(0); // of at most 80 vectors
  let largest = i32x4.splat(0); // as unsigned integers: -1 is larger than any label
  let i = 0;
  for (; i + 16 <= count; i += 16) {
    const at = labels + (<usize>i << 2);
    const a = v128.load(at);
    const b = v128.load(at, 16);
    const c = v128.load(at, 32);
    const d = v128.load(at, 48);
    const words = i16x8.narrow_i32x4_s(i32x4.eq(a, same), i32x4.eq(b, same));
    const others = i16x8.narrow_i32x4_s(i32x4.eq(c, same), i32x4.eq(d, same));
    const targets = v128.and(i8x16.narrow_i16x8_s(words, others), i8x16.splat(1));
    v128.store(bytes + i, targets);
    ones = i8x16.add(ones, targets);
    largest = i32x4.max_u(largest, i32x4.max_u(i32x4.max_u(a, b), i32x4.max_u(c, d)));
  }
  let positives = addBytes(ones);
  let outside: bool = v128.any_true(i32x4.gt_u(largest, i32x4.splat(call.classes)));
  for (; i < count; i++) {
    const value = load<i32>(labels + (<usize>i << 2));
    const target: u8 = value == category ? 1 : 0;
    positives += target;
    outside = outside || <u32>value > <u32>call.classes;
    store<u8>(bytes + i, target);
  }
  if (outside) markIgnored(call, bytes, labels, count);
  return positives;
}

/** Marks the bytes of labels that are not in [0, classes], of which -1 alone is meant to be. */
function markIgnored(call: State, bytes: usize, labels: usize, count: i32): void {
  for (let i = 0; i < count; i++) {
    const value = load<i32>(labels + (<usize>i << 2));
    if (<u32>value <= <u32>call.classes) continue;
    if (value != -1) call.bad |= BAD_TARGET;
    call.ignores++;
    store<u8>(bytes + i, IGNORED);
  }
}
