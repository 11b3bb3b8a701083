import { REDUCTIONS } from './bce-with-logits-loss.js';
import {
  classCount,
  factor,
  ignoredIndex,
  keyed,
  normalizerOf,
  oneOf,
  perClass,
  smoothing,
  wrongKind,
} from './checks.js';
import { Loss } from './loss.js';
import { SoftmaxEvaluator } from './softmax-evaluator.js';
import type { CallOptions, Labels, Logits, Reduction, Value } from './types.js';

/** Every key but `numClasses` is optional, unknown keys are refused. In the order in which they act. */
export interface SoftmaxFocalLossOptions<R extends Reduction = Reduction> {
  /** Columns of row-major `[rows, numClasses]` logits; an integer >= 1. */
  readonly numClasses: number;
  /** Rows with this target give loss, gradient and Hessian 0 and are not counted; a finite number. Default null: none. */
  readonly ignoreIndex?: number | null;
  /** s in [0, 1): the target's share becomes 1 - s, and s / numClasses is added to every class. Default 0. */
  readonly labelSmoothing?: number;
  /** Exponent of the modulating factor (1 - p_t)^gamma; finite, >= 0. Default 1.5. */
  readonly gamma?: number;
  /** One weight a class, finite, >= 0, or `null` for none. Default null. */
  readonly alpha?: ArrayLike<number> | null;
  /** Default `'mean'`. */
  readonly reduction?: R;
  /**
   * What `'mean'` divides the sum by: a positive number, or `'positives'`: a row has one positive, its class, so that is
   * max(1, rows that are not ignored). Default: the rows that are not ignored. Other reductions do not use it.
   */
  readonly normalizer?: number | 'positives';
}

const KEYS = ['numClasses', 'gamma', 'alpha', 'reduction', 'ignoreIndex', 'labelSmoothing', 'normalizer'];

/**
 * Focal loss of a softmax, -alpha_t (1 - p_t)^gamma log p_t with t the class of a row: Lin et al. 2017,
 * https://arxiv.org/abs/1708.02002, with more than two classes. At gamma 0 it is the cross entropy.
 *
 * @example
 * ```ts
 * import { SoftmaxFocalLoss } from 'focal-loss-wasm';
 *
 * const criterion = new SoftmaxFocalLoss({ numClasses: 3, gamma: 2 });
 * const loss = criterion.forward([2, 0, -1, 0.5, 1, 0], [0, 2]); // two rows
 * ```
 */
export class SoftmaxFocalLoss<R extends Reduction = 'mean'> extends Loss<R, Labels> {
  /**
   * @throws TypeError for an unknown key or a value of the wrong kind, RangeError for one out of range.
   */
  constructor(options: SoftmaxFocalLossOptions<R>) {
    const given = keyed('options', options, KEYS);
    const { gamma = 1.5, alpha = null, reduction = 'mean', ignoreIndex = null, labelSmoothing = 0, normalizer } = given;
    const numClasses = classCount(given.numClasses);
    super(
      new SoftmaxEvaluator({
        numClasses,
        gamma: factor('gamma', gamma),
        alpha: classWeights(alpha, numClasses),
        reduction: oneOf('reduction', reduction, REDUCTIONS),
        ignoreIndex: ignoredIndex(ignoreIndex),
        labelSmoothing: smoothing(labelSmoothing),
        normalizer: normalizer === undefined ? undefined : normalizerOf(normalizer),
      }),
    );
  }
}

/**
 * The focal loss of a softmax in one call: `new SoftmaxFocalLoss(options).forward(logits, targets, call)`.
 *
 * @returns a number, or for the reduction `'none'` a Float32Array with one loss a row.
 * @throws as `SoftmaxFocalLoss` and its `forward` do.
 * @example
 * ```ts
 * import { softmaxFocalLoss } from 'focal-loss-wasm';
 *
 * const loss = softmaxFocalLoss([2, 0, -1, 0.5, 1, 0], [0, 2], { numClasses: 3, gamma: 2 });
 * ```
 */
export function softmaxFocalLoss<R extends Reduction = 'mean'>(
  logits: Logits,
  targets: Labels,
  options: SoftmaxFocalLossOptions<R>,
  call?: CallOptions,
): Value<R> {
  return new SoftmaxFocalLoss(options).forward(logits, targets, call);
}

/** alpha of a softmax: a weight for each class, or none. */
export function classWeights(alpha: unknown, numClasses: number): Float32Array | undefined {
  if (alpha === null) return undefined;
  const weights = perClass('alpha', alpha, numClasses, factor);
  if (weights === undefined) throw wrongKind('alpha', `an array of ${numClasses} weights, or null`, alpha);
  return Float32Array.from(weights);
}
