import { bufferOf, checkNumbers, type FloatSource, floatsOf } from './arrays.js';
import { classCount, factor, keyed, sameLength, share, wholeRows } from './checks.js';
import { kindOf } from './kinds.js';
import { Double, type Instance, instanceOf, SEGMENT, Word } from './memory.js';
import { rowInstance, rowsPerSegment } from './softmax-evaluator.js';
import { classWeights } from './softmax-focal-loss.js';
import type { Logits } from './types.js';

/** The options that a binary model was trained with. Every key is optional, unknown keys are refused. */
export interface FocalPosteriorOptions {
  /** Finite, >= 0. Default 1.5. */
  readonly gamma?: number;
  /** In [0, 1], or `null` for none. Default 0.25. */
  readonly alpha?: number | null;
  /** Finite, >= 0. Default 1. */
  readonly posWeight?: number;
  /** Receives the probabilities and is returned; may be `logits` themselves. Default: a new array. */
  readonly out?: Float32Array;
}

/** The options that a softmax model was trained with. Every key but `numClasses` is optional, unknown keys are refused. */
export interface SoftmaxFocalPosteriorOptions {
  /** Columns of row-major `[rows, numClasses]` logits; an integer >= 1. */
  readonly numClasses: number;
  /** Finite, >= 0. Default 1.5. */
  readonly gamma?: number;
  /** One weight a class, finite, >= 0, or `null` for none. Default null. */
  readonly alpha?: ArrayLike<number> | null;
  /** Receives the probabilities and is returned; may be `logits` themselves. Default: a new array. */
  readonly out?: Float32Array;
}

/**
 * The class probability behind each logit of a model that was trained with focal loss. The score that minimises a focal
 * loss is not the probability of the class: at gamma 2, alpha 0.25 a probability of 0.5 trains to a sigmoid of 0.399. The
 * formula inverts that exactly (Charoenphakdee et al. 2021, https://arxiv.org/abs/2011.09172, with alpha and posWeight).
 *
 * @returns P(y = 1) for each logit, in `out` or a new Float32Array.
 * @throws TypeError for an unknown key or an array or option of the wrong kind, RangeError for a value out of range or a
 * length that does not agree.
 * @example
 * ```ts
 * import { focalPosterior } from 'focal-loss-wasm';
 *
 * const probabilities = focalPosterior([-0.41, 0.41], { gamma: 2, alpha: 0.25 }); // 0.5, 0.9
 * ```
 */
export function focalPosterior(logits: Logits, options?: FocalPosteriorOptions): Float32Array {
  const x = floatsOf('logits', logits);
  const given = keyed('options', options, ['gamma', 'alpha', 'posWeight', 'out']);
  const gamma = factor('gamma', given.gamma === undefined ? 1.5 : given.gamma);
  const alpha = given.alpha === undefined ? 0.25 : given.alpha === null ? null : share('alpha', given.alpha);
  const posWeight = factor('posWeight', given.posWeight === undefined ? 1 : given.posWeight);
  const out = resultOf(given.out, x);
  const [positive, negative] = [alpha ?? 1, alpha === null ? 1 : 1 - alpha];
  const [positiveFactor, negativeFactor] = [Math.fround(positive * posWeight), Math.fround(negative)];
  if (positiveFactor === 0 || negativeFactor === 0) {
    return certain(x, negativeFactor / (positiveFactor + negativeFactor), out);
  }
  const instance = instanceOf(x);
  const { doubles, kernel, frame } = instance;
  doubles[Double.alphaPositive] = positive;
  doubles[Double.alphaNegative] = negative;
  doubles[Double.posWeight] = posWeight;
  run(instance, gamma, x, out, 1, SEGMENT, () => kernel.posterior(frame));
  return out;
}

/**
 * The class probabilities behind rows of logits of a model that was trained with the focal loss of a softmax, as
 * `focalPosterior` has them for two classes (Charoenphakdee et al. 2021, https://arxiv.org/abs/2011.09172).
 *
 * @returns P(class) for each logit, in `out` or a new Float32Array; each row sums to 1.
 * @throws as `focalPosterior` does.
 * @example
 * ```ts
 * import { softmaxFocalPosterior } from 'focal-loss-wasm';
 *
 * const probabilities = softmaxFocalPosterior([2, 0, -1], { gamma: 2, numClasses: 3 });
 * ```
 */
export function softmaxFocalPosterior(logits: Logits, options: SoftmaxFocalPosteriorOptions): Float32Array {
  const x = floatsOf('logits', logits);
  const given = keyed('options', options, ['gamma', 'alpha', 'numClasses', 'out']);
  const numClasses = classCount(given.numClasses);
  const gamma = factor('gamma', given.gamma === undefined ? 1.5 : given.gamma);
  const alpha = classWeights(given.alpha === undefined ? null : given.alpha, numClasses);
  wholeRows(x.length, numClasses);
  const out = resultOf(given.out, x);
  const instance = rowInstance(numClasses, alpha, x, out);
  const { words, kernel, frame } = instance;
  words[Word.classes] = numClasses;
  words[Word.alphas] = alpha === undefined ? 0 : instance.stageFloats(alpha, 0, numClasses, instance.alphas);
  run(instance, gamma, x, out, numClasses, rowsPerSegment(numClasses), () => kernel.softmaxPosterior(frame));
  return out;
}

/** Of a loss that counts one class for nothing, no score but an endless one of the other is best: NaN stays NaN. */
function certain(x: FloatSource, probability: number, out: Float32Array): Float32Array {
  for (let k = 0; k < out.length; k++) out[k] = Number.isNaN(x[k]) ? Number.NaN : probability;
  return out;
}

function resultOf(out: unknown, x: FloatSource): Float32Array {
  if (out !== undefined) sameLength('out', bufferOf('out', out).length, x.length, 'the length of "logits"');
  if (kindOf(x) !== 'Float32Array') checkNumbers('logits', x);
  return out === undefined ? new Float32Array(x.length) : (out as Float32Array);
}

function run(
  instance: Instance,
  gamma: number,
  x: FloatSource,
  out: Float32Array,
  columns: number,
  step: number,
  evaluate: () => void,
): void {
  const { words, doubles } = instance;
  // the frame is no loss's any more
  instance.owner = undefined;
  doubles[Double.gamma] = gamma;
  const xAt = kindOf(x) === 'Float32Array' ? instance.locate(x as Float32Array, Word.logits) : 0;
  const outAt = instance.locate(out, Word.loss);
  const rows = x.length / columns;
  for (let start = 0; start < rows; start += step) {
    const count = Math.min(step, rows - start);
    const first = start * columns;
    const length = count * columns;
    words[Word.count] = count;
    words[Word.logits] = xAt === 0 ? instance.stageFloats(x, first, length, instance.logits) : xAt + 4 * first;
    words[Word.loss] = outAt === 0 ? instance.grad : outAt + 4 * first;
    evaluate();
    if (outAt === 0) instance.takeFloats(out, first, length, instance.grad);
  }
}
