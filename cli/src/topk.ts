import { hardest } from 'focal-loss-wasm';
import type { Id } from './table.js';

export interface Example {
  readonly index: number;
  readonly id?: Id;
  readonly score: number;
  readonly target: number;
  readonly loss: number;
}

/** The k rows of the largest loss so far, ties by their order: memory does not grow with the input. */
export class Hardest {
  private losses: Float32Array;
  private indices: Float64Array;
  private scores: Float32Array;
  private targets: Float32Array;
  private ids: Id[] | undefined;
  private length = 0;
  /** A loss must be above it to be among the hardest. */
  private threshold = Number.NEGATIVE_INFINITY;

  constructor(private readonly k: number) {
    const capacity = Math.max(1 << 10, 2 * k);
    this.losses = new Float32Array(capacity);
    this.indices = new Float64Array(capacity);
    this.scores = new Float32Array(capacity);
    this.targets = new Float32Array(capacity);
  }

  /** @param score and target of a row, which are asked for only where the row may be among the hardest */
  add(
    losses: Float32Array,
    start: number,
    score: (i: number) => number,
    target: (i: number) => number,
    ids?: readonly Id[],
    place?: (i: number) => number,
  ): void {
    for (let i = 0; i < losses.length; i++) {
      // NaN is harder than anything
      if (losses[i] <= this.threshold) continue;
      if (this.length === this.losses.length) {
        this.compact();
        if (losses[i] <= this.threshold) continue;
      }
      const at = this.length++;
      this.losses[at] = losses[i];
      this.indices[at] = place === undefined ? start + i : place(i);
      this.scores[at] = score(i);
      this.targets[at] = target(i);
      if (ids !== undefined) {
        this.ids ??= [];
        this.ids[at] = ids[i];
      }
    }
  }

  /** Keeps the k hardest, hardest first. */
  private compact(): void {
    const order = hardestFirst(this.losses.subarray(0, this.length), this.k);
    const pick = (values: Float32Array | Float64Array) => {
      const kept = Float64Array.from(order, (i) => values[i]);
      values.set(kept);
    };
    const ids = this.ids;
    if (ids !== undefined) this.ids = Array.from(order, (i) => ids[i]);
    pick(this.indices);
    pick(this.scores);
    pick(this.targets);
    pick(this.losses);
    this.length = order.length;
    if (this.length === this.k) this.threshold = this.losses[this.k - 1];
  }

  get examples(): Example[] {
    this.compact();
    return Array.from({ length: this.length }, (_, i) => ({
      index: this.indices[i],
      ...(this.ids === undefined ? {} : { id: plain(this.ids[i]) }),
      score: this.scores[i],
      target: this.targets[i],
      loss: this.losses[i],
    }));
  }
}

// A place below it and the 32 bits of a float make one whole number that a float64 holds.
const MOST_SORTED = 1 << 21;

/** As `hardest` of the library; for many of many a sort of numbers takes a tenth of what its heap takes. */
function hardestFirst(losses: Float32Array, k: number): Uint32Array {
  if (losses.length > MOST_SORTED || k < losses.length / 16) return hardest(losses, k);
  const bits = new Int32Array(losses.buffer, losses.byteOffset, losses.length);
  const keys = new Float64Array(losses.length);
  for (let i = 0; i < keys.length; i++) {
    const word = losses[i] === 0 ? 0 : bits[i];
    const ordered = Number.isNaN(losses[i]) ? 0xffffffff : (word ^ ((word >> 31) | 0x80000000)) >>> 0;
    keys[i] = (0xffffffff - ordered) * MOST_SORTED + i;
  }
  keys.sort();
  return Uint32Array.from(keys.subarray(0, k), (key) => key % MOST_SORTED);
}

/** As JSON can hold it. */
export function plain(id: Id): Id {
  if (typeof id !== 'bigint') return id;
  return Number.isSafeInteger(Number(id)) ? Number(id) : String(id);
}
