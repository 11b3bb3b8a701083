import { fraction } from '../checks.js';
import type { Definition } from '../engine/definition.js';
import { DEFINITION } from '../internal.js';
import type { CallOptions, Logits, Reduction, Targets, Value } from '../types.js';
import { Loss } from './loss.js';
import { FAMILY_KEYS, type FamilyOptions, type OptionKey, settingsOf } from './options.js';

/** Every key is optional, unknown keys are refused. In the order in which they act. */
export interface VarifocalLossOptions<R extends Reduction = Reduction> extends FamilyOptions<R> {
  /** Exponent of the factor p^gamma of negatives; a number in [0, 64]. Default 2. */
  readonly gamma?: number;
  /** Multiplies negatives; a number in [0, 1]. Default 0.75. */
  readonly alpha?: number;
}

const VARIFOCAL: Definition = {
  name: 'VarifocalLoss',
  kernel: 'varifocal',
  placement: 'elements',
  soft: true,
  parameters: ({ gamma, alpha }) => ({ gamma, positive: 1, negative: alpha as number }),
};

const KEYS: readonly OptionKey[] = ['gamma', 'alpha', ...FAMILY_KEYS];

/**
 * Varifocal loss of scores against qualities in [0, 1]: y BCE(p, y) where y > 0, alpha p^gamma BCE(p, 0) where it is 0.
 * Zhang et al. 2021, VarifocalNet, https://arxiv.org/abs/2008.13367.
 *
 * @example
 * ```ts
 * import { VarifocalLoss } from 'focal-loss-wasm';
 *
 * const criterion = new VarifocalLoss({ gamma: 2, alpha: 0.75 });
 * const loss = criterion.forward([2, -1, 0.5], [0.8, 0, 0.3]);
 * ```
 */
export class VarifocalLoss<R extends Reduction = 'mean'> extends Loss<R, Targets> {
  /**
   * @throws TypeError for an unknown key or a value of the wrong kind, RangeError for one out of range.
   */
  constructor(options?: VarifocalLossOptions<R>) {
    super(
      settingsOf(options, KEYS, {
        gamma: { fallback: 2 },
        alpha: { fallback: 0.75, check: (name, value) => fraction(name, value, false) },
      }),
      KEYS,
    );
  }

  /** @internal */
  get [DEFINITION](): Definition {
    return VARIFOCAL;
  }
}

/**
 * The same in one call: `new VarifocalLoss(options).forward(logits, targets, call)`.
 *
 * @returns a number, or for the reduction `'none'` a Float32Array with one loss an element.
 * @throws as `VarifocalLoss` and its `forward` do.
 * @example
 * ```ts
 * import { varifocalLoss } from 'focal-loss-wasm';
 *
 * const loss = varifocalLoss([2, -1, 0.5], [0.8, 0, 0.3]);
 * ```
 */
export function varifocalLoss<R extends Reduction = 'mean'>(
  logits: Logits,
  targets: Targets,
  options?: VarifocalLossOptions<R>,
  call?: CallOptions,
): Value<R> {
  return new VarifocalLoss(options).forward(logits, targets, call);
}
