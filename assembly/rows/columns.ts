import { State } from '../frame';
import { interleaveHigh, interleaveLow, pairsHigh, pairsLow, read, write } from '../simd/lanes';
import { Slot, claim, slot } from '../slots';

// Between memory and slots that hold rows side by side: a column is one class of some rows, a vector of each four of them
// after another. Rows one after the other are transposed by four; planes are copied.

/** The distance between the classes of `count` rows side by side. */
// @ts-ignore: decorator
@inline export function strideOf(count: i32): usize {
  return <usize>((count + 3) & ~3) << 2;
}

/** The bytes from a class of a row to the next. */
// @ts-ignore: decorator
@inline export function classBytes(call: State): usize {
  return call.stride > 1 ? <usize>call.stride << 2 : 4;
}

/** The bytes from a row to the next. */
// @ts-ignore: decorator
@inline export function rowBytes(call: State): usize {
  return call.stride > 1 ? 4 : <usize>call.classes << 2;
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
      for (let r = count; r & 3; r++) store<f32>(column + (r << 2), load<f32>(column + (<usize>(count - 1) << 2)));
    }
    return;
  }
  const pitch = rowBytes(call);
  for (let r = 0; r < count; r += 4) {
    const from = source + <usize>r * pitch;
    if (width < 4 || r + 4 > count) placeRows(into + (r << 2), from, pitch, min(count - r, 4), stride, width);
    else placeFour(into + (r << 2), from, pitch, stride, width);
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
  if (width >= 4) {
    for (; r + 4 <= count; r += 4) takeFour(columns + (r << 2), out + <usize>r * pitch, pitch, stride, width);
  }
  for (; r < count; r++) {
    const into = out + <usize>r * pitch;
    const column = columns + (r << 2);
    for (let j = 0; j < width; j++) store<f32>(into + (j << 2), load<f32>(column + <usize>j * stride));
  }
}

// @ts-ignore: decorator
@inline function copyVectors(into: usize, from: usize, count: i32): void {
  let r = 0;
  for (; r + 4 <= count; r += 4) write(into + (r << 2), read(from + (r << 2)));
  for (; r < count; r++) store<f32>(into + (r << 2), load<f32>(from + (r << 2)));
}

/** Brings four rows to at least four columns, four at a time, the last four again. */
// @ts-ignore: decorator
@inline function placeFour(column: usize, source: usize, pitch: usize, stride: usize, width: i32): void {
  const bytes = <usize>width << 2;
  for (let o: usize = 0; o < bytes; o += 16) {
    const from = min(o, bytes - 16);
    transpose(source + from, pitch, column + (from >> 2) * stride, stride);
  }
}

/** And back: four rows from their columns. */
// @ts-ignore: decorator
@inline function takeFour(column: usize, out: usize, pitch: usize, stride: usize, width: i32): void {
  const bytes = <usize>width << 2;
  for (let o: usize = 0; o < bytes; o += 16) {
    const from = min(o, bytes - 16);
    transpose(column + (from >> 2) * stride, stride, out + from, pitch);
  }
}

// Four vectors that lie a stride apart, as the lanes of four others.
// @ts-ignore: decorator
@inline function transpose(source: usize, sourceStride: usize, into: usize, stride: usize): void {
  const a = read(source);
  const b = read(source + sourceStride);
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
  for (let lane = 0; lane < 4; lane++) {
    const from = source + <usize>min(lane, count - 1) * pitch;
    for (let j = 0; j < width; j++) store<f32>(column + (lane << 2) + <usize>j * stride, load<f32>(from + (j << 2)));
  }
}
