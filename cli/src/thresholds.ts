import type { Bucket } from './bucket.js';
import type { Probability } from './model-scores.js';

export interface Costs {
  readonly miss: number;
  readonly alarm: number;
}

/** What acting on every probability of at least `threshold` gives. */
export interface ThresholdResult {
  readonly threshold: number;
  readonly truePositives: number;
  readonly falsePositives: number;
  readonly falseNegatives: number;
  readonly trueNegatives: number;
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
  readonly cost?: number;
  /** Scores that may be on either side, since only their bucket is known. */
  readonly uncertain: number;
}

interface Totals {
  readonly positives: number;
  readonly negatives: number;
}

export function thresholdResults(
  buckets: readonly Bucket[],
  probability: Probability,
  thresholds: readonly number[],
  costs: Costs | undefined,
): ThresholdResult[] {
  const totals = totalsOf(buckets);
  return thresholds.map((threshold) => {
    let [tp, fp, uncertain] = [0, 0, 0];
    // a score of 0.7 is the float32 next to it, and so is its threshold
    const limit = probability.same ? Math.fround(threshold) : threshold;
    for (const bucket of buckets) {
      if (probability.of(bucket.positiveScore) >= limit) tp += bucket.positives;
      if (probability.of(bucket.negativeScore) >= limit) fp += bucket.negatives;
      if (bucket.low === bucket.high) continue;
      const sure = probability.of(bucket.low) >= limit === probability.of(bucket.high) >= limit;
      if (!sure) uncertain += bucket.positives + bucket.negatives;
    }
    return resultOf(threshold, tp, fp, totals, costs, uncertain);
  });
}

/** The threshold of the least cost, among those between scores; Infinity where it is cheapest never to act. */
export function cheapest(buckets: readonly Bucket[], probability: Probability, costs: Costs): ThresholdResult {
  const totals = totalsOf(buckets);
  let best = { threshold: Number.POSITIVE_INFINITY, tp: 0, fp: 0, cost: costs.miss * totals.positives };
  let [tp, fp] = [0, 0];
  for (let i = buckets.length - 1; i >= 0; i--) {
    tp += buckets[i].positives;
    fp += buckets[i].negatives;
    const cost = costs.miss * (totals.positives - tp) + costs.alarm * fp;
    if (cost < best.cost) best = { threshold: probability.of(buckets[i].low), tp, fp, cost };
  }
  return resultOf(best.threshold, best.tp, best.fp, totals, costs, 0);
}

function totalsOf(buckets: readonly Bucket[]): Totals {
  let [positives, negatives] = [0, 0];
  for (const bucket of buckets) {
    positives += bucket.positives;
    negatives += bucket.negatives;
  }
  return { positives, negatives };
}

function resultOf(
  threshold: number,
  tp: number,
  fp: number,
  totals: Totals,
  costs: Costs | undefined,
  uncertain: number,
): ThresholdResult {
  const falseNegatives = totals.positives - tp;
  return {
    threshold,
    truePositives: tp,
    falsePositives: fp,
    falseNegatives,
    trueNegatives: totals.negatives - fp,
    // nothing claimed, nothing wrong
    precision: tp + fp === 0 ? 1 : tp / (tp + fp),
    recall: tp / totals.positives,
    f1: (2 * tp) / (2 * tp + fp + falseNegatives),
    ...(costs && { cost: costs.miss * falseNegatives + costs.alarm * fp }),
    uncertain,
  };
}
