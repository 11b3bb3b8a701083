import { DataError } from './errors.js';

export type Values = Float32Array | Float64Array | Uint8Array;

/** Rows of one width, one row after the other. */
export interface Rows {
  readonly values: Values;
  /** Values a row: 1, or one for each class. */
  readonly width: number;
}

/** What a piece of input holds, row by row. Arrays are valid until the next block is asked for. */
export interface Block {
  rows: number;
  /** The place of its first row in the whole input, where some of that is left out. */
  first?: number;
  /** Logits, or probabilities, of each model. */
  scores: Rows[];
  targets?: Rows;
  weight?: Rows;
  ids?: Ids;
  /** The slice of each row, by the columns of --by. */
  slices?: readonly string[];
  /** Not 0 for a row with a null in it. */
  nulls?: Uint8Array;
}

export type Id = string | number | bigint | null;

/** The ids of rows: whole numbers as they are read, since most of them are never looked at. */
export type Ids = readonly Id[] | WholeNumbers;

export type WholeNumbers =
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array;

/** The wanted columns of an open input, read in order in blocks of bounded size. */
export interface Table {
  readonly name: string;
  /** What holds the targets, where that is another input. */
  readonly targetsName?: string;
  /** The labels of classes, where they have names; a label that is none of them is -1. */
  readonly classes?: readonly string[];
  /** Undefined where only the end of the input tells. */
  readonly shape: readonly number[] | undefined;
  /** What the models are called. */
  readonly models: readonly string[];
  /** Whether the scores are probabilities. */
  readonly probabilities: boolean;
  /** Whether rows have ids, where that is known before one is read. */
  readonly ids?: boolean;
  /** Blocks end where a unit ends: a file, a row group. Sums are the same however units are shared out. */
  blocks(): AsyncIterable<Block>;
  /** Where a row of the input is. */
  place(row: number): string;
  /** The share of the input that has been read. */
  progress(): number;
  close(): Promise<void>;
}

/** As many rows as are worth one call: what they take stays in a cache. */
export const BLOCK_VALUES = 1 << 16;

export function blockRows(width: number): number {
  return Math.max(16, Math.floor(BLOCK_VALUES / width));
}

/** Some of a block's rows. */
export function slice(block: Block, from: number, to: number): Block {
  if (from === 0 && to === block.rows) return block;
  const part = ({ values, width }: Rows): Rows => ({ values: values.subarray(from * width, to * width), width });
  return {
    rows: to - from,
    first: block.first === undefined ? undefined : block.first + from,
    scores: block.scores.map(part),
    targets: block.targets && part(block.targets),
    weight: block.weight && part(block.weight),
    ids: block.ids?.slice(from, to),
    slices: block.slices?.slice(from, to),
    nulls: block.nulls?.subarray(from, to),
  };
}

/** Those rows of a block for which `kept` is not 0, in arrays of their own. */
export function pick(block: Block, kept: Uint8Array): Block {
  const indices: number[] = [];
  for (let i = 0; i < block.rows; i++) if (kept[i] !== 0) indices.push(i);
  return gather(block, indices);
}

export function gather(block: Block, indices: ArrayLike<number>): Block {
  const count = indices.length;
  const rows = ({ values, width }: Rows): Rows => {
    const taken = new (values.constructor as Float32ArrayConstructor)(count * width) as Values;
    for (let i = 0; i < count; i++) {
      const from = indices[i] * width;
      for (let j = 0; j < width; j++) taken[i * width + j] = values[from + j];
    }
    return { values: taken, width };
  };
  const each = <T>(values: ArrayLike<T>) => Array.from(indices, (index) => values[index]);
  return {
    rows: count,
    scores: block.scores.map(rows),
    targets: block.targets && rows(block.targets),
    weight: block.weight && rows(block.weight),
    ids: block.ids && each<Id>(block.ids),
    slices: block.slices && each(block.slices),
    nulls: block.nulls && Uint8Array.from(indices, (index) => block.nulls?.[index] ?? 0),
  };
}

/** As Python writes it. */
export function tuple(shape: readonly number[]): string {
  return `(${shape.join(', ')}${shape.length === 1 ? ',' : ''})`;
}

export function count(rows = 0, what = 'row'): string {
  return `${rows} ${what}${rows === 1 ? '' : 's'}`;
}

/** Two inputs side by side as one table: the scores of the first, the targets of the second. */
export function sideBySide(scores: Table, targets: Table): Table {
  let shares: readonly Table[] = [scores];
  return {
    name: scores.name,
    targetsName: targets.name,
    classes: targets.classes,
    shape: scores.shape,
    models: scores.models,
    probabilities: scores.probabilities,
    async *blocks() {
      shares = [scores, targets];
      const readers = [scores, targets].map((table) => new Reader(table));
      for (let start = 0; ; ) {
        for (const reader of readers) await reader.fill();
        const shorter = readers.find((reader) => reader.ended);
        if (shorter !== undefined) {
          const longer = readers.find((reader) => !reader.ended);
          if (longer === undefined) return;
          const problem = `ends after ${count(start, 'element')}, but ${longer.table.name} goes on (from ${longer.table.place(start)})`;
          throw new DataError(shorter.table.name, problem);
        }
        const rows = Math.min(...readers.map((reader) => reader.left));
        const [left, right] = readers.map((reader) => reader.take(rows));
        checkIds(left, right, start);
        yield {
          ...left,
          targets: right.targets,
          weight: left.weight ?? right.weight,
          ids: left.ids ?? right.ids,
          slices: left.slices ?? right.slices,
          nulls: either(left.nulls, right.nulls),
        };
        start += rows;
      }
    },
    place: (row) => scores.place(row),
    progress: () => Math.min(...shares.map((table) => table.progress())),
    async close() {
      await scores.close();
      await targets.close();
    },
  };

  function checkIds(left: Block, right: Block, start: number): void {
    if (left.ids === undefined || right.ids === undefined) return;
    for (let i = 0; i < left.rows; i++) {
      if (String(left.ids[i]) === String(right.ids[i])) continue;
      const ids = `id ${String(left.ids[i])}, but ${targets.name} has id ${String(right.ids[i])}`;
      throw new DataError(
        scores.name,
        `${ids}; the files are in different order: --join ${targets.name} --on ID matches their rows`,
        scores.place(start + i),
      );
    }
  }
}

function either(a: Uint8Array | undefined, b: Uint8Array | undefined): Uint8Array | undefined {
  return a === undefined || b === undefined ? (a ?? b) : a.map((value, i) => value | b[i]);
}

class Reader {
  ended = false;
  private readonly blocks: AsyncIterator<Block>;
  private block: Block | undefined;
  private offset = 0;

  constructor(readonly table: Table) {
    this.blocks = table.blocks()[Symbol.asyncIterator]();
  }

  get left(): number {
    return (this.block?.rows ?? 0) - this.offset;
  }

  async fill(): Promise<void> {
    while (!this.ended && this.left === 0) {
      const next = await this.blocks.next();
      this.ended = next.done === true;
      this.block = next.done === true ? undefined : next.value;
      this.offset = 0;
    }
  }

  take(rows: number): Block {
    const part = slice(this.block as Block, this.offset, this.offset + rows);
    this.offset += rows;
    return part;
  }
}
