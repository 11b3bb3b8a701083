import type { Definition } from '../engine/definition.js';
import { DEFINITION } from '../internal.js';
import type { CallOptions, Logits, Reduction, Targets, Value } from '../types.js';
import { Loss } from './loss.js';
import { type BetaOption, FAMILY_KEYS, type FamilyOptions, type OptionKey, settingsOf } from './options.js';

/** Every key is optional, unknown keys are refused. In the order in which they act. */
export interface QualityFocalLossOptions<R extends Reduction = Reduction> extends BetaOption, FamilyOptions<R> {}

const QUALITY: Definition = {
  name: 'QualityFocalLoss',
  kernel: 'quality',
  placement: 'elements',
  soft: true,
  parameters: ({ beta }) => ({ gamma: beta, positive: 1, negative: 1 }),
};

const KEYS: readonly OptionKey[] = ['beta', ...FAMILY_KEYS];

/**
 * Quality focal loss, |p - y|^beta BCE(p, y), of scores against qualities in [0, 1], such as the overlap of a box with its
 * object: 0 where the score is the quality. Li et al. 2020, Generalized Focal Loss, https://arxiv.org/abs/2006.04388.
 *
 * @example
 * ```ts
 * import { QualityFocalLoss } from 'focal-loss-wasm';
 *
 * const criterion = new QualityFocalLoss({ beta: 2 });
 * const loss = criterion.forward([2, -1, 0.5], [0.8, 0, 0.3]);
 * ```
 */
export class QualityFocalLoss<R extends Reduction = 'mean'> extends Loss<R, Targets> {
  /**
   * @throws TypeError for an unknown key or a value of the wrong kind, RangeError for one out of range.
   */
  constructor(options?: QualityFocalLossOptions<R>) {
    super(settingsOf(options, KEYS), KEYS);
  }

  /** @internal */
  get [DEFINITION](): Definition {
    return QUALITY;
  }
}

/**
 * The same in one call: `new QualityFocalLoss(options).forward(logits, targets, call)`.
 *
 * @returns a number, or for the reduction `'none'` a Float32Array with one loss an element.
 * @throws as `QualityFocalLoss` and its `forward` do.
 * @example
 * ```ts
 * import { qualityFocalLoss } from 'focal-loss-wasm';
 *
 * const loss = qualityFocalLoss([2, -1, 0.5], [0.8, 0, 0.3]);
 * ```
 */
export function qualityFocalLoss<R extends Reduction = 'mean'>(
  logits: Logits,
  targets: Targets,
  options?: QualityFocalLossOptions<R>,
  call?: CallOptions,
): Value<R> {
  return new QualityFocalLoss(options).forward(logits, targets, call);
}
