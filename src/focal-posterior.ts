import { Field32, Field64, SEGMENT } from './abi.js';
import { exponent, factor, fraction, onlyKeys } from './checks.js';
import { FLOAT_BYTES, FLOAT_KIND, type Floats, type Instance, instanceOf, toFloat } from './engine/arena.js';
import { type Operand, operandOf } from './engine/operand.js';
import { outputOf } from './engine/results.js';
import { FLOATS } from './engine/targets.js';
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

const KEYS = ['gamma', 'alpha', 'posWeight', 'out'];

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
  return posteriorOf(logits, options, outputOf);
}

/**
 * The same, of whom `outputFor` says where they go: to the buffer that is given, or to a new array.
 *
 * @internal
 */
export function posteriorOf(
  logits: Logits,
  options: FocalPosteriorOptions | undefined,
  outputFor: (given: unknown, x: Operand) => Floats,
): Results {
  const given = onlyKeys('options', options, KEYS);
  const gamma = exponent('gamma', given.gamma === undefined ? 1.5 : given.gamma);
  const alpha = given.alpha === undefined ? 0.25 : given.alpha === null ? null : fraction('alpha', given.alpha);
  const posWeight = factor('posWeight', given.posWeight === undefined ? 1 : given.posWeight);
  const x = operandOf('logits', logits, FLOATS);
  const out = outputFor(given.out, x);
  const [positive, negative] = [alpha ?? 1, alpha === null ? 1 : 1 - alpha];
  const [positiveFactor, negativeFactor] = [toFloat(positive * posWeight), toFloat(negative)];
  // Of a loss that counts one class for nothing, no score but an endless one of the other is best: NaN stays NaN.
  const isCertain = positiveFactor === 0 || negativeFactor === 0;
  const instance = instanceOf(x.view);
  const { doubles, kernel, frame } = instance;
  // the frame is no loss's any more
  instance.claim(posteriorOf);
  doubles[Field64.gamma] = gamma;
  doubles[Field64.alphaPositive] = isCertain ? 1 : positive;
  doubles[Field64.alphaNegative] = isCertain ? 1 : negative;
  doubles[Field64.posWeight] = isCertain ? 1 : posWeight;
  run(instance, x, out, 1, SEGMENT, () => kernel.posterior(frame));
  if (isCertain) {
    const probability = negativeFactor / (positiveFactor + negativeFactor);
    for (let k = 0; k < x.length; k++) if (!Number.isNaN(out[k])) out[k] = probability;
  }
  return out as Results;
}

/**
 * Evaluates rows of `classes` logits, `step` of them at a time, one after the other as they lie.
 *
 * @internal
 */
export function run(
  instance: Instance,
  x: Operand,
  out: Floats,
  classes: number,
  step: number,
  evaluate: () => void,
): void {
  const { words } = instance;
  const xAt = x.kind === FLOAT_KIND ? instance.locate(x.view, Field32.logits) : 0;
  const outAt = instance.locate(out, Field32.loss);
  const rows = x.length / classes;
  words[Field32.stride] = 1;
  for (let start = 0; start < rows; start += step) {
    const count = Math.min(step, rows - start);
    const first = start * classes;
    const length = count * classes;
    words[Field32.count] = count;
    words[Field32.logits] =
      xAt === 0 ? instance.stageFloats(x.view, x.kind, first, length, instance.logits) : xAt + FLOAT_BYTES * first;
    words[Field32.loss] = outAt === 0 ? instance.grad : outAt + FLOAT_BYTES * first;
    evaluate();
    if (outAt === 0) instance.takeFloats(out, first, length, instance.grad);
  }
}
