import { factor } from '../checks.js';
import type { Definition } from '../engine/definition.js';
import { DEFINITION } from '../internal.js';
import type { Reduction, Targets } from '../types.js';
import { Loss } from './loss.js';
import { type OptionKey, type ReductionOption, settingsOf } from './options.js';

/** Every key is optional, unknown keys are refused. */
export interface BCEWithLogitsLossOptions<R extends Reduction = Reduction> extends ReductionOption<R> {
  /** Multiplies the positive part of the cross entropy; a finite number >= 0. Default 1. */
  readonly posWeight?: number;
}

const BCE: Definition = {
  name: 'BCEWithLogitsLoss',
  kernel: 'binary',
  placement: 'elements',
  soft: true,
  parameters: () => ({ gamma: 0, positive: 1, negative: 1 }),
};

const KEYS: readonly OptionKey[] = ['posWeight', 'reduction'];

/**
 * Binary cross entropy of logits, -posWeight y log p - (1 - y) log(1 - p) with p = sigmoid(logit): a focal loss at gamma 0
 * without alpha. Also what a `FocalLoss` is put around with its option `lossFcn`.
 *
 * @example
 * ```ts
 * import { BCEWithLogitsLoss } from 'focal-loss-wasm';
 *
 * const loss = new BCEWithLogitsLoss({ posWeight: 3 }).forward([2, -1, 0.5], [1, 0, 1]);
 * ```
 */
export class BCEWithLogitsLoss<R extends Reduction = 'mean'> extends Loss<R, Targets> {
  /** As given, or 1. */
  readonly posWeight: number;

  /**
   * @throws TypeError for an unknown key or a value of the wrong kind, RangeError for one out of range.
   */
  constructor(options?: BCEWithLogitsLossOptions<R>) {
    const settings = settingsOf(options, KEYS, { posWeight: { check: factor } });
    super(settings, KEYS);
    this.posWeight = settings.posWeight as number;
  }

  /** @internal */
  get [DEFINITION](): Definition {
    return BCE;
  }
}
