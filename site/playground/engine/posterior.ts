import { focalLogit, focalPosterior } from 'focal-loss-wasm';

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

/** The score that a probability trains to. */
export function scoreOf(training: Training, probability: number): number {
  const [logit] = focalLogit([probability], training);
  return 1 / (1 + Math.exp(-logit));
}

function logitOf(score: number): number {
  return Math.log(score / (1 - score));
}
