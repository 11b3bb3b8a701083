import { BinaryEvaluator } from './binary-evaluator.js';
import { factor, keyed, oneOf } from './checks.js';
import { Loss } from './loss.js';
import type { Reduction, Targets } from './types.js';

export const REDUCTIONS: readonly Reduction[] = ['none', 'mean', 'sum'];

/** Every key is optional, unknown keys are refused. */
export interface BCEWithLogitsLossOptions<R extends Reduction = Reduction> {
  /** Multiplies the positive part of the cross entropy; finite, >= 0. Default 1. */
  readonly posWeight?: number;
  /** Default `'mean'`. */
  readonly reduction?: R;
}

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
    const { posWeight = 1, reduction = 'mean' } = keyed('options', options, ['posWeight', 'reduction']);
    super(
      new BinaryEvaluator({
        gamma: 0,
        alpha: null,
        posWeight: factor('posWeight', posWeight),
        reduction: oneOf('reduction', reduction, REDUCTIONS),
        labelSmoothing: 0,
        fromLogits: true,
        ignoreIndex: null,
        normalizer: undefined,
        numClasses: 1,
        hessian: 'exact',
      }),
    );
    this.posWeight = posWeight;
  }
}
