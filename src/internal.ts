/** Where a loss has its evaluator, for entries of this package that are bundled apart from it. */
export const EVALUATOR: unique symbol = Symbol.for('focal-loss-wasm.evaluator');

/** The options of `FocalLoss`. */
export const FOCAL_LOSS_KEYS = [
  'gamma',
  'alpha',
  'reduction',
  'posWeight',
  'lossFcn',
  'fromLogits',
  'ignoreIndex',
  'labelSmoothing',
  'numClasses',
  'normalizer',
  'hessian',
];
