import type { DuckDBDataChunk } from '@duckdb/node-api';
import type { Duck } from './duck.js';
import { filePattern, literal } from './duck.js';
import { duckError } from './duck-errors.js';
import type { Relation } from './relation.js';

/** A row of a file, by the file's index. */
export interface FileRow {
  readonly file: number;
  readonly row: number;
}

/**
 * What tells where units end: the last two columns of a scan, the file's index and the row's number in it; or, where it leaves
 * no row out, the row that it begins with. Undefined where nothing needs to be told apart.
 */
export type Tracked = 'columns' | FileRow | undefined;

/** One query that reads some of the input. */
export interface Scan {
  readonly sql: string;
  readonly tracked?: Tracked;
  /** The place of its first row in the whole input, where that is known and not where the scan before ends. */
  readonly first?: number;
}

export interface Shard {
  /** From 1. */
  readonly index: number;
  readonly count: number;
  /** Between threads: how many shares of arrays are taken, an int32. Whoever is free takes the next one, not every so many-th. */
  readonly taken?: SharedArrayBuffer;
}

/** A range of a chunk's rows, and whether a unit ends with it. */
export type Cut = readonly [from: number, to: number, ends: boolean];

/** Where the units of the input end: its files, and the row groups in them. */
export class Units {
  private file = -1;
  private from = 0;
  private to = 0;
  /** The next row of the file, where rows are counted. */
  private row = 0;

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

  /** Has a scan begin. */
  startAt(tracked: Tracked): void {
    if (typeof tracked === 'object') this.enterRows(tracked.file, tracked.row);
  }

  /** Cuts a chunk of a scan where a unit ends. */
  cut(chunk: DuckDBDataChunk, tracked: Tracked): readonly Cut[] {
    if (tracked === undefined) return [[0, chunk.rowCount, false]];
    return tracked === 'columns' ? this.cutByColumns(chunk) : this.cutByCount(chunk.rowCount);
  }

  private cutByCount(rows: number): Cut[] {
    const cuts: Cut[] = [];
    let start = 0;
    while (rows - start >= this.to - this.row) {
      const end = start + this.to - this.row;
      cuts.push([start, end, true]);
      start = end;
      this.enterRows(this.file, this.to);
    }
    if (start < rows) cuts.push([start, rows, false]);
    this.row += rows - start;
    return cuts;
  }

  private cutByColumns(chunk: DuckDBDataChunk): Cut[] {
    const column = (index: number) => chunk.getColumnVector(index) as unknown as { items: BigInt64Array };
    const files = column(chunk.columnCount - 2).items;
    const numbers = column(chunk.columnCount - 1).items;
    const cuts: Cut[] = [];
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

  /** Enters the unit of a row, or of the first one after it where its file has no more. */
  private enterRows(file: number, row: number): void {
    while (file < this.ends.length && row >= (this.ends[file].at(-1) ?? 0)) [file, row] = [file + 1, 0];
    this.enter(file, row);
  }

  private enter(file: number, number: number): void {
    const ends = this.ends[file] ?? [];
    let at = 0;
    while (at < ends.length && ends[at] <= number) at++;
    this.file = file;
    this.row = number;
    this.from = at === 0 ? 0 : ends[at - 1];
    this.to = ends[at] ?? Number.POSITIVE_INFINITY;
  }
}
