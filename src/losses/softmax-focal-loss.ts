import type { Definition } from '../engine/definition.js';
import { DEFINITION } from '../internal.js';
import type { CallOptions, Labels, Logits, Reduction, Value } from '../types.js';
import { Loss } from './loss.js';
import {
  type ClassAxisOption,
  type ClassWeightOption,
  classAlpha,
  type GammaOption,
  type HessianOption,
  type OptionKey,
  type PolyEpsilonOption,
  type ReductionOption,
  requireClasses,
  type SoftTargetsOption,
  settingsOf,
} from './options.js';

/** Every key but `numClasses` is optional, unknown keys are refused. In the order in which they act. */
export interface SoftmaxFocalLossOptions<R extends Reduction = Reduction>
  extends ClassAxisOption,
    SoftTargetsOption,
    GammaOption,
    PolyEpsilonOption,
    ClassWeightOption,
    ReductionOption<R>,
    HessianOption {
  /** Columns of row-major `[rows, numClasses]` logits, or elements of the class axis; an integer >= 1 that divides the length. */
  readonly numClasses: number;
  /**
   * Rows with this target give loss, gradient and Hessian 0 and are not counted; any other target outside [0, numClasses) is an
   * error with its row; a finite number. Default null: none.
   */
  readonly ignoreIndex?: number | null;
  /**
   * s: the target has 1 - s + s / numClasses, every other class s / numClasses; p_t, alpha_t and the cross entropy are their
   * averages over these shares, under `softTargets: 'split'` each class has a term of its own; a number in [0, 1). Default 0.
   */
  readonly labelSmoothing?: number;
  /** Multiplies the rows of a class; a finite number >= 0, one for all or one for each class. `null` turns it off. Default null. */
  readonly alpha?: number | ArrayLike<number> | null;
  /**
   * What `'mean'` divides the sum by: a positive number, or `'positives'`: a row has one positive, its class, so that is
   * max(1, rows that are not ignored). Default: the rows that are not ignored. Other reductions do not use it.
   */
  readonly normalizer?: number | 'positives';
}

const SOFTMAX: Definition = {
  name: 'SoftmaxFocalLoss',
  kernel: 'softmax',
  placement: 'rows',
  soft: true,
  parameters: ({ gamma }) => ({ gamma, positive: 1, negative: 1 }),
};

const KEYS: readonly OptionKey[] = [
  'numClasses',
  'classAxis',
  'gamma',
  'alpha',
  'classWeight',
  'reduction',
  'ignoreIndex',
  'labelSmoothing',
  'softTargets',
  'polyEpsilon',
  'normalizer',
  'hessian',
];

/**
 * Focal loss of a softmax, -alpha_t (1 - p_t)^gamma log p_t with t the class of a row: Lin et al. 2017,
 * https://arxiv.org/abs/1708.02002, with more than two classes. At gamma 0 it is the cross entropy. Targets are one class
 * index a row, or as many class probabilities as there are logits (mixup, distillation).
 *
 * @example
 * ```ts
 * import { SoftmaxFocalLoss } from 'focal-loss-wasm';
 *
 * const criterion = new SoftmaxFocalLoss({ numClasses: 3, gamma: 2 });
 * const loss = criterion.forward([2, 0, -1, 0.5, 1, 0], [0, 2]); // two rows
 *
 * // a segmentation map: classes along the second axis
 * const map = { data: new Float32Array(2 * 3 * 4 * 4), dims: [2, 3, 4, 4] };
 * new SoftmaxFocalLoss({ numClasses: 3, classAxis: 1, ignoreIndex: 255 }).forward(map, new Uint8Array(2 * 4 * 4));
 * ```
 */
export class SoftmaxFocalLoss<R extends Reduction = 'mean'> extends Loss<R, Labels> {
  /**
   * A focal loss of rows of classes, -alpha_t (1 - p_t)^gamma log p_t.
   *
   * @param options `numClasses`, an integer >= 1, must be given. Every other key may be left out; among them `gamma` in [0, 64],
   * default 1.5; `alpha`, a number for each class, one for all, or null, default null;
   * `reduction`, `'mean'` (default), `'sum'` or `'none'`.
   * @throws TypeError for an unknown key or a value of the wrong kind, RangeError for one out of range.
   */
  constructor(options: SoftmaxFocalLossOptions<R>) {
    const settings = settingsOf(options, KEYS, { alpha: { fallback: null, check: classAlpha } });
    requireClasses(settings);
    super(settings, KEYS);
  }

  /** @internal */
  get [DEFINITION](): Definition {
    return SOFTMAX;
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
