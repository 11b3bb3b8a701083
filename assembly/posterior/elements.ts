import { padNumbers } from '../elements/inputs';
import { GAMMA, NEGATIVE_FACTOR, POSITIVE_FACTOR, State, bytesOf } from '../frame';
import { Quotient, Reduce } from '../math/exponential';
import { AddEntropy, Divided } from '../math/logarithm';
import { powerOf, prepareGamma, raise } from '../math/raise';
import {
  HALF,
  LOSS_LIMIT,
  absolute,
  add,
  choose,
  div,
  every,
  mul,
  mulAdd,
  negativeMask,
  read,
  smaller,
  zero,
} from '../simd/lanes';
import { VectorStage, eachTile, eachVector } from '../simd/stage';
import { BLOCK, V0, wholeTiles } from '../simd/tile';
import {
  Denominator,
  Divisor,
  Entropy,
  Hinge,
  Logits,
  Modulation,
  Numerator,
  Output,
  Ratio,
  clearSlots,
  get,
  put,
  slot,
} from '../slots';

// The class probability behind the logit of a model trained with focal loss (Charoenphakdee et al. 2021).
// The expected gradient is 0 there: P = C / (A + C), A = a w q^g (q - g p log p), C = (1 - a) p^g (p - g q log q).
// Divided by the power of the larger of p and q, with u the larger and v the smaller, e = e^-|x| and L = log(1 + e):
//   the likelier side becomes u + g v (|x| + L), the other e^g (v + g u L), and nothing is 0 / 0.

export function elementPosterior(frame: usize): void {
  const call = changetype<State>(frame);
  clearSlots(frame);
  prepareGamma(frame);
  call.positiveFactor = <Float>(call.alphaPositive * call.posWeight);
  call.negativeFactor = <Float>call.alphaNegative;
  for (let left = call.count; left > 0; left -= BLOCK) block(frame, call.count - left, min(left, BLOCK));
}

function block(frame: usize, start: i32, count: i32): void {
  const call = changetype<State>(frame);
  const bytes = bytesOf(wholeTiles(count));
  const x = frame + slot<Logits>();
  padNumbers<Logits>(frame, call.logits + bytesOf(start), count, 0);
  eachTile<Reduce>(frame, x, 0, bytes);
  eachTile<Quotient>(frame, x, 0, bytes);
  eachVector<PosteriorTerms>(frame, x, 0, bytes);
  eachTile<AddEntropy<Divided>>(frame, x, 0, bytes);
  raise(frame, powerOf(frame), bytes);
  eachVector<PutPosterior>(frame, x, 0, bytes);
  memory.copy(call.loss + bytesOf(start), frame + slot<Output>(), bytesOf(count));
}

@final
@unmanaged
class PosteriorTerms extends VectorStage {
  @inline override vector(frame: usize, o: usize, x: usize, y: usize): void {
    const at = frame + o;
    const d = get<Denominator, V0>(at);
    const n = get<Numerator, V0>(at);
    put<Ratio, V0>(at, div(n, mulAdd(n, every(HALF), d)));
    put<Modulation, V0>(at, n);
    put<Divisor, V0>(at, d);
    put<Hinge, V0>(at, zero());
  }
}

@final
@unmanaged
class PutPosterior extends VectorStage {
  @inline override vector(frame: usize, o: usize, x: usize, y: usize): void {
    const at = frame + o;
    const logit = read(x + o);
    const gamma = v128.load_splat<Float>(frame, GAMMA);
    const d = get<Denominator, V0>(at);
    const n = get<Numerator, V0>(at);
    const both = add(d, n);
    const u = div(d, both);
    const v = div(n, both);
    const log = get<Entropy, V0>(at);
    const likely = mulAdd(mul(gamma, v), smaller(add(absolute(logit), log), every(LOSS_LIMIT)), u);
    const other = mul(get<Modulation, V0>(at), mulAdd(mul(gamma, u), log, v));
    const negative = negativeMask(logit);
    const positives = mul(choose(other, likely, negative), v128.load_splat<Float>(frame, NEGATIVE_FACTOR));
    const negatives = mul(choose(likely, other, negative), v128.load_splat<Float>(frame, POSITIVE_FACTOR));
    put<Output, V0>(at, div(positives, add(positives, negatives)));
  }
}
