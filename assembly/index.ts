import { Flag } from '../src/abi';
import { countTargets } from './elements/count-targets';
import { bfloat16ToFloats, float16ToFloats } from './elements/half-floats';
import { labelsToBytes } from './elements/labels-to-bytes';
import { countLabels } from './elements/labels';
import { Frame, has } from './frame';
import { focal } from './losses/focal';
import { elementPosterior } from './posterior/elements';
import { rowPosterior } from './posterior/rows';
import { evaluateRows } from './rows/evaluate';
import { WORK_BYTES } from './slots';

// The ABI, documented in docs/abi.md: a line an export.

/** The first free address; a frame may lie here. */
export function base(): usize {
  return (__heap_base + 63) & ~63;
}

/** Bytes of a frame with its scratch. */
export function workBytes(): usize {
  return WORK_BYTES;
}

/** Binary losses of logits (or probabilities) and targets. */
export function binary(frame: usize): void {
  focal(frame);
}

// The losses beside it.
export { asymmetric, heatmap, quality, varifocal } from './losses/family';

/** Counts of the targets by class, and whether any is outside its range. */
export function census(frame: usize): void {
  countTargets(frame);
  if (has(changetype<Frame>(frame), Flag.labels)) countLabels(frame);
}

/** Softmax focal loss of rows [count, classes] with i32 labels, -1 = ignored. */
export function softmax(frame: usize): void {
  evaluateRows(frame);
}

/** The class probabilities behind `count` logits, written to the frame's loss address. */
export function posterior(frame: usize): void {
  elementPosterior(frame);
}

/** The same for rows [count, classes]. */
export function softmaxPosterior(frame: usize): void {
  rowPosterior(frame);
}

/** Numbers of 16 bits to float32, exactly. */
export function float16(source: usize, destination: usize, count: i32): void {
  float16ToFloats(source, destination, count);
}

export function bfloat16(source: usize, destination: usize, count: i32): void {
  bfloat16ToFloats(source, destination, count);
}

/** Labels of 1, 4 or 8 bytes to bytes 0, 1 and 2 = ignored; whether any was none of these. */
export function narrow8(source: usize, destination: usize, count: i32, ignore: f64): bool {
  return labelsToBytes<u8>(source, destination, count, ignore);
}

export function narrow32(source: usize, destination: usize, count: i32, ignore: f64): bool {
  return labelsToBytes<i32>(source, destination, count, ignore);
}

export function narrow64(source: usize, destination: usize, count: i32, ignore: f64): bool {
  return labelsToBytes<i64>(source, destination, count, ignore);
}
