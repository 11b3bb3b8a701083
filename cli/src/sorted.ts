import type { Bucket } from './bucket.js';

/** Scores in order, those that are equal as one bucket: what is computed from them is exact. */
export function sortedScores(scores: Float32Array, targets: Uint8Array, weight?: Float64Array): Bucket[] {
  const order = orderOf(scores);
  const buckets: Bucket[] = [];
  for (let i = 0; i < order.length; ) {
    const score = scores[order[i]];
    let negatives = 0;
    let positives = 0;
    for (; i < order.length && scores[order[i]] === score; i++) {
      const w = weight === undefined ? 1 : weight[order[i]];
      if (targets[order[i]] === 0) negatives += w;
      else positives += w;
    }
    buckets.push(new Single(score, negatives, positives));
  }
  return buckets;
}

/** The bucket of one score: of a million of them each number counts. */
class Single implements Bucket {
  constructor(
    private readonly score: number,
    readonly negatives: number,
    readonly positives: number,
  ) {}

  get low(): number {
    return this.score;
  }

  get high(): number {
    return this.score;
  }

  get negativeScore(): number {
    return this.score;
  }

  get positiveScore(): number {
    return this.score;
  }
}

const DIGIT_BITS = 11;

/** The indices of scores by their value, those of equal ones as they come: a radix sort, which takes a tenth of a typed array's own. */
function orderOf(scores: Float32Array): Uint32Array {
  const { length } = scores;
  const bits = new Int32Array(scores.buffer, scores.byteOffset, length);
  let keys = new Uint32Array(length);
  let order = new Uint32Array(length);
  for (let i = 0; i < length; i++) {
    // -0 and 0 are one score
    const word = bits[i] === -0x80000000 ? 0 : bits[i];
    keys[i] = word ^ ((word >> 31) | 0x80000000);
    order[i] = i;
  }
  let [nextKeys, nextOrder] = [new Uint32Array(length), new Uint32Array(length)];
  const starts = new Uint32Array(1 << DIGIT_BITS);
  for (let shift = 0; shift < 32; shift += DIGIT_BITS) {
    const digit = starts.length - 1;
    starts.fill(0);
    for (let i = 0; i < length; i++) starts[(keys[i] >>> shift) & digit]++;
    for (let value = 0, start = 0; value <= digit; value++) {
      const count = starts[value];
      starts[value] = start;
      start += count;
    }
    for (let i = 0; i < length; i++) {
      const at = starts[(keys[i] >>> shift) & digit]++;
      nextKeys[at] = keys[i];
      nextOrder[at] = order[i];
    }
    [keys, nextKeys] = [nextKeys, keys];
    [order, nextOrder] = [nextOrder, order];
  }
  return order;
}
