import { durationsOf } from './arrow-schema.js';
import { type Dialect, type DialectFlags, dialectOf, readCsv, uniqueNames } from './csv-dialect.js';
import type { Column, Duck } from './duck.js';
import { filePattern, identifier, literal } from './duck.js';
import { duckError } from './duck-errors.js';
import { AS_GUESSED, asTexts, besideTexts, type Reading, typeToRead } from './reading.js';
import type { Format, Source } from './sources.js';

/** Something to select from, with its columns. */
export interface Relation {
  readonly name: string;
  readonly columns: readonly Column[];
  readonly format: Format | 'sql';
  /** Its files, where each row knows from which it is. */
  readonly files: readonly Source[];
  /** FROM what. */
  from(reading?: Reading): string;
  /** Small-letter names of the columns whose text can be had, since their type is only a guess. */
  readonly textual: ReadonlySet<string>;
  /** The column that keeps the rows' order, where reading does not. */
  readonly order?: string;
  /** The column that says which rows found no match. */
  readonly unmatched?: string;
}

/** The files of one data set: they have the same columns. */
export async function relationOf(duck: Duck, sources: readonly Source[], flags: DialectFlags): Promise<Relation> {
  const { name, format } = sources[0];
  try {
    if (format === 'csv') return await csvRelation(duck, sources, flags);
    const files = sources.map(({ file }) => (sources[0].remote ? literal(file) : filePattern(file))).join(', ');
    if (format === 'json') return await jsonRelation(duck, sources, files);
    const from = `read_parquet([${files}], union_by_name = ${sources.length > 1})`;
    const columns = await duck.describe(`SELECT * FROM ${from}`);
    await nameDurations(duck, files, columns);
    await nameHeaders(duck, files, columns);
    return { name, columns, format, files: sources, from: () => from, textual: new Set() };
  } catch (error) {
    throw duckError(error, name);
  }
}

/** Of columns that have one name but for the case the engine gives all but the first another: what the file calls them is added. */
async function nameHeaders(duck: Duck, files: string, columns: Column[]): Promise<void> {
  const known = new Set(columns.map(({ name }) => name.toLowerCase()));
  if (!columns.some(({ name }) => known.has(/^(.+)_\d+$/s.exec(name.toLowerCase())?.[1] ?? ''))) return;
  const nodes = await duck.rows(`SELECT name, num_children AS n FROM parquet_schema([${files}]) LIMIT ${MOST_NODES}`);
  // the root, then each column with what is in it
  for (let [at, i] = [1, 0]; at < nodes.length && i < columns.length; i++) {
    const name = String(nodes[at].name);
    if (columns[i].name.toLowerCase().startsWith(`${name.toLowerCase()}_`))
      columns[i] = { ...columns[i], header: name };
    for (let left = 1; left > 0 && at < nodes.length; left--) left += Number(nodes[at++].n ?? 0);
  }
}

const MOST_NODES = 100_000;

/** A duration is stored as a whole number, and only what pandas or Arrow's writers add to the file tells: its type is corrected. */
async function nameDurations(duck: Duck, files: string, columns: Column[]): Promise<void> {
  const added = async (key: string): Promise<string | undefined> => {
    const found = await duck.rows(
      `SELECT decode(value) AS text FROM parquet_kv_metadata([${files}]) WHERE decode(key) = '${key}' LIMIT 1`,
    );
    return found.length === 0 ? undefined : String(found[0].text);
  };
  for (const [key, durations] of [
    ['pandas', pandasDurations],
    ['ARROW:schema', durationsOf],
  ] as const) {
    try {
      for (const name of durations((await added(key)) ?? '')) {
        const at = columns.findIndex((column) => column.name === name);
        if (at >= 0) columns[at] = { name, type: 'DURATION' };
      }
    } catch {
      // not what such writers write: nothing is known
    }
  }
}

function pandasDurations(text: string): string[] {
  const { columns = [] } = JSON.parse(text) as {
    columns?: { name: string; field_name?: string; numpy_type?: string }[];
  };
  return columns.flatMap(({ name, field_name, numpy_type }) =>
    /^timedelta/.test(numpy_type ?? '') ? [field_name ?? name] : [],
  );
}

async function csvRelation(duck: Duck, sources: readonly Source[], flags: DialectFlags): Promise<Relation> {
  const groups: { dialect: Dialect; files: Source[] }[] = [];
  for (const source of sources) {
    const dialect = await dialectOf(duck, source.file, source.name, flags);
    const last = groups.at(-1);
    if (last !== undefined && isSame(last.dialect, dialect)) last.files.push(source);
    else groups.push({ dialect, files: [source] });
  }
  const headers = new Map<string, string>();
  const textual = new Set<string>();
  for (const { dialect } of groups) {
    for (const [i, { name, type }] of columnsOf(dialect).entries()) {
      if (name !== dialect.names[i] && dialect.names[i] !== '') headers.set(name, dialect.names[i]);
      if (type !== 'VARCHAR') textual.add(name.toLowerCase());
    }
  }
  const from = (reading: Reading = AS_GUESSED) => {
    const parts = groups.map(({ dialect, files }) => {
      const all = columnsOf(dialect).map((column) => ({ ...column, type: typeToRead(column, 'csv', reading) }));
      // what is text in one file has its text beside it as well, if it is not in another
      const texts = all.filter(({ name }) => reading.texts.has(name.toLowerCase()) && textual.has(name.toLowerCase()));
      const paths = files.map(({ file }) => file);
      const types = all.map((column) => (texts.includes(column) ? 'VARCHAR' : column.type));
      return besideTexts(
        readCsv(paths, dialect, types),
        texts,
        groups.length === 1 && files.length > 1 ? ['file_index'] : [],
      );
    });
    if (parts.length === 1) return parts[0];
    return `(${parts.map((part) => `SELECT * FROM ${part}`).join(' UNION ALL BY NAME ')})`;
  };
  const described = await duck.describe(`SELECT * FROM ${from()}`);
  const columns = described.map((column) => ({ ...column, header: headers.get(column.name) }));
  // without a common dialect a row does not know its file
  const files = groups.length === 1 ? sources : [];
  return { name: sources[0].name, columns, format: 'csv', files, from, textual };
}

function columnsOf({ names, types, long }: Dialect): Column[] {
  return uniqueNames(names).map((name, i) => ({ name, type: types[i], long: long[i] }));
}

async function jsonRelation(duck: Duck, sources: readonly Source[], files: string): Promise<Relation> {
  const guess = `SELECT * FROM read_json_auto([${files}], union_by_name = true)`;
  const columns = await duck.describe(guess);
  const whole = columns.filter(({ type }) => type === 'BIGINT');
  const isLong = whole.map(({ name }) => `bool_or(abs(${identifier(name)}::DOUBLE) > ${2 ** 53})`);
  const [found = []] =
    whole.length === 0 ? [] : await duck.values(`SELECT ${isLong.join(', ')} FROM (${guess} LIMIT 50)`);
  for (const [i, column] of whole.entries()) columns[columns.indexOf(column)] = { ...column, long: found[i] === true };
  const from = (reading: Reading = AS_GUESSED) => {
    const all = columns.map((column) => ({ ...column, type: typeToRead(column, 'json', reading) }));
    const texts = asTexts(all, reading);
    const types = all.map(
      (column) => `${literal(column.name)}: ${literal(texts.includes(column) ? 'VARCHAR' : column.type)}`,
    );
    const read = `read_json_auto([${files}], union_by_name = true, columns = {${types.join(', ')}})`;
    return besideTexts(read, texts, sources.length > 1 ? ['file_index'] : []);
  };
  const textual = new Set(columns.filter(({ type }) => type !== 'VARCHAR').map(({ name }) => name.toLowerCase()));
  return { name: sources[0].name, columns, format: 'json', files: sources, from, textual };
}

function isSame(a: Dialect, b: Dialect): boolean {
  const key = ({ delimiter, header, skip, decimalComma, names }: Dialect) =>
    JSON.stringify([delimiter, header, skip, decimalComma, names]);
  return key(a) === key(b);
}

/** A query of the user's own in place of files. */
export async function sqlRelation(duck: Duck, query: string): Promise<Relation> {
  const from = `(${query.trim().replace(/;$/, '')})`;
  try {
    const columns = await duck.describe(`SELECT * FROM ${from}`);
    return { name: '--sql', columns, format: 'sql', files: [], from: () => from, textual: new Set() };
  } catch (error) {
    throw duckError(error, '--sql');
  }
}
