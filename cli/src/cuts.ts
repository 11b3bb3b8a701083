import { blockRows } from './table.js';
import type { Shard } from './units.js';

// A shard takes whole shares: many enough for everybody, long enough to read at full speed.
const SHARE_BLOCKS = 16;

/** How arrays that are read side by side are cut: each at the same rows, whatever its own width. */
export class Cuts {
  private rows = Number.POSITIVE_INFINITY;
  /** The number of each share that was taken. */
  private readonly mine: number[] = [];

  constructor(private readonly shard: Shard = { index: 1, count: 1 }) {}

  /** Told of the width of every array before the first of them is read. */
  fit(width: number): void {
    this.rows = Math.min(this.rows, blockRows(width));
  }

  /** Rows of a block. */
  get blockRows(): number {
    return this.rows;
  }

  /** Whether there are other shards, which read other rows. */
  get several(): boolean {
    return this.shard.count > 1;
  }

  /** Which of `rows` are read, in order; the same for whoever asks. */
  *shares(rows: number): Generator<{ readonly from: number; readonly to: number }> {
    const length = this.several ? this.rows * SHARE_BLOCKS : rows;
    for (let k = 0; ; k++) {
      this.mine[k] ??= this.take(k);
      const from = this.mine[k] * length;
      if (from >= rows) return;
      yield { from, to: Math.min(rows, from + length) };
    }
  }

  private take(k: number): number {
    const { index, count, taken } = this.shard;
    return taken === undefined ? index - 1 + k * count : Atomics.add(new Int32Array(taken), 0, 1);
  }
}
