import { binary } from '../build/counter.js';

interface Exports {
  readonly memory: WebAssembly.Memory;
  readonly CAPACITY: WebAssembly.Global;
  readonly LOW_BITS: WebAssembly.Global;
  readonly COUNT_BITS: WebAssembly.Global;
  readonly SCORES: WebAssembly.Global;
  readonly TARGETS: WebAssembly.Global;
  readonly BUCKETS: WebAssembly.Global;
  add(count: number): number;
}

let module: WebAssembly.Module | undefined;

/** Counts hard targets without weights, fast. Its buckets hold as many as its binary has bits for: whoever uses it empties them before. */
export class Counter {
  private readonly exports: Exports;
  private readonly scores: Float32Array;
  private readonly targets: Uint8Array;
  private readonly words: Uint32Array;
  private readonly capacity: number;
  /** Counts of a bucket, and more than any. */
  private readonly counts: number;
  private pending = 0;

  constructor() {
    module ??= new WebAssembly.Module(binary);
    this.exports = new WebAssembly.Instance(module).exports as unknown as Exports;
    const { memory, CAPACITY, LOW_BITS, COUNT_BITS, SCORES, TARGETS, BUCKETS } = this.exports;
    this.capacity = CAPACITY.value;
    this.counts = 2 ** COUNT_BITS.value;
    this.scores = new Float32Array(memory.buffer, SCORES.value, this.capacity);
    this.targets = new Uint8Array(memory.buffer, TARGETS.value, this.capacity + 16);
    this.words = new Uint32Array(memory.buffer, BUCKETS.value, 4 * 2 ** (32 - LOW_BITS.value));
  }

  /**
   * Counts scores by class, up to the first piece whose targets are not all 0 or 1; gives how many it has counted.
   * @param sums as `empty` has them.
   */
  add(scores: Float32Array, targets: Uint8Array, sums: Float64Array): number {
    for (let start = 0; start < scores.length; start += this.capacity) {
      const count = Math.min(this.capacity, scores.length - start);
      if (this.pending + count >= this.counts) this.empty(sums);
      this.scores.set(scores.subarray(start, start + count));
      this.targets.set(targets.subarray(start, start + count));
      this.targets.fill(0, count, count + 16);
      if (this.exports.add(count) === 0) return start;
      this.pending += count;
    }
    return scores.length;
  }

  /** Moves what is in the buckets to `sums`: for each the count and the sum of the low bits. */
  empty(sums: Float64Array): void {
    if (this.pending === 0) return;
    const { words, counts } = this;
    for (let at = 0; at < words.length; at += 2) {
      const word = words[at];
      if (word === 0) continue;
      const count = word % counts;
      sums[at] += count;
      sums[at + 1] += words[at + 1] * (2 ** 32 / counts) + (word - count) / counts;
    }
    words.fill(0);
    this.pending = 0;
  }
}
