import { DataError } from './errors.js';

export type Values = Float32Array | Float64Array | Uint8Array;

/** The chosen columns of one open file, read in order in blocks of bounded size. */
export interface Table {
  readonly file: string;
  /** Undefined where only the end of the file tells. */
  readonly shape: readonly number[] | undefined;
  /** One array per column, all of one length, valid until the next block is asked for. */
  blocks(): AsyncIterable<Values[]>;
  /** Where in the file an element of the current block is. */
  place(element: number): string;
  /** The share of the file that has been read. */
  progress(): number;
  close(): Promise<void>;
}

/** Equally long runs of the columns of all tables, from the element `start` on. */
export interface Run {
  readonly start: number;
  readonly columns: Values[];
}

/** Reads tables side by side, whatever the size of each one's blocks. */
export async function* align(tables: readonly Table[], signal?: AbortSignal): AsyncGenerator<Run> {
  const readers = tables.map((table) => {
    const blocks = table.blocks()[Symbol.asyncIterator]();
    return { table, blocks, block: [] as Values[], offset: 0, ended: false };
  });
  for (let start = 0; ; ) {
    for (const reader of readers) {
      while (!reader.ended && reader.offset === (reader.block[0]?.length ?? 0)) {
        signal?.throwIfAborted();
        const next = await reader.blocks.next();
        reader.ended = next.done === true;
        reader.block = next.done === true ? [] : next.value;
        reader.offset = 0;
      }
    }
    const shorter = readers.find((reader) => reader.ended);
    if (shorter !== undefined) {
      const longer = readers.find((reader) => !reader.ended);
      if (longer === undefined) return;
      const place = longer.table.place(start);
      throw new DataError(
        shorter.table.file,
        `ends after ${count(start)}, but ${longer.table.file} goes on (from ${place})`,
      );
    }
    const length = Math.min(...readers.map((reader) => reader.block[0].length - reader.offset));
    const columns = readers.flatMap((reader) =>
      reader.block.map((column) => column.subarray(reader.offset, reader.offset + length)),
    );
    yield { start, columns };
    for (const reader of readers) reader.offset += length;
    start += length;
  }
}

/** Refuses two files that cannot match, before anything is computed. */
export function checkShapes(logits: Table, targets: Table): void {
  if (logits.shape === undefined && targets.shape === undefined) return;
  const expected = trimmed(logits.shape);
  const got = trimmed(targets.shape);
  // A file of unknown length has one column; its length is compared when it ends.
  const dimensions = Math.max(expected?.length ?? 1, got?.length ?? 1);
  const same =
    expected === undefined || got === undefined
      ? dimensions === 1
      : dimensions === Math.min(expected.length, got.length) && expected.every((size, i) => size === got[i]);
  if (same) return;
  const problem =
    dimensions === 1
      ? `expected ${count(expected?.[0])}, as in ${logits.file}, got ${count(got?.[0])}`
      : `expected ${shapeText(logits.shape)}, as in ${logits.file}, got ${shapeText(targets.shape)}`;
  throw new DataError(targets.file, problem);
}

/** (n, 1) holds the same elements in the same order as (n). */
function trimmed(shape: readonly number[] | undefined): readonly number[] | undefined {
  if (shape === undefined) return undefined;
  let length = shape.length;
  while (length > 1 && shape[length - 1] === 1) length--;
  return shape.slice(0, length);
}

function shapeText(shape: readonly number[] | undefined): string {
  return shape === undefined ? 'a single column' : `shape ${tuple(shape)}`;
}

/** As Python writes it. */
export function tuple(shape: readonly number[]): string {
  return `(${shape.join(', ')}${shape.length === 1 ? ',' : ''})`;
}

function count(elements = 0): string {
  return `${elements} ${elements === 1 ? 'element' : 'elements'}`;
}
