import { BAD_TARGET } from '../../src/abi';
import { State, bytesOf } from '../frame';
import { ROW_REDUCE, exponentiateRow, reduceLogits } from './exponential';
import { farMask, logsOf, scaleRows } from './side-by-side';
import {
  ONE,
  SIGN,
  add,
  and,
  andNot,
  any,
  choose,
  equalMask,
  every,
  isInteger,
  larger,
  mul,
  negativeMask,
  or,
  read,
  sub,
  write,
  xor,
  zero,
} from '../simd/lanes';
import { VectorStage, eachVector } from '../simd/stage';
import { V0, wholeTiles } from '../simd/tile';
import {
  Denominator,
  Exponential,
  Hinge,
  Labels,
  Largest,
  Logits,
  Lowest,
  Numerator,
  Others,
  OthersSlope,
  Output,
  Rounding,
  Shift,
  Slot,
  TargetLogit,
  TargetSlope,
  claim,
  get,
  put,
  slot,
} from '../slots';

// Rows whose classes are planes, as segmentation models have them: element (row r, class j) at r + j stride. A vector is one
// class of four rows, and the part of a plane that up to BLOCK rows have takes the slots at once, one class after the other:
// nothing is transposed, and no number of classes needs more memory. Labels are compared with the class at hand and address
// nothing.

/** The bytes from a class to the next. */
// @ts-ignore: decorator
@inline export function planeBytes(call: State): usize {
  return <usize>call.stride << 2;
}

// @ts-ignore: decorator
@inline function vectorBytes(rows: i32): usize {
  return <usize>((rows + 3) & ~3) << 2;
}

/** Brings rows to Denominator, Numerator, Others and Hinge as `group` of evaluate.ts wants them, their exponentials to the output. */
export function exponentiatePlanes(frame: usize, start: i32, rows: i32): void {
  const call = changetype<State>(frame);
  const bytes = vectorBytes(rows);
  takeLabels(frame, start, rows);
  const isFar = measure(frame, start, rows);
  // Numerator and Others are the sums of every other class, as sumAcross has them.
  eachVector<ClearSums>(frame, 0, 0, bytes);
  for (let j = 0; j < call.classes; j++) {
    const offset = (<usize>start << 2) + <usize>j * planeBytes(call);
    const x = planeOf(frame, call.logits + offset, rows, isFar);
    eachVector<ReducePlane>(frame, x, 0, bytes);
    exponentiateRow(frame, rows);
    if (j & 1) eachVector<AddPlane<Others>>(frame, x, j, bytes);
    else eachVector<AddPlane<Numerator>>(frame, x, j, bytes);
    if (call.grad) memory.copy(call.grad + offset, frame + slot<Exponential>(), rows << 2);
  }
  eachVector<CloseSums>(frame, 0, 0, bytes);
}

/** Labels = the labels of rows, -1 where one is ignored or wrong and for rows beyond the last. */
function takeLabels(frame: usize, start: i32, rows: i32): void {
  const call = changetype<State>(frame);
  const labels = frame + slot<Labels>();
  const source = call.targets + (start << 2);
  let kept = 0;
  for (let r = 0; r < rows; r++) {
    const label = load<i32>(source + (r << 2));
    const isClass = <u32>label < <u32>call.classes;
    if (!isClass && label != -1) call.bad |= BAD_TARGET;
    if (isClass) kept++;
    store<i32>(labels + (r << 2), isClass ? label : -1);
  }
  for (let r = rows; r < wholeTiles(rows); r++) store<i32>(labels + (r << 2), -1);
  call.positives += <f64>kept;
  claim<Labels>(frame, bytesOf(wholeTiles(rows)));
}

/** Where whole vectors of a plane's part can be read: in place, or in Logits. */
// @ts-ignore: decorator
@inline function planeOf(frame: usize, source: usize, rows: i32, isFar: bool): usize {
  if (!isFar && (rows & 3) == 0) return source;
  return copyPlane(frame, source, rows, isFar);
}

function copyPlane(frame: usize, source: usize, rows: i32, isFar: bool): usize {
  memory.copy(frame + slot<Logits>(), source, rows << 2);
  claim<Logits>(frame, bytesOf(wholeTiles(rows)));
  if (isFar) eachVector<Lower>(frame, 0, 0, vectorBytes(rows));
  return frame + slot<Logits>();
}

/** Largest, Hinge, Lowest and Rounding of rows; whether the logits of some are to be lowered by Shift. */
function measure(frame: usize, start: i32, rows: i32): bool {
  const call = changetype<State>(frame);
  const bytes = vectorBytes(rows);
  const first = call.logits + (start << 2);
  eachVector<TakePlane>(frame, planeOf(frame, first, rows, false), 0, bytes);
  for (let j = 1; j < call.classes; j++) {
    eachVector<RaisePlane>(frame, planeOf(frame, first + <usize>j * planeBytes(call), rows, false), 0, bytes);
  }
  let far = zero();
  for (let o: usize = 0; o < bytes; o += 16) {
    const largest = get<Largest, V0>(frame + o);
    const mask = farMask(largest);
    far = or(far, mask);
    put<Shift, V0>(frame + o, and(largest, mask));
    scaleRows(frame + o, frame + o, andNot(largest, mask));
  }
  return any(far);
}

/** Largest = the logits at x. */
@final
@unmanaged
class TakePlane extends VectorStage {
  @inline override vector(frame: usize, o: usize, x: usize, y: usize): void {
    put<Largest, V0>(frame + o, read(x + o));
  }
}

/** Largest = the larger of what it was and the logits at x. */
@final
@unmanaged
class RaisePlane extends VectorStage {
  @inline override vector(frame: usize, o: usize, x: usize, y: usize): void {
    put<Largest, V0>(frame + o, larger(get<Largest, V0>(frame + o), read(x + o)));
  }
}

/** Logits -= Shift, an infinite one being at no distance from itself. */
@final
@unmanaged
class Lower extends VectorStage {
  @inline override vector(frame: usize, o: usize, x: usize, y: usize): void {
    const logits = get<Logits, V0>(frame + o);
    const shift = get<Shift, V0>(frame + o);
    put<Logits, V0>(frame + o, andNot(sub(logits, shift), equalMask(logits, shift)));
  }
}

/** Remainder and Scale of the logits at x. */
@final
@unmanaged
class ReducePlane extends VectorStage {
  @inline override vector(frame: usize, o: usize, x: usize, y: usize): void {
    const at = frame + o;
    const log2e = every(ROW_REDUCE);
    const high = every(ROW_REDUCE + 4);
    const low = every(ROW_REDUCE + 8);
    reduceLogits(at, read(x + o), get<Lowest, V0>(at), log2e, get<Rounding, V0>(at), high, low);
  }
}

@final
@unmanaged
class ClearSums extends VectorStage {
  @inline override vector(frame: usize, o: usize, x: usize, y: usize): void {
    put<Numerator, V0>(frame + o, zero());
    put<Others, V0>(frame + o, zero());
    put<Denominator, V0>(frame + o, zero());
    put<TargetLogit, V0>(frame + o, zero());
  }
}

/** Adds the exponentials of class y, whose logits are at x, to Sum, or takes them as those of the target. */
@final
@unmanaged
class AddPlane<Sum extends Slot> extends VectorStage {
  @inline override vector(frame: usize, o: usize, x: usize, y: usize): void {
    const at = frame + o;
    const isTarget = isInteger(get<Labels, V0>(at), <i32>y);
    const e = get<Exponential, V0>(at);
    put<Sum, V0>(at, add(get<Sum, V0>(at), andNot(e, isTarget)));
    put<Denominator, V0>(at, choose(e, get<Denominator, V0>(at), isTarget));
    put<TargetLogit, V0>(at, choose(read(x + o), get<TargetLogit, V0>(at), isTarget));
  }
}

/** The sums of all classes; rows without a label become rows of no loss. */
@final
@unmanaged
class CloseSums extends VectorStage {
  @inline override vector(frame: usize, o: usize, x: usize, y: usize): void {
    const at = frame + o;
    const isIgnored = negativeMask(get<Labels, V0>(at));
    const others = andNot(add(get<Numerator, V0>(at), get<Others, V0>(at)), isIgnored);
    put<Numerator, V0>(at, others);
    put<Others, V0>(at, others);
    put<Denominator, V0>(at, choose(every(ONE), get<Denominator, V0>(at), isIgnored));
    put<Hinge, V0>(at, andNot(logsOf(get<TargetLogit, V0>(at), get<Hinge, V0>(at)), isIgnored));
  }
}

/** Turns the exponentials in the gradient into the gradient. */
export function writePlanes(frame: usize, start: i32, rows: i32): void {
  const call = changetype<State>(frame);
  const whole = <usize>(rows & ~3) << 2;
  const rest = <usize>(rows & 3) << 2;
  for (let j = 0; j < call.classes; j++) {
    const out = call.grad + (<usize>start << 2) + <usize>j * planeBytes(call);
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
