import type { Bucket } from '../bucket.js';
import { type LossName, type LossOptions, makeLoss } from '../losses.js';
import { logitsOf } from '../model-scores.js';

/** Scores of one class that are alike, with the loss of each. */
export interface Part {
  readonly loss: number;
  readonly weight: number;
  readonly positive: boolean;
}

/** The loss of every bucket, from the kernel, at the mean score of each class in it. */
export function lossParts(
  buckets: readonly Bucket[],
  loss: LossName,
  options: LossOptions,
  probabilities: boolean,
): Part[] {
  const { each } = makeLoss(loss, options, { probabilities: false });
  const of = (positive: boolean): Part[] => {
    const some = buckets.filter((bucket) => (positive ? bucket.positives : bucket.negatives) !== 0);
    const scores = Float32Array.from(some, (bucket) => (positive ? bucket.positiveScore : bucket.negativeScore));
    const logits = probabilities ? logitsOf(scores) : scores;
    const losses = each.forward(logits, new Uint8Array(logits.length).fill(positive ? 1 : 0));
    return some.map((bucket, i) => ({
      loss: losses[i],
      weight: positive ? bucket.positives : bucket.negatives,
      positive,
    }));
  };
  return [...of(true), ...of(false)].filter((part) => Number.isFinite(part.loss));
}

export interface LossBin {
  readonly from: number;
  readonly to: number;
  readonly positive: boolean;
  /** Of the elements of its class. */
  readonly share: number;
}

/** How the losses of each class are spread, in bins of equal width on a logarithmic axis; what is tiny is in the first. */
export function lossHistogram(parts: readonly Part[], bins = 32): LossBin[] {
  const most = parts.reduce((max, part) => Math.max(max, part.loss), 1e-6);
  const [top, bottom] = [Math.log10(most), Math.log10(most) - 6];
  const edge = (i: number) => 10 ** (bottom + ((top - bottom) * i) / bins);
  const result: LossBin[] = [];
  for (const positive of [true, false]) {
    const own = parts.filter((part) => part.positive === positive);
    const total = own.reduce((sum, part) => sum + part.weight, 0);
    const sums = new Float64Array(bins);
    for (const { loss, weight } of own) {
      const at = Math.floor(((Math.log10(loss) - bottom) / (top - bottom)) * bins);
      sums[Math.min(bins - 1, Math.max(0, at || 0))] += weight;
    }
    if (total === 0) continue;
    for (const [i, sum] of sums.entries())
      result.push({ from: edge(i), to: edge(i + 1), positive, share: sum / total });
  }
  return result;
}

export interface SharePoint {
  /** Of the elements, hardest first. */
  readonly elements: number;
  /** Of the loss that they carry. */
  readonly loss: number;
}

/** Which share of the loss the hardest share of elements carries. */
export function hardestShare(parts: readonly Part[], points = 100): SharePoint[] {
  const sorted = [...parts].sort((a, b) => b.loss - a.loss);
  const total = sorted.reduce((sum, part) => sum + part.weight, 0);
  const whole = sorted.reduce((sum, part) => sum + part.weight * part.loss, 0);
  const curve: SharePoint[] = [{ elements: 0, loss: 0 }];
  let [elements, loss] = [0, 0];
  for (const part of sorted) {
    elements += part.weight / total;
    loss += (part.weight * part.loss) / whole;
    const last = curve[curve.length - 1];
    if (elements - last.elements >= 1 / points || loss - last.loss >= 1 / points) curve.push({ elements, loss });
  }
  curve.push({ elements: 1, loss: 1 });
  return curve;
}

export interface GammaPoint {
  readonly gamma: number;
  readonly mean: number;
  /** Of the loss, that of the positives. */
  readonly positives: number;
}

export function byGamma(
  buckets: readonly Bucket[],
  loss: LossName,
  options: LossOptions,
  probabilities: boolean,
): GammaPoint[] {
  return Array.from({ length: 21 }, (_, i) => i / 4).map((gamma) => {
    let [sum, positives, weight] = [0, 0, 0];
    for (const part of lossParts(buckets, loss, { ...options, gamma }, probabilities)) {
      sum += part.loss * part.weight;
      weight += part.weight;
      if (part.positive) positives += part.loss * part.weight;
    }
    return { gamma, mean: sum / weight, positives: positives / sum };
  });
}

/** At most so many buckets, by putting neighbours together: what a plot can show. */
export function thinned(buckets: readonly Bucket[], most = 4000): readonly Bucket[] {
  if (buckets.length <= most) return buckets;
  const step = Math.ceil(buckets.length / most);
  const result: Bucket[] = [];
  for (let i = 0; i < buckets.length; i += step) {
    const group = buckets.slice(i, i + step);
    const positives = group.reduce((sum, bucket) => sum + bucket.positives, 0);
    const negatives = group.reduce((sum, bucket) => sum + bucket.negatives, 0);
    const mean = (of: (bucket: Bucket) => number, total: number) =>
      total === 0 ? 0 : group.reduce((sum, bucket) => sum + of(bucket), 0) / total;
    result.push({
      low: group[0].low,
      high: group[group.length - 1].high,
      positives,
      negatives,
      positiveScore: mean((bucket) => bucket.positives * bucket.positiveScore || 0, positives),
      negativeScore: mean((bucket) => bucket.negatives * bucket.negativeScore || 0, negatives),
    });
  }
  return result;
}
