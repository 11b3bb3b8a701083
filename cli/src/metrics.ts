import type { Bucket } from './bucket.js';
import type { Probability } from './model-scores.js';

/** What is known of a model beside its loss. Where there are more than a million scores each number has a bound of its error. */
export interface Metrics {
  readonly logLoss: number;
  readonly brier: number;
  /** Expected calibration error, by 15 bins of equal width. */
  readonly ece: number;
  readonly rocAuc: number;
  readonly averagePrecision: number;
  /** By how much each may be off; 0 where it was computed from every score. */
  readonly error: {
    readonly logLoss: number;
    readonly brier: number;
    readonly ece: number;
    readonly rocAuc: number;
    readonly averagePrecision: number;
  };
}

export interface ReliabilityBin {
  readonly from: number;
  readonly to: number;
  readonly count: number;
  readonly meanProbability: number;
  readonly positiveShare: number;
}

export function metricsOf(buckets: readonly Bucket[], probability: Probability): Metrics {
  let [positives, negatives] = [0, 0];
  for (const bucket of buckets) {
    positives += bucket.positives;
    negatives += bucket.negatives;
  }
  const count = positives + negatives;
  const ranking = rank(buckets, positives, negatives);
  const proper = properScores(buckets, probability, count);
  const { ece, error: eceError } = calibrationError(buckets, probability, count);
  return {
    logLoss: proper.logLoss,
    brier: proper.brier,
    ece,
    rocAuc: ranking.auc,
    averagePrecision: ranking.precision,
    error: {
      logLoss: proper.logLossError,
      brier: proper.brierError,
      ece: eceError,
      rocAuc: ranking.aucError,
      averagePrecision: ranking.precisionError,
    },
  };
}

/** Ties count half. Within a bucket of different scores the order is unknown: all or nothing of its pairs is the bound. */
function rank(buckets: readonly Bucket[], positives: number, negatives: number) {
  let [below, pairs, unknown] = [0, 0, 0];
  for (const bucket of buckets) {
    const within = bucket.positives * bucket.negatives;
    pairs += bucket.positives * below + within / 2;
    if (bucket.low !== bucket.high) unknown += within / 2;
    below += bucket.negatives;
  }
  let tp = 0;
  let fp = 0;
  let sum = 0;
  let best = 0;
  let worst = 0;
  for (let i = buckets.length - 1; i >= 0; i--) {
    const bucket = buckets[i];
    const { positives: p, negatives: n } = bucket;
    const before = tp + fp === 0 ? 1 : tp / (tp + fp);
    tp += p;
    fp += n;
    const after = tp + fp === 0 ? 0 : tp / (tp + fp);
    sum += p * after;
    if (bucket.low === bucket.high || p === 0) {
      best += p * after;
      worst += p * after;
    } else {
      // all positives first, or all negatives
      best += p * (tp + fp - n === 0 ? 1 : tp / (tp + fp - n));
      worst += p * Math.min(after, before, (tp - p + 1) / (tp - p + 1 + fp));
    }
  }
  return {
    auc: pairs / (positives * negatives),
    aucError: unknown === 0 ? 0 : unknown / (positives * negatives),
    precision: sum / positives,
    precisionError: best === worst ? 0 : Math.max(best - sum, sum - worst) / positives,
  };
}

function properScores(buckets: readonly Bucket[], probability: Probability, count: number) {
  let logLoss = 0;
  let brier = 0;
  let logLossError = 0;
  let brierError = 0;
  for (const bucket of buckets) {
    for (let y = 0; y <= 1; y++) {
      const weight = y === 0 ? bucket.negatives : bucket.positives;
      if (weight === 0) continue;
      const score = y === 0 ? bucket.negativeScore : bucket.positiveScore;
      logLoss += weight * crossEntropy(score, y, probability);
      brier += weight * squaredError(score, y, probability);
      if (bucket.low === bucket.high) continue;
      logLossError += weight * curvature(crossEntropy, bucket, y, probability);
      brierError += weight * curvature(squaredError, bucket, y, probability);
    }
  }
  return {
    logLoss: logLoss / count,
    brier: brier / count,
    logLossError: logLossError / count,
    brierError: brierError / count,
  };
}

type Score = (score: number, y: number, probability: Probability) => number;

/** How far the mean of a smooth function can be from the function of the mean: the gap between its chord and its curve. */
function curvature(of: Score, { low, high }: Bucket, y: number, probability: Probability): number {
  if (!Number.isFinite(low) || !Number.isFinite(high)) return 0;
  const chord = (of(low, y, probability) + of(high, y, probability)) / 2;
  const gap = Math.abs(chord - of((low + high) / 2, y, probability));
  return Number.isFinite(gap) ? gap : 0;
}

function squaredError(score: number, y: number, probability: Probability): number {
  return (y === 1 ? probability.not(score) : probability.of(score)) ** 2;
}

/** With PyTorch's bound, 100, where the own class has no probability. */
function crossEntropy(score: number, y: number, probability: Probability): number {
  return Math.min(100, -Math.log(y === 1 ? probability.of(score) : probability.not(score)));
}

export function reliability(buckets: readonly Bucket[], probability: Probability, bins = 15): ReliabilityBin[] {
  const sums = Array.from({ length: bins }, () => ({ count: 0, probability: 0, positives: 0 }));
  for (const bucket of buckets) {
    for (let y = 0; y <= 1; y++) {
      const weight = y === 0 ? bucket.negatives : bucket.positives;
      if (weight === 0) continue;
      const p = probability.of(y === 0 ? bucket.negativeScore : bucket.positiveScore);
      const bin = sums[Math.min(bins - 1, Math.max(0, Math.ceil(p * bins) - 1))];
      bin.count += weight;
      bin.probability += weight * p;
      bin.positives += weight * y;
    }
  }
  return sums.map(({ count, probability: sum, positives }, i) => ({
    from: i / bins,
    to: (i + 1) / bins,
    count,
    meanProbability: sum / count,
    positiveShare: positives / count,
  }));
}

function calibrationError(buckets: readonly Bucket[], probability: Probability, count: number) {
  const bins = reliability(buckets, probability);
  let ece = 0;
  for (const bin of bins)
    if (bin.count > 0) ece += (bin.count / count) * Math.abs(bin.meanProbability - bin.positiveShare);
  // a bucket across the border of two bins is counted in one of them
  let across = 0;
  const binOf = (score: number) => Math.ceil(probability.of(score) * bins.length);
  for (const bucket of buckets) {
    if (bucket.low !== bucket.high && binOf(bucket.low) !== binOf(bucket.high))
      across += bucket.negatives + bucket.positives;
  }
  return { ece, error: (2 * across) / count };
}
