import type { Bucket } from './bucket.js';
import { Counter } from './counter.js';
import { sortedScores } from './sorted.js';

/**
 * The scores of one model by class. While there are few they are kept as they are, and what is computed from them is exact.
 * Many are counted in the order of float32: 2^18 buckets, each of which holds the scores that agree in sign, exponent and 9
 * bits of the fraction, with the exact sum of their remaining bits. So the mean of a bucket is exact, what is computed from
 * buckets is off by no more than their width allows, and metrics come with that bound.
 */
export class ScoreHistogram {
  private ofNaN = 0;
  private counted = 0;
  private kept: Kept | undefined = new Kept();
  /** [weight, weighted sum of low bits] of the negatives, then of the positives, for each bucket; made when first needed. */
  private sums: Float64Array | undefined;
  /** Has what is not in `sums` yet. */
  private counter: Counter | undefined;
  /** What was asked for last, as long as nothing is added. */
  private found: Bucket[] | undefined;

  /** Scores that are numbers, of targets that are 0 or 1. */
  get count(): number {
    this.settled();
    return this.counted;
  }

  /** Scores that are NaN. */
  get nan(): number {
    this.settled();
    return this.ofNaN;
  }

  /** @param targets 1 for a positive, 0 for a negative; anything else is left out. */
  add(scores: Float32Array, targets: Uint8Array, weight?: ArrayLike<number>): void {
    this.found = undefined;
    if (this.kept !== undefined) {
      const before = this.kept.length;
      if (this.kept.add(scores, targets, weight)) {
        this.counted += this.kept.length - before;
        this.ofNaN += this.kept.takeNaN();
        return;
      }
      this.spill();
    }
    this.countInto(this.sums as Float64Array, scores, targets, weight);
  }

  private countInto(sums: Float64Array, scores: Float32Array, targets: Uint8Array, weight?: ArrayLike<number>): void {
    let first = 0;
    if (weight === undefined) {
      this.counter ??= new Counter();
      first = this.counter.add(scores, targets, sums);
      this.counted += first;
    }
    const bits = new Int32Array(scores.buffer, scores.byteOffset, scores.length);
    let [nan, skipped] = [0, 0];
    for (let i = first; i < bits.length; i++) {
      const target = targets[i];
      const word = bits[i];
      if (target > 1) skipped++;
      else if ((word & 0x7fffffff) > 0x7f800000) nan++;
      else {
        // flips the order of negative numbers, and puts them below the others
        const ordered = word ^ ((word >> 31) | 0x80000000);
        const at = ((ordered >>> LOW_BITS) << 2) + (target << 1);
        const w = weight === undefined ? 1 : weight[i];
        sums[at] += w;
        sums[at + 1] += w * (ordered & LOW_MASK);
      }
    }
    this.ofNaN += nan;
    this.counted += bits.length - first - nan - skipped;
  }

  /** All that was counted, and takes those out that lie beyond the infinities: NaN. */
  private settled(): Float64Array | undefined {
    const { sums } = this;
    if (sums === undefined) return undefined;
    this.counter?.empty(sums);
    for (const [from, to] of NAN_BUCKETS) {
      for (let at = from << 2; at < to << 2; at += 4) {
        if (sums[at] === 0 && sums[at + 2] === 0) continue;
        this.ofNaN += sums[at] + sums[at + 2];
        this.counted -= sums[at] + sums[at + 2];
        sums.fill(0, at, at + 4);
      }
    }
    return sums;
  }

  /** From here on scores are counted. */
  private spill(): void {
    const kept = this.kept?.all();
    this.kept = undefined;
    this.sums = new Float64Array(4 << KEY_BITS);
    if (kept === undefined) return;
    const { counted } = this;
    this.countInto(this.sums, kept.scores, kept.targets, kept.weight);
    this.counted = counted;
  }

  merge(other: ScoreHistogram): void {
    this.found = undefined;
    const kept = other.kept?.all();
    this.ofNaN += other.nan;
    if (kept !== undefined) {
      this.add(kept.scores, kept.targets, kept.weight);
      return;
    }
    if (this.kept !== undefined) this.spill();
    const [sums, more] = [this.sums as Float64Array, other.settled() as Float64Array];
    for (let i = 0; i < more.length; i++) sums[i] += more[i];
    this.counted += other.count;
  }

  /** The scores themselves, in order, those that are equal as one bucket; undefined where there are too many. */
  exact(): Bucket[] | undefined {
    const all = this.kept?.all();
    return all && sortedScores(all.scores, all.targets, all.weight);
  }

  /** The buckets that hold anything, from the lowest score to the highest. */
  buckets(): Bucket[] {
    this.found ??= this.makeBuckets();
    return this.found;
  }

  private makeBuckets(): Bucket[] {
    const exact = this.exact();
    const sums = this.settled();
    if (exact !== undefined || sums === undefined) return exact ?? [];
    const buckets: Bucket[] = [];
    for (let at = 0; at < sums.length; at += 4) {
      const negatives = sums[at];
      const positives = sums[at + 2];
      if (negatives === 0 && positives === 0) continue;
      const base = (at >>> 2) * (LOW_MASK + 1);
      buckets.push({
        low: valueAt(base),
        high: valueAt(base + LOW_MASK),
        negatives,
        positives,
        negativeScore: negatives === 0 ? 0 : valueAt(base + sums[at + 1] / negatives),
        positiveScore: positives === 0 ? 0 : valueAt(base + sums[at + 3] / positives),
      });
    }
    return buckets;
  }

  toJSON(): HistogramJSON {
    const { count, nan } = this;
    const kept = this.kept?.all();
    if (kept !== undefined) {
      const weight = kept.weight && base64(kept.weight);
      return { count, nan, scores: base64(kept.scores), targets: base64(kept.targets), weight };
    }
    const sums = this.settled() as Float64Array;
    const entries: number[] = [];
    for (let at = 0; at < sums.length; at += 4) {
      if (sums[at] === 0 && sums[at + 2] === 0) continue;
      entries.push(at >>> 2, sums[at], sums[at + 1], sums[at + 2], sums[at + 3]);
    }
    return { count, nan, buckets: base64(Float64Array.from(entries)) };
  }

  /** @throws RangeError for a state that no histogram can have. */
  static fromJSON(json: HistogramJSON): ScoreHistogram {
    const histogram = new ScoreHistogram();
    if (json.scores !== undefined && json.targets !== undefined) {
      const scores = new Float32Array(bytesOf(json.scores));
      const targets = new Uint8Array(bytesOf(json.targets));
      const weight = json.weight === undefined ? undefined : new Float64Array(bytesOf(json.weight));
      if (scores.length !== targets.length) throw new RangeError('scores and targets differ in length');
      histogram.add(scores, targets, weight);
    } else {
      histogram.spill();
      const entries = new Float64Array(bytesOf(json.buckets ?? ''));
      for (let i = 0; i + 5 <= entries.length; i += 5) {
        const key = entries[i];
        if (!(Number.isInteger(key) && key >= 0 && key < 1 << KEY_BITS))
          throw new RangeError('there is no such bucket');
        histogram.sums?.set(entries.subarray(i + 1, i + 5), key << 2);
      }
      histogram.counted = json.count;
    }
    if (histogram.count !== json.count)
      throw new RangeError(`it counts ${json.count} scores, and has ${histogram.count}`);
    histogram.ofNaN = json.nan;
    return histogram;
  }
}

// 9 bits of the fraction: what a set of scores touches of the table stays in a fast cache.
const KEY_BITS = 18;
const LOW_BITS = 32 - KEY_BITS;
const LOW_MASK = (1 << LOW_BITS) - 1;

// In the order of floats NaN lies below -Infinity and above Infinity. Those that computers make have the top bit of the fraction.
const NAN_BUCKETS = [0x007fffff - 0x400000, 0xffc00000].map((ordered) => {
  const key = ordered >>> LOW_BITS;
  return key < 1 << (KEY_BITS - 1) ? [0, key + 1] : [key, 1 << KEY_BITS];
});

export interface HistogramJSON {
  readonly count: number;
  readonly nan: number;
  readonly buckets?: string;
  readonly scores?: string;
  readonly targets?: string;
  readonly weight?: string;
}

const word = new Uint32Array(1);
const float = new Float32Array(word.buffer);

/** The number at a place in the order of float32, between two of them as well. */
function valueAt(ordered: number): number {
  const below = Math.floor(ordered);
  const share = ordered - below;
  const value = exactValueAt(below);
  return share === 0 ? value : value + share * (exactValueAt(below + 1) - value);
}

function exactValueAt(ordered: number): number {
  word[0] = ordered >= 0x80000000 ? ordered - 0x80000000 : ~ordered >>> 0;
  return float[0];
}

// 5 MB of scores and their targets: to sort them takes a tenth of a second.
const MOST_KEPT = 1 << 20;

class Kept {
  length = 0;
  private scores = new Float32Array(1 << 10);
  private targets = new Uint8Array(1 << 10);
  private weight: Float64Array | undefined;
  private nan = 0;

  /** Whether there was room. */
  add(scores: Float32Array, targets: Uint8Array, weight?: ArrayLike<number>): boolean {
    if (this.length + scores.length > MOST_KEPT) return false;
    this.grow(this.length + scores.length);
    if (weight !== undefined && this.weight === undefined) this.weight = new Float64Array(this.scores.length).fill(1);
    for (let i = 0; i < scores.length; i++) {
      if (targets[i] > 1) continue;
      if (Number.isNaN(scores[i])) {
        this.nan++;
        continue;
      }
      this.scores[this.length] = scores[i];
      this.targets[this.length] = targets[i];
      if (this.weight !== undefined) this.weight[this.length] = weight === undefined ? 1 : weight[i];
      this.length++;
    }
    return true;
  }

  /** How many were NaN since it was asked last. */
  takeNaN(): number {
    const { nan } = this;
    this.nan = 0;
    return nan;
  }

  all() {
    const { length } = this;
    return {
      scores: this.scores.subarray(0, length),
      targets: this.targets.subarray(0, length),
      weight: this.weight?.subarray(0, length),
    };
  }

  private grow(length: number): void {
    if (length <= this.scores.length) return;
    const capacity = Math.min(MOST_KEPT, Math.max(length, 2 * this.scores.length));
    const { scores, targets, weight } = this;
    this.scores = new Float32Array(capacity);
    this.scores.set(scores);
    this.targets = new Uint8Array(capacity);
    this.targets.set(targets);
    if (weight === undefined) return;
    this.weight = new Float64Array(capacity).fill(1);
    this.weight.set(weight);
  }
}

function base64(values: Float64Array | Float32Array | Uint8Array): string {
  return Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString('base64');
}

function bytesOf(text: string): ArrayBuffer {
  return Uint8Array.from(Buffer.from(text, 'base64')).buffer;
}
