import { BAD_TARGET } from '../../src/abi';
import { fillTile } from '../elements/inputs';
import { CLASS_AT_HAND, State, bytesOf } from '../frame';
import { classBytes } from './columns';
import { ROW_REDUCE, reduceTwo } from './exponential';
import { EVEN, Exponentiate, evenPart } from '../math/exponential';
import { farMask, logsOf, scaleRows } from './side-by-side';
import {
  ONE,
  SIGN,
  add,
  add32,
  addIntegers,
  and,
  andNot,
  any,
  belowMask,
  choose,
  div,
  equalIntegers,
  equalMask,
  every,
  integers,
  larger,
  mul,
  mul32,
  negativeMask,
  not,
  nth,
  or,
  read,
  smaller32,
  splat32,
  storeInteger,
  sub,
  sub32,
  write,
  write2,
  xor,
  zero,
} from '../simd/lanes';
import { PairStage, TileStage, VectorStage, eachPair, eachTile, eachVector } from '../simd/stage';
import { V0, V2, fillsTiles, wholeTiles } from '../simd/tile';
import {
  Denominator,
  EvenSum,
  Exponential,
  Hinge,
  Labels,
  Largest,
  Logits,
  Lowest,
  Numerator,
  OddSum,
  Others,
  OthersSlope,
  Output,
  Remainder,
  Rounding,
  Scale,
  TargetSlope,
  claim,
  get,
  next,
  put,
  put2,
  putNumber,
  slot,
} from '../slots';

// Rows whose classes are planes, as segmentation models have them: element (row r, class j) at r + j stride. A vector is one
// class of some rows already, so that a class of a block of rows is a block of elements: nothing is transposed, and what a row
// adds up stays in its lane. Labels are checked before they address anything.

/** More exponentials in two sums would lose more than a row of as many classes. */
export const MOST_PLANES: i32 = 128;

// From the sum of classes of even number to that of the others.
const ODD: usize = slot<OddSum>() - slot<EvenSum>();

/** Brings up to BLOCK rows from row `start` to Denominator, Numerator, Hinge and Others, their exponentials to the gradient. */
export function planeTerms(frame: usize, start: i32, rows: i32): void {
  const call = changetype<State>(frame);
  const bytes = bytesOf(wholeTiles(rows));
  const step = classBytes(call);
  const first = call.logits + bytesOf(start);
  // What lies behind the last rows is read in vain, where there is anything.
  const isCopied = first + <usize>(call.classes - 1) * step + bytes > <usize>memory.size() << 16;
  takeLabels(frame, start, rows, step);
  takeLargest(frame, first, step, rows, isCopied);
  const shifts = scaleAll(frame, bytes);
  takeTargets(frame, first, bytes, shifts);
  for (let j = 0; j < call.classes; j++) {
    const x = plane(frame, first + <usize>j * step, rows, isCopied, shifts);
    const out = call.grad + bytesOf(start) + <usize>j * step;
    const isDirect = call.grad != 0 && fillsTiles(rows);
    call.classAtHand = j;
    call.oddness = j & 1 ? ODD : 0;
    eachTile<ReduceClass>(frame, x, 0, bytes);
    eachTile<AddClass>(frame, x, isDirect ? out : frame + slot<Exponential>(), bytes);
    if (call.grad != 0 && !isDirect) memory.copy(out, frame + slot<Exponential>(), bytesOf(rows));
  }
  claim<OddSum>(frame, bytes);
  eachVector<FinishRows>(frame, 0, 0, bytes);
}

/**
 * Labels = the labels of rows, -1 where one is ignored or wrong and for rows beyond the last; counts those that are not. Leaves
 * in Output where the target of each row is, in bytes from the first logit; of a row without a label that of class 0, and
 * of those beyond the last that of the last, which are read in vain.
 */
function takeLabels(frame: usize, start: i32, rows: i32, step: usize): void {
  const call = changetype<State>(frame);
  const labels = frame + slot<Labels>();
  const whole = wholeTiles(rows);
  memory.copy(labels, call.targets + (start << 2), rows << 2);
  memory.fill(labels + (rows << 2), 0xff, (whole - rows) << 2);
  const steps = splat32(<i32>step);
  const last = splat32(<i32>bytesOf(rows - 1));
  let row = i32x4(0, sizeof<Float>(), 2 * sizeof<Float>(), 3 * sizeof<Float>());
  let wrong = zero();
  let kept = zero();
  for (let o: usize = 0; o < <usize>whole << 2; o += 16) {
    const label = read(labels + o);
    const isClass = belowMask(label, call.classes);
    wrong = or(wrong, andNot(not(label), isClass)); // the bits of -1 are all set
    kept = sub32(kept, isClass);
    write(labels + o, or(label, not(isClass)));
    write(frame + slot<Output>() + o, add32(smaller32(row, last), mul32(and(label, isClass), steps)));
    row = add32(row, splat32(4 * sizeof<Float>()));
  }
  if (any(wrong)) call.bad |= BAD_TARGET;
  call.positives += addIntegers(kept);
  if (sizeof<Float>() == 8) for (let r = whole - 1; r >= 0; r--) storeInteger(labels + bytesOf(r), load<i32>(labels + (r << 2)));
  claim<Labels>(frame, bytesOf(whole));
}

/** The address of a class of rows: where it lies, or a copy in whole tiles, less the largest of its row where some rows are shifted. */
function plane(frame: usize, at: usize, rows: i32, isCopied: bool, shifts: bool): usize {
  if (!isCopied && !shifts) return at;
  const bytes = bytesOf(wholeTiles(rows));
  const copy = frame + slot<Logits>();
  memory.copy(copy, at, bytesOf(rows));
  fillTile(copy, rows, 0);
  claim<Logits>(frame, bytes);
  if (shifts) eachVector<TakeShift>(frame, 0, 0, bytes);
  return copy;
}

/** Largest, over all classes. */
function takeLargest(frame: usize, first: usize, step: usize, rows: i32, isCopied: bool): void {
  const bytes = bytesOf(wholeTiles(rows));
  const size = <usize>changetype<State>(frame).classes * step;
  claim<Largest>(frame, bytes);
  if (isCopied) return takeLargestByRow(frame, first, size, step, rows);
  for (let o: usize = 0; o < bytes; o += 32) {
    let at = first + o;
    const end = at + size;
    let largest = read(at);
    let nextLargest = read(at + 16);
    for (at += step; at < end; at += step) {
      largest = larger(largest, read(at));
      nextLargest = larger(nextLargest, read(at + 16));
    }
    put2<Largest, V0>(frame + o, largest, nextLargest);
  }
}

/** The same where a whole tile would go beyond memory. */
function takeLargestByRow(frame: usize, first: usize, size: usize, step: usize, rows: i32): void {
  for (let r = 0; r < rows; r++) {
    const row = first + bytesOf(r);
    let largest = load<Float>(row);
    for (let at = row + step; at < row + size; at += step) {
      const logit = load<Float>(at);
      largest = largest < logit ? logit : largest;
    }
    putNumber<Largest>(frame + bytesOf(r), largest);
  }
  fillTile(frame + slot<Largest>(), rows, 0);
}

/** Of all rows, the n of their largest logits and what their logits are reduced with; whether any has to be shifted. */
function scaleAll(frame: usize, bytes: usize): bool {
  let shifts = zero();
  for (let at = frame; at < frame + bytes; at += 16) {
    const largest = get<Largest, V0>(at);
    const far = farMask(largest);
    shifts = or(shifts, far);
    scaleRows(at, at, andNot(largest, far));
    put<EvenSum, V0>(at, zero());
    put<EvenSum, V0>(at + ODD, zero());
  }
  return any(shifts);
}

/** Takes the largest logit off those of the rows where it is far from 0; infinite ones are at no distance from it. */
@final
@unmanaged
class TakeShift extends VectorStage {
  @inline override vector(frame: usize, o: usize, x: usize, y: usize): void {
    const at = frame + o;
    const logits = get<Logits, V0>(at);
    const largest = get<Largest, V0>(at);
    const shift = and(largest, farMask(largest));
    put<Logits, V0>(at, andNot(sub(logits, shift), equalMask(logits, shift)));
  }
}

/** Denominator and Hinge: the targets' exponentials and their logarithms. Rows without a label are of no loss. */
function takeTargets(frame: usize, first: usize, bytes: usize, shifts: bool): void {
  const logits = frame + slot<Logits>();
  let place = frame + slot<Output>();
  for (let at = logits; at < logits + bytes; at += 4 * sizeof<Float>()) {
    store<Float>(at, load<Float>(first + load<i32>(place)));
    store<Float>(at, load<Float>(first + load<i32>(place, 4)), sizeof<Float>());
    store<Float>(at, load<Float>(first + load<i32>(place, 8)), 2 * sizeof<Float>());
    store<Float>(at, load<Float>(first + load<i32>(place, 12)), 3 * sizeof<Float>());
    place += 16;
  }
  claim<Logits>(frame, bytes);
  if (shifts) eachVector<TakeShift>(frame, 0, 0, bytes);
  eachTile<ReduceClass>(frame, logits, 0, bytes);
  eachTile<Exponentiate<Exponential>>(frame, 0, 0, bytes);
  eachVector<TakeTargets>(frame, 0, 0, bytes);
}

@final
@unmanaged
class TakeTargets extends VectorStage {
  @inline override vector(frame: usize, o: usize, x: usize, y: usize): void {
    const at = frame + o;
    const ignored = negativeMask(get<Labels, V0>(at));
    put<Denominator, V0>(at, choose(every(ONE), get<Exponential, V0>(at), ignored));
    put<Hinge, V0>(at, andNot(logsOf(get<Logits, V0>(at), get<Hinge, V0>(at)), ignored));
  }
}

/**
 * Writes the exponentials of the class at hand, whose logits are at x, to y, and adds those to a sum whose row is not of this
 * class. Classes of even and of odd number have a sum each, so that the bits are those of rows one after the other.
 */
@final
@unmanaged
class AddClass extends TileStage {
  @inline override tile(frame: usize, o: usize, x: usize, y: usize): void {
    const c0 = nth(EVEN, 0);
    const c1 = nth(EVEN, 1);
    const c2 = nth(EVEN, 2);
    const classAtHand = integers(frame + CLASS_AT_HAND);
    const at = frame + o;
    const sums = at + changetype<State>(frame).oddness;
    addClass<V0>(at, sums, y + o, c0, c1, c2, classAtHand);
    addClass<V2>(at, sums, y + o + 32, c0, c1, c2, classAtHand);
  }
}

// @ts-ignore: decorator
@inline function addClass<V>(at: usize, sums: usize, y: usize, c0: v128, c1: v128, c2: v128, classAtHand: v128): void {
  const r0 = get<Remainder, V>(at);
  const r1 = next<Remainder, V>(at);
  const v0 = evenPart(r0, c0, c1, c2);
  const v1 = evenPart(r1, c0, c1, c2);
  const e0 = mul(div(add(v0, r0), sub(v0, r0)), get<Scale, V>(at));
  const e1 = mul(div(add(v1, r1), sub(v1, r1)), next<Scale, V>(at));
  write2(y, e0, e1);
  const others0 = andNot(e0, equalIntegers(get<Labels, V>(at), classAtHand));
  const others1 = andNot(e1, equalIntegers(next<Labels, V>(at), classAtHand));
  put2<EvenSum, V>(sums, add(get<EvenSum, V>(sums), others0), add(next<EvenSum, V>(sums), others1));
}

/** Remainder and Scale of the logits of a class, x. */
@final
@unmanaged
class ReduceClass extends TileStage {
  @inline override tile(frame: usize, o: usize, x: usize, y: usize): void {
    const log2e = every(ROW_REDUCE);
    const high = nth(ROW_REDUCE, 1);
    const low = nth(ROW_REDUCE, 2);
    const at = frame + o;
    reduceClass<V0>(at, x + o, log2e, high, low);
    reduceClass<V2>(at, x + o + 32, log2e, high, low);
  }
}

// @ts-ignore: decorator
@inline function reduceClass<V>(at: usize, x: usize, log2e: v128, high: v128, low: v128): void {
  const lowest0 = get<Lowest, V>(at);
  const lowest1 = next<Lowest, V>(at);
  reduceTwo<V>(at, read(x), read(x + 16), lowest0, lowest1, log2e, get<Rounding, V>(at), next<Rounding, V>(at), high, low);
}

/** Numerator and Others, the sum of the others. */
@final
@unmanaged
class FinishRows extends VectorStage {
  @inline override vector(frame: usize, o: usize, x: usize, y: usize): void {
    const at = frame + o;
    const others = add(get<EvenSum, V0>(at), get<OddSum, V0>(at));
    put<Others, V0>(at, others);
    put<Numerator, V0>(at, andNot(others, negativeMask(get<Labels, V0>(at))));
  }
}

/** Turns the exponentials in the gradient into the gradient. */
export function writePlanes(frame: usize, start: i32, rows: i32): void {
  const call = changetype<State>(frame);
  const bytes = bytesOf(rows);
  const pad = frame + slot<Output>();
  for (let j = 0; j < call.classes; j++) {
    const out = call.grad + bytesOf(start) + <usize>j * classBytes(call);
    const x = bytes & 31 ? pad : out; // by pairs of vectors
    call.classAtHand = j;
    if (x == pad) memory.copy(pad, out, bytes);
    eachPair<WritePlane>(frame, x, 0, bytes);
    if (x == pad) memory.copy(out, pad, bytes);
  }
}

/** The gradient of the class at hand from the exponentials at x. */
@final
@unmanaged
class WritePlane extends PairStage {
  @inline override pair(frame: usize, o: usize, x: usize, y: usize): void {
    const at = frame + o;
    const sign = every(SIGN);
    const classAtHand = integers(frame + CLASS_AT_HAND);
    const labels0 = get<Labels, V0>(at);
    const labels1 = next<Labels, V0>(at);
    const others0 = mul(read(x + o), get<OthersSlope, V0>(at));
    const others1 = mul(read(x + o + 16), next<OthersSlope, V0>(at));
    const slope0 = choose(xor(get<TargetSlope, V0>(at), sign), others0, equalIntegers(labels0, classAtHand));
    const slope1 = choose(xor(next<TargetSlope, V0>(at), sign), others1, equalIntegers(labels1, classAtHand));
    write2(x + o, andNot(slope0, negativeMask(labels0)), andNot(slope1, negativeMask(labels1)));
  }
}
