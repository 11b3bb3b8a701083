import { npyHeader } from './npy.js';
import type { OutputFile } from './output.js';
import type { Id, Ids } from './table.js';
import { plain } from './topk.js';

/** Results of elements, column by column; a column of text or numbers. */
export interface Records {
  readonly names: readonly string[];
  readonly columns: readonly (ArrayLike<number> | Ids)[];
  readonly rows: number;
}

/** Writes records in the format that a file's name tells. */
export interface RecordWriter {
  write(records: Records): Promise<void>;
  /** Ends the content; the file is not yet committed. */
  end(): Promise<void>;
}

export type RecordFormat = 'npy' | 'csv' | 'parquet';

export function recordFormat(name: string): RecordFormat | undefined {
  if (name === '-') return 'csv';
  const extension = /\.(npy|csv|tsv|parquet)$/i.exec(name)?.[1].toLowerCase();
  return extension === 'tsv' ? undefined : (extension as RecordFormat | undefined);
}

/** @param shape of a .npy, where it is known in advance */
export async function recordWriter(
  format: RecordFormat,
  file: OutputFile,
  value: string,
  shape?: readonly number[],
): Promise<RecordWriter> {
  if (format === 'npy') return npyWriter(file, value, shape);
  return format === 'csv' ? csvWriter(file) : (await import('./parquet-writer.js')).parquetWriter(file);
}

/** The values of one column alone, as float32. */
async function npyWriter(file: OutputFile, value: string, shape?: readonly number[]): Promise<RecordWriter> {
  let rows = 0;
  await file.write(npyHeader(shape ?? [0]));
  return {
    async write({ names, columns }) {
      const values = columns[names.indexOf(value)] as Float32Array;
      rows += values.length;
      await file.write(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
    },
    async end() {
      const known = shape?.reduce((product, length) => product * length, 1);
      if (known !== rows) await file.patch(npyHeader([rows]));
    },
  };
}

function csvWriter(file: OutputFile): RecordWriter {
  let headed = false;
  return {
    async write({ names, columns, rows }) {
      let text = headed ? '' : `${names.map(csvCell).join(',')}\n`;
      headed = true;
      for (let row = 0; row < rows; row++) {
        for (let i = 0; i < columns.length; i++) text += (i === 0 ? '' : ',') + cellOf(columns[i], row);
        text += '\n';
      }
      await file.write(Buffer.from(text));
    },
    async end() {},
  };
}

function cellOf(column: Records['columns'][number], row: number): string {
  const value = column[row];
  if (typeof value === 'number') return column instanceof Float32Array ? shortest(value) : String(value);
  return value === null ? '' : csvCell(String(plain(value as Id)));
}

export function csvCell(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** The shortest decimal, from six digits on, that reads back as the same float32. */
export function shortest(value: number): string {
  for (let digits = 6; digits < 9; digits++) {
    const rounded = Number(value.toPrecision(digits));
    if (Math.fround(rounded) === value) return String(rounded);
  }
  return Number.isFinite(value) ? String(Number(value.toPrecision(9))) : String(value);
}
