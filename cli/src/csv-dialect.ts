import type { Duck } from './duck.js';
import { filePattern, identifier, literal } from './duck.js';
import { DataError, printable, quote, UsageError } from './errors.js';

/** How a text file is written. */
export interface Dialect {
  readonly delimiter: string;
  readonly header: boolean;
  /** Lines before the header or the first row. */
  readonly skip: number;
  readonly decimalComma: boolean;
  /** The columns' names: those of the header, else their positions. */
  readonly names: readonly string[];
  /** Types as they seem to be, by the first rows. */
  readonly types: readonly string[];
  /** Whether a column has numbers of more digits than a float64. */
  readonly long: readonly boolean[];
}

/** All but what is in the columns. */
type Layout = Omit<Dialect, 'types' | 'long'>;

export interface DialectFlags {
  readonly delimiter?: string;
  readonly header?: boolean;
}

const NUMBER = /^[+-]?(?:\d{1,400}(?:[.,]\d{0,400})?|[.,]\d{1,400})(?:e[+-]?\d{1,5})?$/i;
const MISSING = new Set([
  '',
  'na',
  'n/a',
  'nan',
  '-nan',
  'null',
  'none',
  'inf',
  '-inf',
  '+inf',
  'infinity',
  '-infinity',
]);

export async function dialectOf(duck: Duck, file: string, name: string, flags: DialectFlags): Promise<Dialect> {
  const lines = await firstLines(duck, file, name);
  const isRow = (line: string) => line.trim() !== '' && !line.startsWith('#');
  let skip = lines.findIndex(isRow);
  // a line that spreadsheets write for themselves
  const told = /^sep=(.)$/i.exec(lines[skip] ?? '')?.[1];
  if (told !== undefined) skip = lines.findIndex((line, i) => i > skip && isRow(line));
  if (skip < 0) throw new DataError(name, 'the file has no rows');
  // numpy.savetxt writes the names of columns behind a #
  const first = lines[skip];
  const delimiter = flags.delimiter ?? told ?? (await delimiterOf(duck, file, lines.slice(skip)));
  const cells = split(first, delimiter);
  if (cells.some((cell) => cell.length > 10_000))
    throw new DataError(name, `expected a row of cells, got ${quote(first)}`, `line ${skip + 1}`);
  if (cells.length > MOST_COLUMNS) {
    const got = `got ${cells.length}; Parquet and arrays have room for more`;
    throw new DataError(name, `expected at most ${MOST_COLUMNS} columns, ${got}`, `line ${skip + 1}`);
  }
  const header = flags.header ?? isHeader(cells, name);
  const names = header ? cells.map((cell) => cell.trim()) : cells.map((_, index) => String(index));
  if (header && skip + 1 >= lines.length && lines.length < LINES) throw new DataError(name, 'the file has no rows');
  if (delimiter === ' ' && /\S {2,}\S/.test(first)) {
    throw new DataError(
      name,
      'expected one space between cells, got several; write the file with another delimiter',
      `line ${skip + 1}`,
    );
  }
  const seen = { delimiter, header, skip, decimalComma: false, names };
  const types = await typesOf(duck, file, seen);
  const rows = lines.slice(skip).map((line) => split(line, delimiter));
  const long = names.map((_, i) => rows.some((row) => /\d{16}/.test(row[i] ?? '')));
  const comma = { ...seen, decimalComma: true };
  if (delimiter !== ',' && lines.slice(skip + 1).some((line) => split(line, delimiter).some(isDecimalComma))) {
    const withComma = await typesOf(duck, file, comma);
    if (numeric(withComma) > numeric(types)) return { ...comma, types: withComma, long };
  }
  return { ...seen, types, long };
}

/** FROM what a dialect says, with the wanted types. */
export function readCsv(files: readonly string[], dialect: Layout, types: readonly string[]): string {
  const names = uniqueNames(dialect.names);
  const columns = names.map((column, i) => `${literal(column)}: ${literal(types[i])}`).join(', ');
  return `read_csv([${files.map(filePattern).join(', ')}], auto_detect = false, ${options(dialect)}, columns = {${columns}}, null_padding = false)`;
}

/** The engine wants every name once, whatever the case. */
export function uniqueNames(names: readonly string[]): string[] {
  const used = new Set<string>();
  return names.map((name, index) => {
    let unique = name === '' ? `column${index}` : name;
    while (used.has(unique.toLowerCase())) unique = `${unique}_${index}`;
    used.add(unique.toLowerCase());
    return unique;
  });
}

function options({ delimiter, header, skip, decimalComma }: Layout): string {
  const decimal = decimalComma ? ", decimal_separator = ','" : '';
  return `delim = ${literal(delimiter)}, quote = '"', escape = '"', header = ${header}, skip = ${skip}${decimal}, max_line_size = 4194304`;
}

const LINES = 50;
// To find the types of more takes the engine minutes.
const MOST_COLUMNS = 10_000;

async function firstLines(duck: Duck, file: string, name: string): Promise<string[]> {
  // a unit separator is in no text: each line is one cell
  const from = `read_csv(${filePattern(file)}, auto_detect = false, delim = '\x1f', quote = '', escape = '', header = false, columns = {'line': 'VARCHAR'}, strict_mode = false, max_line_size = 4194304)`;
  const rows = await duck.rows(`SELECT line FROM ${from} LIMIT ${LINES}`);
  const lines = rows.map(({ line }) => (line === null ? '' : String(line)));
  if (lines.length > 0) lines[0] = lines[0].replace(/^\ufeff/, '');
  if (lines.some((line) => line.includes('\0'))) {
    throw new DataError(name, 'expected text, got binary data; --format says what the file holds');
  }
  return lines;
}

async function delimiterOf(duck: Duck, file: string, lines: readonly string[]): Promise<string> {
  // what splits every line into as many cells, at least two, is the delimiter
  const sample = lines.filter((line) => line.trim() !== '').slice(0, 20);
  for (const delimiter of [',', '\t', ';', '|']) {
    const widths = sample.map((line) => split(line, delimiter).length);
    if (widths[0] > 1 && widths.every((width) => width === widths[0])) {
      const commas = delimiter === ',' && sample.some((line) => split(line, ';').length > 1);
      if (!commas) return delimiter;
    }
  }
  try {
    const [found] = await duck.rows(
      `SELECT Delimiter, Columns FROM sniff_csv(${filePattern(file)}, quote = '"', escape = '"')`,
    );
    const columns = found?.Columns as { length?: number; items?: unknown[] } | undefined;
    const several = (columns?.items?.length ?? columns?.length ?? 1) > 1;
    if (several && typeof found.Delimiter === 'string') return found.Delimiter;
  } catch {
    // ragged or damaged: the reading itself says where
  }
  const spaced = sample.map((line) => line.trim().split(' ').filter(Boolean).length);
  return spaced[0] > 1 && spaced.every((width) => width === spaced[0]) ? ' ' : ',';
}

/** The cells of a line, quotes understood. */
export function split(line: string, delimiter: string): string[] {
  const cells: string[] = [];
  let cell = '';
  let quoted = false;
  for (let i = 0; i < line.length; i++) {
    const character = line[i];
    if (quoted) {
      if (character !== '"') cell += character;
      else if (line[i + 1] === '"') cell += line[++i];
      else quoted = false;
    } else if (character === '"' && cell === '') quoted = true;
    else if (character === delimiter) {
      cells.push(cell);
      cell = '';
    } else cell += character;
  }
  cells.push(cell);
  return cells;
}

/** Whether the first line names the columns. Where it may as well be a row, the user has to say. */
function isHeader(cells: readonly string[], name: string): boolean {
  const values = cells.map((cell) => cell.trim());
  const numbers = values.filter(isNumber);
  const words = values.filter((cell) => !isNumber(cell) && !MISSING.has(cell.toLowerCase()));
  const counts = numbers.length > 0 && numbers.every((cell, i) => cell === String(i));
  if (counts && (words.length > 0 || numbers.length + values.filter((cell) => cell === '').length === values.length)) {
    throw new UsageError(
      `--header or --no-header is needed: the first line of ${printable(name, 200)}, ${quote(cells.join(','))}, may name columns by number or be a row`,
    );
  }
  return words.length > 0 && numbers.length === 0;
}

function isNumber(cell: string): boolean {
  return cell.length < 500 && NUMBER.test(cell);
}

function isDecimalComma(cell: string): boolean {
  return /^\s{0,9}[+-]?\d{0,30},\d{1,30}(?:e[+-]?\d{1,5})?\s{0,9}$/i.test(cell);
}

function numeric(types: readonly string[]): number {
  return types.filter((type) => type === 'DOUBLE' || type === 'BIGINT').length;
}

async function typesOf(duck: Duck, file: string, dialect: Layout): Promise<string[]> {
  const names = uniqueNames(dialect.names);
  try {
    const listed = names.map(literal).join(', ');
    const from = `read_csv(${filePattern(file)}, ${options(dialect)}, names = [${listed}], null_padding = false)`;
    const columns = await duck.describe(`SELECT ${names.map(identifier).join(', ')} FROM ${from}`);
    const types = columns.map(({ type }) => type);
    return types.some(isTime) ? await withTimes(duck, file, dialect, types) : types;
  } catch {
    // A fault in the first rows: the reading itself names it.
    return names.map(() => 'VARCHAR');
  }
}

function isTime(type: string): boolean {
  return /^(?:DATE|TIME)/.test(type);
}

/** Dates and times that are written as SQL has them; others, such as 31/12/2024, are text. */
async function withTimes(duck: Duck, file: string, layout: Layout, types: readonly string[]): Promise<string[]> {
  const only = types.map((type) => (isTime(type) ? type : 'VARCHAR'));
  const first = `SELECT * FROM ${readCsv([file], layout, only)} LIMIT ${LINES}`;
  const isRead = await duck.rows(`SELECT count(COLUMNS(*)) FROM (${first})`).catch(() => undefined);
  return types.map((type) => (isRead === undefined && isTime(type) ? 'VARCHAR' : type));
}
