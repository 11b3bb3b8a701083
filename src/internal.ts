/** Where a loss has its evaluator, for entries of this package that are bundled apart from it. */
export const EVALUATOR: unique symbol = Symbol.for('focal-loss-wasm.evaluator');
