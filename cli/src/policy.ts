import { DataError, UsageError } from './errors.js';
import { type Block, pick, type Rows, type Table } from './table.js';

export type NullPolicy = 'error' | 'skip';
export type NaNPolicy = 'error' | 'skip' | 'keep';

/** Rows that were left out, and why. */
export interface Skipped {
  null: number;
  nan: number;
  unmatched: number;
}

export interface Numbered {
  readonly block: Block;
  /** The place of the block's first row in the input. */
  readonly start: number;
  /** The place of each row in the input, where rows were left out. */
  readonly rows?: Float64Array;
}

/** Applies what is to become of rows with missing values. */
export class Policy {
  readonly skipped: Skipped = { null: 0, nan: 0, unmatched: 0 };

  constructor(
    private readonly table: Table,
    private readonly nulls: NullPolicy,
    private readonly nan: NaNPolicy,
    private readonly joined?: string,
  ) {}

  apply(block: Block, start: number): Numbered {
    let kept: Uint8Array | undefined;
    if (block.nulls !== undefined) kept = this.withoutNulls(block.nulls, start);
    if (this.nan === 'skip') kept = this.withoutNaN(block, kept);
    if (kept === undefined) return { block, start };
    const rows: number[] = [];
    for (let i = 0; i < block.rows; i++) if (kept[i] !== 0) rows.push(start + i);
    return { block: pick(block, kept), start, rows: Float64Array.from(rows) };
  }

  private withoutNulls(nulls: Uint8Array, start: number): Uint8Array | undefined {
    const first = nulls.findIndex((code) => code !== 0);
    if (first < 0) return undefined;
    if (this.nulls === 'error') {
      const place = this.table.place(start + first);
      throw new DataError(
        this.table.name,
        nulls[first] === 2
          ? `its id is not in ${this.joined}; --null skip leaves such rows out`
          : 'a value is missing; --null skip leaves such rows out',
        place,
      );
    }
    for (const code of nulls) {
      if (code === 1) this.skipped.null++;
      if (code === 2) this.skipped.unmatched++;
    }
    return nulls.map((code) => (code === 0 ? 1 : 0));
  }

  private withoutNaN(block: Block, kept: Uint8Array | undefined): Uint8Array | undefined {
    let result = kept;
    for (let row = 0; row < block.rows; row++) {
      if ((kept !== undefined && kept[row] === 0) || nanIn(block, row) === undefined) continue;
      result ??= new Uint8Array(block.rows).fill(1);
      result[row] = 0;
      this.skipped.nan++;
    }
    return result;
  }

  /** What becomes of a NaN that was found where it is not skipped. */
  refuse(block: Block, start: number): void {
    for (let row = 0; row < block.rows; row++) {
      const what = nanIn(block, row);
      if (what === undefined) continue;
      if (this.nan === 'keep') return;
      throw new DataError(
        this.table.name,
        `the ${what} is NaN; --nan skip leaves such rows out, --nan keep makes the loss NaN`,
        this.table.place(start + row),
      );
    }
  }
}

/** What of a row is NaN; undefined where nothing is. */
function nanIn({ scores, targets, weight }: Block, row: number): 'score' | 'target' | 'weight' | undefined {
  const isNaNIn = (values: Rows | undefined) => {
    if (values === undefined) return false;
    const from = row * values.width;
    for (let j = from; j < from + values.width; j++) if (Number.isNaN(values.values[j])) return true;
    return false;
  };
  if (scores.some(isNaNIn)) return 'score';
  if (isNaNIn(targets)) return 'target';
  return isNaNIn(weight) ? 'weight' : undefined;
}

export function skippedText({ null: nulls, nan, unmatched }: Skipped): string {
  const rows = (count: number, why: string) => (count === 0 ? [] : [`${count} with ${why}`]);
  return [
    ...rows(nulls, 'a missing value'),
    ...rows(nan, 'NaN'),
    ...rows(unmatched, 'an id that the other file lacks'),
  ].join(', ');
}

export function checkPolicy(nulls: string): asserts nulls is NullPolicy {
  if (nulls !== 'error' && nulls !== 'skip') throw new UsageError(`--null expected error or skip, got ${nulls}`);
}
