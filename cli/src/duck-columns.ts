// The columns of the engine's chunks, gathered to the arrays of a block.

import { printable } from './errors.js';
import type { Block, Id, Ids, Rows, Values, WholeNumbers } from './table.js';

/** The parts of a chunk's column that are read as they are, in the engine's own memory. */
export interface RawVector {
  readonly items: Values;
  /** A bit for each item that is no null, the lowest first; null where none is. */
  readonly validity: { readonly data: BigUint64Array | null };
  readonly entryData?: BigUint64Array;
  readonly childData?: RawVector;
  /** Of text: for each item 16 bytes, its length and, where there are no more than 12, its bytes; else where they are. */
  readonly dataView?: DataView;
  getItem(row: number): unknown;
}

export interface Column {
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

export class NumberColumn implements Column {
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
export class Nulls {
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
export class UnmatchedColumn implements Column {
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
export class WholeColumn implements Column {
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

export class TextColumn implements Column {
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
export class RepeatedTextColumn implements Column {
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
