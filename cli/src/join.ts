import { columnsText } from './columns.js';
import type { DialectFlags } from './csv-dialect.js';
import { type Column, type Duck, identifier } from './duck.js';
import { duckError } from './duck-errors.js';
import { DataError, printable, quote, UsageError } from './errors.js';
import { AS_GUESSED, type Reading, textOf } from './reading.js';
import { type Relation, relationOf } from './relation.js';
import type { Source } from './sources.js';

const ROW = '__row';
const UNMATCHED = '__unmatched';

/** The rows of `base`, in their order, each with the columns of the row of another file that has its id. */
export async function joined(
  duck: Duck,
  base: Relation,
  sources: readonly Source[],
  on: string,
  flags: DialectFlags,
): Promise<Relation> {
  const other = await relationOf(duck, sources, flags);
  const keys = [keyOf(base, on), keyOf(other, on)];
  await checkUnique(duck, other, keys[1]);
  const added = addedColumns(base, other, keys[1].column);
  const key = (table: string, { name }: Key) =>
    keys[0].type === keys[1].type ? `${table}.${identifier(name)}` : `CAST(${table}.${identifier(name)} AS VARCHAR)`;
  const from = (reading: Reading = AS_GUESSED) => {
    const copies = added.flatMap(({ name, as }) => [
      `b.${identifier(name)} AS ${identifier(as)}`,
      ...(reading.texts.has(as.toLowerCase()) && other.textual.has(name.toLowerCase())
        ? [`b.${identifier(textOf(name))} AS ${identifier(textOf(as))}`]
        : []),
    ]);
    const rows = `SELECT *, row_number() OVER () AS "${ROW}" FROM ${base.from(keys[0].read(reading))}`;
    const found = `b.${identifier(keys[1].name)} IS NULL AS "${UNMATCHED}"`;
    const others = `SELECT * FROM ${other.from(keys[1].read(renamed(reading, added)))}`;
    const same = `${key('a', keys[0])} = ${key('b', keys[1])}`;
    return `(SELECT a.*, ${[...copies, found].join(', ')} FROM (${rows}) AS a LEFT JOIN (${others}) AS b ON ${same})`;
  };
  return {
    name: base.name,
    columns: [...base.columns, ...added.map(({ as, type, header }) => ({ name: as, type, header }))],
    format: 'sql',
    files: [],
    from,
    textual: new Set([
      ...base.textual,
      ...added.filter(({ name }) => other.textual.has(name.toLowerCase())).map(({ as }) => as.toLowerCase()),
    ]),
    order: identifier(ROW),
    unmatched: identifier(UNMATCHED),
  };
}

/** What rows are matched by: whole numbers, or what is written. */
interface Key {
  /** The column itself. */
  readonly column: string;
  /** What is compared of it. */
  readonly name: string;
  readonly type: string;
  read(reading: Reading): Reading;
}

interface Added extends Column {
  /** What it is called beside the columns of the base. */
  readonly as: string;
}

/** The columns of `other` but its ids; one whose name is taken gets another, and both are asked for by that name. */
function addedColumns(base: Relation, other: Relation, key: string): Added[] {
  const taken = new Set(base.columns.map(({ name }) => name.toLowerCase()));
  return other.columns
    .filter(({ name }) => name !== key)
    .map((column) => {
      if (!taken.has(column.name.toLowerCase())) return { ...column, as: column.name };
      let as = `${column.name}_joined`;
      while (taken.has(as.toLowerCase())) as += '_';
      taken.add(as.toLowerCase());
      return { ...column, as, header: column.header ?? column.name };
    });
}

/** The same wishes by the names that the columns have where they come from. */
function renamed(reading: Reading, added: readonly Added[]): Reading {
  const names = (wanted: ReadonlySet<string>) =>
    new Set(added.filter(({ as }) => wanted.has(as.toLowerCase())).map(({ name }) => name.toLowerCase()));
  return { numbers: names(reading.numbers), texts: names(reading.texts), wholes: names(reading.wholes) };
}

function keyOf({ name: file, columns, textual }: Relation, on: string): Key {
  const exact = columns.filter(({ name }) => name === on);
  const found = exact.length > 0 ? exact : columns.filter(({ name }) => name.toLowerCase() === on.toLowerCase());
  if (found.length !== 1) {
    throw new UsageError(
      `--on expected a column of ${printable(file, 200)}, got ${quote(on)}; it has ${columnsText(columns)}`,
    );
  }
  const [{ name, type }] = found;
  const lower = name.toLowerCase();
  const and = (set: ReadonlySet<string>) => new Set([...set, lower]);
  if (!textual.has(lower)) return { column: name, name, type, read: (reading) => reading };
  if (type === 'BIGINT')
    return { column: name, name, type, read: (reading) => ({ ...reading, wholes: and(reading.wholes) }) };
  return {
    column: name,
    name: textOf(name),
    type: 'VARCHAR',
    read: (reading) => ({ ...reading, texts: and(reading.texts) }),
  };
}

async function checkUnique(duck: Duck, { name: file, from }: Relation, { column: id, name, read }: Key): Promise<void> {
  const column = identifier(name);
  try {
    const twice = await duck.rows(
      `SELECT CAST(${column} AS VARCHAR) AS id FROM ${from(read(AS_GUESSED))} WHERE ${column} IS NOT NULL GROUP BY ${column} HAVING count(*) > 1 LIMIT 1`,
    );
    if (twice.length > 0)
      throw new DataError(file, `expected every ${quote(id)} once, got ${quote(String(twice[0].id))} more than once`);
  } catch (error) {
    throw duckError(error, file);
  }
}
