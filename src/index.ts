/**
 * Focal loss, its gradient and its Hessian, and the probabilities behind the scores of models trained with it, from a
 * WebAssembly kernel that this module brings along.
 *
 * @packageDocumentation
 */
export type { ExactSumJSON } from './exact-sum.js';
export { type FocalLogitOptions, focalLogit } from './focal-logit.js';
export { type FocalPosteriorOptions, focalPosterior } from './focal-posterior.js';
export { hardest } from './hardest.js';
export {
  type ClassTotals,
  LossMeter,
  type LossMeterJSON,
  type LossMeterOptions,
  type LossTotals,
  type NaNPolicy,
} from './loss-meter.js';
export * from './losses/index.js';
export { type SoftmaxFocalPosteriorOptions, softmaxFocalPosterior } from './softmax-focal-posterior.js';
export type {
  CallOptions,
  Criterion,
  Float16ArrayLike,
  GradHess,
  HessianPolicy,
  Integers,
  Labels,
  Logits,
  LossJSON,
  Nested,
  Reduction,
  Results,
  SoftTargets,
  Targets,
  TensorLike,
  Value,
  ValueAndGrad,
} from './types.js';
export { Workspace } from './workspace.js';
