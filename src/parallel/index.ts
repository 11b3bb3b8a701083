/**
 * Focal loss over several threads, in Node, Deno and Bun.
 *
 * @packageDocumentation
 */
export {
  Parallel,
  type ParallelBuffer,
  type ParallelCall,
  type ParallelCriterion,
  type ParallelOptions,
  type ParallelValue,
} from './parallel.js';
export {
  ParallelFocalLoss,
  type ParallelFocalLossAroundOptions,
  type ParallelFocalLossOptions,
} from './parallel-focal-loss.js';
export { SharedWorkspace } from './shared-workspace.js';
