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
    buckets.push({ low: score, high: score, negatives, positives, negativeScore: score, positiveScore: score });
  }
  return buckets;
}

/** Sorts by value through one array of numbers: the score's place in the order of floats, then the index. */
function orderOf(scores: Float32Array): Uint32Array {
  const bits = new Int32Array(scores.buffer, scores.byteOffset, scores.length);
  const keys = new Float64Array(scores.length);
  for (let i = 0; i < keys.length; i++) {
    // -0 and 0 are one score
    const word = bits[i] === -0x80000000 ? 0 : bits[i];
    keys[i] = ((word ^ ((word >> 31) | 0x80000000)) >>> 0) * 2 ** 20 + i;
  }
  keys.sort();
  const order = new Uint32Array(keys.length);
  for (let i = 0; i < keys.length; i++) order[i] = keys[i] % 2 ** 20;
  return order;
}
