import { BCEWithLogitsLoss, REDUCTIONS } from './bce-with-logits-loss.js';
import { BinaryEvaluator, type BinarySettings, HESSIANS } from './binary-evaluator.js';
import {
  boolean,
  classCount,
  factor,
  ignoredIndex,
  keyed,
  normalizerOf,
  oneOf,
  perClass,
  share,
  smoothing,
  wrongKind,
} from './checks.js';
import { FOCAL_LOSS_KEYS } from './internal.js';
import { evaluatorOf, Loss } from './loss.js';
import type { CallOptions, HessianPolicy, Logits, Reduction, Targets, Value } from './types.js';

/** Every key is optional, unknown keys are refused. In the order in which they act. */
export interface FocalLossOptions<R extends Reduction = Reduction> {
  /** `false`: the first argument is probabilities, whose log is clamped at -100 as PyTorch's BCELoss does. Default true. */
  readonly fromLogits?: boolean;
  /** Targets equal to it give loss, gradient and Hessian 0 and are not counted; a finite number. Default null: none. */
  readonly ignoreIndex?: number | null;
  /** s in [0, 1): a target y becomes y (1 - s) + s / 2. Default 0. */
  readonly labelSmoothing?: number;
  /** Columns of row-major `[rows, numClasses]` logits; an integer >= 1, needed by an option that is per class. */
  readonly numClasses?: number;
  /** Multiplies the positive part of the cross entropy; finite, >= 0, one for all or one a class. Default 1. */
  readonly posWeight?: number | ArrayLike<number>;
  /** Exponent of the modulating factor (1 - p_t)^gamma; finite, >= 0. Default 1.5. */
  readonly gamma?: number;
  /**
   * Multiplies positives, and 1 - alpha negatives; in [0, 1], one for all or one a class. `null` turns it off. Default
   * 0.25.
   */
  readonly alpha?: number | ArrayLike<number> | null;
  /** Default `'mean'`. */
  readonly reduction?: R;
  /**
   * What `'mean'` divides the sum by: a positive number, or `'positives'` for max(1, number of targets above 0.5).
   * Default: the number of elements that are not ignored. Other reductions do not use it.
   */
  readonly normalizer?: number | 'positives';
  /** What `gradHess` returns as `hess`. Default `'exact'`. */
  readonly hessian?: HessianPolicy;
  /** A base loss, which gives `posWeight` and `reduction`: naming either again is an error. */
  readonly lossFcn?: BCEWithLogitsLoss<Reduction>;
}

/** The options around a base loss, whose reduction is that of the whole. */
export interface FocalLossAroundOptions<R extends Reduction = Reduction>
  extends Omit<FocalLossOptions, 'lossFcn' | 'posWeight' | 'reduction'> {
  readonly lossFcn: BCEWithLogitsLoss<R>;
  readonly posWeight?: undefined;
  readonly reduction?: undefined;
}

/**
 * Binary focal loss, alpha_t (1 - p_t)^gamma CE, of logits against targets in [0, 1]; p_t, alpha_t and the cross entropy are
 * linear in the target. Lin et al. 2017, https://arxiv.org/abs/1708.02002; RetinaNet and torchvision use gamma 2.
 *
 * @example
 * ```ts
 * import { BCEWithLogitsLoss, FocalLoss } from 'focal-loss-wasm';
 *
 * const criterion = new FocalLoss({ gamma: 2, alpha: 0.75 });
 * const loss = criterion.forward(Float32Array.of(2, -1, 0.5), Uint8Array.of(1, 0, 1)); // number
 *
 * // around a base loss, as in PyTorch
 * new FocalLoss({ lossFcn: new BCEWithLogitsLoss({ posWeight: 3, reduction: 'sum' }), gamma: 2 });
 * ```
 */
export class FocalLoss<R extends Reduction = 'mean'> extends Loss<R, Targets> {
  /**
   * @throws TypeError for an unknown key, a value of the wrong kind, or `posWeight` or `reduction` beside `lossFcn`;
   * RangeError for a value out of range.
   */
  constructor(options: FocalLossAroundOptions<R>);
  constructor(options?: FocalLossOptions<R>);
  constructor(options?: FocalLossOptions) {
    super(new BinaryEvaluator(settingsOf(options)));
  }
}

/**
 * The focal loss in one call: `new FocalLoss(options).forward(logits, targets, call)`. A loop is better off with the class,
 * which checks its options once.
 *
 * @returns a number, or for the reduction `'none'` a Float32Array with one loss an element.
 * @throws as `FocalLoss` and its `forward` do.
 * @example
 * ```ts
 * import { sigmoidFocalLoss } from 'focal-loss-wasm';
 *
 * const losses = sigmoidFocalLoss([2, -1, 0.5], [1, 0, 1], { gamma: 2, alpha: 0.25, reduction: 'none' });
 * ```
 */
export function sigmoidFocalLoss<R extends Reduction = 'mean'>(
  logits: Logits,
  targets: Targets,
  options: FocalLossAroundOptions<R>,
  call?: CallOptions,
): Value<R>;
export function sigmoidFocalLoss<R extends Reduction = 'mean'>(
  logits: Logits,
  targets: Targets,
  options?: FocalLossOptions<R>,
  call?: CallOptions,
): Value<R>;
export function sigmoidFocalLoss(
  logits: Logits,
  targets: Targets,
  options?: FocalLossOptions,
  call?: CallOptions,
): Float32Array | number {
  return new FocalLoss(options).forward(logits, targets, call);
}

function settingsOf(given: FocalLossOptions | undefined): BinarySettings {
  const options = keyed('options', given, FOCAL_LOSS_KEYS);
  const { gamma, alpha, fromLogits, ignoreIndex, labelSmoothing, normalizer, hessian } = options;
  const { posWeight, reduction } = options.lossFcn === undefined ? options : baseOf(options);
  const numClasses = options.numClasses === undefined ? undefined : classCount(options.numClasses);
  return {
    gamma: gamma === undefined ? 1.5 : factor('gamma', gamma),
    alpha: alpha === undefined ? 0.25 : alphaOf(alpha, numClasses),
    posWeight:
      posWeight === undefined
        ? 1
        : (perClass('posWeight', posWeight, numClasses, factor) ?? factor('posWeight', posWeight)),
    reduction: reduction === undefined ? 'mean' : oneOf('reduction', reduction, REDUCTIONS),
    fromLogits: fromLogits === undefined ? true : boolean('fromLogits', fromLogits),
    ignoreIndex: ignoreIndex === undefined ? null : ignoredIndex(ignoreIndex),
    labelSmoothing: labelSmoothing === undefined ? 0 : smoothing(labelSmoothing),
    normalizer: normalizer === undefined ? undefined : normalizerOf(normalizer),
    hessian: hessian === undefined ? 'exact' : oneOf('hessian', hessian, HESSIANS),
    numClasses: numClasses ?? 1,
  };
}

function alphaOf(alpha: number | ArrayLike<number> | null, numClasses: number | undefined) {
  return alpha === null ? null : (perClass('alpha', alpha, numClasses, share) ?? share('alpha', alpha));
}

/** `posWeight` and `reduction`, named once: by the base loss or beside it. */
function baseOf({ lossFcn, ...own }: Partial<FocalLossOptions>) {
  if (evaluatorOf(lossFcn) === undefined || !(lossFcn instanceof BCEWithLogitsLoss)) {
    throw wrongKind('lossFcn', 'a BCEWithLogitsLoss of this package', lossFcn);
  }
  const remedy = 'give it to the base loss alone';
  for (const key of ['posWeight', 'reduction'] as const) {
    if (own[key] !== undefined) throw wrongKind(key, 'undefined beside "lossFcn"', own[key], remedy);
  }
  return lossFcn;
}
