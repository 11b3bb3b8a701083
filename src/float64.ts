/**
 * The same library in double precision: every result is a Float64Array, every number that is given keeps its value, and losses
 * and derivatives are good to 15 digits. A call takes two to three times as long as the default's, whose float32 is enough to train
 * with; docs/numerics.md says what double precision is worth its time for.
 *
 * @example
 * ```ts
 * import { FocalLoss } from 'focal-loss-wasm/float64';
 *
 * const { grad } = new FocalLoss({ gamma: 2, reduction: 'sum' }).valueAndGrad([0.3, -1.2], [1, 0]); // Float64Array
 * ```
 *
 * @packageDocumentation
 */
export * from './index.js';
