import { focalPosterior } from 'focal-loss-wasm';

/** What a binary model was trained with. */
export interface Training {
  readonly gamma: number;
  readonly alpha: number | null;
  readonly posWeight: number;
}

/** The probability behind each score, where a score is the sigmoid of a logit. */
export function probabilitiesOf(training: Training, scores: Float64Array): Float32Array {
  return focalPosterior(Float64Array.from(scores, logitOf), training);
}

/** The score that a probability trains to. The probability grows with the logit, so that halving finds it. */
export function scoreOf(training: Training, probability: number): number {
  let [low, high] = [-90, 90];
  while (high - low > 1e-6) {
    const middle = (low + high) / 2;
    if (focalPosterior([middle], training)[0] < probability) low = middle;
    else high = middle;
  }
  return 1 / (1 + Math.exp(-high));
}

function logitOf(score: number): number {
  return Math.log(score / (1 - score));
}
