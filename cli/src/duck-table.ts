import type { DuckDBDataChunk } from '@duckdb/node-api';
import type { Duck } from './duck.js';
import { duckError } from './duck-errors.js';
import { DataError, printable } from './errors.js';
import type { Plan } from './query.js';
import { type Block, blockRows, type Id, type Rows, type Table, type Values } from './table.js';
import type { Scan, Units } from './units.js';

/** The parts of a chunk's column that are read as they are, in the engine's own memory. */
interface RawVector {
  readonly items: Values;
  readonly entryData?: BigUint64Array;
  readonly childData?: RawVector;
  getItem(row: number): unknown;
}

export interface DuckTableOptions {
  readonly duck: Duck;
  readonly name: string;
  readonly plan: Plan;
  readonly scans: readonly Scan[];
  readonly units: Units;
  readonly rows: number | undefined;
  readonly signal?: AbortSignal;
}

/** A table that the engine reads. */
export function duckTable({ duck, name, plan, scans, units, rows, signal }: DuckTableOptions): Table {
  let read = 0;
  return {
    name,
    shape: undefined,
    models: plan.models,
    probabilities: plan.probabilities,
    async *blocks() {
      const collector = new Collector(plan, name);
      try {
        for (const scan of scans) {
          collector.startAt(scan.first);
          const result = await duck.connection.stream(scan.sql);
          for (;;) {
            signal?.throwIfAborted();
            const chunk = await result.fetchChunk();
            if (chunk === null || chunk.rowCount === 0) break;
            for (const [from, to, ends] of scan.tracked ? units.cut(chunk) : [[0, chunk.rowCount, false] as const]) {
              yield* collector.add(chunk, from, to);
              if (ends) yield* collector.flush();
            }
            read += chunk.rowCount;
          }
          yield* collector.flush();
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

function duckProgress(duck: Duck): number {
  const { percentage } = duck.connection.progress;
  return percentage > 0 ? Math.min(1, percentage / 100) : 0;
}

/** Gathers the engine's small chunks into blocks that are worth a call. */
class Collector {
  private readonly columns: Column[] = [];
  private capacity = 0;
  private done = 0;
  private filled = 0;
  private placed = false;

  constructor(
    private readonly plan: Plan,
    private readonly name: string,
  ) {}

  *add(chunk: DuckDBDataChunk, from: number, to: number): Generator<Block> {
    if (this.columns.length === 0) this.open(chunk);
    for (let start = from; start < to; ) {
      const rows = Math.min(to - start, this.capacity - this.filled);
      this.copy(chunk, start, start + rows);
      start += rows;
      if (this.filled === this.capacity) yield* this.flush();
    }
  }

  /** Tells where in the whole input the next rows are; they follow those before unless it is said. */
  startAt(first: number | undefined): void {
    if (first === undefined) return;
    this.done = first;
    this.placed = true;
  }

  *flush(): Generator<Block> {
    if (this.filled === 0) return;
    const rows = this.filled;
    this.filled = 0;
    const block: Block = { rows, scores: [], ...(this.placed && { first: this.done }) };
    this.done += rows;
    for (const column of this.columns) column.into(block, rows);
    yield block;
  }

  private open(chunk: DuckDBDataChunk): void {
    const { scores, targets, weight, id, slices } = this.plan;
    let index = 0;
    const next = (make: (vector: RawVector) => Column) => {
      this.columns.push(make(vectorOf(chunk, index++)));
    };
    for (const _ of scores) next((vector) => new NumberColumn((block, rows) => block.scores.push(rows), vector));
    if (targets !== undefined) next((vector) => new NumberColumn((block, rows) => (block.targets = rows), vector));
    if (weight !== undefined) next((vector) => new NumberColumn((block, rows) => (block.weight = rows), vector));
    next((vector) => new NullColumn(vector));
    if (id !== undefined) next(() => new TextColumn((block, values) => (block.ids = values)));
    if (slices !== undefined) next(() => new TextColumn((block, values) => (block.slices = values as string[])));
    const widths = this.columns.map((column) => column.width);
    this.capacity = blockRows(Math.max(1, ...widths));
    for (const column of this.columns) column.open(this.capacity);
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

interface Column {
  readonly width: number;
  open(capacity: number): void;
  copy(
    vector: RawVector,
    from: number,
    to: number,
    at: number,
  ): { row: number; expected: number; got: number } | undefined;
  into(block: Block, rows: number): void;
}

class NumberColumn implements Column {
  readonly width: number;
  private readonly like: Values;
  private values!: Values;

  constructor(
    private readonly put: (block: Block, rows: Rows) => void,
    vector: RawVector,
  ) {
    const { entryData, childData } = vector;
    this.width = entryData === undefined ? 1 : Math.max(1, firstLength(entryData));
    this.like = childData?.items ?? vector.items;
  }

  open(capacity: number): void {
    this.values = new (this.like.constructor as Float32ArrayConstructor)(capacity * this.width) as Values;
  }

  copy(vector: RawVector, from: number, to: number, at: number) {
    const { entryData, childData } = vector;
    if (entryData === undefined) {
      this.values.set(vector.items.subarray(from, to), at);
      return undefined;
    }
    const items = (childData as RawVector).items;
    for (let row = from; row < to; row++) {
      const offset = Number(entryData[2 * row]);
      const length = Number(entryData[2 * row + 1]);
      // a null has no items; the row is known by its null
      if (length === 0) continue;
      if (length !== this.width) return { row, expected: this.width, got: length };
      this.values.set(items.subarray(offset, offset + length), (at + row - from) * this.width);
    }
    return undefined;
  }

  into(block: Block, rows: number): void {
    this.put(block, { values: this.values.subarray(0, rows * this.width), width: this.width });
  }
}

/** The width of the first row that is not null. */
function firstLength(entryData: BigUint64Array): number {
  for (let i = 1; i < entryData.length; i += 2) if (entryData[i] > 0n) return Number(entryData[i]);
  return 0;
}

class NullColumn implements Column {
  readonly width = 1;
  private values = new Uint8Array(0);
  private any = false;

  constructor(readonly first: RawVector) {}

  open(capacity: number): void {
    this.values = new Uint8Array(capacity);
  }

  copy(vector: RawVector, from: number, to: number, at: number): undefined {
    for (let i = from; i < to; i++) {
      this.values[at + i - from] = vector.items[i];
      if (vector.items[i] !== 0) this.any = true;
    }
    return undefined;
  }

  into(block: Block, rows: number): void {
    if (this.any) block.nulls = this.values.slice(0, rows);
    this.any = false;
  }
}

class TextColumn implements Column {
  readonly width = 1;
  private values: Id[] = [];

  constructor(private readonly put: (block: Block, values: Id[]) => void) {}

  open(): void {}

  copy(vector: RawVector, from: number, to: number): undefined {
    for (let i = from; i < to; i++) this.values.push(idOf(vector.getItem(i)));
    return undefined;
  }

  into(block: Block): void {
    this.put(block, this.values);
    this.values = [];
  }
}

function idOf(value: unknown): Id {
  if (value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint')
    return value;
  return printable(String(value), 200);
}

function vectorOf(chunk: DuckDBDataChunk, index: number): RawVector {
  return chunk.getColumnVector(index) as unknown as RawVector;
}
