import type { Definition } from '../engine/definition.js';
import { DEFINITION } from '../internal.js';
import type { CallOptions, Logits, Reduction, Targets, Value } from '../types.js';
import { Loss } from './loss.js';
import {
  FAMILY_KEYS,
  type FamilyOptions,
  type GammaNegativeOption,
  type GammaPositiveOption,
  type MarginOption,
  type OptionKey,
  settingsOf,
} from './options.js';

/** Every key is optional, unknown keys are refused. In the order in which they act. */
export interface AsymmetricLossOptions<R extends Reduction = Reduction>
  extends GammaPositiveOption,
    GammaNegativeOption,
    MarginOption,
    FamilyOptions<R> {}

const ASYMMETRIC: Definition = {
  name: 'AsymmetricLoss',
  kernel: 'asymmetric',
  placement: 'elements',
  soft: false,
  parameters: ({ gammaPositive, gammaNegative, margin }) => ({
    gamma: gammaPositive,
    positive: 1,
    negative: 1,
    beta: gammaNegative,
    margin,
  }),
};

const KEYS: readonly OptionKey[] = ['gammaPositive', 'gammaNegative', 'margin', ...FAMILY_KEYS];

/**
 * Asymmetric loss of many labels, each 0 or 1: (1 - p)^gammaPositive of a positive's cross entropy, and of a negative's
 * p_m^gammaNegative (-log(1 - p_m)) with p_m = max(p - margin, 0). Derivatives are those of the whole, the factors included.
 * Ridnik et al. 2021, https://arxiv.org/abs/2009.14119.
 *
 * @example
 * ```ts
 * import { AsymmetricLoss } from 'focal-loss-wasm';
 *
 * const criterion = new AsymmetricLoss({ gammaNegative: 4, margin: 0.05 });
 * const loss = criterion.forward([2, -1, 0.5], [1, 0, 0]);
 * ```
 */
export class AsymmetricLoss<R extends Reduction = 'mean'> extends Loss<R, Targets> {
  /**
   * @throws TypeError for an unknown key or a value of the wrong kind, RangeError for one out of range.
   */
  constructor(options?: AsymmetricLossOptions<R>) {
    super(settingsOf(options, KEYS), KEYS);
  }

  /** @internal */
  get [DEFINITION](): Definition {
    return ASYMMETRIC;
  }
}

/**
 * The same in one call: `new AsymmetricLoss(options).forward(logits, targets, call)`.
 *
 * @returns a number, or for the reduction `'none'` a Float32Array with one loss an element.
 * @throws as `AsymmetricLoss` and its `forward` do.
 * @example
 * ```ts
 * import { asymmetricLoss } from 'focal-loss-wasm';
 *
 * const loss = asymmetricLoss([2, -1, 0.5], [1, 0, 0]);
 * ```
 */
export function asymmetricLoss<R extends Reduction = 'mean'>(
  logits: Logits,
  targets: Targets,
  options?: AsymmetricLossOptions<R>,
  call?: CallOptions,
): Value<R> {
  return new AsymmetricLoss(options).forward(logits, targets, call);
}
