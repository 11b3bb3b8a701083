// Options that contradict each other, or that say nothing of what is asked.

import type { Run } from './context.js';
import { printable, UsageError } from './errors.js';
import { isRows, type LossName } from './losses.js';
import type { Model } from './model.js';
import type { InputFlags, ThresholdFlags } from './options.js';

/** Refuses options that contradict each other. */
export function checkFlags(flags: InputFlags & ThresholdFlags & { readonly loss: LossName }): void {
  const { logits, probabilities, costMiss, costAlarm, positiveLabel, classes, loss } = flags;
  if (positiveLabel !== undefined && isRows(loss)) {
    throw new UsageError(
      `--positive-label expected a loss of positives and negatives, got --loss ${loss}; --classes names the labels of its classes`,
    );
  }
  if (positiveLabel !== undefined && classes !== undefined)
    throw new UsageError('--positive-label expected no --classes beside it; either says what labels mean');
  checkThresholds(loss, flags);
  if (logits !== undefined && probabilities !== undefined) {
    throw new UsageError('--probabilities expected no --logits beside it; a model has one kind of scores');
  }
  if ((costMiss === undefined) !== (costAlarm === undefined)) {
    throw new UsageError(
      `--cost-${costMiss === undefined ? 'miss' : 'alarm'} is needed: a threshold is cheap by both costs`,
    );
  }
}

/** What is asked of the probability of positives is in no softmax. */
export function checkThresholds(
  loss: LossName,
  { thresholds, costMiss, costAlarm, trainedWith }: ThresholdFlags,
): void {
  if (loss !== 'softmax') return;
  const asked = { thresholds, 'cost-miss': costMiss, 'cost-alarm': costAlarm, 'trained-with': trainedWith };
  const used = Object.entries(asked).find(([, value]) => value !== undefined);
  if (used !== undefined)
    throw new UsageError(`--${used[0]} expected a loss of positives and negatives, got --loss softmax`);
}

/** Says that there was nothing to compute. */
export function warnOfNothing(name: string, { where }: InputFlags, run: Run): void {
  run.warn(`warning: ${printable(name, 200)}: there is no row${where === undefined ? '' : ' for which --where holds'}`);
}

/** Says that there are no numbers by threshold where targets are no classes. */
export function warnOfSoft({ soft }: Model, { thresholds, costMiss, trainedWith }: ThresholdFlags, run: Run): void {
  if (!soft || (thresholds === undefined && costMiss === undefined && trainedWith === undefined)) return;
  run.warn('warning: some targets are neither 0 nor 1: there are no metrics, thresholds and costs of these');
}
