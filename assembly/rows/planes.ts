import { State, bytesOf } from '../frame';
import { classBytes } from './columns';
import { LANES, SIGN, andNot, choose, every, isInteger, mul, negativeMask, read, storeInteger, write, xor } from '../simd/lanes';
import { VectorStage, eachVector } from '../simd/stage';
import { V0, wholeTiles } from '../simd/tile';
import { Labels, OthersSlope, Output, TargetSlope, claim, get, slot } from '../slots';

// Rows whose classes are planes, as segmentation models have them: element (row r, class j) at r + j stride. A vector is one
// class of some rows already, so that nothing is transposed. Their gradient is written plane by plane: labels are compared with
// the class at hand and address nothing.

/** Labels = the labels of rows, -1 where one is ignored or wrong and for rows beyond the last. */
export function takeLabels(frame: usize, start: i32, rows: i32): void {
  const call = changetype<State>(frame);
  const labels = frame + slot<Labels>();
  const source = call.targets + (start << 2);
  for (let r = 0; r < rows; r++) {
    const label = load<i32>(source + (r << 2));
    const isClass = <u32>label < <u32>call.classes;
    storeInteger(labels + bytesOf(r), isClass ? label : -1);
  }
  for (let r = rows; r < wholeTiles(rows); r++) storeInteger(labels + bytesOf(r), -1);
  claim<Labels>(frame, bytesOf(wholeTiles(rows)));
}

/** Turns the exponentials in the gradient into the gradient. */
export function writePlanes(frame: usize, start: i32, rows: i32): void {
  const call = changetype<State>(frame);
  const whole = bytesOf(rows & -LANES);
  const rest = bytesOf(rows & (LANES - 1));
  for (let j = 0; j < call.classes; j++) {
    const out = call.grad + bytesOf(start) + <usize>j * classBytes(call);
    eachVector<WritePlane>(frame, out, j, whole);
    if (rest == 0) continue;
    const pad = frame + slot<Output>(); // as if the plane lay there, up to its last rows
    memory.copy(pad + whole, out + whole, rest);
    writePlane(frame, whole, pad, j);
    memory.copy(out + whole, pad + whole, rest);
  }
}

/** The gradient of class y from the exponentials at x. */
@final
@unmanaged
class WritePlane extends VectorStage {
  @inline override vector(frame: usize, o: usize, x: usize, y: usize): void {
    writePlane(frame, o, x, <i32>y);
  }
}

// @ts-ignore: decorator
@inline function writePlane(frame: usize, o: usize, x: usize, y: i32): void {
  const at = frame + o;
  const labels = get<Labels, V0>(at);
  const others = mul(read(x + o), get<OthersSlope, V0>(at));
  const target = xor(get<TargetSlope, V0>(at), every(SIGN));
  write(x + o, andNot(choose(target, others, isInteger(labels, y)), negativeMask(labels)));
}
