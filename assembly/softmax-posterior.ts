import { ValueOnly } from './derivative';
import { powerOf, prepareGamma, takePower } from './gamma';
import {
  add,
  andNot,
  CAP,
  div,
  equalMask,
  every,
  larger,
  load4,
  mul,
  mulAdd,
  nonZeroMask,
  ONE,
  or,
  select4,
  smaller,
  splat,
  store4,
  sub,
  zero,
} from './lanes';
import {
  BLOCK,
  CURVE,
  DENOMINATOR,
  DIVISOR,
  ENTROPY,
  FACTOR,
  Frame,
  GAMMA,
  HINGE,
  NUMERATOR,
  OTHER,
  PAD_LOGITS,
  PAD_OUT,
  PAD_WEIGHT,
  RATIO,
  ROW_LARGEST,
  ROW_LOG,
  ROW_REST,
  ROW_SUM,
  ROW_TOP,
  ROW_TURN,
  SLOPE,
  wholeTiles,
} from './layout';
import { Divided, Entropy, log1p } from './logarithm';
import { fillSlot, padFloats } from './pad';
import { rowIndex, rowMax, rowScale, rowSum } from './rows';
import { exponentiate, needsShift, reduceRow } from './softmax-exponential';
import { exponentiateAcross, keepAcross, logsOf, NARROW, rowsAcross, strideOf, sumAcross } from './softmax-narrow';
import { RowHinge, RowTerms } from './softmax-terms';
import { sweep, sweepVectors } from './sweep';

// P(k) is proportional to 1 / a_k times v / ((1 - v)^g - g (1 - v)^(g - 1) v log v) at v = p_k.
// Multiplied by the top class's (1 - v)^g that is r^g v / (1 + g v l / (1 - v)), with l = -log v and r <= 1 the quotient of
// the top class's 1 - v and this one's: nothing is 0 / 0. Of the top class, 1 - v is the sum of the others and
// v l / (1 - v) is log(1 + o) / o, o that sum before it is divided by the whole.

export function softmaxPosterior(frame: usize): void {
  const call = changetype<Frame>(frame);
  const classes = call.classes;
  const rowBytes = <usize>classes << 2;
  prepareGamma(frame);
  fillSlot(frame + PAD_WEIGHT, classes, 1);
  const step = classes <= NARROW ? rowsAcross(classes) : 1;
  for (let row = 0; row < call.count; row += step) {
    const first = <usize>row * rowBytes;
    if (classes <= NARROW) narrowRows(frame, call.logits + first, call.loss + first, min(call.count - row, step));
    else oneRow(frame, call.logits + first, call.loss + first);
  }
}

// What a class has of its row's posterior, from e, its exponential, and z, its logit: v as SLOPE, v l / (1 - v) as CURVE,
// r as FACTOR. Of the row: the largest logit, its exponential, the sum of all and the others' share of it, log(1 + o), and
// log(1 + o) / o. Logits as large as the largest are top classes too.
// @ts-ignore: decorator
@inline function share(
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
  const own = select4(rest, sub(one, v), isTop);
  const l = smaller(add(sub(largest, z), log), every(CAP));
  v128.store(at, v, SLOPE);
  v128.store(at, select4(turn, div(mul(v, l), own), isTop), CURVE);
  v128.store(at, select4(one, smaller(div(rest, own), one), isTop), FACTOR);
}

// r^g v / (1 + g v l / (1 - v)) / a
// @ts-ignore: decorator
@inline function unscaled(at: usize, gamma: v128, alpha: v128): v128 {
  const below = mul(mulAdd(gamma, v128.load(at, CURVE), every(ONE)), alpha);
  return div(mul(v128.load(at, FACTOR), v128.load(at, SLOPE)), below);
}

// Rows of many classes, along the slots.

function oneRow(frame: usize, logits: usize, out: usize): void {
  const call = changetype<Frame>(frame);
  const classes = call.classes;
  const largest = rowMax(logits, classes);
  describe(frame, logits, classes, largest);
  let total: f64 = 0;
  for (let column = 0; column < classes; column += <i32>BLOCK) {
    const width = min(classes - column, <i32>BLOCK);
    const bytes = <usize>wholeTiles(width) << 2;
    if (classes > <i32>BLOCK) exponentialsOf(frame, logits + (column << 2), width, largest);
    if (call.alphas) padFloats(frame + PAD_WEIGHT, call.alphas + (column << 2), width, 1);
    sweepVectors<Shares>(frame, 0, 0, bytes);
    takePower(frame, powerOf(frame), bytes);
    sweepVectors<Unscaled>(frame, 0, 0, bytes);
    total += rowSum(frame + PAD_OUT, width);
    memory.copy(out + (column << 2), frame + PAD_OUT, width << 2);
  }
  rowScale(out, classes, <f32>(1 / total));
}

/** FACTOR = the exponentials of up to BLOCK logits of a row, PAD_LOGITS = the logits, shifted where they have to be. */
function exponentialsOf(frame: usize, logits: usize, count: i32, largest: f32): void {
  memory.copy(frame + PAD_LOGITS, logits, count << 2);
  reduceRow(frame, 0, frame + PAD_LOGITS, count, largest);
  exponentiate(frame, count);
}

/** A row's sum of exponentials, and what its top class is worth. */
function describe(frame: usize, logits: usize, classes: i32, largest: f32): void {
  const top: f32 = needsShift(largest) ? 0 : largest;
  let others: f64 = 0;
  let most: f32 = 0;
  for (let column = 0; column < classes; column += <i32>BLOCK) {
    const width = min(classes - column, <i32>BLOCK);
    exponentialsOf(frame, logits + (column << 2), width, largest);
    const index = most == 0 ? rowIndex(frame + PAD_LOGITS, width, top) : width;
    if (index == width) {
      others += rowSum(frame + FACTOR, width);
      continue;
    }
    const at = frame + FACTOR + (index << 2);
    most = load<f32>(at);
    store<f32>(at, 0);
    others += rowSum(frame + FACTOR, width);
    store<f32>(at, most);
  }
  const odds = others / <f64>most;
  const log = log1p(odds);
  store<f32>(frame + ROW_LARGEST, top);
  store<f32>(frame + ROW_TOP, most);
  store<f32>(frame + ROW_SUM, <f32>(<f64>most + others));
  store<f32>(frame + ROW_REST, <f32>(others / (<f64>most + others)));
  store<f32>(frame + ROW_LOG, <f32>log);
  store<f32>(frame + ROW_TURN, odds > 0 ? <f32>(log / odds) : 1);
}

@final
@unmanaged
class Shares {
  // @ts-ignore: decorator
  @inline step(frame: usize, o: usize, x: usize, y: usize): void {
    const at = frame + o;
    share(
      at,
      v128.load(at, FACTOR),
      v128.load(at, PAD_LOGITS),
      every(frame + ROW_LARGEST),
      every(frame + ROW_TOP),
      every(frame + ROW_SUM),
      every(frame + ROW_REST),
      every(frame + ROW_LOG),
      every(frame + ROW_TURN),
    );
  }
}

@final
@unmanaged
class Unscaled {
  // @ts-ignore: decorator
  @inline step(frame: usize, o: usize, x: usize, y: usize): void {
    const at = frame + o;
    v128.store(at, unscaled(at, every(frame + GAMMA), v128.load(at, PAD_WEIGHT)), PAD_OUT);
  }
}

// Rows of few classes, side by side. A row is an element too: one whose target is its top class.

function narrowRows(frame: usize, logits: usize, out: usize, count: i32): void {
  const call = changetype<Frame>(frame);
  const classes = call.classes;
  const stride = strideOf(count);
  const bytes = <usize>classes * stride;
  exponentiateAcross(frame, logits, 0, count, classes);
  for (let r: usize = 0; r < stride; r += 16) topAcross(frame + r, stride, bytes);
  const rows = <usize>wholeTiles(count) << 2;
  sweepVectors<RowHinge>(frame, 0, 0, rows);
  sweepVectors<RowTerms<ValueOnly>>(frame, 0, 0, rows);
  sweep<Entropy<Divided>>(frame, 0, 0, rows);
  sweepVectors<TopTerms>(frame, 0, 0, rows);
  sharesAcross(frame, stride, bytes);
  takePower(frame, powerOf(frame), <usize>wholeTiles(<i32>(bytes >> 2)) << 2);
  for (let j = 0; j < classes; j++) {
    const alpha = call.alphas ? load<f32>(call.alphas + (j << 2)) : 1;
    unscaledAcross(frame, <usize>j * stride, stride, splat(alpha));
  }
  for (let r: usize = 0; r < stride; r += 16) normalizeAcross(frame + PAD_OUT + r, stride, classes);
  keepAcross(frame + PAD_OUT, out, count, stride, classes);
}

/**
 * Of four rows side by side: DENOMINATOR = the exponential of the top class, HINGE = its logarithm, NUMERATOR = the sum of
 * the others, OTHER = the largest logit. The exponentials go to SLOPE, out of the way of what rows have as FACTOR.
 */
function topAcross(column: usize, stride: usize, bytes: usize): void {
  let top = v128.load(column, FACTOR);
  let largest = v128.load(column, PAD_LOGITS);
  const end = column + bytes;
  for (let at = column + stride; at < end; at += stride) {
    top = larger(top, v128.load(at, FACTOR));
    largest = larger(largest, v128.load(at, PAD_LOGITS));
  }
  let others = zero();
  let seen = zero();
  for (let at = column; at < end; at += stride) {
    const e = v128.load(at, FACTOR);
    const isTop = andNot(equalMask(e, top), seen);
    others = add(others, andNot(e, isTop));
    seen = or(seen, isTop);
    v128.store(at, e, SLOPE);
  }
  v128.store(column, top, DENOMINATOR);
  v128.store(column, others, NUMERATOR);
  v128.store(column, logsOf(largest, v128.load(column, HINGE)), HINGE);
  v128.store(column, largest, OTHER);
}

/** HINGE = the others' share, RATIO = log(1 + o) / o. */
@final
@unmanaged
class TopTerms {
  // @ts-ignore: decorator
  @inline step(frame: usize, o: usize, x: usize, y: usize): void {
    const at = frame + o;
    const others = v128.load(at, NUMERATOR);
    const turn = div(mul(v128.load(at, ENTROPY), v128.load(at, DENOMINATOR)), others);
    v128.store(at, v128.load(at, FACTOR), HINGE);
    v128.store(at, select4(turn, every(ONE), nonZeroMask(others)), RATIO);
  }
}

function sharesAcross(frame: usize, stride: usize, bytes: usize): void {
  let row: usize = 0;
  for (let o: usize = 0; o < bytes; o += 16) {
    const at = frame + o;
    const group = frame + row;
    share(
      at,
      v128.load(at, SLOPE),
      v128.load(at, PAD_LOGITS),
      v128.load(group, OTHER),
      v128.load(group, DENOMINATOR),
      v128.load(group, DIVISOR),
      v128.load(group, HINGE),
      v128.load(group, ENTROPY),
      v128.load(group, RATIO),
    );
    row += 16;
    row = row == stride ? 0 : row;
  }
}

function unscaledAcross(frame: usize, first: usize, stride: usize, alpha: v128): void {
  const gamma = every(frame + GAMMA);
  for (let o = first; o < first + stride; o += 16) {
    v128.store(frame + o, unscaled(frame + o, gamma, alpha), PAD_OUT);
  }
}

/** Divides four rows by their sums. */
function normalizeAcross(column: usize, stride: usize, classes: i32): void {
  const scale = div(every(ONE), sumAcross(column, stride, classes));
  for (let j = 0; j < classes; j++) {
    const at = column + <usize>j * stride;
    store4(at, mul(load4(at), scale));
  }
}
