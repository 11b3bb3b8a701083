import { wrongKind } from '../checks.js';
import type { Definition } from '../engine/definition.js';
import { DEFINITION, FOCAL_LOSS_KEYS } from '../internal.js';
import type { CallOptions, Logits, Reduction, Targets, Value } from '../types.js';
import { BCEWithLogitsLoss } from './bce-with-logits-loss.js';
import { evaluatorOf, focalParameters, foreignRemedy, Loss } from './loss.js';
import {
  type AlphaOption,
  type ClassAxisOption,
  type ClassWeightOption,
  checkProbabilityOptions,
  type FromLogitsOption,
  type GammaOption,
  type HessianOption,
  type IgnoreIndexOption,
  type LabelSmoothingOption,
  type NormalizerOption,
  type NumClassesOption,
  type PolyEpsilonOption,
  type PosWeightOption,
  type ReductionOption,
  type SoftTargetsOption,
  settingsOf,
} from './options.js';

/** Every key is optional, unknown keys are refused. In the order in which they act. */
export interface FocalLossOptions<R extends Reduction = Reduction>
  extends FromLogitsOption,
    IgnoreIndexOption,
    LabelSmoothingOption,
    NumClassesOption,
    ClassAxisOption,
    SoftTargetsOption,
    PosWeightOption,
    GammaOption,
    PolyEpsilonOption,
    AlphaOption,
    ClassWeightOption,
    ReductionOption<R>,
    NormalizerOption,
    HessianOption {
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

const FOCAL: Definition = {
  name: 'FocalLoss',
  kernel: 'binary',
  placement: 'elements',
  soft: true,
  parameters: focalParameters,
};

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
   * Around a base loss, which gives `posWeight` and `reduction`; the other options as without one.
   *
   * @throws TypeError for `posWeight` or `reduction` beside `lossFcn`.
   */
  constructor(options: FocalLossAroundOptions<R>);
  /**
   * A binary focal loss, alpha_t (1 - p_t)^gamma CE.
   *
   * @param options every key may be left out, and says its range and default when it is pointed at; among them `gamma` in [0, 64],
   * default 1.5; `alpha` in [0, 1] or null, default 0.25; `posWeight`, finite and >= 0, default 1; `labelSmoothing` in [0, 1),
   * default 0; `reduction`, `'mean'` (default), `'sum'` or `'none'`; or `lossFcn`, which gives `posWeight` and `reduction`.
   * @throws TypeError for an unknown key, a value of the wrong kind, or `posWeight` or `reduction` beside `lossFcn`;
   * RangeError for a value out of range.
   */
  constructor(options?: FocalLossOptions<R>);
  constructor(options?: FocalLossOptions) {
    const settings = settingsOf(options, FOCAL_LOSS_KEYS, {}, ['lossFcn']);
    checkProbabilityOptions(settings);
    const lossFcn = options?.lossFcn;
    super(lossFcn === undefined ? settings : { ...settings, ...baseOf(lossFcn, options) }, FOCAL_LOSS_KEYS);
  }

  /** @internal */
  get [DEFINITION](): Definition {
    return FOCAL;
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

/** `posWeight` and `reduction`, named once: by the base loss or beside it. */
function baseOf(lossFcn: unknown, given: object | undefined) {
  if (evaluatorOf(lossFcn) === undefined || !(lossFcn instanceof BCEWithLogitsLoss)) {
    throw wrongKind('lossFcn', 'a BCEWithLogitsLoss of this package', lossFcn, foreignRemedy(lossFcn));
  }
  const own = given as Record<string, unknown>;
  for (const key of ['posWeight', 'reduction']) {
    if (own[key] !== undefined) {
      throw wrongKind(key, 'undefined beside "lossFcn"', own[key], 'give it to the base loss alone');
    }
  }
  return { posWeight: lossFcn.posWeight, reduction: lossFcn.reduction as Reduction };
}
