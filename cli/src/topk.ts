import { hardest } from 'focal-loss-wasm';
import type { Id, Ids } from './table.js';

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
    const capacity = Math.max(1 << 14, 2 * k);
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
    ids?: Ids,
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

  /** Keeps the k hardest, in the order in which they came, so that of equal losses the first stay. */
  private compact(): void {
    const { k, length, losses, indices, scores, targets, ids } = this;
    if (length < k) return;
    const keys = hardness(losses.subarray(0, length));
    const least = kthLargest(keys, k);
    let ties = least.ties;
    let kept = 0;
    for (let i = 0; i < length; i++) {
      if (keys[i] < least.key) continue;
      if (keys[i] === least.key) {
        this.threshold = losses[i];
        if (ties === 0) continue;
        ties--;
      }
      losses[kept] = losses[i];
      indices[kept] = indices[i];
      scores[kept] = scores[i];
      targets[kept] = targets[i];
      if (ids !== undefined) ids[kept] = ids[i];
      kept++;
    }
    if (ids !== undefined) ids.length = kept;
    this.length = kept;
  }

  /** Hardest first. */
  get examples(): Example[] {
    this.compact();
    const { ids, indices, scores, targets, losses } = this;
    const examples: Example[] = [];
    for (const i of hardestFirst(losses.subarray(0, this.length))) {
      const example = { score: scores[i], target: targets[i], loss: losses[i] };
      examples.push(
        ids === undefined ? { index: indices[i], ...example } : { index: indices[i], id: plain(ids[i]), ...example },
      );
    }
    return examples;
  }
}

/** Losses as whole numbers of the same order, NaN above all. */
function hardness(losses: Float32Array): Uint32Array {
  const bits = new Int32Array(losses.buffer, losses.byteOffset, losses.length);
  const keys = new Uint32Array(losses.length);
  for (let i = 0; i < keys.length; i++) {
    // -0 and 0 are one loss
    const word = losses[i] === 0 ? 0 : bits[i];
    keys[i] = Number.isNaN(losses[i]) ? 0xffffffff : word ^ ((word >> 31) | 0x80000000);
  }
  return keys;
}

/** The k-th largest of at least k numbers, and how many that are equal to it are among the k largest. */
function kthLargest(keys: Uint32Array, k: number): { readonly key: number; readonly ties: number } {
  const tops = new Uint32Array(1 << 16);
  for (let i = 0; i < keys.length; i++) tops[keys[i] >>> 16]++;
  let ties = k;
  let top = tops.length - 1;
  for (; tops[top] < ties; top--) ties -= tops[top];
  const lows = new Uint32Array(1 << 16);
  for (let i = 0; i < keys.length; i++) if (keys[i] >>> 16 === top) lows[keys[i] & 0xffff]++;
  let low = lows.length - 1;
  for (; lows[low] < ties; low--) ties -= lows[low];
  return { key: top * 0x10000 + low, ties };
}

// A place below it and the 32 bits of a float make one whole number that a float64 holds.
const MOST_SORTED = 1 << 21;

/** As `hardest` of the library for all of them; a sort of numbers takes a tenth of what its heap takes. */
function hardestFirst(losses: Float32Array): Uint32Array {
  if (losses.length > MOST_SORTED) return hardest(losses, losses.length);
  const keys = Float64Array.from(hardness(losses));
  for (let i = 0; i < keys.length; i++) keys[i] = (0xffffffff - keys[i]) * MOST_SORTED + i;
  keys.sort();
  const order = new Uint32Array(keys.length);
  for (let i = 0; i < order.length; i++) order[i] = keys[i] % MOST_SORTED;
  return order;
}

/** As JSON can hold it. */
export function plain(id: Id): Id {
  if (typeof id !== 'bigint') return id;
  return Number.isSafeInteger(Number(id)) ? Number(id) : String(id);
}
