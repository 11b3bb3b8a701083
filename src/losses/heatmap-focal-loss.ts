import { exponent } from '../checks.js';
import { FLOAT_BYTES } from '../engine/arena.js';
import type { Definition } from '../engine/definition.js';
import { DEFINITION } from '../internal.js';
import type { CallOptions, Logits, Reduction, Targets, Value } from '../types.js';
import { Loss } from './loss.js';
import { FAMILY_KEYS, type FamilyOptions, type OptionKey, settingsOf } from './options.js';

/** Every key is optional, unknown keys are refused. In the order in which they act. */
export interface HeatmapFocalLossOptions<R extends Reduction = Reduction> extends FamilyOptions<R> {
  /** Exponent of the factor of the score; a number in [0, 64]. Default 2. */
  readonly alpha?: number;
  /** Exponent of (1 - y), by which negatives near a peak count less; a number in [0, 64]. Default 4. */
  readonly beta?: number;
  /** What `'mean'` divides the sum by: a positive number, or `'positives'` for max(1, targets equal to 1). Default `'positives'`. */
  readonly normalizer?: number | 'positives';
}

const HEATMAP: Definition = {
  name: 'HeatmapFocalLoss',
  kernel: 'heatmap',
  placement: 'elements',
  soft: true,
  parameters: ({ alpha, beta }) => ({
    gamma: alpha as number,
    positive: 1,
    negative: 1,
    beta,
    // the largest number below 1
    positiveAbove: 1 - 2 ** (FLOAT_BYTES === 4 ? -24 : -53),
  }),
};

const KEYS: readonly OptionKey[] = ['alpha', 'beta', ...FAMILY_KEYS];

/**
 * Focal loss of heatmaps with a peak of 1 at each object and a slope around it: (1 - p)^alpha (-log p) where y = 1,
 * (1 - y)^beta p^alpha (-log(1 - p)) elsewhere, divided by the number of peaks. Law & Deng 2018, CornerNet,
 * https://arxiv.org/abs/1808.01244; Zhou et al. 2019, https://arxiv.org/abs/1904.07850.
 *
 * @example
 * ```ts
 * import { HeatmapFocalLoss } from 'focal-loss-wasm';
 *
 * const criterion = new HeatmapFocalLoss({ reduction: 'sum' });
 * const loss = criterion.forward([2, -1, 0.5], [1, 0, 0.3]);
 * ```
 */
export class HeatmapFocalLoss<R extends Reduction = 'mean'> extends Loss<R, Targets> {
  /**
   * @throws TypeError for an unknown key or a value of the wrong kind, RangeError for one out of range.
   */
  constructor(options?: HeatmapFocalLossOptions<R>) {
    super(
      settingsOf(options, KEYS, {
        alpha: { fallback: 2, check: exponent },
        beta: { fallback: 4 },
        normalizer: { fallback: 'positives' },
      }),
      KEYS,
    );
  }

  /** @internal */
  get [DEFINITION](): Definition {
    return HEATMAP;
  }
}

/**
 * The same in one call: `new HeatmapFocalLoss(options).forward(logits, targets, call)`.
 *
 * @returns a number, or for the reduction `'none'` a Float32Array with one loss an element.
 * @throws as `HeatmapFocalLoss` and its `forward` do.
 * @example
 * ```ts
 * import { heatmapFocalLoss } from 'focal-loss-wasm';
 *
 * const loss = heatmapFocalLoss([2, -1, 0.5], [1, 0, 0.3]);
 * ```
 */
export function heatmapFocalLoss<R extends Reduction = 'mean'>(
  logits: Logits,
  targets: Targets,
  options?: HeatmapFocalLossOptions<R>,
  call?: CallOptions,
): Value<R> {
  return new HeatmapFocalLoss(options).forward(logits, targets, call);
}
