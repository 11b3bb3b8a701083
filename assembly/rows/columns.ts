import { State, bytesOf } from '../frame';
import { LANES, interleaveHigh, interleaveLow, pairsHigh, pairsLow, read, write } from '../simd/lanes';
import { Slot, claim, slot } from '../slots';

// Between memory and slots that hold rows side by side: a column is one class of some rows, a vector of each LANES of them
// after another. Rows one after the other are transposed, as many as a vector has lanes at once; planes are copied.

/** The distance between the classes of `count` rows side by side. */
// @ts-ignore: decorator
@inline export function strideOf(count: i32): usize {
  return bytesOf((count + (LANES - 1)) & -LANES);
}

/** The bytes from a class of a row to the next. */
// @ts-ignore: decorator
@inline export function classBytes(call: State): usize {
  return call.stride > 1 ? bytesOf(call.stride) : sizeof<Float>();
}

/** The bytes from a row to the next. */
// @ts-ignore: decorator
@inline export function rowBytes(call: State): usize {
  return call.stride > 1 ? sizeof<Float>() : bytesOf(call.classes);
}

/** A slot with `width` columns of `count` rows, the last row again in the place of those that are not there. */
export function loadColumns<S extends Slot>(frame: usize, source: usize, count: i32, width: i32): void {
  takeColumns(changetype<State>(frame), frame + slot<S>(), source, count, width);
  claim<S>(frame, <usize>width * strideOf(count));
}

function takeColumns(call: State, into: usize, source: usize, count: i32, width: i32): void {
  const stride = strideOf(count);
  if (call.stride > 1) {
    for (let j = 0; j < width; j++) {
      const column = into + <usize>j * stride;
      copyVectors(column, source + <usize>j * classBytes(call), count);
      for (let r = count; r & (LANES - 1); r++) store<Float>(column + bytesOf(r), load<Float>(column + bytesOf(count - 1)));
    }
    return;
  }
  const pitch = rowBytes(call);
  for (let r = 0; r < count; r += LANES) {
    const from = source + <usize>r * pitch;
    if (width < LANES || r + LANES > count) placeRows(into + bytesOf(r), from, pitch, min(count - r, LANES), stride, width);
    else placeSome(into + bytesOf(r), from, pitch, stride, width);
  }
}

/** Writes `width` columns of `count` rows, which begin at `columns`, to where the first of them is at `out`. */
export function storeColumns(frame: usize, columns: usize, out: usize, count: i32, width: i32): void {
  const call = changetype<State>(frame);
  const stride = strideOf(count);
  if (call.stride > 1) {
    const step = classBytes(call);
    for (let j = 0; j < width; j++) copyVectors(out + <usize>j * step, columns + <usize>j * stride, count);
    return;
  }
  const pitch = rowBytes(call);
  let r = 0;
  if (width >= LANES) {
    for (; r + LANES <= count; r += LANES) takeSome(columns + bytesOf(r), out + <usize>r * pitch, pitch, stride, width);
  }
  for (; r < count; r++) {
    const into = out + <usize>r * pitch;
    const column = columns + bytesOf(r);
    for (let j = 0; j < width; j++) store<Float>(into + bytesOf(j), load<Float>(column + <usize>j * stride));
  }
}

// @ts-ignore: decorator
@inline function copyVectors(into: usize, from: usize, count: i32): void {
  let r = 0;
  for (; r + LANES <= count; r += LANES) write(into + bytesOf(r), read(from + bytesOf(r)));
  for (; r < count; r++) store<Float>(into + bytesOf(r), load<Float>(from + bytesOf(r)));
}

/** Brings as many rows as a vector has lanes to at least as many columns, a vector at a time, the last one again. */
// @ts-ignore: decorator
@inline function placeSome(column: usize, source: usize, pitch: usize, stride: usize, width: i32): void {
  const bytes = bytesOf(width);
  for (let o: usize = 0; o < bytes; o += 16) {
    const from = min(o, bytes - 16);
    transpose(source + from, pitch, column + (from >> alignof<Float>()) * stride, stride);
  }
}

/** And back: rows from their columns. */
// @ts-ignore: decorator
@inline function takeSome(column: usize, out: usize, pitch: usize, stride: usize, width: i32): void {
  const bytes = bytesOf(width);
  for (let o: usize = 0; o < bytes; o += 16) {
    const from = min(o, bytes - 16);
    transpose(column + (from >> alignof<Float>()) * stride, stride, out + from, pitch);
  }
}

// As many vectors as a vector has lanes, a stride apart, as the lanes of as many others.
// @ts-ignore: decorator
@inline function transpose(source: usize, sourceStride: usize, into: usize, stride: usize): void {
  const a = read(source);
  const b = read(source + sourceStride);
  if (sizeof<Float>() == 8) {
    write(into, pairsLow(a, b));
    write(into + stride, pairsHigh(a, b));
    return;
  }
  const c = read(source + sourceStride * 2);
  const d = read(source + sourceStride * 3);
  const low = interleaveLow(a, b);
  const lowNext = interleaveLow(c, d);
  const high = interleaveHigh(a, b);
  const highNext = interleaveHigh(c, d);
  write(into, pairsLow(low, lowNext));
  write(into + stride, pairsHigh(low, lowNext));
  write(into + stride * 2, pairsLow(high, highNext));
  write(into + stride * 3, pairsHigh(high, highNext));
}

/** The same a value at a time, for fewer rows or classes; the last row again in the place of those that are not there. */
function placeRows(column: usize, source: usize, pitch: usize, count: i32, stride: usize, width: i32): void {
  for (let lane = 0; lane < LANES; lane++) {
    const from = source + <usize>min(lane, count - 1) * pitch;
    for (let j = 0; j < width; j++) store<Float>(column + bytesOf(lane) + <usize>j * stride, load<Float>(from + bytesOf(j)));
  }
}
