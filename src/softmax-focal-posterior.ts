import { Field32, Field64 } from './abi.js';
import { exponent, onlyKeys, wrongValue } from './checks.js';
import type { Floats, Instance } from './engine/arena.js';
import { type Operand, operandOf } from './engine/operand.js';
import { PlaneStager } from './engine/planes.js';
import { outputOf } from './engine/results.js';
import { rowInstance, rowsPerSegment, stageAlphas, weightsOf } from './engine/rows.js';
import { type Layout, layoutOf } from './engine/shapes.js';
import { FLOATS } from './engine/targets.js';
import { run } from './focal-posterior.js';
import { classAlpha, classAxisOf, classCountOf } from './losses/options.js';
import type { Logits, Results } from './types.js';

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

const KEYS = ['gamma', 'alpha', 'numClasses', 'classAxis', 'out'];

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
  const given = onlyKeys('options', options, KEYS);
  const numClasses = classCountOf(given.numClasses);
  const classAxis = classAxisOf(given.classAxis);
  const gamma = exponent('gamma', given.gamma === undefined ? 1.5 : given.gamma);
  const alpha = given.alpha === undefined ? null : classAlpha('alpha', given.alpha, numClasses);
  const alphas =
    typeof alpha === 'number' && alpha !== 0 ? undefined : relative(weightsOf(numClasses, alpha, undefined));
  const x = operandOf('logits', logits, FLOATS);
  const layout = layoutOf(x.dims, classAxis, numClasses);
  if (x.length % numClasses !== 0) {
    throw wrongValue('logits', `a length that is a multiple of ${numClasses} (numClasses)`, x.length);
  }
  const out = outputOf(given.out, x);
  const instance = rowInstance(numClasses, alphas, x, out);
  const { words, doubles, kernel, frame } = instance;
  instance.claim(softmaxFocalPosterior);
  words[Field32.classes] = numClasses;
  words[Field32.alphas] = alphas === undefined ? 0 : stageAlphas(instance, alphas);
  doubles[Field64.gamma] = gamma;
  const step = rowsPerSegment(numClasses);
  const evaluate = () => kernel.softmaxPosterior(frame);
  if (layout.pixels > 1) runPlanes(instance, x, out, layout, step, evaluate);
  else run(instance, x, out, numClasses, step, evaluate);
  return out as Results;
}

/** Beyond this, and its inverse, a probability divided by a weight may leave the range of float32. */
const FAR = 2 ** 32;

/**
 * The weights times a power of two by which the smallest above 0 is about 1: they count by their ratios alone, and what is
 * divided by one of them must be neither infinite nor subnormal. Those of a usual size stay as they are.
 */
function relative(alphas: Float64Array | undefined): Float64Array | undefined {
  const least = alphas?.reduce((a, b) => (b > 0 && b < a ? b : a), Number.POSITIVE_INFINITY) ?? 1;
  if ((least >= 1 / FAR && least <= FAR) || least === Number.POSITIVE_INFINITY) return alphas;
  const scale = 2 ** -Math.floor(Math.log2(least));
  return alphas?.map((alpha) => alpha * scale);
}

/** Evaluates rows whose classes are planes, `step` of them at a time. */
function runPlanes(
  instance: Instance,
  x: Operand,
  out: Floats,
  layout: Layout,
  step: number,
  evaluate: () => void,
): void {
  const { words } = instance;
  const rows = x.length / layout.classes;
  const stager = new PlaneStager(step, words[Field32.alphas] !== 0);
  stager.begin(rows);
  for (let start = 0; start < rows; start += step) {
    words[Field32.count] = Math.min(step, rows - start);
    stager.place(instance, { x, layout, shares: false, plane: 0 }, { grad: out }, start);
    words[Field32.loss] = words[Field32.grad];
    evaluate();
    stager.take(instance, layout, { grad: out }, Math.min(start + step, rows));
  }
}
