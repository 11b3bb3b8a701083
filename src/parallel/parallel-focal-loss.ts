import { onlyKeys } from '../checks.js';
import {
  FocalLoss,
  type FocalLossAroundOptions,
  type FocalLossOptions,
  type Reduction,
  type Targets,
} from '../index.js';
import { FOCAL_LOSS_KEYS } from '../internal.js';
import { Parallel, type ParallelOptions } from './parallel.js';

/** The options of `FocalLoss`, and `threads`. */
export interface ParallelFocalLossOptions<R extends Reduction = Reduction>
  extends FocalLossOptions<R>,
    ParallelOptions {}

/** The options of `FocalLoss` around a base loss, and `threads`. */
export interface ParallelFocalLossAroundOptions<R extends Reduction = Reduction>
  extends FocalLossAroundOptions<R>,
    ParallelOptions {}

/**
 * `new Parallel(new FocalLoss(options), { threads })` in short.
 *
 * @example
 * ```ts
 * import { ParallelFocalLoss } from 'focal-loss-wasm/parallel';
 *
 * const criterion = new ParallelFocalLoss({ gamma: 2, threads: 4 });
 * const loss = await criterion.forward(logits, targets);
 * await criterion.close(); // or declare it with `await using`
 * ```
 */
export class ParallelFocalLoss<R extends Reduction = 'mean'> extends Parallel<R, Targets> {
  /**
   * @throws TypeError for an unknown key or a value of the wrong kind, RangeError for a value out of range: as `FocalLoss`
   * does.
   */
  constructor(options: ParallelFocalLossAroundOptions<R>);
  constructor(options?: ParallelFocalLossOptions<R>);
  constructor(options?: ParallelFocalLossOptions<R>) {
    const { threads, ...own } = onlyKeys('options', options, [...FOCAL_LOSS_KEYS, 'threads', 'lossFcn']);
    super(new FocalLoss<R>(own as FocalLossOptions<R>), threads === undefined ? {} : { threads });
  }
}
