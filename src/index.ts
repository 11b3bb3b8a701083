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
export { AsymmetricLoss, type AsymmetricLossOptions, asymmetricLoss } from './losses/asymmetric-loss.js';
export { BCEWithLogitsLoss, type BCEWithLogitsLossOptions } from './losses/bce-with-logits-loss.js';
export {
  FocalLoss,
  type FocalLossAroundOptions,
  type FocalLossOptions,
  sigmoidFocalLoss,
} from './losses/focal-loss.js';
export { HeatmapFocalLoss, type HeatmapFocalLossOptions, heatmapFocalLoss } from './losses/heatmap-focal-loss.js';
export { OneHotFocalLoss, type OneHotFocalLossOptions, oneHotFocalLoss } from './losses/one-hot-focal-loss.js';
export { QualityFocalLoss, type QualityFocalLossOptions, qualityFocalLoss } from './losses/quality-focal-loss.js';
export { SoftmaxFocalLoss, type SoftmaxFocalLossOptions, softmaxFocalLoss } from './losses/softmax-focal-loss.js';
export { VarifocalLoss, type VarifocalLossOptions, varifocalLoss } from './losses/varifocal-loss.js';
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
