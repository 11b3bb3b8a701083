import { clear } from './census';
import { ValueOnly, WithSlope } from './derivative';
import { FINISHED, powerOf, prepareGamma, sumPower, takePower } from './gamma';
import { HardDerivatives } from './hard';
import {
  BLOCK,
  COEFFICIENT,
  DENOMINATOR,
  FACTOR,
  Frame,
  HINGE,
  MEAN_ALPHA,
  NEGATIVE_FACTOR,
  NEGATIVE_SLOPE,
  NUMERATOR,
  OTHER,
  PAD_LOGITS,
  PAD_OUT,
  PAD_WEIGHT,
  POSITIVE_FACTOR,
  POSITIVE_SLOPE,
  ROW_OTHERS,
  SMOOTHING,
  SMOOTHING_SHARE,
  SUMS,
  wholeTiles,
} from './layout';
import { store4 } from './lanes';
import { Divided, Entropy } from './logarithm';
import { addUp, Cap, clearSums, finishSums, isSumAlone, Weigh, WriteLoss } from './outputs';
import { fillSlot } from './pad';
import { rowMax, rowSum } from './rows';
import { exponentiate, logOf, reduceRow } from './softmax-exponential';
import { exponentiateAcross, keepAcross, logsOf, NARROW, rowsAcross, strideOf, sumAcross } from './softmax-narrow';
import { RowCurve, RowHinge, RowTerms, Smooth } from './softmax-terms';
import { RowSlope, writeRow } from './softmax-slopes';
import { sweep, sweepVectors } from './sweep';

// Softmax focal loss of rows [count, classes] with integer targets.
// A row is brought to one pair, e^(z_t - m) against the sum of the others; from there on rows are elements, and the
// stages of the binary losses serve them. The exponentials wait in the output that the derivatives will fill.

export function softmax(frame: usize): void {
  const call = changetype<Frame>(frame);
  prepare(frame);
  for (let start = 0; start < call.count; start += <i32>BLOCK) {
    group(frame, start, min(call.count - start, <i32>BLOCK));
  }
  finishSums(frame);
  call.sumPositives = call.sumNegatives; // the sign of every row's loss is that of a negative's
  call.sumNegatives = 0;
}

function prepare(frame: usize): void {
  const call = changetype<Frame>(frame);
  prepareGamma(frame);
  store<f32>(frame + POSITIVE_FACTOR, 1);
  store<f32>(frame + NEGATIVE_FACTOR, 1);
  store<f32>(frame + POSITIVE_SLOPE, <f32>call.gradScale);
  store<f32>(frame + NEGATIVE_SLOPE, <f32>call.gradScale);
  clearSums(frame);
  clear(call);
  store<f32>(frame + SMOOTHING, <f32>call.labelSmoothing);
  store<f32>(frame + SMOOTHING_SHARE, <f32>(call.labelSmoothing / <f64>call.classes));
  let alphas: f64 = 0;
  if (call.alphas) for (let j = 0; j < call.classes; j++) alphas += <f64>load<f32>(call.alphas + (j << 2));
  store<f32>(frame + MEAN_ALPHA, <f32>(alphas / <f64>call.classes));
}

/** Up to BLOCK rows from row `start`. */
function group(frame: usize, start: i32, rows: i32): void {
  const call = changetype<Frame>(frame);
  const bytes = <usize>wholeTiles(rows) << 2;
  fillSlot(frame + DENOMINATOR, rows, 1); // a row of no loss, for those that are ignored and those beyond the last
  fillSlot(frame + NUMERATOR, rows, 0);
  fillSlot(frame + HINGE, rows, 0);
  if (call.labelSmoothing != 0) fillSlot(frame + COEFFICIENT, rows, 0);
  if (isWeighed(call)) fillSlot(frame + PAD_WEIGHT, rows, 1);
  for (let row = 0; row < rows; row += rowsAtOnce(call.classes)) {
    exponentials(frame, start, row, min(rows - row, rowsAtOnce(call.classes)));
  }
  if (call.grad != 0 || call.hess != 0) rowTerms<WithSlope>(frame, bytes);
  else rowTerms<ValueOnly>(frame, bytes);
  outputs(frame, start, rows, bytes);
}

// @ts-ignore: decorator
@inline function isWeighed(call: Frame): bool {
  return call.alphas != 0 || call.weight != 0;
}

/** How many whole rows one pass of the exponential takes. */
// @ts-ignore: decorator
@inline function rowsAtOnce(classes: i32): i32 {
  return classes <= NARROW ? rowsAcross(classes) : max(1, <i32>BLOCK / classes);
}

/** Brings rows [row, row + count) of a group to DENOMINATOR, NUMERATOR and HINGE, their exponentials to the output. */
function exponentials(frame: usize, start: i32, row: i32, count: i32): void {
  const call = changetype<Frame>(frame);
  const classes = call.classes;
  if (classes > <i32>BLOCK) return wideRow(frame, start, row);
  if (classes <= NARROW) return narrowRows(frame, start, row, count);
  const rowBytes = <usize>classes << 2;
  const first = <usize>(start + row) * rowBytes;
  for (let r = 0; r < count; r++) {
    const at = <usize>r * rowBytes;
    const logits = call.logits + first + at;
    const largest = rowMax(logits, classes);
    store<f32>(frame + OTHER + ((row + r) << 2), largest);
    reduceRow(frame, at, logits, classes, largest);
  }
  exponentiate(frame, count * classes);
  for (let r = 0; r < count; r++) {
    const at = <usize>r * rowBytes;
    const label = labelOf(call, start + row + r);
    if (label >= 0) takeTarget(frame, row + r, frame + FACTOR + at + (label << 2));
    record(frame, start, row + r, label, rowSum(frame + FACTOR + at, classes));
  }
  keep(call, frame, first, count * classes);
}

/** The same for rows of few classes, which the slots hold side by side. */
function narrowRows(frame: usize, start: i32, row: i32, count: i32): void {
  const call = changetype<Frame>(frame);
  const classes = call.classes;
  const first = <usize>(start + row) * (<usize>classes << 2);
  const stride = strideOf(count);
  exponentiateAcross(frame, call.logits + first, row, count, classes);
  let ignored = 0;
  for (let r = 0; r < count; r++) {
    const label = labelOf(call, start + row + r);
    if (label < 0) {
      ignored++;
      continue;
    }
    const column = frame + (r << 2) + <usize>label * stride;
    // The logit waits in NUMERATOR for the others of its vector.
    store<f32>(frame + ((row + r) << 2), load<f32>(column, PAD_LOGITS), NUMERATOR);
    takeTarget(frame, row + r, column + FACTOR);
  }
  if (isWeighed(call) || call.labelSmoothing != 0) {
    for (let r = 0; r < count; r++) describeLabel(frame, start, row + r, labelOf(call, start + row + r));
  }
  call.positives += <f64>(count - ignored);
  for (let r = 0; r < count; r += 4) {
    const at = frame + ((row + r) << 2);
    v128.store(at, logsOf(v128.load(at, NUMERATOR), v128.load(at, HINGE)), HINGE);
    const others = sumAcross(frame + FACTOR + (r << 2), stride, classes);
    v128.store(at, others, NUMERATOR);
    v128.store(at, others, ROW_OTHERS);
  }
  if (ignored > 0 || (count & 3) != 0) {
    for (let r = 0; r < ((count + 3) & ~3); r++) {
      if (r >= count || labelOf(call, start + row + r) < 0) forget(frame, row + r);
    }
  }
  const out = call.grad ? call.grad : call.hess;
  if (out) keepAcross(frame + FACTOR, out + first, count, stride, classes);
}

/** Makes a row one of no loss. */
function forget(frame: usize, row: i32): void {
  store<f32>(frame + DENOMINATOR + (row << 2), 1);
  store<f32>(frame + NUMERATOR + (row << 2), 0);
  store<f32>(frame + HINGE + (row << 2), 0);
}

/** The same for one row that no slot holds: a slot at a time. */
// @ts-ignore: decorator
@inline function wideRow(frame: usize, start: i32, row: i32): void {
  const call = changetype<Frame>(frame);
  const classes = call.classes;
  const first = <usize>(start + row) * (<usize>classes << 2);
  const logits = call.logits + first;
  const label = labelOf(call, start + row);
  const largest = rowMax(logits, classes);
  store<f32>(frame + OTHER + (row << 2), largest);
  describeLabel(frame, start, row, label);
  let others: f64 = 0;
  for (let column = 0; column < classes; column += <i32>BLOCK) {
    const width = min(classes - column, <i32>BLOCK);
    reduceRow(frame, 0, logits + (column << 2), width, largest);
    exponentiate(frame, width);
    const inside = label - column;
    if (inside >= 0 && inside < width) takeTarget(frame, row, frame + FACTOR + (inside << 2));
    others += rowSum(frame + FACTOR, width);
    keep(call, frame, first + (column << 2), width);
  }
  recordSum(frame, row, label, <f32>others);
}

/** The label of a row, -1 where it is ignored or wrong: it addresses nothing before it is checked. */
// @ts-ignore: decorator
@inline function labelOf(call: Frame, row: i32): i32 {
  const label = load<i32>(call.targets + (row << 2));
  if (<u32>label < <u32>call.classes) return label;
  if (label != -1) call.bad = 1;
  return -1;
}

/** Moves the target's exponential out of its row. */
// @ts-ignore: decorator
@inline function takeTarget(frame: usize, row: i32, target: usize): void {
  store<f32>(frame + (row << 2), load<f32>(target), DENOMINATOR);
  store<f32>(target, 0);
}

// @ts-ignore: decorator
@inline function record(frame: usize, start: i32, row: i32, label: i32, others: f32): void {
  describeLabel(frame, start, row, label);
  recordSum(frame, row, label, others);
}

// @ts-ignore: decorator
@inline function recordSum(frame: usize, row: i32, label: i32, others: f32): void {
  store<f32>(frame + ROW_OTHERS + (row << 2), others);
  if (label >= 0) store<f32>(frame + NUMERATOR + (row << 2), others);
}

/** What a row needs of its logits as they came: read before an output in their place is written. */
function describeLabel(frame: usize, start: i32, row: i32, label: i32): void {
  if (label < 0) return;
  const call = changetype<Frame>(frame);
  const logits = call.logits + <usize>(start + row) * (<usize>call.classes << 2);
  const largest = load<f32>(frame + OTHER + (row << 2));
  if (call.classes > NARROW) {
    call.positives += 1;
    store<f32>(frame + HINGE + (row << 2), <f32>logOf(load<f32>(logits + (label << 2)), largest));
  }
  if (call.labelSmoothing != 0) {
    let logs: f64 = 0;
    for (let j = 0; j < call.classes; j++) logs += logOf(load<f32>(logits + (j << 2)), largest);
    store<f32>(frame + COEFFICIENT + (row << 2), <f32>logs);
  }
  if (isWeighed(call)) store<f32>(frame + PAD_WEIGHT + (row << 2), <f32>(alphaOf(frame, label) * weightOf(call, start + row)));
}

/** alpha_t of a label, smoothed as the target is. */
function alphaOf(frame: usize, label: i32): f64 {
  const call = changetype<Frame>(frame);
  if (!call.alphas) return 1;
  const s = call.labelSmoothing;
  return (1 - s) * <f64>load<f32>(call.alphas + (label << 2)) + s * <f64>load<f32>(frame + MEAN_ALPHA);
}

function weightOf(call: Frame, row: i32): f64 {
  return call.weight ? <f64>load<f32>(call.weight + (row << 2)) : 1;
}

/** The exponentials to the output, from byte `first`. */
// @ts-ignore: decorator
@inline function keep(call: Frame, frame: usize, first: usize, count: i32): void {
  const out = call.grad ? call.grad : call.hess;
  if (out) memory.copy(out + first, frame + FACTOR, count << 2);
}

/** FACTOR and ENTROPY of rows, and their derivatives without the power. */
function rowTerms<Derivative>(frame: usize, bytes: usize): void {
  sweepVectors<RowHinge>(frame, 0, 0, bytes);
  sweepVectors<RowTerms<Derivative>>(frame, 0, 0, bytes);
  sweep<Entropy<Divided>>(frame, 0, 0, bytes);
  if (changetype<Frame>(frame).labelSmoothing != 0) sweepVectors<Smooth>(frame, 0, 0, bytes);
  if (idof<Derivative>() != idof<ValueOnly>()) {
    sweepVectors<HardDerivatives<Derivative>>(frame, 0, 0, bytes);
    if (changetype<Frame>(frame).hess) sweepVectors<RowCurve>(frame, 0, 0, bytes);
  }
}

function outputs(frame: usize, start: i32, rows: i32, bytes: usize): void {
  const call = changetype<Frame>(frame);
  let left = powerOf(frame);
  if (isSumAlone(call) && !isWeighed(call)) {
    left = sumPower(frame, left, bytes);
    if (left == FINISHED) return;
  }
  takePower(frame, left, bytes);
  if (isWeighed(call)) {
    sweepVectors<Weigh>(frame, frame + PAD_WEIGHT, 0, bytes);
    sweepVectors<Cap>(frame, 0, 0, bytes);
  }
  if (call.flags & SUMS) addUp(frame, bytes);
  if (call.loss) {
    sweepVectors<WriteLoss>(frame, frame + PAD_OUT, 0, bytes);
    memory.copy(call.loss + (start << 2), frame + PAD_OUT, rows << 2);
  }
  if (!call.grad && !call.hess) return;
  sweepVectors<RowSlope>(frame, 0, 0, bytes);
  for (let row = 0; row < rows; row++) writeRow(frame, start, row, labelOf(call, start + row));
}
