import { ValueOnly } from '../elements/derivative';
import { fillSlot, padNumbers } from '../elements/inputs';
import { GAMMA, ROW_LARGEST, ROW_LOG, ROW_REST, ROW_SUM, ROW_TOP, ROW_TURN, State, bytesOf } from '../frame';
import { AddEntropy, Divided, log1p } from '../math/logarithm';
import { powerOf, prepareGamma, raise } from '../math/raise';
import { classBytes, rowBytes, storeColumns, strideOf } from '../rows/columns';
import { exponentiateRow, needsShift, reduceRow } from '../rows/exponential';
import { rowIndex, rowMax, rowScale, rowSum } from '../rows/row';
import { NARROW, exponentiateAcross, logsOf, rowsAcross, sumAcross } from '../rows/side-by-side';
import { RowHinge, RowTerms } from '../rows/terms';
import {
  LANES,
  LOSS_LIMIT,
  ONE,
  add,
  andNot,
  choose,
  div,
  equalMask,
  every,
  larger,
  mul,
  mulAdd,
  nonZeroMask,
  or,
  read,
  smaller,
  splat,
  sub,
  write,
  zero,
} from '../simd/lanes';
import { VectorStage, eachTile, eachVector } from '../simd/stage';
import { BLOCK, V0, wholeTiles } from '../simd/tile';
import {
  ClassExponential,
  ClassLoss,
  ClassProbability,
  Denominator,
  Divisor,
  Entropy,
  Exponential,
  Hinge,
  Largest,
  Logits,
  Modulation,
  Numerator,
  Output,
  Rest,
  Turn,
  Weight,
  claim,
  clearSlots,
  get,
  put,
  slot,
} from '../slots';

// P(k) is proportional to 1 / a_k times v / ((1 - v)^g - g (1 - v)^(g - 1) v log v) at v = p_k.
// Multiplied by the top class's (1 - v)^g that is r^g v / (1 + g v l / (1 - v)), with l = -log v and r <= 1 the quotient of
// the top class's 1 - v and this one's: nothing is 0 / 0. Of the top class, 1 - v is the sum of the others and
// v l / (1 - v) is log(1 + o) / o, o that sum before it is divided by the whole.

export function rowPosterior(frame: usize): void {
  const call = changetype<State>(frame);
  const classes = call.classes;
  const isPlanar = call.stride > 1;
  clearSlots(frame);
  prepareGamma(frame);
  fillSlot<Weight>(frame, classes, 1);
  // planes are side by side already
  const isNarrow = classes <= (isPlanar ? BLOCK / LANES : NARROW);
  const step = isNarrow ? rowsAcross(classes) : 1;
  for (let left = call.count; left > 0; left -= step) {
    const row = call.count - left;
    const first = <usize>row * rowBytes(call);
    if (isNarrow) narrowRows(frame, call.logits + first, call.loss + first, min(left, step));
    else oneRow(frame, call.logits + first, call.loss + first);
  }
}

// What a class has of its row's posterior, from e, its exponential, and z, its logit: v as ClassProbability, v l / (1 - v) as ClassLoss,
// r as Modulation. Of the row: the largest logit, its exponential, the sum of all and the others' part of it, log(1 + o), and
// log(1 + o) / o. Logits as large as the largest are top classes too.
// @ts-ignore: decorator
@inline function classTerms(
  at: usize,
  e: v128,
  z: v128,
  largest: v128,
  top: v128,
  sum: v128,
  rest: v128,
  log: v128,
  turn: v128,
): void {
  const one = every(ONE);
  const isTop = equalMask(e, top);
  const v = div(e, sum);
  const own = choose(rest, sub(one, v), isTop);
  const l = smaller(add(sub(largest, z), log), every(LOSS_LIMIT));
  put<ClassProbability, V0>(at, v);
  put<ClassLoss, V0>(at, choose(turn, div(mul(v, l), own), isTop));
  put<Modulation, V0>(at, choose(one, smaller(div(rest, own), one), isTop));
}

// r^g v / (1 + g v l / (1 - v)) / a
// @ts-ignore: decorator
@inline function unscaled(at: usize, gamma: v128, alpha: v128): v128 {
  const below = mul(mulAdd(gamma, get<ClassLoss, V0>(at), every(ONE)), alpha);
  return div(mul(get<Modulation, V0>(at), get<ClassProbability, V0>(at)), below);
}

// Rows of many classes, along the slots.

function oneRow(frame: usize, logits: usize, out: usize): void {
  const call = changetype<State>(frame);
  const classes = call.classes;
  const step = classBytes(call);
  const largest = step == sizeof<Float>() ? rowMax(logits, classes) : spreadMax(logits, step, classes);
  describe(frame, logits, classes, largest);
  let total: f64 = 0;
  for (let column = 0; column < classes; column += BLOCK) {
    const width = min(classes - column, BLOCK);
    const bytes = bytesOf(wholeTiles(width));
    if (classes > BLOCK) exponentialsOf(frame, logits + <usize>column * step, width, largest);
    if (call.alphas) padNumbers<Weight>(frame, call.alphas + bytesOf(column), width, 1);
    eachVector<ClassTerms>(frame, 0, 0, bytes);
    raise(frame, powerOf(frame), bytes);
    eachVector<Unscaled>(frame, 0, 0, bytes);
    total += rowSum(frame + slot<Output>(), width);
    spread(out + <usize>column * step, step, frame + slot<Output>(), sizeof<Float>(), width);
  }
  if (step == sizeof<Float>()) rowScale(out, classes, <Float>(1 / total));
  else spreadScale(out, step, classes, <Float>(1 / total));
}

/** Copies `count` values which lie `fromStep` bytes apart to where they lie `step` bytes apart. */
function spread(into: usize, step: usize, from: usize, fromStep: usize, count: i32): void {
  if (step == sizeof<Float>() && fromStep == sizeof<Float>()) memory.copy(into, from, bytesOf(count));
  else for (let j = 0; j < count; j++) store<Float>(into + <usize>j * step, load<Float>(from + <usize>j * fromStep));
}

/** As rowMax has it. */
function spreadMax(row: usize, step: usize, count: i32): Float {
  let largest = load<Float>(row);
  for (let j = 1; j < count; j++) {
    const value = load<Float>(row + <usize>j * step);
    largest = largest < value ? value : largest;
  }
  return largest;
}

/** As rowScale has it. */
function spreadScale(row: usize, step: usize, count: i32, factor: Float): void {
  for (let j = 0; j < count; j++) store<Float>(row + <usize>j * step, load<Float>(row + <usize>j * step) * factor);
}

/** Exponential = the exponentials of up to BLOCK logits of a row, Logits = the logits, shifted where they have to be. */
function exponentialsOf(frame: usize, logits: usize, count: i32, largest: Float): void {
  spread(frame + slot<Logits>(), sizeof<Float>(), logits, classBytes(changetype<State>(frame)), count);
  reduceRow(frame, 0, frame + slot<Logits>(), count, largest);
  claim<Logits>(frame, bytesOf(wholeTiles(count)));
  exponentiateRow(frame, count);
}

/** A row's sum of exponentials, and what its top class is worth. */
function describe(frame: usize, logits: usize, classes: i32, largest: Float): void {
  const call = changetype<State>(frame);
  const top: Float = needsShift(largest) ? 0 : largest;
  let others: f64 = 0;
  let most: Float = 0;
  for (let column = 0; column < classes; column += BLOCK) {
    const width = min(classes - column, BLOCK);
    exponentialsOf(frame, logits + <usize>column * classBytes(call), width, largest);
    const index = most == 0 ? rowIndex(frame + slot<Logits>(), width, top) : width;
    if (index == width) {
      others += rowSum(frame + slot<Exponential>(), width);
      continue;
    }
    const at = frame + slot<Exponential>() + bytesOf(index);
    most = load<Float>(at);
    store<Float>(at, 0);
    others += rowSum(frame + slot<Exponential>(), width);
    store<Float>(at, most);
  }
  const odds = others / <f64>most;
  const log = log1p(odds);
  call.rowLargest = top;
  call.rowTop = most;
  call.rowSum = <Float>(<f64>most + others);
  call.rowRest = <Float>(others / (<f64>most + others));
  call.rowLog = <Float>log;
  call.rowTurn = odds > 0 ? <Float>(log / odds) : 1;
}

@final
@unmanaged
class ClassTerms extends VectorStage {
  @inline override vector(frame: usize, o: usize, x: usize, y: usize): void {
    const at = frame + o;
    classTerms(
      at,
      get<Exponential, V0>(at),
      get<Logits, V0>(at),
      v128.load_splat<Float>(frame, ROW_LARGEST),
      v128.load_splat<Float>(frame, ROW_TOP),
      v128.load_splat<Float>(frame, ROW_SUM),
      v128.load_splat<Float>(frame, ROW_REST),
      v128.load_splat<Float>(frame, ROW_LOG),
      v128.load_splat<Float>(frame, ROW_TURN),
    );
  }
}

@final
@unmanaged
class Unscaled extends VectorStage {
  @inline override vector(frame: usize, o: usize, x: usize, y: usize): void {
    const at = frame + o;
    put<Output, V0>(at, unscaled(at, v128.load_splat<Float>(frame, GAMMA), get<Weight, V0>(at)));
  }
}

// Rows of few classes, side by side. A row is an element too: one whose target is its top class.

function narrowRows(frame: usize, logits: usize, out: usize, count: i32): void {
  const call = changetype<State>(frame);
  const classes = call.classes;
  const stride = strideOf(count);
  const bytes = <usize>classes * stride;
  exponentiateAcross(frame, logits, 0, count, classes);
  for (let r: usize = 0; r < stride; r += 16) topAcross(frame + r, stride, bytes);
  const rows = bytesOf(wholeTiles(count));
  claim<Denominator>(frame, rows); // what is beyond the rows means nothing
  claim<Numerator>(frame, rows);
  claim<Hinge>(frame, rows);
  eachVector<RowHinge>(frame, 0, 0, rows);
  eachVector<RowTerms<ValueOnly>>(frame, 0, 0, rows);
  eachTile<AddEntropy<Divided>>(frame, 0, 0, rows);
  eachVector<TopTerms>(frame, 0, 0, rows);
  classTermsAcross(frame, stride, bytes);
  const whole = bytesOf(wholeTiles(<i32>(bytes >> alignof<Float>())));
  claim<Modulation>(frame, whole);
  raise(frame, powerOf(frame), whole);
  for (let j = 0; j < classes; j++) {
    const alpha = call.alphas ? load<Float>(call.alphas + bytesOf(j)) : 1;
    unscaledAcross(frame, <usize>j * stride, stride, splat(alpha));
  }
  for (let r: usize = 0; r < stride; r += 16) normalizeAcross(frame + slot<Output>() + r, stride, classes);
  storeColumns(frame, frame + slot<Output>(), out, count, classes);
}

/**
 * Of the rows of a vector: Denominator = the exponential of the top class, Hinge = its logarithm, Numerator = the sum of
 * the others, Largest = the largest logit. The exponentials go to ClassExponential, out of the way of what rows have as Modulation.
 */
function topAcross(column: usize, stride: usize, bytes: usize): void {
  let top = get<Exponential, V0>(column);
  let largest = get<Logits, V0>(column);
  const end = column + bytes;
  for (let at = column + stride; at < end; at += stride) {
    top = larger(top, get<Exponential, V0>(at));
    largest = larger(largest, get<Logits, V0>(at));
  }
  let others = zero();
  let seen = zero();
  for (let at = column; at < end; at += stride) {
    const e = get<Exponential, V0>(at);
    const isTop = andNot(equalMask(e, top), seen);
    others = add(others, andNot(e, isTop));
    seen = or(seen, isTop);
    put<ClassExponential, V0>(at, e);
  }
  put<Denominator, V0>(column, top);
  put<Numerator, V0>(column, others);
  put<Hinge, V0>(column, logsOf(largest, get<Hinge, V0>(column)));
  put<Largest, V0>(column, largest);
}

/** From the entropy of rows whose target is their top class: Rest and Turn. */
@final
@unmanaged
class TopTerms extends VectorStage {
  @inline override vector(frame: usize, o: usize, x: usize, y: usize): void {
    const at = frame + o;
    const others = get<Numerator, V0>(at);
    const turn = div(mul(get<Entropy, V0>(at), get<Denominator, V0>(at)), others);
    put<Rest, V0>(at, get<Modulation, V0>(at));
    put<Turn, V0>(at, choose(turn, every(ONE), nonZeroMask(others)));
  }
}

function classTermsAcross(frame: usize, stride: usize, bytes: usize): void {
  let row: usize = 0;
  for (let o: usize = 0; o < bytes; o += 16) {
    const at = frame + o;
    const group = frame + row;
    classTerms(
      at,
      get<ClassExponential, V0>(at),
      get<Logits, V0>(at),
      get<Largest, V0>(group),
      get<Denominator, V0>(group),
      get<Divisor, V0>(group),
      get<Rest, V0>(group),
      get<Entropy, V0>(group),
      get<Turn, V0>(group),
    );
    row += 16;
    row = row == stride ? 0 : row;
  }
}

function unscaledAcross(frame: usize, first: usize, stride: usize, alpha: v128): void {
  const gamma = v128.load_splat<Float>(frame, GAMMA);
  for (let o = first; o < first + stride; o += 16) {
    put<Output, V0>(frame + o, unscaled(frame + o, gamma, alpha));
  }
}

/** Divides the rows of a vector by their sums. */
function normalizeAcross(column: usize, stride: usize, classes: i32): void {
  const scale = div(every(ONE), sumAcross(column, stride, classes));
  for (let j = 0; j < classes; j++) {
    const at = column + <usize>j * stride;
    write(at, mul(read(at), scale));
  }
}
