import type { OptionKey } from './losses/options.js';

/** Where a loss has its evaluator, for entries of this package that are bundled apart from it; how copies know each other. */
export const EVALUATOR: unique symbol = Symbol.for('focal-loss-wasm.evaluator');

/** Where a class of losses has what it is to the engine. */
export const DEFINITION: unique symbol = Symbol('definition');

/**
 * The options of `FocalLoss` but for its base loss.
 *
 * @internal
 */
export const FOCAL_LOSS_KEYS: readonly OptionKey[] = [
  'gamma',
  'alpha',
  'posWeight',
  'reduction',
  'fromLogits',
  'ignoreIndex',
  'labelSmoothing',
  'numClasses',
  'classAxis',
  'classWeight',
  'softTargets',
  'polyEpsilon',
  'normalizer',
  'hessian',
];
