// Tables out of files: .npy by npyjs, .csv by Papa Parse, .parquet by hyparquet. A column is read when it is asked for.
import { parquetMetadataAsync, parquetRead, parquetSchema } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import { parse as parseNpy } from 'npyjs';
import Papa from 'papaparse';

/** Null where a cell is missing. */
export type Cell = number | string | null;
export type Values = ArrayLike<Cell>;
export type Header = 'auto' | 'yes' | 'no';

export interface Source {
  readonly rows: number;
  readonly columns: readonly string[];
  read(column: string): Promise<Values>;
}

type Reader = (file: File, header: Header) => Promise<Source>;
const READERS: Readonly<Record<string, Reader>> = {
  npy: openNpy,
  csv: openText,
  tsv: openText,
  txt: openText,
  parquet: openParquet,
};

/** One table of all files: arrays lie side by side, and tables with the same columns follow one another. */
export async function openFiles(files: readonly File[], header: Header): Promise<Source> {
  const sorted = [...files].sort((a, b) => a.name.localeCompare(b.name, 'en'));
  const opened: { file: File; source: Source }[] = [];
  for (const file of sorted) {
    const read = READERS[extensionOf(file)];
    if (read === undefined)
      throw new TypeError(`"${file.name}" expected a name that ends in .npy, .csv, .tsv or .parquet`);
    if (file.size === 0) throw new RangeError(`"${file.name}" is empty`);
    opened.push({ file, source: await read(file, header) });
  }
  const kinds = new Set(opened.map(({ file }) => extensionOf(file)));
  if (kinds.size > 1) throw new TypeError(`"files" expected files of one kind, got ${[...kinds].join(', ')}`);
  const sources = opened.map(({ source }) => source);
  return sources.length === 1 ? sources[0] : kinds.has('npy') ? sideBySide(opened) : oneAfterAnother(opened);
}

function sideBySide(opened: readonly { file: File; source: Source }[]): Source {
  const [first, ...rest] = opened;
  const other = rest.find(({ source }) => source.rows !== first.source.rows);
  if (other !== undefined) {
    const { file, source } = other;
    throw new RangeError(
      `"${file.name}" expected ${first.source.rows} rows, as "${first.file.name}" has, got ${source.rows}`,
    );
  }
  const owner = new Map(opened.flatMap(({ source }) => source.columns.map((name) => [name, source] as const)));
  return {
    rows: first.source.rows,
    columns: [...owner.keys()],
    read: (name) => found(owner.get(name), name).read(name),
  };
}

function oneAfterAnother(opened: readonly { file: File; source: Source }[]): Source {
  const [{ file, source: first }, ...rest] = opened;
  for (const { file: other, source } of rest) {
    if (source.columns.join() === first.columns.join()) continue;
    const columns = first.columns.join(', ');
    throw new TypeError(
      `"${other.name}" expected the columns of "${file.name}", ${columns}, got ${source.columns.join(', ')}`,
    );
  }
  return {
    rows: opened.reduce((rows, { source }) => rows + source.rows, 0),
    columns: first.columns,
    async read(name) {
      const parts: Values[] = [];
      for (const { source } of opened) parts.push(await source.read(name));
      return parts.flatMap((part) => Array.from(part));
    },
  };
}

/** The columns of a two-dimensional array are named by their number. */
async function openNpy(file: File): Promise<Source> {
  const { data, shape, fortranOrder } = parsed(file, await file.arrayBuffer());
  const name = file.name.replace(/\.npy$/i, '');
  const cells = data as unknown as ArrayLike<number | bigint | boolean>;
  const width = shape.length < 2 ? 1 : shape.slice(1).reduce((product, length) => product * length, 1);
  const count = (shape[0] ?? 1) * width;
  if (cells.length !== count)
    throw new RangeError(
      `"${file.name}" expected ${count} elements for its shape (${shape.join(', ')}), got ${cells.length}`,
    );
  if (fortranOrder && shape.filter((length) => length > 1).length > 1)
    throw new TypeError(`"${file.name}" expected C order, got Fortran order; save numpy.ascontiguousarray(array)`);
  if (width > 100) throw new RangeError(`"${file.name}" expected at most 100 columns, got ${width}`);
  const columns = width === 1 ? [name] : Array.from({ length: width }, (_, column) => `${name}[${column}]`);
  return {
    rows: shape[0] ?? 1,
    columns,
    async read(column) {
      const at = columns.indexOf(column);
      const first = found(cells[at] === undefined ? undefined : at, column);
      return Float64Array.from({ length: cells.length / width }, (_, row) => Number(cells[row * width + first]));
    },
  };
}

function parsed(file: File, bytes: ArrayBuffer) {
  try {
    return parseNpy(bytes);
  } catch (error) {
    const problem = (error as Error).message;
    throw new TypeError(`"${file.name}" expected a .npy file of little-endian numbers; ${problem}`);
  }
}

async function openText(file: File, header: Header): Promise<Source> {
  const text = (await file.text()).replace(/^\uFEFF/, '');
  const { data, errors } = Papa.parse<string[]>(text, { skipEmptyLines: 'greedy' });
  // one column has no delimiter to find
  const error = errors.find(({ code }) => code !== 'UndetectableDelimiter');
  if (error !== undefined) throw new TypeError(`"${file.name}", row ${(error.row ?? 0) + 1}: ${error.message}`);
  const [first, ...rest] = data;
  if (first === undefined) throw new RangeError(`"${file.name}" is empty`);
  const named = hasNames(file, first, rest[0], header);
  const lines = named ? rest : data;
  const columns = named ? first.map((name) => name.trim()) : first.map((_, index) => `column ${index + 1}`);
  const twice = columns.find((name, index) => columns.indexOf(name) !== index);
  if (twice !== undefined)
    throw new TypeError(`"${file.name}" expected a name once for each column, got "${twice}" twice`);
  const odd = lines.findIndex((cells) => cells.length !== columns.length);
  if (odd >= 0) {
    const got = `got ${lines[odd].length}`;
    throw new RangeError(`"${file.name}", row ${odd + (named ? 2 : 1)} expected ${columns.length} cells, ${got}`);
  }
  return {
    rows: lines.length,
    columns,
    async read(column) {
      const at = columns.indexOf(column);
      found(at < 0 ? undefined : at, column);
      return lines.map((cells) => cellOf(cells[at]));
    },
  };
}

/** A first row that counts 0, 1, 2 may be the names that pandas gives or values, and so may one of numbers and words: nobody but the owner knows. */
function hasNames(
  file: File,
  first: readonly string[],
  second: readonly string[] | undefined,
  header: Header,
): boolean {
  if (header !== 'auto') return header === 'yes';
  const cells = first.map(cellOf);
  const counts = cells.every((cell, index) => cell === index);
  const words = cells.filter((cell) => typeof cell === 'string');
  const numbers = cells.filter((cell) => typeof cell === 'number');
  if ((counts && second !== undefined) || (words.length > 0 && numbers.length > 0))
    throw new TypeError(`"${file.name}" has a first row of ${first.join(', ')}; say whether it is names or values`);
  return words.length > 0;
}

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;
const MISSING = new Set(['', 'na', 'n/a', 'nan', 'null', 'none']);
const INFINITE: Readonly<Record<string, number>> = {
  inf: Infinity,
  '+inf': Infinity,
  infinity: Infinity,
  '-inf': -Infinity,
  '-infinity': -Infinity,
};

function cellOf(text: string): Cell {
  const cell = text.trim();
  if (cell.length < 400 && NUMBER.test(cell)) return Number(cell);
  const lower = cell.slice(0, 12).toLowerCase();
  return MISSING.has(lower) ? null : (INFINITE[lower] ?? cell);
}

async function openParquet(file: File): Promise<Source> {
  const bytes = { byteLength: file.size, slice: (start: number, end?: number) => file.slice(start, end).arrayBuffer() };
  const metadata = await parquetMetadataAsync(bytes);
  const columns = parquetSchema(metadata)
    .children.filter(({ children }) => children.length === 0)
    .map(({ element }) => element.name);
  const rows = Number(metadata.num_rows);
  return {
    rows,
    columns,
    async read(column) {
      found(columns.includes(column) ? column : undefined, column);
      const values: Cell[] = new Array(rows).fill(null);
      await parquetRead({
        file: bytes,
        metadata,
        compressors,
        columns: [column],
        onChunk: ({ columnData, rowStart }) => {
          for (let k = 0; k < columnData.length; k++) values[rowStart + k] = plain(columnData[k]);
        },
      });
      return values;
    },
  };
}

function plain(value: unknown): Cell {
  if (value === null || value === undefined) return null;
  if (typeof value === 'number') return Number.isNaN(value) ? null : value;
  return typeof value === 'bigint' || typeof value === 'boolean' ? Number(value) : String(value);
}

function found<T>(value: T | undefined, column: string): T {
  if (value === undefined) throw new TypeError(`"column" expected one of the file's, got "${column}"`);
  return value;
}

function extensionOf(file: File): string {
  return /\.([^.]+)$/.exec(file.name)?.[1].toLowerCase() ?? '';
}
