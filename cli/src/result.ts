import type { LossMeter } from 'focal-loss-wasm';
import { type Metrics, metricsOf } from './metrics.js';
import type { Model } from './model.js';
import { type Probability, probabilityOf, SIGMOID, type TrainedWith } from './model-scores.js';
import type { MulticlassMetrics } from './multiclass.js';
import { type Costs, cheapest, type ThresholdResult, thresholdResults } from './thresholds.js';
import type { Example } from './topk.js';

export type Reduction = 'mean' | 'sum' | 'none';

export interface Totals {
  readonly mean: number;
  readonly sum: number;
  readonly count: number;
  readonly positives: number;
  readonly negatives: number;
  readonly sumPositives: number;
  readonly sumNegatives: number;
}

export interface ModelResult extends Totals {
  /** Under the chosen reduction; null for 'none', which leaves one loss an element. */
  readonly loss: number | null;
  readonly reduction: Reduction;
  readonly model?: string;
  /** Rows of targets that --ignore-index leaves out. */
  readonly gammas?: readonly (Totals & { readonly gamma: number })[];
  readonly metrics?: Metrics | MulticlassMetrics;
  readonly thresholds?: readonly ThresholdResult[];
  readonly cheapest?: ThresholdResult;
  readonly slices?: readonly (Totals & { readonly slice: string })[];
  readonly hardest?: readonly Example[];
}

export interface ResultSettings {
  readonly reduction: Reduction;
  readonly thresholds?: readonly number[];
  readonly costs?: Costs;
  readonly trainedWith?: TrainedWith;
}

export function totalsOf(meter: LossMeter): Totals {
  const { mean, sum, count, positives, negatives, sumPositives, sumNegatives } = meter.compute();
  return { mean, sum, count, positives, negatives, sumPositives, sumNegatives };
}

/** The probability that a model's scores stand for. */
export function probabilityFor(model: Model, trainedWith: TrainedWith | undefined): Probability {
  return probabilityOf(trainedWith ?? SIGMOID, !model.settings.probabilities);
}

export function modelResult(
  model: Model,
  settings: ResultSettings,
  named: boolean,
  hardest?: readonly Example[],
): ModelResult {
  const totals = totalsOf(model.meters[0]);
  const loss = { mean: totals.mean, sum: totals.sum, none: null }[settings.reduction];
  const { count, positives, negatives, mean, sum, sumPositives, sumNegatives } = totals;
  return {
    loss,
    reduction: settings.reduction,
    ...(named && { model: model.settings.name }),
    ...{ count, positives, negatives, mean, sum, sumPositives, sumNegatives },
    ...(model.meters.length > 1 && {
      gammas: model.meters.map((meter, i) => ({ gamma: Number(model.settings.options[i].gamma), ...totalsOf(meter) })),
    }),
    ...measured(model, settings),
    ...(model.slices.size > 0 && {
      slices: [...model.slices].map(([slice, meters]) => ({ slice, ...totalsOf(meters[0]) })).sort(byLoss),
    }),
    ...(hardest && { hardest }),
  };
}

/** Slices by what they add to the loss: where to look first. */
function byLoss(a: Totals & { slice: string }, b: Totals & { slice: string }): number {
  return b.sum - a.sum || (a.slice < b.slice ? -1 : 1);
}

function measured(model: Model, { thresholds, costs, trainedWith }: ResultSettings) {
  if (model.multiclass !== undefined) return model.soft ? {} : { metrics: model.multiclass.compute() };
  if (model.soft || model.histogram === undefined || model.histogram.count === 0) return {};
  const buckets = model.histogram.buckets();
  const probability = probabilityFor(model, trainedWith);
  return {
    metrics: metricsOf(buckets, probability),
    ...(thresholds && { thresholds: thresholdResults(buckets, probability, thresholds, costs) }),
    ...(costs && { cheapest: cheapest(buckets, probability, costs) }),
  };
}
