import { parquetMetadataAsync, parquetScan, parquetSchema, type RowGroup } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import { type ColumnRequest, findColumns } from './columns.js';
import { DataError, quote, UsageError } from './errors.js';
import { type InputFile, openInput, readExactly } from './files.js';
import { checkPages } from './parquet-pages.js';
import type { Table, Values } from './table.js';

// A larger row group is read in parts of this many rows, where the file has an index of its pages.
const PART_ROWS = 1 << 20;

export async function openParquet(file: string, requests: readonly ColumnRequest[]): Promise<Table> {
  const input = await openInput(file);
  try {
    return await parquetTable(input, requests);
  } catch (error) {
    await input.handle.close();
    throw translate(file, error);
  }
}

async function parquetTable(input: InputFile, requests: readonly ColumnRequest[]): Promise<Table> {
  const { file } = input;
  const buffer = {
    byteLength: input.size,
    async slice(start: number, end = input.size): Promise<ArrayBuffer> {
      if (end > input.size) throw new DataError(file, 'the file is truncated or corrupt');
      const bytes = new Uint8Array(end - start);
      await readExactly(input, bytes, start);
      return bytes.buffer;
    },
  };
  const metadata = await parquetMetadataAsync(buffer);
  const fields = parquetSchema(metadata).children.map(({ element }) => element);
  const names = fields.map(({ name }) => name);
  const columns = findColumns(file, names, true, requests).map((index) => fields[index]);
  const rows = Number(metadata.num_rows);
  if (rows === 0) throw new DataError(file, 'the file has no rows');
  const scan = await parquetScan({ file: buffer, metadata, columns: columns.map(({ name }) => name), compressors });
  let done = 0;
  return {
    file,
    shape: [rows],
    async *blocks() {
      try {
        for (const group of metadata.row_groups) {
          for (const { name } of columns) await checkColumn(buffer.slice, group, name);
          for (const [rowStart, rowEnd] of parts(group, done)) {
            const block: Values[] = [];
            for (const { name, type } of columns) {
              const data = await scan.readColumn({ column: name, rowStart, rowEnd });
              if (data.length !== rowEnd - rowStart) throw new DataError(file, 'the file is truncated or corrupt');
              block.push(toValues(data, type === 'FLOAT', file, name, rowStart));
            }
            done = rowEnd;
            yield block;
          }
        }
      } catch (error) {
        throw translate(file, error);
      }
      if (done !== rows) throw new DataError(file, `expected ${rows} rows, got ${done}`);
    },
    place: (element) => `row ${element}`,
    progress: () => done / rows,
    close: () => input.handle.close(),
  };
}

async function checkColumn(read: Parameters<typeof checkPages>[0], group: RowGroup, name: string): Promise<void> {
  const chunk = group.columns.find(({ meta_data }) => meta_data?.path_in_schema[0] === name)?.meta_data;
  // a column of columns is refused by its values
  if (chunk?.path_in_schema.length === 1) await checkPages(read, chunk, Number(group.num_rows));
}

/** The rows of a group that are read at a time. */
function* parts(group: RowGroup, start: number): Generator<[number, number]> {
  const rows = Number(group.num_rows);
  const indexed = group.columns.every((column) => column.offset_index_offset !== undefined);
  const step = indexed ? PART_ROWS : Math.max(1, rows);
  for (let row = 0; row < rows; row += step) yield [start + row, start + Math.min(row + step, rows)];
}

function toValues(data: ArrayLike<unknown>, float32: boolean, file: string, column: string, start: number): Values {
  if (data instanceof Float32Array || data instanceof Float64Array) return data;
  const values = float32 ? new Float32Array(data.length) : new Float64Array(data.length);
  for (let i = 0; i < data.length; i++) {
    const value = data[i];
    if (typeof value !== 'number' && typeof value !== 'bigint' && typeof value !== 'boolean') {
      const got = value == null ? 'a null' : typeof value === 'string' ? quote(value) : 'a value of another type';
      throw new DataError(file, `expected a number in column ${quote(column)}, got ${got}`, `row ${start + i}`);
    }
    values[i] = Number(value);
  }
  return values;
}

/** What hyparquet threw is about the file's content, whatever its class. */
function translate(file: string, error: unknown): Error {
  if (error instanceof DataError || error instanceof UsageError) return error;
  const reason = error instanceof Error ? error.message.replace(/^parquet (file )?/, '') : String(error);
  return new DataError(file, `not a readable parquet file: ${reason}`);
}
