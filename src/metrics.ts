/**
 * How far predicted probabilities can be believed. This entry has no kernel in it, and needs none.
 *
 * @packageDocumentation
 */
export {
  type CalibrationBin,
  CalibrationMeter,
  type CalibrationMeterJSON,
  type CalibrationMeterOptions,
  type CalibrationTotals,
  type CalibrationUpdateOptions,
} from './calibration-meter.js';
export type { ExactSumJSON } from './exact-sum.js';
export type { Float16ArrayLike, Logits, Targets, TensorLike } from './types.js';
