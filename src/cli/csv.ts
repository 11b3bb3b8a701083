import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream';
import { CsvError, Parser } from 'csv-parse';
import { type ColumnRequest, findColumns, isHeader, toNumber } from './columns.js';
import { DataError, quote, systemError } from './errors.js';
import { openInput } from './files.js';
import type { Table } from './table.js';

const BLOCK_ROWS = 1 << 14;
// A file without line ends would otherwise be gathered in memory as one record.
const LONGEST_RECORD = 1 << 20;

interface Block {
  readonly columns: Float64Array[];
  /** The line on which each row ends, from 1. */
  readonly lines: Float64Array;
  length: number;
}

/** Turns records into blocks of numbers as they are parsed, while the parser still knows their line. */
class BlockParser extends Parser {
  private names: string[] = [];
  private indices: number[] = [];
  private rows = 0;
  private block: Block | undefined;
  private readonly free: Block[] = [];

  constructor(
    private readonly file: string,
    private readonly requests: readonly ColumnRequest[],
  ) {
    super({
      bom: true,
      skip_empty_lines: true,
      relax_column_count: true,
      max_record_size: LONGEST_RECORD,
      readableHighWaterMark: 1,
    } as object);
  }

  override push(record: string[] | Block | null): boolean {
    if (this.destroyed) return false;
    try {
      if (record === null) this.finish();
      else this.add(record as string[]);
    } catch (error) {
      this.destroy(error as Error);
      return false;
    }
    return record !== null || super.push(null);
  }

  /** Takes back a block that is no longer read: fewer arrays are left to the garbage collector. */
  recycle(block: Block): void {
    block.length = 0;
    this.free.push(block);
  }

  private add(record: string[]): void {
    // Empty lines may end a file; elsewhere one stands for a missing row.
    if (this.info.empty_lines > 0) throw this.fault('an empty line comes before it');
    if (this.names.length === 0 && this.readNames(record)) return;
    this.addRow(record);
  }

  /** Settles the columns by the first line, and tells whether that line is a header. */
  private readNames(record: string[]): boolean {
    const named = isHeader(record, this.requests);
    this.names = record.map((cell, index) => (named ? cell.trim() : String(index)));
    this.indices = findColumns(this.file, this.names, named, this.requests);
    return named;
  }

  private addRow(record: string[]): void {
    if (record.length !== this.names.length) {
      throw this.fault(`expected ${this.names.length} cells, as on the first line, got ${record.length}`);
    }
    this.block ??= this.free.pop() ?? {
      columns: this.indices.map(() => new Float64Array(BLOCK_ROWS)),
      lines: new Float64Array(BLOCK_ROWS),
      length: 0,
    };
    for (let i = 0; i < this.indices.length; i++) {
      const cell = record[this.indices[i]];
      const value = toNumber(cell);
      if (value === undefined) {
        const got = cell.trim() === '' ? 'an empty cell' : quote(cell);
        throw this.fault(`expected a number in column ${quote(this.names[this.indices[i]])}, got ${got}`);
      }
      this.block.columns[i][this.block.length] = value;
    }
    this.block.lines[this.block.length++] = this.info.lines;
    this.rows++;
    if (this.block.length === BLOCK_ROWS) this.emitBlock();
  }

  /** A fault in the record at hand. */
  private fault(problem: string): DataError {
    return new DataError(this.file, problem, `line ${this.info.lines}`);
  }

  private finish(): void {
    this.emitBlock();
    if (this.rows === 0) throw new DataError(this.file, 'the file has no rows');
  }

  private emitBlock(): void {
    if (this.block !== undefined) super.push(this.block);
    this.block = undefined;
  }
}

export async function openCsv(file: string, requests: readonly ColumnRequest[]): Promise<Table> {
  const input = await openInput(file);
  const source = createReadStream(file, { fd: input.handle, autoClose: false, highWaterMark: 1 << 18 });
  let current: Block | undefined;
  let start = 0;
  return {
    file,
    shape: undefined,
    async *blocks() {
      const parser = new BlockParser(file, requests);
      try {
        for await (const block of pipeline(source, parser, () => {}) as AsyncIterable<Block>) {
          current = block;
          yield block.columns.map((column) => column.subarray(0, block.length));
          start += block.length;
          parser.recycle(block);
        }
      } catch (error) {
        throw translate(file, error);
      }
    },
    place: (element) => `line ${current?.lines[element - start]}`,
    progress: () => source.bytesRead / input.size,
    async close() {
      source.destroy();
      await input.handle.close();
    },
  };
}

function translate(file: string, error: unknown): unknown {
  if (error instanceof CsvError) {
    return new DataError(file, `malformed: ${error.message.replace(/ at line \d+/, '')}`, `line ${error.lines}`);
  }
  const code = (error as NodeJS.ErrnoException).code;
  return code === undefined ? error : systemError(file, error);
}
