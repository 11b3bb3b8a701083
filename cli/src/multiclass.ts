/** What is known of predictions of one class among several. */
export interface MulticlassMetrics {
  readonly accuracy: number;
  readonly logLoss: number;
  /** The mean over rows of the squared distance to the one-hot target. */
  readonly brier: number;
  /** Of the most probable class, by 15 bins of equal width. */
  readonly ece: number;
}

const BINS = 15;

export interface MulticlassJSON {
  readonly sums: readonly number[];
  readonly bins: readonly (readonly number[])[];
}

/** Adds up rows of logits against the class of each. */
export class MulticlassMeter {
  private weight = 0;
  private right = 0;
  private logLoss = 0;
  private brier = 0;
  /** [weight, weight of right ones, confidence] of each bin. */
  private readonly bins = Array.from({ length: BINS }, () => [0, 0, 0]);

  add(
    logits: Float32Array,
    labels: ArrayLike<number>,
    classes: number,
    ignoreIndex?: number,
    weights?: ArrayLike<number>,
  ): void {
    for (let row = 0; row < labels.length; row++) {
      const label = labels[row];
      if (label === ignoreIndex) continue;
      const at = row * classes;
      let best = 0;
      for (let j = 1; j < classes; j++) if (logits[at + j] > logits[at + best]) best = j;
      const most = logits[at + best];
      let [sum, squares] = [0, 0];
      for (let j = 0; j < classes; j++) {
        const e = Math.exp(logits[at + j] - most);
        sum += e;
        squares += e * e;
      }
      const w = weights === undefined ? 1 : weights[row];
      const own = Math.exp(logits[at + label] - most) / sum;
      const confidence = 1 / sum;
      this.weight += w;
      this.logLoss += w * (Math.log(sum) - (logits[at + label] - most));
      this.brier += w * (squares / (sum * sum) - 2 * own + 1);
      const bin = this.bins[Math.min(BINS - 1, Math.max(0, Math.ceil(confidence * BINS) - 1))];
      bin[0] += w;
      bin[2] += w * confidence;
      if (best !== label) continue;
      this.right += w;
      bin[1] += w;
    }
  }

  merge(other: MulticlassMeter): void {
    this.weight += other.weight;
    this.right += other.right;
    this.logLoss += other.logLoss;
    this.brier += other.brier;
    for (const [i, bin] of other.bins.entries()) for (const j of bin.keys()) this.bins[i][j] += bin[j];
  }

  compute(): MulticlassMetrics {
    const { weight } = this;
    let ece = 0;
    for (const [count, right, confidence] of this.bins)
      ece += Math.abs(right - confidence) / (count === 0 ? 1 : weight);
    return { accuracy: this.right / weight, logLoss: this.logLoss / weight, brier: this.brier / weight, ece };
  }

  toJSON(): MulticlassJSON {
    return { sums: [this.weight, this.right, this.logLoss, this.brier], bins: this.bins };
  }

  static fromJSON({ sums, bins }: MulticlassJSON): MulticlassMeter {
    const meter = new MulticlassMeter();
    [meter.weight, meter.right, meter.logLoss, meter.brier] = sums;
    for (const [i, bin] of bins.entries()) for (const [j, value] of bin.entries()) meter.bins[i][j] = value;
    return meter;
  }
}
