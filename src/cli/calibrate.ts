import { focalPosterior } from '../index.js';
import type { LossOptions } from './options.js';
import type { Output } from './output.js';
import { asLogits, nanWarning } from './score.js';
import { align, type Table } from './table.js';

/** What `--json` prints. A score is the sigmoid of a logit, a probability what the score stands for. */
export interface Calibration {
  readonly count: number;
  readonly meanScore: number;
  readonly meanProbability: number;
  /** How many scores, and how many probabilities, are above one half. */
  readonly scoresAboveHalf: number;
  readonly probabilitiesAboveHalf: number;
}

export interface CalibrateRequest {
  readonly table: Table;
  readonly options: LossOptions;
  readonly output?: Output;
  readonly signal?: AbortSignal;
  onProgress(share: number): void;
  warn(message: string): void;
}

// With these the focal posterior is the sigmoid.
const SIGMOID = { gamma: 0, alpha: null, posWeight: 1 };

export async function calibrate(request: CalibrateRequest): Promise<Calibration> {
  const { table, options, output } = request;
  const scores = new Tally();
  const probabilities = new Tally();
  const warnOfNaN = nanWarning(table, 'mean', request.warn);
  let buffer = new Float32Array(0);
  for await (const { start, columns } of align([table], request.signal)) {
    const logits = asLogits(columns[0]);
    if (buffer.length < logits.length) buffer = new Float32Array(logits.length);
    const out = buffer.subarray(0, logits.length);
    scores.add(focalPosterior(logits, { ...SIGMOID, out }));
    probabilities.add(focalPosterior(logits, { ...options, out }));
    warnOfNaN(scores.sum, logits, start);
    await output?.write(out);
    request.onProgress(table.progress());
  }
  return {
    count: scores.count,
    meanScore: scores.sum / scores.count,
    meanProbability: probabilities.sum / probabilities.count,
    scoresAboveHalf: scores.aboveHalf,
    probabilitiesAboveHalf: probabilities.aboveHalf,
  };
}

class Tally {
  count = 0;
  sum = 0;
  aboveHalf = 0;

  add(values: Float32Array): void {
    this.count += values.length;
    for (const value of values) {
      this.sum += value;
      if (value > 0.5) this.aboveHalf++;
    }
  }
}

/** What a few scores stand for, for the summary. */
export function calibrationCurve(options: LossOptions): { readonly score: number; readonly probability: number }[] {
  const scores = [0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95];
  const logits = scores.map((score) => Math.log(score / (1 - score)));
  const probabilities = focalPosterior(logits, options);
  return scores.map((score, i) => ({ score, probability: probabilities[i] }));
}
