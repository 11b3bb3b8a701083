import { Quotient, Reduce } from './exponential';
import { powerOf, prepareGamma, takePower } from './gamma';
import {
  absolute,
  add,
  CAP,
  div,
  every,
  HALF,
  load4,
  mul,
  mulAdd,
  negativeMask,
  select4,
  smaller,
  zero,
} from './lanes';
import {
  BLOCK,
  DENOMINATOR,
  DIVISOR,
  ENTROPY,
  FACTOR,
  Frame,
  GAMMA,
  HINGE,
  NEGATIVE_FACTOR,
  NUMERATOR,
  PAD_LOGITS,
  PAD_OUT,
  POSITIVE_FACTOR,
  RATIO,
  wholeTiles,
} from './layout';
import { Divided, Entropy } from './logarithm';
import { padFloats } from './pad';
import { sweep, sweepVectors } from './sweep';

// The class probability behind the logit of a model trained with focal loss (Charoenphakdee et al. 2021).
// The expected gradient is 0 there: P = C / (A + C), A = a w q^g (q - g p log p), C = (1 - a) p^g (p - g q log q).
// Divided by the power of the larger of p and q, with u the larger and v the smaller, e = e^-|x| and L = log(1 + e):
//   the likelier side becomes u + g v (|x| + L), the other e^g (v + g u L), and nothing is 0 / 0.

export function posterior(frame: usize): void {
  const call = changetype<Frame>(frame);
  prepareGamma(frame);
  store<f32>(frame + POSITIVE_FACTOR, <f32>(call.alphaPositive * call.posWeight));
  store<f32>(frame + NEGATIVE_FACTOR, <f32>call.alphaNegative);
  for (let start = 0; start < call.count; start += <i32>BLOCK) {
    block(frame, start, min(call.count - start, <i32>BLOCK));
  }
}

function block(frame: usize, start: i32, count: i32): void {
  const call = changetype<Frame>(frame);
  const bytes = <usize>wholeTiles(count) << 2;
  const x = frame + PAD_LOGITS;
  padFloats(x, call.logits + (start << 2), count, 0);
  sweep<Reduce>(frame, x, 0, bytes);
  sweep<Quotient>(frame, x, 0, bytes);
  sweepVectors<PosteriorTerms>(frame, x, 0, bytes);
  sweep<Entropy<Divided>>(frame, x, 0, bytes);
  takePower(frame, powerOf(frame), bytes);
  sweepVectors<Posterior>(frame, x, 0, bytes);
  memory.copy(call.loss + (start << 2), frame + PAD_OUT, count << 2);
}

@final
@unmanaged
class PosteriorTerms {
  // @ts-ignore: decorator
  @inline step(frame: usize, o: usize, x: usize, y: usize): void {
    const at = frame + o;
    const d = v128.load(at, DENOMINATOR);
    const n = v128.load(at, NUMERATOR);
    v128.store(at, div(n, mulAdd(n, every(HALF), d)), RATIO);
    v128.store(at, n, FACTOR);
    v128.store(at, d, DIVISOR);
    v128.store(at, zero(), HINGE);
  }
}

@final
@unmanaged
class Posterior {
  // @ts-ignore: decorator
  @inline step(frame: usize, o: usize, x: usize, y: usize): void {
    const at = frame + o;
    const logit = load4(x + o);
    const gamma = every(frame + GAMMA);
    const d = v128.load(at, DENOMINATOR);
    const n = v128.load(at, NUMERATOR);
    const both = add(d, n);
    const u = div(d, both);
    const v = div(n, both);
    const log = v128.load(at, ENTROPY);
    const likely = mulAdd(mul(gamma, v), smaller(add(absolute(logit), log), every(CAP)), u);
    const other = mul(v128.load(at, FACTOR), mulAdd(mul(gamma, u), log, v));
    const negative = negativeMask(logit);
    const positives = mul(select4(other, likely, negative), every(frame + NEGATIVE_FACTOR));
    const negatives = mul(select4(likely, other, negative), every(frame + POSITIVE_FACTOR));
    v128.store(at, div(positives, add(positives, negatives)), PAD_OUT);
  }
}
