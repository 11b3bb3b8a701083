import { BAD_TARGET, Flag, Hessian, SoftTargets } from '../../src/abi';
import { Frame, State, bytesOf, has } from '../frame';
import { Exponentiate, Quotient, Reduce } from '../math/exponential';
import { powerOf, raise } from '../math/raise';
import { classBytes, loadColumns, rowBytes, storeColumns, strideOf } from './columns';
import { MOST_PLANES } from './planes';
import { farMask, logsOf, reduceAcross, rowsAcross, scaleRows } from './side-by-side';
import {
  addShares,
  describeRows,
  entropyModulation,
  linearModulation,
  rowFactors,
  rowLosses,
  writeDerivatives,
} from './shares-together';
import { addClassTerms, classModulation, finishClassTerms, writeClassDerivatives } from './shares-apart';
import { LANES, ONE, absolute, and, andNot, any, choose, equalMask, every, greaterMask, isInteger, larger, negativeMask, or, splat, storeInteger, sub, zero } from '../simd/lanes';
import { eachTile } from '../simd/stage';
import { BLOCK, V0, wholeTiles } from '../simd/tile';
import {
  ClassExponential,
  Curve,
  Excess,
  GivenShare,
  Hinge,
  Labels,
  Largest,
  Lost,
  Modulation,
  Output,
  Remainder,
  RowEntropy,
  RowLoss,
  SHARE_ROWS,
  Scale,
  Shift,
  Slot,
  Targets,
  TopExponential,
  TopLog,
  TopSum,
  TopTarget,
  Weight,
  Logits,
  claim,
  get,
  getNumber,
  put,
  putNumber,
  slot,
} from '../slots';

// Softmax focal loss of rows whose targets are shares of the classes, y_1 + ... + y_C = 1: given as such, or made from labels
// where smoothing, a second derivative or Poly-1 is asked for. With p_k the probabilities, q_k = 1 - p_k, l_k = -log p_k:
//   linear:       A c^g B, c = sum (1 - y_k) p_k, B = sum y_k l_k, A = sum a_k y_k;
//   crossEntropy: A m^g B, m = 1 - e^-B;
//   split:        sum a_k y_k q_k^g l_k.
// Poly-1 adds E times the modulation c, m or q_k to the cross entropy. The first two are in shares-together.ts, the last in
// shares-apart.ts.
//
// Rows lie side by side in the slots, a vector's at least, with as many of their classes as fit; of more classes the columns are
// loaded again for each pass. Nothing waits in an output, which may therefore be the logits' own array.

/** Whether a call takes these ways, and not the short one of labels, which has planes of few classes only. */
// @ts-ignore: decorator
@inline export function needsShares(call: Frame): bool {
  if (call.stride > 1 && call.classes > MOST_PLANES) return true;
  return has(call, Flag.soft) || call.labelSmoothing != 0 || call.polyEpsilon != 0 || call.hess != 0;
}

/** All rows of a call. */
export function evaluateShares(frame: usize): void {
  const call = changetype<State>(frame);
  const s = call.labelSmoothing;
  const each = s / <f64>call.classes;
  call.shareKept = <Float>(1 - s);
  call.shareOfAll = <Float>each;
  call.shareOfOthers = <Float>(s - each);
  call.rowPoly = <Float>call.polyEpsilon;
  call.rowPolySlope = <Float>(call.polyEpsilon * (call.gamma + 1));
  call.curvature = call.hessian == Hessian.gaussNewton ? 0 : 1;
  const rows = LANES * call.classes <= BLOCK ? min(rowsAcross(call.classes), SHARE_ROWS) : LANES;
  call.sum = 0;
  for (let left = call.count; left > 0; left -= rows) group(frame, call.count - left, min(left, rows));
  call.sumPositives = has(call, Flag.byClass) ? call.sum : 0; // rows have no class
  call.sumNegatives = 0;
}

function group(frame: usize, start: i32, count: i32): void {
  const call = changetype<State>(frame);
  const classes = call.classes;
  const stride = strideOf(count);
  const width = min(classes, BLOCK / <i32>(stride >> alignof<Float>())); // columns that the slots hold
  const isWhole = width == classes;
  const isApart = call.softTargets == SoftTargets.split;
  takeRows(frame, start, count);
  const isFar = measure(frame, start, count, width);
  for (let o: usize = 0; o < stride; o += 16) put<TopExponential, V0>(frame + o, zero());
  clearLost(frame);
  for (let first = 0; first < classes; first += width) {
    const columns = min(width, classes - first);
    takeColumns(frame, start, count, first, columns, isFar, isWhole);
    if (addShares(frame, stride, first, columns)) call.bad |= BAD_TARGET;
  }
  describeRows(frame, stride);
  if (has(call, Flag.soft)) checkShares(frame, count);
  if (isApart) {
    clearLost(frame);
    for (let first = 0; first < classes; first += width) {
      const columns = min(width, classes - first);
      if (!isWhole) takeColumns(frame, start, count, first, columns, isFar, false);
      raiseClasses(frame, stride, columns);
      addClassTerms(frame, stride, first, columns);
    }
    finishClassTerms(frame, stride);
  } else {
    raiseRows(frame, stride);
    rowLosses(frame, stride);
    if (call.grad != 0 || call.hess != 0) rowFactors(frame, stride);
  }
  putLosses(frame, start, count);
  if (call.grad == 0 && call.hess == 0) return;
  for (let first = 0; first < classes; first += width) {
    const columns = min(width, classes - first);
    if (!isWhole) takeColumns(frame, start, count, first, columns, isFar, false);
    if (isApart) {
      if (!isWhole) raiseClasses(frame, stride, columns);
      writeClassDerivatives(frame, stride, first, columns);
    } else writeDerivatives(frame, stride, columns);
    putDerivatives(frame, start, count, first, columns);
  }
}

/** Labels and Weight of rows: with shares the label is 0, where there is no row -1. */
function takeRows(frame: usize, start: i32, count: i32): void {
  const call = changetype<State>(frame);
  const isSoft = has(call, Flag.soft);
  let kept = 0;
  for (let r = 0; r < <i32>(strideOf(count) >> alignof<Float>()); r++) {
    const row = start + min(r, count - 1);
    let label = isSoft ? 0 : load<i32>(call.targets + (row << 2));
    const isClass = r < count && <u32>label < <u32>call.classes;
    if (r < count && !isClass && label != -1) call.bad |= BAD_TARGET;
    if (isClass) kept++;
    else label = -1;
    storeInteger(frame + slot<Labels>() + bytesOf(r), label);
    const weight: Float = call.weight ? load<Float>(call.weight + bytesOf(row)) : 1;
    putNumber<Weight>(frame + bytesOf(r), isClass ? weight : 0);
  }
  call.positives += <f64>kept;
  claim<Labels>(frame, strideOf(count));
}

/** Largest, which is then 0 of rows that are lowered by Shift, TopTarget, TopLog, and what exponentials need; whether any is lowered. */
function measure(frame: usize, start: i32, count: i32, width: i32): bool {
  const call = changetype<State>(frame);
  const stride = strideOf(count);
  for (let first = 0; first < call.classes; first += width) {
    const columns = min(width, call.classes - first);
    takeGiven(frame, start, count, first, columns);
    if (first == 0) {
      memory.copy(frame + slot<Largest>(), frame + slot<Logits>(), stride);
      memory.copy(frame + slot<TopTarget>(), frame + slot<Targets>(), stride);
    }
    claim<Largest>(frame, stride);
    claim<TopTarget>(frame, stride);
    for (let o: usize = 0; o < stride; o += 16) raiseLargest(frame + o, stride, columns);
  }
  let anyFar = zero();
  for (let o: usize = 0; o < stride; o += 16) {
    const at = frame + o;
    const largest = get<Largest, V0>(at);
    const far = farMask(largest);
    const lowered = andNot(largest, far);
    put<Shift, V0>(at, and(largest, far));
    put<Largest, V0>(at, lowered);
    scaleRows(at, at, lowered);
    put<TopLog, V0>(at, logsOf(lowered, get<Hinge, V0>(at)));
    anyFar = or(anyFar, far);
  }
  return any(anyFar);
}

function raiseLargest(row: usize, stride: usize, columns: i32): void {
  let largest = get<Largest, V0>(row);
  let target = get<TopTarget, V0>(row);
  for (let j = 0; j < columns; j++) {
    const at = row + <usize>j * stride;
    const logits = get<Logits, V0>(at);
    target = choose(get<Targets, V0>(at), target, greaterMask(logits, largest));
    largest = larger(largest, logits);
  }
  put<Largest, V0>(row, largest);
  put<TopTarget, V0>(row, target);
}

/** Sums of rows begin with what is added first, and have lost nothing then. */
function clearLost(frame: usize): void {
  memory.fill(frame + slot<Lost>(), 0, slot<Excess>() - slot<TopSum>());
}

/** Logits, Targets and ClassExponential of columns from `first` on; where they are whole, the first two are there already. */
function takeColumns(frame: usize, start: i32, count: i32, first: i32, columns: i32, isFar: bool, isWhole: bool): void {
  const stride = strideOf(count);
  const bytes = <usize>columns * stride;
  if (!isWhole) takeGiven(frame, start, count, first, columns);
  if (isFar) lower(frame, stride, bytes);
  reduceAcross(frame, stride, bytes);
  const whole = bytesOf(wholeTiles(<i32>(bytes >> alignof<Float>())));
  claim<Remainder>(frame, whole); // what is beyond the rows means nothing
  claim<Scale>(frame, whole);
  eachTile<Exponentiate<ClassExponential>>(frame, 0, 0, whole);
}

/** Logits and Targets of columns from `first` on. */
function takeGiven(frame: usize, start: i32, count: i32, first: i32, columns: i32): void {
  const call = changetype<State>(frame);
  const stride = strideOf(count);
  const offset = <usize>start * rowBytes(call) + <usize>first * classBytes(call);
  loadColumns<Logits>(frame, call.logits + offset, count, columns);
  if (has(call, Flag.soft)) loadColumns<Targets>(frame, call.targets + offset, count, columns);
  else for (let j = 0; j < columns; j++) chosen(frame, <usize>j * stride, stride, first + j);
}

/** Takes Shift off the logits, an infinite one being at no distance from itself. */
function lower(frame: usize, stride: usize, bytes: usize): void {
  let row: usize = 0;
  for (let o: usize = 0; o < bytes; o += 16) {
    const logits = get<Logits, V0>(frame + o);
    const shift = get<Shift, V0>(frame + row);
    put<Logits, V0>(frame + o, andNot(sub(logits, shift), equalMask(logits, shift)));
    row += 16;
    row = row == stride ? 0 : row;
  }
}

/** A column of targets from labels: 1 where the label is the class, 0 elsewhere. */
function chosen(frame: usize, column: usize, stride: usize, label: i32): void {
  for (let o: usize = 0; o < stride; o += 16) {
    put<Targets, V0>(frame + column + o, and(every(ONE), isInteger(get<Labels, V0>(frame + o), label)));
  }
}

/** How far the shares of a row may be from 1 together. */
const SHARES_TOLERANCE: Float = 1e-3;

function checkShares(frame: usize, count: i32): void {
  for (let r = 0; r < count; r++) {
    const distance = Math.abs(getNumber<GivenShare>(frame + bytesOf(r)) - 1);
    if (!(distance <= SHARES_TOLERANCE)) changetype<State>(frame).bad |= BAD_TARGET;
  }
}

/** RowModulation = the power of c or m. */
function raiseRows(frame: usize, stride: usize): void {
  const whole = bytesOf(wholeTiles(<i32>(stride >> alignof<Float>())));
  if (changetype<State>(frame).softTargets == SoftTargets.crossEntropy) {
    eachTile<Reduce>(frame, frame + slot<RowEntropy>(), 0, whole);
    eachTile<Quotient>(frame, 0, 0, whole);
    entropyModulation(frame, stride);
  } else linearModulation(frame, stride);
  claim<Modulation>(frame, whole);
  raise(frame, powerOf(frame), whole);
}

function raiseClasses(frame: usize, stride: usize, columns: i32): void {
  const bytes = <usize>columns * stride;
  const whole = bytesOf(wholeTiles(<i32>(bytes >> alignof<Float>())));
  classModulation(frame, stride, bytes);
  claim<Modulation>(frame, whole);
  raise(frame, powerOf(frame), whole);
}

/** The losses of rows to the sum, each widened by itself, and to their array. */
function putLosses(frame: usize, start: i32, count: i32): void {
  const call = changetype<State>(frame);
  if (has(call, Flag.sums)) {
    let total = call.sum;
    for (let r = 0; r < count; r++) total += <f64>getNumber<RowLoss>(frame + bytesOf(r));
    call.sum = total;
  }
  if (call.loss) memory.copy(call.loss + bytesOf(start), frame + slot<RowLoss>(), bytesOf(count));
}

/** Output, the gradients of columns, and Curve, their second derivatives, to where they are wanted. */
function putDerivatives(frame: usize, start: i32, count: i32, first: i32, columns: i32): void {
  const call = changetype<State>(frame);
  const stride = strideOf(count);
  const bytes = <usize>columns * stride;
  const offset = <usize>start * rowBytes(call) + <usize>first * classBytes(call);
  if (call.hess) {
    if (call.hessian == Hessian.clip) keepAbove(frame, bytes);
    else if (call.hessian == Hessian.absGrad) takeSizes(frame, bytes);
    clearIgnored<Curve>(frame, stride, bytes);
    storeColumns(frame, frame + slot<Curve>(), call.hess + offset, count, columns);
  }
  if (call.grad) {
    clearIgnored<Output>(frame, stride, bytes);
    storeColumns(frame, frame + slot<Output>(), call.grad + offset, count, columns);
  }
}

function keepAbove(frame: usize, bytes: usize): void {
  for (let o: usize = 0; o < bytes; o += 16) put<Curve, V0>(frame + o, larger(get<Curve, V0>(frame + o), splat(1e-16)));
}

function takeSizes(frame: usize, bytes: usize): void {
  for (let o: usize = 0; o < bytes; o += 16) put<Curve, V0>(frame + o, absolute(get<Output, V0>(frame + o)));
}

function clearIgnored<S extends Slot>(frame: usize, stride: usize, bytes: usize): void {
  let row: usize = 0;
  for (let o: usize = 0; o < bytes; o += 16) {
    put<S, V0>(frame + o, andNot(get<S, V0>(frame + o), negativeMask(get<Labels, V0>(frame + row))));
    row += 16;
    row = row == stride ? 0 : row;
  }
}
