import type { DuckDBDataChunk } from '@duckdb/node-api';
import type { Duck } from './duck.js';
import {
  type Column,
  Nulls,
  NumberColumn,
  type RawVector,
  RepeatedTextColumn,
  TextColumn,
  UnmatchedColumn,
  WholeColumn,
} from './duck-columns.js';
import { duckError } from './duck-errors.js';
import { DataError } from './errors.js';
import type { Plan } from './query.js';
import { type Block, blockRows, type Ids, type Table } from './table.js';
import type { Scan, Units } from './units.js';

export interface DuckTableOptions {
  readonly duck: Duck;
  readonly name: string;
  readonly plan: Plan;
  readonly scans: readonly Scan[];
  readonly units: Units;
  readonly classes?: readonly string[];
  readonly rows: number | undefined;
  readonly signal?: AbortSignal;
}

/** A table that the engine reads. */
export function duckTable({ duck, name, plan, scans, units, classes, rows, signal }: DuckTableOptions): Table {
  let read = 0;
  return {
    name,
    shape: undefined,
    classes,
    ids: plan.id !== undefined,
    models: plan.models,
    probabilities: plan.probabilities,
    async *blocks() {
      const collector = new Collector(plan, name);
      try {
        for (const { sql, tracked, first } of scans) {
          collector.startAt(first);
          units.startAt(tracked);
          for await (const chunk of chunksOf(duck, sql, signal)) {
            for (const [from, to, ends] of units.cut(chunk, tracked)) {
              for (let row = from; row < to; ) {
                row += collector.add(chunk, row, to);
                if (collector.isFull) yield collector.block();
              }
              if (ends && !collector.isEmpty) yield collector.block();
            }
            read += chunk.rowCount;
          }
          if (!collector.isEmpty) yield collector.block();
        }
      } catch (error) {
        signal?.throwIfAborted();
        throw duckError(error, name);
      }
    },
    place: (row) => `row ${row}`,
    progress: () => (rows === undefined || rows === 0 ? duckProgress(duck) : Math.min(1, read / rows)),
    async close() {},
  };
}

// What the engine says of a result that a fault has ended.
const INVALID = 0;

/** The chunks of a query's result; while one is worked on, the engine is asked for the next. */
async function* chunksOf(duck: Duck, sql: string, signal: AbortSignal | undefined): AsyncGenerator<DuckDBDataChunk> {
  const result = await duck.connection.stream(sql);
  let next = result.fetchChunk();
  try {
    for (;;) {
      signal?.throwIfAborted();
      const chunk = await next;
      if (chunk === null || chunk.rowCount === 0) {
        signal?.throwIfAborted();
        // a fault after the first chunks looks like the end
        if (Number(result.returnType) === INVALID) await duck.explain(sql);
        return;
      }
      next = result.fetchChunk();
      // it is awaited when its turn comes
      next.catch(() => {});
      yield chunk;
    }
  } finally {
    // nobody closes the engine while it works
    await next.catch(() => {});
  }
}

function duckProgress(duck: Duck): number {
  const { percentage } = duck.connection.progress;
  return percentage > 0 ? Math.min(1, percentage / 100) : 0;
}

/** Gathers the engine's small chunks into blocks that are worth a call. */
class Collector {
  private readonly columns: Column[] = [];
  private readonly nulls = new Nulls();
  private capacity = 0;
  private done = 0;
  private filled = 0;
  private placed = false;

  constructor(
    private readonly plan: Plan,
    private readonly name: string,
  ) {}

  get isFull(): boolean {
    return this.filled === this.capacity;
  }

  get isEmpty(): boolean {
    return this.filled === 0;
  }

  /** Takes as many rows of a chunk as there is room for, and gives their number. */
  add(chunk: DuckDBDataChunk, from: number, to: number): number {
    if (this.columns.length === 0) this.open(chunk);
    const rows = Math.min(to - from, this.capacity - this.filled);
    this.copy(chunk, from, from + rows);
    return rows;
  }

  /** Tells where in the whole input the next rows are; they follow those before unless it is said. */
  startAt(first: number | undefined): void {
    if (first === undefined) return;
    this.done = first;
    this.placed = true;
  }

  /** What was taken. Its arrays are filled anew afterwards. */
  block(): Block {
    const rows = this.filled;
    this.filled = 0;
    const block: Block = { rows, scores: [], ...(this.placed && { first: this.done }) };
    this.done += rows;
    for (const column of this.columns) column.into(block, rows);
    const nulls = this.nulls.taken(rows);
    if (nulls !== undefined) block.nulls = nulls;
    return block;
  }

  private open(chunk: DuckDBDataChunk): void {
    const { scores, targets, weight, unmatched, id, idIsWhole, slices } = this.plan;
    const { nulls } = this;
    let index = 0;
    const next = (make: (vector: RawVector) => Column) => {
      this.columns.push(make(vectorOf(chunk, index++)));
    };
    for (const _ of scores) next((vector) => new NumberColumn((block, rows) => block.scores.push(rows), vector, nulls));
    if (targets !== undefined)
      next((vector) => new NumberColumn((block, rows) => (block.targets = rows), vector, nulls));
    if (weight !== undefined) next((vector) => new NumberColumn((block, rows) => (block.weight = rows), vector, nulls));
    if (unmatched !== undefined) next(() => new UnmatchedColumn(nulls));
    if (id !== undefined) {
      const put = (block: Block, ids: Ids) => (block.ids = ids);
      next((vector) => (idIsWhole ? new WholeColumn(put, vector) : new TextColumn(put)));
    }
    if (slices !== undefined) next(() => new RepeatedTextColumn((block, values) => (block.slices = values)));
    const widths = this.columns.map((column) => column.width);
    this.capacity = blockRows(Math.max(1, ...widths));
    for (const column of this.columns) column.open(this.capacity);
    nulls.open(this.capacity);
  }

  private copy(chunk: DuckDBDataChunk, from: number, to: number): void {
    for (const [index, column] of this.columns.entries()) {
      const bad = column.copy(vectorOf(chunk, index), from, to, this.filled);
      if (bad === undefined) continue;
      const place = `row ${this.done + this.filled + bad.row - from}`;
      throw new DataError(this.name, `expected ${bad.expected} numbers, as in the first row, got ${bad.got}`, place);
    }
    this.filled += to - from;
  }
}

function vectorOf(chunk: DuckDBDataChunk, index: number): RawVector {
  return chunk.getColumnVector(index) as unknown as RawVector;
}
