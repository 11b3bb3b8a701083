// What the plots of a file count, of hard targets or soft ones: a target above 0.5 is positive.

export interface LossHistogram {
  /** Edges of the bins, from 0 on: those above 0 are equally wide in the logarithm. */
  readonly edges: Float64Array;
  readonly positives: Uint32Array;
  readonly negatives: Uint32Array;
}

const LOSS_BINS = 32;
/** Losses below it share the first bin. */
const LEAST_LOSS = 1e-8;

export function lossHistogram(losses: Float32Array, targets: ArrayLike<number>): LossHistogram {
  let most = 10 * LEAST_LOSS;
  for (const loss of losses) if (loss > most && loss < Infinity) most = loss;
  const low = Math.log10(LEAST_LOSS);
  const width = (Math.log10(most) - low) / (LOSS_BINS - 1);
  const edges = Float64Array.from({ length: LOSS_BINS + 1 }, (_, k) => (k === 0 ? 0 : 10 ** (low + (k - 1) * width)));
  const histogram = { edges, positives: new Uint32Array(LOSS_BINS), negatives: new Uint32Array(LOSS_BINS) };
  for (let k = 0; k < losses.length; k++) {
    if (Number.isNaN(losses[k])) continue;
    const at = losses[k] < LEAST_LOSS ? 0 : 1 + Math.floor((Math.log10(losses[k]) - low) / width);
    const side = targets[k] > 0.5 ? histogram.positives : histogram.negatives;
    side[Math.min(at, LOSS_BINS - 1)]++;
  }
  return histogram;
}

export interface Threshold {
  readonly threshold: number;
  /** NaN where nothing is above the threshold. */
  readonly precision: number;
  readonly recall: number;
  readonly alarms: number;
  /** Of all rows together. */
  readonly cost: number;
}

const STEPS = 1000;

/** What comes of acting from each thousandth on. */
export function sweep(
  probabilities: Float32Array,
  targets: ArrayLike<number>,
  costMiss: number,
  costAlarm: number,
): Threshold[] {
  const positives = new Uint32Array(STEPS + 1);
  const negatives = new Uint32Array(STEPS + 1);
  for (let k = 0; k < probabilities.length; k++) {
    if (Number.isNaN(probabilities[k])) continue;
    (targets[k] > 0.5 ? positives : negatives)[Math.floor(probabilities[k] * STEPS)]++;
  }
  const all = positives.reduce((sum, count) => sum + count, 0);
  const steps: Threshold[] = [];
  let [hits, alarms] = [0, 0];
  for (let step = STEPS; step >= 0; step--) {
    hits += positives[step];
    alarms += negatives[step];
    steps.push({
      threshold: step / STEPS,
      precision: hits / (hits + alarms),
      recall: hits / all,
      alarms,
      cost: costMiss * (all - hits) + costAlarm * alarms,
    });
  }
  return steps.reverse();
}
