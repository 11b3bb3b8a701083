import type { DuckDBDataChunk } from '@duckdb/node-api';
import type { Duck } from './duck.js';
import { filePattern, literal } from './duck.js';
import { duckError } from './duck-errors.js';
import type { Relation } from './relation.js';

/** One query that reads some of the input. */
export interface Scan {
  readonly sql: string;
  /** Whether its last two columns are the file's index and the row's number in it. */
  readonly tracked: boolean;
  /** The place of its first row in the whole input, where that is known and not where the scan before ends. */
  readonly first?: number;
}

export interface Shard {
  /** From 1. */
  readonly index: number;
  readonly count: number;
}

/** Where the units of the input end: its files, and the row groups in them. */
export class Units {
  private file = -1;
  private from = 0;
  private to = 0;

  private constructor(
    /** For each file the row at which each row group ends; nothing for a file without them. */
    private readonly ends: readonly (readonly number[])[],
    readonly rows: number | undefined,
  ) {}

  static async of(duck: Duck, relation: Relation): Promise<Units> {
    const { files } = relation;
    if (relation.format !== 'parquet')
      return new Units(
        files.map(() => []),
        undefined,
      );
    const ends: number[][] = [];
    for (const { file, remote } of files) {
      const name = remote ? literal(file) : filePattern(file);
      const groups = await duck
        .rows(`SELECT row_group_num_rows AS n FROM parquet_metadata(${name}) WHERE column_id = 0 ORDER BY row_group_id`)
        .catch((error) => {
          throw duckError(error, file);
        });
      let end = 0;
      ends.push(groups.map(({ n }) => (end += Number(n))));
    }
    const rows = ends.reduce((sum, list) => sum + (list.at(-1) ?? 0), 0);
    return new Units(ends, rows);
  }

  /** Whether there is anything to tell apart. */
  get several(): boolean {
    return this.ends.length > 1 || this.ends.some((list) => list.length > 1);
  }

  /** How many rows come before a place in a file. */
  rowsBefore(file: number, from: number): number {
    return this.ends.slice(0, file).reduce((sum, list) => sum + (list.at(-1) ?? 0), from);
  }

  /** The units of one shard: every so many-th, by file where there are enough, else by row group. */
  share({ index, count }: Shard): { readonly file: number; readonly from?: number; readonly to?: number }[] {
    const mine = <T>(items: T[]) => items.filter((_, i) => i % count === index - 1);
    const groups = this.ends.flatMap((list, file) =>
      list.map((to, i) => ({ file, from: i === 0 ? 0 : list[i - 1], to })),
    );
    if (this.ends.length >= count || groups.length === 0) return mine(this.ends.map((_, file) => ({ file })));
    return mine(groups);
  }

  /** Cuts a chunk where a unit ends: [from, to, whether a unit ends there]. */
  cut(chunk: DuckDBDataChunk): [number, number, boolean][] {
    const column = (index: number) => chunk.getColumnVector(index) as unknown as { items: BigInt64Array };
    const files = column(chunk.columnCount - 2).items;
    const numbers = column(chunk.columnCount - 1).items;
    const cuts: [number, number, boolean][] = [];
    let start = 0;
    for (let row = 0; row < chunk.rowCount; row++) {
      const [file, number] = [Number(files[row]), Number(numbers[row])];
      if (file === this.file && number >= this.from && number < this.to) {
        const last = chunk.rowCount - 1;
        // the rows of a chunk come in order, so its last row speaks for those before it
        if (row < last && Number(files[last]) === file && Number(numbers[last]) < this.to) row = last;
        continue;
      }
      if (this.file >= 0) cuts.push([start, row, true]);
      start = row;
      this.enter(file, number);
    }
    cuts.push([start, chunk.rowCount, false]);
    return cuts;
  }

  private enter(file: number, number: number): void {
    const ends = this.ends[file] ?? [];
    let at = 0;
    while (at < ends.length && ends[at] <= number) at++;
    this.file = file;
    this.from = at === 0 ? 0 : ends[at - 1];
    this.to = ends[at] ?? Number.POSITIVE_INFINITY;
  }
}
