import { durationsOf } from './arrow-schema.js';
import { type Dialect, type DialectFlags, dialectOf, readCsv, uniqueNames } from './csv-dialect.js';
import type { Column, Duck } from './duck.js';
import { filePattern, literal } from './duck.js';
import { duckError } from './duck-errors.js';
import type { Format, Source } from './sources.js';

/** Something to select from, with its columns. */
export interface Relation {
  readonly name: string;
  readonly columns: readonly Column[];
  readonly format: Format | 'sql';
  /** Its files, where each row knows from which it is. */
  readonly files: readonly Source[];
  /** FROM what, where the columns in `numbers` are read as numbers whatever they look like at first. */
  from(numbers?: ReadonlySet<string>): string;
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
    const from =
      format === 'parquet'
        ? `read_parquet([${files}], union_by_name = ${sources.length > 1})`
        : `read_json_auto([${files}], union_by_name = true)`;
    const columns = await duck.describe(`SELECT * FROM ${from}`);
    if (format === 'parquet') await nameDurations(duck, files, columns);
    return { name, columns, format, files: sources, from: () => from };
  } catch (error) {
    throw duckError(error, name);
  }
}

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
  const from = (numbers?: ReadonlySet<string>) => {
    const parts = groups.map(({ dialect, files }) => {
      const names = uniqueNames(dialect.names);
      const types = dialect.types.map((type, i) =>
        numbers?.has(names[i].toLowerCase()) && type !== 'BOOLEAN' ? 'DOUBLE' : type,
      );
      return readCsv(
        files.map(({ file }) => file),
        dialect,
        types,
      );
    });
    if (parts.length === 1) return parts[0];
    return `(${parts.map((part) => `SELECT * FROM ${part}`).join(' UNION ALL BY NAME ')})`;
  };
  const columns = await duck.describe(`SELECT * FROM ${from()}`);
  // without a common dialect a row does not know its file
  const files = groups.length === 1 ? sources : [];
  return { name: sources[0].name, columns, format: 'csv', files, from };
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
    return { name: '--sql', columns, format: 'sql', files: [], from: () => from };
  } catch (error) {
    throw duckError(error, '--sql');
  }
}
