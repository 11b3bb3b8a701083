import type { DuckDBDataChunk, DuckDBResult } from '@duckdb/node-api';
import type { Duck } from './duck.js';
import { duckError } from './duck-errors.js';
import { DataError, printable } from './errors.js';
import type { Plan } from './query.js';
import {
  type Block,
  blockRows,
  type Id,
  type Ids,
  type Rows,
  type Table,
  type Values,
  type WholeNumbers,
} from './table.js';
import type { Scan, Units } from './units.js';

/** The parts of a chunk's column that are read as they are, in the engine's own memory. */
interface RawVector {
  readonly items: Values;
  /** A bit for each item that is no null, the lowest first; null where none is. */
  readonly validity: { readonly data: BigUint64Array | null };
  readonly entryData?: BigUint64Array;
  readonly childData?: RawVector;
  /** Of text: for each item 16 bytes, its length and, where there are no more than 12, its bytes; else where they are. */
  readonly dataView?: DataView;
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
        for (const { sql, tracked, first } of scans) {
          collector.startAt(first);
          units.startAt(tracked);
          for await (const chunk of chunksOf(await duck.connection.stream(sql), signal)) {
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

/** The chunks of a result; while one is worked on, the engine is asked for the next. */
async function* chunksOf(result: DuckDBResult, signal: AbortSignal | undefined): AsyncGenerator<DuckDBDataChunk> {
  let next = result.fetchChunk();
  try {
    for (;;) {
      signal?.throwIfAborted();
      const chunk = await next;
      if (chunk === null || chunk.rowCount === 0) return;
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
    private readonly nulls: Nulls,
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
      this.values.set(from === 0 && to === vector.items.length ? vector.items : vector.items.subarray(from, to), at);
      this.nulls.add(vector, from, to, at);
      return undefined;
    }
    const missing = missingIn(vector);
    const { items } = childData as RawVector;
    const missingItems = missingIn(childData as RawVector);
    for (let row = from; row < to; row++) {
      if (missing?.any(row, row + 1)) continue;
      const offset = Number(entryData[2 * row]);
      const length = Number(entryData[2 * row + 1]);
      if (length !== this.width) return { row, expected: this.width, got: length };
      this.values.set(items.subarray(offset, offset + length), (at + row - from) * this.width);
      if (missingItems?.any(offset, offset + length)) this.nulls.set(at + row - from, MISSING);
    }
    this.nulls.add(vector, from, to, at);
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

const MISSING = 1;
const UNMATCHED = 2;

/** Which rows of a block miss something. */
class Nulls {
  private codes = new Uint8Array(0);
  private any = false;

  open(capacity: number): void {
    this.codes = new Uint8Array(capacity);
  }

  /** Takes note of the nulls among the items [from, to) of a column, which become the rows from `at` on. */
  add(vector: RawVector, from: number, to: number, at: number): void {
    const missing = missingIn(vector);
    if (!missing?.any(from, to)) return;
    for (let i = from; i < to; i++) if (missing.any(i, i + 1)) this.set(at + i - from, MISSING);
  }

  /** That a row has found no match says more than that it misses a value. */
  set(row: number, code: number): void {
    if (this.codes[row] < code) this.codes[row] = code;
    this.any = true;
  }

  /** Of the first rows, if there are any; it starts anew. */
  taken(rows: number): Uint8Array | undefined {
    if (!this.any) return undefined;
    const taken = this.codes.slice(0, rows);
    this.codes.fill(0);
    this.any = false;
    return taken;
  }
}

/** The nulls of a column; undefined where it says that there are none. */
function missingIn({ validity: { data } }: RawVector): Missing | undefined {
  return data === null ? undefined : new Missing(data);
}

class Missing {
  private readonly words: Int32Array;

  constructor({ buffer, byteOffset, length }: BigUint64Array) {
    this.words = new Int32Array(buffer, byteOffset, 2 * length);
  }

  /** Whether there is a null among the items [from, to). */
  any(from: number, to: number): boolean {
    const { words } = this;
    for (let i = from; i < to; ) {
      const word = words[i >>> 5];
      if (word === -1) i = (i | 31) + 1;
      else if (((word >>> (i & 31)) & 1) === 0) return true;
      else i++;
    }
    return false;
  }
}

/** Of what a join found no match for. */
class UnmatchedColumn implements Column {
  readonly width = 1;

  constructor(private readonly nulls: Nulls) {}

  open(): void {}

  copy(vector: RawVector, from: number, to: number, at: number): undefined {
    for (let i = from; i < to; i++) if (vector.items[i] !== 0) this.nulls.set(at + i - from, UNMATCHED);
    return undefined;
  }

  into(): void {}
}

/** Whole numbers as they are, of which a few are missing at most. */
class WholeColumn implements Column {
  readonly width = 1;
  private readonly like: WholeNumbers;
  private values!: WholeNumbers;
  private missing: number[] = [];

  constructor(
    private readonly put: (block: Block, values: Ids) => void,
    vector: RawVector,
  ) {
    this.like = vector.items as unknown as WholeNumbers;
  }

  open(capacity: number): void {
    this.values = new (this.like.constructor as Int32ArrayConstructor)(capacity);
  }

  copy(vector: RawVector, from: number, to: number, at: number): undefined {
    this.values.set(vector.items.subarray(from, to) as never, at);
    const missing = missingIn(vector);
    if (!missing?.any(from, to)) return;
    for (let i = from; i < to; i++) if (missing.any(i, i + 1)) this.missing.push(at + i - from);
  }

  into(block: Block, rows: number): void {
    const values = this.values.subarray(0, rows);
    if (this.missing.length === 0) {
      this.put(block, values);
      return;
    }
    const ids: Id[] = Array.from<Id>(values);
    for (const row of this.missing) ids[row] = null;
    this.missing = [];
    this.put(block, ids);
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

const KNOWN_BITS = 12;

/** Text without nulls that comes again and again: what is short is known by its bytes, which takes less than to decode it. */
class RepeatedTextColumn implements Column {
  readonly width = 1;
  private values: string[] = [];
  /** By a hash, the last text that had it and its 16 bytes. */
  private readonly texts: string[] = [];
  private readonly words = new Int32Array(4 << KNOWN_BITS);

  constructor(private readonly put: (block: Block, values: string[]) => void) {
    // no text has such a length
    this.words.fill(-1);
  }

  open(): void {}

  copy(vector: RawVector, from: number, to: number): undefined {
    const { buffer, byteOffset, byteLength } = vector.dataView as DataView;
    const items = new Int32Array(buffer, byteOffset, byteLength / 4);
    const { words, texts, values } = this;
    for (let i = from; i < to; i++) {
      const length = items[4 * i];
      if (length < 0 || length > 12) {
        values.push(String(vector.getItem(i)));
        continue;
      }
      const first = items[4 * i + 1];
      const second = items[4 * i + 2];
      const third = items[4 * i + 3];
      const mixed = Math.imul(Math.imul(Math.imul(first, 31) + second, 31) + third + length, 0x9e3779b1);
      const known = mixed >>> (32 - KNOWN_BITS);
      const at = 4 * known;
      if (words[at] !== length || words[at + 1] !== first || words[at + 2] !== second || words[at + 3] !== third) {
        words.set(items.subarray(4 * i, 4 * i + 4), at);
        texts[known] = String(vector.getItem(i));
      }
      values.push(texts[known]);
    }
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
