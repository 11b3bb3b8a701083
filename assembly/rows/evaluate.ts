import { BAD_TARGET, Flag } from '../../src/abi';
import { clearCounts } from '../elements/count-targets';
import { ValueOnly, WithSlope } from '../elements/derivative';
import { setFactors } from '../elements/evaluate';
import { fillSlot } from '../elements/inputs';
import {
  LimitUnused,
  SUMMED,
  Weigh,
  WriteLoss,
  addUp,
  clearSums,
  finishSums,
  isSumAlone,
  sumPower,
} from '../elements/outputs';
import { State, bytesOf, has } from '../frame';
import { HardDerivatives } from '../losses/focal-hard';
import { AddEntropy, Divided } from '../math/logarithm';
import { powerOf, prepareGamma, raise } from '../math/raise';
import { rowBytes, storeColumns, strideOf } from './columns';
import { RowSlope, writeRow } from './derivatives';
import { exponentiateRow, logOf, reduceRow } from './exponential';
import { planeTerms, writePlanes } from './planes';
import { rowMax, rowSum } from './row';
import { NARROW, exponentiateAcross, logsOf, rowsAcross, sumAcross } from './side-by-side';
import { evaluateShares, needsShares } from './shares';
import { RowHinge, RowTerms } from './terms';
import { LANES } from '../simd/lanes';
import { eachPair, eachTile, eachVector } from '../simd/stage';
import { BLOCK, V0, wholeTiles } from '../simd/tile';
import {
  Denominator,
  Exponential,
  Hinge,
  Largest,
  Logits,
  Numerator,
  Others,
  Output,
  Weight,
  claim,
  clearSlots,
  get,
  getNumber,
  put,
  putNumber,
  slot,
} from '../slots';

// Softmax focal loss of rows [count, classes], or of planes (planes.ts), with integer targets; other targets and options are
// in shares.ts.
// A row is brought to one pair, e^(z_t - m) against the sum of the others; from there on rows are elements, and the
// stages of the binary losses serve them. The exponentials wait in the output that the derivatives will fill.

export function evaluateRows(frame: usize): void {
  const call = changetype<State>(frame);
  prepare(frame);
  if (needsShares(call)) return evaluateShares(frame);
  for (let left = call.count; left > 0; left -= BLOCK) group(frame, call.count - left, min(left, BLOCK));
  finishSums(frame);
  call.sumPositives += call.sumNegatives; // rows have no class
  call.sumNegatives = 0;
}

function prepare(frame: usize): void {
  const call = changetype<State>(frame);
  clearSlots(frame);
  prepareGamma(frame);
  setFactors(frame, 1, 1);
  clearSums(frame);
  clearCounts(call);
}

/** Up to BLOCK rows from row `start`. */
function group(frame: usize, start: i32, rows: i32): void {
  const call = changetype<State>(frame);
  const bytes = bytesOf(wholeTiles(rows));
  if (isWeighed(call)) fillSlot<Weight>(frame, rows, 1);
  if (call.stride > 1) {
    planeTerms(frame, start, rows);
    if (isWeighed(call)) for (let row = 0; row < rows; row++) weighRow(frame, start, row, labelOf(call, start + row));
  } else rowByRow(frame, start, rows, bytes);
  if (call.grad != 0) rowTerms<WithSlope>(frame, bytes);
  else rowTerms<ValueOnly>(frame, bytes);
  outputs(frame, start, rows, bytes);
}

/** Brings rows one after the other to Denominator, Numerator, Hinge and Others, their exponentials to the gradient. */
function rowByRow(frame: usize, start: i32, rows: i32, bytes: usize): void {
  const call = changetype<State>(frame);
  fillSlot<Denominator>(frame, rows, 1); // a row of no loss, for those that are ignored and those beyond the last
  fillSlot<Numerator>(frame, rows, 0);
  fillSlot<Hinge>(frame, rows, 0);
  claim<Others>(frame, bytes); // of rows beyond the last it means nothing
  for (let row = 0; row < rows; row += rowsAtOnce(call.classes)) {
    exponentials(frame, start, row, min(rows - row, rowsAtOnce(call.classes)));
  }
}

// @ts-ignore: decorator
@inline function isWeighed(call: State): bool {
  return call.alphas != 0 || call.weight != 0;
}

/** How many whole rows one pass of the exponential takes. */
// @ts-ignore: decorator
@inline function rowsAtOnce(classes: i32): i32 {
  if (classes > NARROW) return max(1, BLOCK / classes);
  const rows = rowsAcross(classes);
  return rows < 4 * LANES ? rows : rows & (-2 * LANES); // vectors in pairs
}

/** Brings rows [row, row + count) of a group to Denominator, Numerator and Hinge, their exponentials to the output. */
function exponentials(frame: usize, start: i32, row: i32, count: i32): void {
  const call = changetype<State>(frame);
  const classes = call.classes;
  if (classes > BLOCK) return wideRow(frame, start, row);
  if (classes <= NARROW) return narrowRows(frame, start, row, count);
  const rowBytes = bytesOf(classes);
  const first = <usize>(start + row) * rowBytes;
  for (let r = 0; r < count; r++) {
    const at = <usize>r * rowBytes;
    const logits = call.logits + first + at;
    const largest = rowMax(logits, classes);
    putNumber<Largest>(frame + bytesOf(row + r), largest);
    reduceRow(frame, at, logits, classes, largest);
  }
  exponentiateRow(frame, count * classes);
  for (let r = 0; r < count; r++) {
    const at = <usize>r * rowBytes;
    const label = labelOf(call, start + row + r);
    if (label >= 0) takeTarget(frame, row + r, frame + slot<Exponential>() + at + bytesOf(label));
    record(frame, start, row + r, label, rowSum(frame + slot<Exponential>() + at, classes));
  }
  keep(call, frame, first, count * classes);
}

/** The same for rows of few classes, which the slots hold side by side. */
function narrowRows(frame: usize, start: i32, row: i32, count: i32): void {
  const call = changetype<State>(frame);
  const classes = call.classes;
  const first = <usize>(start + row) * rowBytes(call);
  const stride = strideOf(count);
  exponentiateAcross(frame, call.logits + first, row, count, classes);
  let ignored = 0;
  for (let r = 0; r < count; r++) {
    const label = labelOf(call, start + row + r);
    if (label < 0) {
      ignored++;
      continue;
    }
    const column = frame + bytesOf(r) + <usize>label * stride;
    // The logit waits in Numerator for the others of its vector.
    putNumber<Numerator>(frame + bytesOf(row + r), getNumber<Logits>(column));
    takeTarget(frame, row + r, column + slot<Exponential>());
  }
  if (isWeighed(call)) {
    for (let r = 0; r < count; r++) describeLabel(frame, start, row + r, labelOf(call, start + row + r));
  }
  call.positives += <f64>(count - ignored);
  for (let r = 0; r < count; r += LANES) {
    const at = frame + bytesOf(row + r);
    put<Hinge, V0>(at, logsOf(get<Numerator, V0>(at), get<Hinge, V0>(at)));
    const others = sumAcross(frame + slot<Exponential>() + bytesOf(r), stride, classes);
    put<Numerator, V0>(at, others);
    put<Others, V0>(at, others);
  }
  if (ignored > 0 || (count & (LANES - 1)) != 0) {
    for (let r = 0; r < ((count + (LANES - 1)) & -LANES); r++) {
      if (r >= count || labelOf(call, start + row + r) < 0) putNumber<Numerator>(frame + bytesOf(row + r), 0);
    }
  }
  if (call.grad) storeColumns(frame, frame + slot<Exponential>(), call.grad + first, count, classes);
}

/** The same for one row that no slot holds: a slot at a time. */
// @ts-ignore: decorator
@inline function wideRow(frame: usize, start: i32, row: i32): void {
  const call = changetype<State>(frame);
  const classes = call.classes;
  const first = <usize>(start + row) * bytesOf(classes);
  const logits = call.logits + first;
  const label = labelOf(call, start + row);
  const largest = rowMax(logits, classes);
  putNumber<Largest>(frame + bytesOf(row), largest);
  describeLabel(frame, start, row, label);
  let others: f64 = 0;
  for (let column = 0; column < classes; column += BLOCK) {
    const width = min(classes - column, BLOCK);
    reduceRow(frame, 0, logits + bytesOf(column), width, largest);
    exponentiateRow(frame, width);
    const inside = label - column;
    if (inside >= 0 && inside < width) takeTarget(frame, row, frame + slot<Exponential>() + bytesOf(inside));
    others += rowSum(frame + slot<Exponential>(), width);
    keep(call, frame, first + bytesOf(column), width);
  }
  recordSum(frame, row, label, <Float>others);
}

/** The label of a row, -1 where it is ignored or wrong: it addresses nothing before it is checked. */
// @ts-ignore: decorator
@inline function labelOf(call: State, row: i32): i32 {
  const label = load<i32>(call.targets + (row << 2));
  if (<u32>label < <u32>call.classes) return label;
  if (label != -1) call.bad |= BAD_TARGET;
  return -1;
}

/** Moves the target's exponential out of its row. */
// @ts-ignore: decorator
@inline function takeTarget(frame: usize, row: i32, target: usize): void {
  putNumber<Denominator>(frame + bytesOf(row), load<Float>(target));
  store<Float>(target, 0);
}

// @ts-ignore: decorator
@inline function record(frame: usize, start: i32, row: i32, label: i32, others: Float): void {
  describeLabel(frame, start, row, label);
  recordSum(frame, row, label, others);
}

// @ts-ignore: decorator
@inline function recordSum(frame: usize, row: i32, label: i32, others: Float): void {
  putNumber<Others>(frame + bytesOf(row), others);
  if (label >= 0) putNumber<Numerator>(frame + bytesOf(row), others);
}

/** What a row needs of its logits as they came: read before an output in their place is written. */
function describeLabel(frame: usize, start: i32, row: i32, label: i32): void {
  if (label < 0) return;
  const call = changetype<State>(frame);
  const logits = call.logits + <usize>(start + row) * bytesOf(call.classes);
  const largest = getNumber<Largest>(frame + bytesOf(row));
  if (call.classes > NARROW) {
    call.positives += 1;
    putNumber<Hinge>(frame + bytesOf(row), <Float>logOf(load<Float>(logits + bytesOf(label)), largest));
  }
  if (isWeighed(call)) weighRow(frame, start, row, label);
}

// @ts-ignore: decorator
@inline function weighRow(frame: usize, start: i32, row: i32, label: i32): void {
  const weight = weightOf(changetype<State>(frame), start + row);
  if (label >= 0) putNumber<Weight>(frame + bytesOf(row), <Float>(alphaOf(frame, label) * weight));
}

// @ts-ignore: decorator
@inline function alphaOf(frame: usize, label: i32): f64 {
  const call = changetype<State>(frame);
  return call.alphas ? <f64>load<Float>(call.alphas + bytesOf(label)) : 1;
}

function weightOf(call: State, row: i32): f64 {
  return call.weight ? <f64>load<Float>(call.weight + bytesOf(row)) : 1;
}

/** The exponentials to the output, from byte `first`. */
// @ts-ignore: decorator
@inline function keep(call: State, frame: usize, first: usize, count: i32): void {
  if (call.grad) memory.copy(call.grad + first, frame + slot<Exponential>(), bytesOf(count));
}

/** Modulation and Entropy of rows, and their derivatives without the power. */
function rowTerms<Derivative>(frame: usize, bytes: usize): void {
  eachVector<RowHinge>(frame, 0, 0, bytes);
  eachVector<RowTerms<Derivative>>(frame, 0, 0, bytes);
  eachTile<AddEntropy<Divided>>(frame, 0, 0, bytes);
  if (idof<Derivative>() != idof<ValueOnly>()) eachPair<HardDerivatives<Derivative>>(frame, 0, 0, bytes);
}

function outputs(frame: usize, start: i32, rows: i32, bytes: usize): void {
  const call = changetype<State>(frame);
  let left = powerOf(frame);
  if (isSumAlone(call) && !isWeighed(call)) {
    left = sumPower(frame, left, bytes);
    if (left == SUMMED) return;
  }
  raise(frame, left, bytes);
  if (isWeighed(call)) {
    eachPair<Weigh>(frame, frame + slot<Weight>(), 0, bytes);
    eachPair<LimitUnused>(frame, 0, 0, bytes);
  }
  if (has(call, Flag.sums)) addUp(frame, bytes);
  if (call.loss) {
    eachPair<WriteLoss>(frame, frame + slot<Output>(), 0, bytes);
    memory.copy(call.loss + bytesOf(start), frame + slot<Output>(), bytesOf(rows));
  }
  if (!call.grad) return;
  eachVector<RowSlope>(frame, 0, 0, bytes);
  if (call.stride > 1) return writePlanes(frame, start, rows);
  for (let row = 0; row < rows; row++) writeRow(frame, start, row, labelOf(call, start + row));
}
