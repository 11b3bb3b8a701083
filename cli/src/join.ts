import { columnsText } from './columns.js';
import type { DialectFlags } from './csv-dialect.js';
import { type Duck, identifier } from './duck.js';
import { duckError } from './duck-errors.js';
import { DataError, printable, quote, UsageError } from './errors.js';
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
  const left = keyOf(base, on);
  const right = keyOf(other, on);
  await checkUnique(duck, other, right);
  const names = new Set(base.columns.map(({ name }) => name.toLowerCase()));
  const kept = other.columns.filter(({ name }) => name !== right && !names.has(name.toLowerCase()));
  const types = [typeOf(base, left), typeOf(other, right)];
  const key = (table: string, name: string) =>
    types[0] === types[1] ? `${table}.${identifier(name)}` : `CAST(${table}.${identifier(name)} AS VARCHAR)`;
  const from = (numbers?: ReadonlySet<string>) =>
    `(SELECT a.*, ${kept.map(({ name }) => `b.${identifier(name)}, `).join('')}b.${identifier(right)} IS NULL AS "${UNMATCHED}"
      FROM (SELECT *, row_number() OVER () AS "${ROW}" FROM ${base.from(numbers)}) AS a
      LEFT JOIN (SELECT * FROM ${other.from(numbers)}) AS b ON ${key('a', left)} = ${key('b', right)})`.replace(
      /\s+/g,
      ' ',
    );
  return {
    name: base.name,
    columns: [...base.columns, ...kept],
    format: 'sql',
    files: [],
    from,
    order: identifier(ROW),
    unmatched: identifier(UNMATCHED),
  };
}

function keyOf(relation: Relation, on: string): string {
  const exact = relation.columns.filter(({ name }) => name === on);
  const found =
    exact.length > 0 ? exact : relation.columns.filter(({ name }) => name.toLowerCase() === on.toLowerCase());
  if (found.length === 1) return found[0].name;
  throw new UsageError(
    `--on expected a column of ${printable(relation.name, 200)}, got ${quote(on)}; it has ${columnsText(relation.columns)}`,
  );
}

function typeOf({ columns }: Relation, key: string): string {
  return columns.find(({ name }) => name === key)?.type ?? '';
}

async function checkUnique(duck: Duck, { name, from }: Relation, key: string): Promise<void> {
  const column = identifier(key);
  try {
    const twice = await duck.rows(
      `SELECT CAST(${column} AS VARCHAR) AS id FROM ${from()} WHERE ${column} IS NOT NULL GROUP BY ${column} HAVING count(*) > 1 LIMIT 1`,
    );
    if (twice.length > 0)
      throw new DataError(name, `expected every ${quote(key)} once, got ${quote(String(twice[0].id))} more than once`);
  } catch (error) {
    throw duckError(error, name);
  }
}
