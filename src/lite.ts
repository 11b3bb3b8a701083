/**
 * Focal loss for the tightest cold start on the edge: the value alone, with the bits of `focal-loss-wasm`, for options that are the
 * same for all elements (`gamma`, `alpha`, `posWeight`, `reduction`, `labelSmoothing`, `ignoreIndex`, `normalizer`, `lossFcn`),
 * from a kernel a seventh of the size. Whatever else is asked for is an error that says where it is to be had.
 *
 * @packageDocumentation
 */
export type { FocalPosteriorOptions } from './focal-posterior.js';
export { focalPosterior } from './lite/focal-posterior.js';
export {
  BCEWithLogitsLoss,
  FocalLoss,
  type FocalLossAroundOptions,
  type FocalLossOptions,
  sigmoidFocalLoss,
} from './lite/losses.js';
export type { BCEWithLogitsLossOptions } from './losses/bce-with-logits-loss.js';
export type {
  Float16ArrayLike,
  ForwardOptions,
  Integers,
  Logits,
  LossJSON,
  Nested,
  Reduction,
  Results,
  Targets,
  TensorLike,
  Value,
} from './types.js';
export { Workspace } from './workspace.js';
