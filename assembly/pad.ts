import { splat, store4 } from './lanes';
import { BLOCK, Frame, IGNORE, IGNORED, PAD_LOGITS, PAD_LOST, PAD_TARGETS, PROBABILITIES, SOFT, wholeTiles } from './layout';

// Copies of a block's inputs, as the stages want them: whole tiles, the rest filled with elements whose loss and
// derivatives are exactly 0; ignored elements replaced by such; targets smoothed, and as float32 where asked.

/** The logit (or probability) whose loss is 0 for target 0. */
// @ts-ignore: decorator
@inline function nothing(call: Frame): f32 {
  return call.flags & PROBABILITIES ? 0 : -Infinity;
}

/** Copies `count` float32 values from `source` to the slot at `pad`, filled up with `filler`. */
export function padFloats(pad: usize, source: usize, count: i32, filler: f32): void {
  memory.copy(pad, source, count << 2);
  fill(pad, count, wholeTiles(count), filler);
}

/** The slot at `pad` filled with one value, as far as a block of `count` elements, or a full one, goes. */
export function fillSlot(pad: usize, count: i32, value: f32): void {
  const lanes = splat(value);
  const end = pad + (<usize>wholeTiles(min(count, <i32>BLOCK)) << 2);
  for (let at = pad; at < end; at += 16) store4(at, lanes);
}

function fill(pad: usize, from: i32, to: i32, value: f32): void {
  for (let i = from; i < to; i++) store<f32>(pad + (i << 2), value);
}

/** Pads logits, and replaces those whose target is ignored. */
export function padLogits(frame: usize, logits: usize, targets: usize, count: i32): void {
  const call = changetype<Frame>(frame);
  const pad = frame + PAD_LOGITS;
  padFloats(pad, logits, count, nothing(call));
  if (!(call.flags & IGNORE)) return;
  for (let i = 0; i < count; i++) {
    if (isIgnored(call, targets, i)) store<f32>(pad + (i << 2), nothing(call));
  }
}

/** Pads byte targets. */
export function padBytes(frame: usize, targets: usize, count: i32): void {
  const pad = frame + PAD_TARGETS;
  memory.fill(pad, 0, wholeTiles(count));
  memory.copy(pad, targets, count);
  if (!(changetype<Frame>(frame).flags & IGNORE)) return;
  for (let i = 0; i < count; i++) if (load<u8>(pad + i) == IGNORED) store<u8>(pad + i, 0);
}

/** Pads targets as float32, smoothed: y (1 - s) + s / 2. */
export function padSoft(frame: usize, targets: usize, count: i32): void {
  const call = changetype<Frame>(frame);
  const pad = frame + PAD_TARGETS;
  const keep = 1 - call.labelSmoothing;
  const half = call.labelSmoothing / 2;
  const bytes = !(call.flags & SOFT);
  const ignore = (call.flags & IGNORE) != 0;
  for (let i = 0; i < count; i++) {
    const y: f64 = bytes ? <f64>load<u8>(targets + i) : <f64>load<f32>(targets + (i << 2));
    const ignored = ignore && isIgnored(call, targets, i);
    const smoothed = ignored ? 0 : y * keep + half;
    store<f32>(pad + (i << 2), <f32>smoothed);
    store<f32>(frame + PAD_LOST + (i << 2), <f32>(smoothed - <f64><f32>smoothed));
  }
  fill(pad, count, wholeTiles(count), 0);
  fill(frame + PAD_LOST, count, wholeTiles(count), 0);
}

/** Writes 0 where the target is ignored. */
export function clearIgnored(call: Frame, out: usize, targets: usize, count: i32): void {
  for (let i = 0; i < count; i++) if (isIgnored(call, targets, i)) store<f32>(out + (i << 2), 0);
}

function isIgnored(call: Frame, targets: usize, i: i32): bool {
  if (call.flags & SOFT) return load<f32>(targets + (i << 2)) == <f32>call.ignore;
  return load<u8>(targets + i) == IGNORED;
}
