import { prepareGamma, takePower } from './gamma';
import {
  CAP,
  div,
  every,
  load4,
  mul,
  mulAdd,
  ONE,
  select4,
  smaller,
  store4,
  sub,
  zeroMask,
} from './lanes';
import {
  BLOCK,
  CURVE,
  ENTROPY,
  FACTOR,
  Frame,
  GAMMA,
  HINGE,
  PAD_OUT,
  PAD_WEIGHT,
  ROW_LOG,
  ROW_REST,
  ROW_SUM,
  ROW_TURN,
  SLOPE,
  wholeTiles,
} from './layout';
import { fillSlot, padFloats } from './pad';
import { rowMax, rowScale, rowSum } from './rows';
import { exponentiate, logOf, reduceRow } from './softmax-exponential';
import { sweepVectors } from './sweep';

// P(k) is proportional to 1 / a_k times v / ((1 - v)^g - g (1 - v)^(g - 1) v log v) at v = p_k.
// Multiplied by the top class's (1 - v)^g that is r^g v / (1 + g v l / (1 - v)), with l = -log v and r <= 1 the quotient of
// the top class's 1 - v and this one's: nothing is 0 / 0. Of the top class, 1 - v is the sum of the others and
// v l / (1 - v) is log(1 + o) / o, o that sum before it is divided by the whole.

export function softmaxPosterior(frame: usize): void {
  const call = changetype<Frame>(frame);
  prepareGamma(frame, call.gamma);
  fillSlot(frame + PAD_WEIGHT, call.classes, 1);
  for (let row = 0; row < call.count; row++) {
    const first = <usize>row * (<usize>call.classes << 2);
    oneRow(frame, call.logits + first, call.loss + first);
  }
}

function oneRow(frame: usize, logits: usize, out: usize): void {
  const call = changetype<Frame>(frame);
  const classes = call.classes;
  const largest = rowMax(logits, classes);
  describe(frame, logits, classes, largest);
  let total: f64 = 0;
  for (let column = 0; column < classes; column += <i32>BLOCK) {
    const width = min(classes - column, <i32>BLOCK);
    const bytes = <usize>wholeTiles(width) << 2;
    reduceRow(frame, 0, logits + (column << 2), width, largest);
    exponentiate(frame, width);
    logarithms(frame, logits + (column << 2), width, largest);
    if (call.alphas) padFloats(frame + PAD_WEIGHT, call.alphas + (column << 2), width, 1);
    sweepVectors<Shares>(frame, 0, 0, bytes);
    takePower(frame, call.gamma, bytes);
    sweepVectors<Unscaled>(frame, 0, 0, bytes);
    total += rowSum(frame + PAD_OUT, width);
    memory.copy(out + (column << 2), frame + PAD_OUT, width << 2);
  }
  rowScale(out, classes, <f32>(1 / total));
}

/** The logarithms of the exponentials as HINGE, and which of them are the row's largest as ENTROPY: 0 for those. */
function logarithms(frame: usize, logits: usize, count: i32, largest: f32): void {
  for (let j = 0; j < count; j++) {
    const logit = load<f32>(logits + (j << 2));
    store<f32>(frame + HINGE + (j << 2), <f32>logOf(logit, largest));
    store<f32>(frame + ENTROPY + (j << 2), logit == largest ? 0 : 1);
  }
}

/** A row's sum of exponentials, and what its top class is worth. */
function describe(frame: usize, logits: usize, classes: i32, largest: f32): void {
  let others: f64 = 0;
  let top: f64 = 0;
  for (let column = 0; column < classes; column += <i32>BLOCK) {
    const width = min(classes - column, <i32>BLOCK);
    reduceRow(frame, 0, logits + (column << 2), width, largest);
    exponentiate(frame, width);
    for (let j = 0; j < width && top == 0; j++) {
      if (load<f32>(logits + ((column + j) << 2)) != largest) continue;
      top = <f64>load<f32>(frame + FACTOR + (j << 2));
      store<f32>(frame + FACTOR + (j << 2), 0);
    }
    others += rowSum(frame + FACTOR, width);
  }
  const odds = others / top;
  const log = Math.log1p(odds);
  store<f32>(frame + ROW_SUM, <f32>(top + others));
  store<f32>(frame + ROW_REST, <f32>(others / (top + others)));
  store<f32>(frame + ROW_LOG, <f32>(log + logOf(largest, largest)));
  store<f32>(frame + ROW_TURN, odds > 0 ? <f32>(log / odds) : 1);
}

/** From FACTOR, the exponentials: v as SLOPE, v l / (1 - v) as CURVE, r as FACTOR. */
@final
@unmanaged
class Shares {
  // @ts-ignore: decorator
  @inline step(frame: usize, o: usize, x: usize, y: usize): void {
    const at = frame + o;
    const top = zeroMask(v128.load(at, ENTROPY));
    const v = div(v128.load(at, FACTOR), every(frame + ROW_SUM));
    const rest = select4(every(frame + ROW_REST), sub(every(ONE), v), top);
    const l = smaller(sub(every(frame + ROW_LOG), v128.load(at, HINGE)), every(CAP));
    v128.store(at, v, SLOPE);
    v128.store(at, select4(every(frame + ROW_TURN), div(mul(v, l), rest), top), CURVE);
    v128.store(at, select4(every(ONE), smaller(div(every(frame + ROW_REST), rest), every(ONE)), top), FACTOR);
  }
}

/** PAD_OUT = r^g v / (1 + g v l / (1 - v)) / a. */
@final
@unmanaged
class Unscaled {
  // @ts-ignore: decorator
  @inline step(frame: usize, o: usize, x: usize, y: usize): void {
    const at = frame + o;
    const below = mul(mulAdd(every(frame + GAMMA), v128.load(at, CURVE), every(ONE)), v128.load(at, PAD_WEIGHT));
    v128.store(at, div(mul(v128.load(at, FACTOR), v128.load(at, SLOPE)), below), PAD_OUT);
  }
}
