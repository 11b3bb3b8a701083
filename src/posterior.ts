import { Field32, Field64, SEGMENT } from './abi.js';
import { exponent, factor, fraction, onlyKeys, wrongValue } from './checks.js';
import { FLOAT_BYTES, FLOAT_KIND, type Floats, type Instance, instanceOf, toFloat } from './engine/arena.js';
import { numbersOf, type Operand, operandOf } from './engine/operand.js';
import { bufferOf, floats } from './engine/results.js';
import { rowInstance, rowsPerSegment, stageAlphas, stagePlanes, takePlanes, weightsOf } from './engine/rows.js';
import { type Layout, layoutOf } from './engine/shapes.js';
import { FLOATS } from './engine/targets.js';
import { classAlpha, classAxisOf, classCountOf } from './losses/options.js';
import type { Logits, Results } from './types.js';

/** The options that a binary model was trained with. Every key is optional, unknown keys are refused. */
export interface FocalPosteriorOptions {
  /** In [0, 64]. Default 1.5. */
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
  /** Columns of row-major `[rows, numClasses]` logits, or elements of the class axis; an integer >= 1. */
  readonly numClasses: number;
  /** The axis along which the classes lie, as `SoftmaxFocalLoss` has it. Default -1, the last. */
  readonly classAxis?: number;
  /** In [0, 64]. Default 1.5. */
  readonly gamma?: number;
  /** One weight for each class, or a single one for all, finite, >= 0; `null` for none. Default null. */
  readonly alpha?: number | ArrayLike<number> | null;
  /** Receives the probabilities and is returned; may be `logits` themselves. Default: a new array. */
  readonly out?: Float32Array;
}

const BINARY_KEYS = ['gamma', 'alpha', 'posWeight', 'out'];
const SOFTMAX_KEYS = ['gamma', 'alpha', 'numClasses', 'classAxis', 'out'];

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
export function focalPosterior(logits: Logits, options?: FocalPosteriorOptions): Results {
  const given = onlyKeys('options', options, BINARY_KEYS);
  const gamma = exponent('gamma', given.gamma === undefined ? 1.5 : given.gamma);
  const alpha = given.alpha === undefined ? 0.25 : given.alpha === null ? null : fraction('alpha', given.alpha);
  const posWeight = factor('posWeight', given.posWeight === undefined ? 1 : given.posWeight);
  const x = operandOf('logits', logits, FLOATS);
  const out = bufferOf('out', given.out, x.length, 'the length of "logits"') ?? floats('out', x.length);
  const [positive, negative] = [alpha ?? 1, alpha === null ? 1 : 1 - alpha];
  const [positiveFactor, negativeFactor] = [toFloat(positive * posWeight), toFloat(negative)];
  if (positiveFactor === 0 || negativeFactor === 0) {
    return certain(numbersOf(x), negativeFactor / (positiveFactor + negativeFactor), out);
  }
  const instance = instanceOf(x.view);
  const { words, doubles, kernel, frame } = instance;
  // the frame is no loss's any more
  instance.claim(focalPosterior);
  words[Field32.stride] = 1;
  doubles[Field64.gamma] = gamma;
  doubles[Field64.alphaPositive] = positive;
  doubles[Field64.alphaNegative] = negative;
  doubles[Field64.posWeight] = posWeight;
  run(instance, x, out, { classes: 1, pixels: 1 }, SEGMENT, () => kernel.posterior(frame));
  return out as Results;
}

/**
 * The class probabilities behind rows of logits of a model that was trained with the focal loss of a softmax, as
 * `focalPosterior` has them for two classes (Charoenphakdee et al. 2021, https://arxiv.org/abs/2011.09172).
 *
 * @returns P(class) for each logit, in `out` or a new Float32Array, in the layout of the logits; each row sums to 1.
 * @throws as `focalPosterior` does.
 * @example
 * ```ts
 * import { softmaxFocalPosterior } from 'focal-loss-wasm';
 *
 * const probabilities = softmaxFocalPosterior([2, 0, -1], { gamma: 2, numClasses: 3 });
 * ```
 */
export function softmaxFocalPosterior(logits: Logits, options: SoftmaxFocalPosteriorOptions): Results {
  const given = onlyKeys('options', options, SOFTMAX_KEYS);
  const numClasses = classCountOf(given.numClasses);
  const classAxis = classAxisOf(given.classAxis);
  const gamma = exponent('gamma', given.gamma === undefined ? 1.5 : given.gamma);
  const alpha = given.alpha === undefined ? null : classAlpha('alpha', given.alpha, numClasses);
  const alphas = typeof alpha === 'number' ? undefined : weightsOf(numClasses, alpha, undefined);
  const x = operandOf('logits', logits, FLOATS);
  const layout = layoutOf(x.dims, classAxis, numClasses);
  if (x.length % numClasses !== 0) {
    throw wrongValue('logits', `a length that is a multiple of ${numClasses} (numClasses)`, x.length);
  }
  const out = bufferOf('out', given.out, x.length, 'the length of "logits"') ?? floats('out', x.length);
  const instance = rowInstance(numClasses, alphas, x, out);
  const { words, doubles, kernel, frame } = instance;
  instance.claim(softmaxFocalPosterior);
  words[Field32.classes] = numClasses;
  words[Field32.alphas] = alphas === undefined ? 0 : stageAlphas(instance, alphas);
  doubles[Field64.gamma] = gamma;
  run(instance, x, out, layout, rowsPerSegment(numClasses), () => kernel.softmaxPosterior(frame));
  return out as Results;
}

/** Of a loss that counts one class for nothing, no score but an endless one of the other is best: NaN stays NaN. */
function certain(x: ArrayLike<number>, probability: number, out: Floats): Results {
  for (let k = 0; k < out.length; k++) out[k] = Number.isNaN(x[k]) ? Number.NaN : probability;
  return out as Results;
}

function run(instance: Instance, x: Operand, out: Floats, layout: Layout, step: number, evaluate: () => void): void {
  const { words } = instance;
  const { classes, pixels } = layout;
  const isByPlane = pixels > 1;
  const xAt = x.kind === FLOAT_KIND && !isByPlane ? instance.locate(x.view, Field32.logits) : 0;
  const outAt = isByPlane ? 0 : instance.locate(out, Field32.loss);
  const rows = x.length / classes;
  for (let start = 0; start < rows; start += step) {
    const count = Math.min(step, rows - start);
    const first = start * classes;
    const length = count * classes;
    words[Field32.count] = count;
    words[Field32.stride] = isByPlane ? count : 1;
    if (isByPlane) words[Field32.logits] = stagePlanes(instance, x, layout, start, count, instance.logits);
    else if (xAt !== 0) words[Field32.logits] = xAt + FLOAT_BYTES * first;
    else words[Field32.logits] = instance.stageFloats(x.view, x.kind, first, length, instance.logits);
    words[Field32.loss] = outAt === 0 ? instance.grad : outAt + FLOAT_BYTES * first;
    evaluate();
    if (isByPlane) takePlanes(instance, out, layout, start, count, instance.grad);
    else if (outAt === 0) instance.takeFloats(out, first, length, instance.grad);
  }
}
