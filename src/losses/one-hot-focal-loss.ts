import type { Definition } from '../engine/definition.js';
import { DEFINITION } from '../internal.js';
import type { CallOptions, Labels, Logits, Reduction, Value } from '../types.js';
import { focalParameters, Loss } from './loss.js';
import {
  type AlphaOption,
  type BackgroundOption,
  type ClassAxisOption,
  type ClassWeightOption,
  checkBackground,
  type GammaOption,
  type HessianOption,
  type LabelSmoothingOption,
  type OptionKey,
  type PolyEpsilonOption,
  type PosWeightOption,
  type ReductionOption,
  requireClasses,
  settingsOf,
} from './options.js';

/** Every key but `numClasses` is optional, unknown keys are refused. In the order in which they act. */
export interface OneHotFocalLossOptions<R extends Reduction = Reduction>
  extends BackgroundOption,
    LabelSmoothingOption,
    ClassAxisOption,
    PosWeightOption,
    GammaOption,
    PolyEpsilonOption,
    AlphaOption,
    ClassWeightOption,
    ReductionOption<R>,
    HessianOption {
  /** Columns of row-major `[rows, numClasses]` logits, or elements of the class axis; an integer >= 1. */
  readonly numClasses: number;
  /** Rows with this label are left out: loss, gradient and Hessian 0, not counted; a finite number. Default null: none. */
  readonly ignoreIndex?: number | null;
  /**
   * What `'mean'` divides the sum by: a positive number, or `'positives'` for max(1, rows that have a class). Default: the
   * number of logits that are not left out. Other reductions do not use it.
   */
  readonly normalizer?: number | 'positives';
}

const ONE_HOT: Definition = {
  name: 'OneHotFocalLoss',
  kernel: 'binary',
  placement: 'labels',
  soft: true,
  parameters: focalParameters,
};

const KEYS: readonly OptionKey[] = [
  'numClasses',
  'classAxis',
  'background',
  'gamma',
  'alpha',
  'posWeight',
  'classWeight',
  'reduction',
  'ignoreIndex',
  'labelSmoothing',
  'polyEpsilon',
  'normalizer',
  'hessian',
];

/**
 * The sigmoid focal loss of `[rows, numClasses]` logits against one label a row, as detectors have it: the target is 1 at the
 * label's class and 0 at the others, and no one-hot array is made. Lin et al. 2017, https://arxiv.org/abs/1708.02002.
 *
 * @example
 * ```ts
 * import { OneHotFocalLoss } from 'focal-loss-wasm';
 *
 * const criterion = new OneHotFocalLoss({ numClasses: 3, gamma: 2, ignoreIndex: -2, normalizer: 'positives' });
 * // an anchor of class 1, one of background, one that is left out
 * const loss = criterion.forward([2, 0, -1, 0.5, 1, 0, 3, 3, 3], [1, 3, -2]);
 * ```
 */
export class OneHotFocalLoss<R extends Reduction = 'mean'> extends Loss<R, Labels> {
  /**
   * A sigmoid focal loss of one label a row.
   *
   * @param options `numClasses`, an integer >= 1, must be given. Every other key may be left out; among them `gamma` in [0, 64],
   * default 1.5; `alpha` in [0, 1] or null, default 0.25; `background`, an integer, default `numClasses`;
   * `reduction`, `'mean'` (default), `'sum'` or `'none'`.
   * @throws TypeError for an unknown key or a value of the wrong kind, RangeError for one out of range.
   */
  constructor(options: OneHotFocalLossOptions<R>) {
    const given = settingsOf(options, KEYS);
    const numClasses = requireClasses(given);
    const settings = { ...given, background: Number.isNaN(given.background) ? numClasses : given.background };
    checkBackground(settings);
    super(settings, KEYS);
  }

  /** @internal */
  get [DEFINITION](): Definition {
    return ONE_HOT;
  }
}

/**
 * The sigmoid focal loss against one label a row in one call: `new OneHotFocalLoss(options).forward(logits, targets, call)`.
 *
 * @returns a number, or for the reduction `'none'` a Float32Array with one loss a logit.
 * @throws as `OneHotFocalLoss` and its `forward` do.
 * @example
 * ```ts
 * import { oneHotFocalLoss } from 'focal-loss-wasm';
 *
 * const loss = oneHotFocalLoss([2, 0, -1, 0.5, 1, 0], [1, 3], { numClasses: 3, gamma: 2 });
 * ```
 */
export function oneHotFocalLoss<R extends Reduction = 'mean'>(
  logits: Logits,
  targets: Labels,
  options: OneHotFocalLossOptions<R>,
  call?: CallOptions,
): Value<R> {
  return new OneHotFocalLoss(options).forward(logits, targets, call);
}
