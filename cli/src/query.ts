import { columnsText, type Found, findColumn, nameOf, usualColumns } from './columns.js';
import { Conversions } from './conversions.js';
import { type Duck, identifier } from './duck.js';
import { list, printable, quote, UsageError } from './errors.js';
import type { Reading } from './reading.js';
import type { Relation } from './relation.js';

/** What is wanted of a data set, as the options say it. */
export interface Wanted {
  /** Columns of the models' scores; the usual ones where there is none. */
  readonly models: readonly string[];
  readonly probabilities: boolean;
  /** Whether a row of scores has one for each class. */
  readonly rows: boolean;
  readonly targets?: string;
  readonly wanted: 'needed' | 'optional' | 'none';
  readonly weight?: string;
  readonly id?: string;
  /** Whether an id column is worth reading where --id names none. */
  readonly ids: boolean;
  readonly by: readonly string[];
  readonly where?: string;
  readonly classes?: readonly string[];
  readonly positiveLabel?: string;
}

/** The roles of a data set, each with its SQL. */
export interface Plan {
  readonly models: readonly string[];
  readonly probabilities: boolean;
  readonly scores: readonly string[];
  readonly targets?: string;
  readonly weight?: string;
  readonly id?: string;
  /** Whether ids are whole numbers of at most 64 bits. */
  readonly idIsWhole: boolean;
  readonly slices?: string;
  /** Whether a row has found no match in the other file. */
  readonly unmatched?: string;
  /** What its columns are read as. */
  readonly reading: Reading;
}

/** The scores' columns as the options and the names say; undefined where the data has none. */
export function findScores(
  relation: Pick<Relation, 'columns' | 'name'>,
  wanted: Wanted,
): { found: Found[]; probabilities: boolean } | undefined {
  const { columns, name } = relation;
  if (wanted.models.length > 0) {
    const role = wanted.probabilities ? 'probabilities' : 'logits';
    return {
      found: wanted.models.map((model) => findColumn(model, role, columns, name, wanted.classes)),
      probabilities: wanted.probabilities,
    };
  }
  const [logits, probabilities] = [usualColumns(columns, 'logits'), usualColumns(columns, 'probabilities')];
  const all = [...logits, ...probabilities];
  if (all.length > 1) {
    throw new UsageError(`--logits or --probabilities is needed: ${printable(name, 200)} has ${list(all)}`);
  }
  if (all.length === 0) return undefined;
  return { found: [{ expressions: [identifier(all[0])], label: all[0] }], probabilities: probabilities.length > 0 };
}

export function findTargets({ columns, name }: Pick<Relation, 'columns' | 'name'>, wanted: Wanted): Found | undefined {
  if (wanted.wanted === 'none') return undefined;
  if (wanted.targets !== undefined) return findColumn(wanted.targets, 'targets', columns, name);
  const usual = usualColumns(columns, 'targets');
  if (usual.length > 1) throw new UsageError(`--targets is needed: ${printable(name, 200)} has ${list(usual)}`);
  return usual.length === 0 ? undefined : { expressions: [identifier(usual[0])], label: usual[0] };
}

/** Settles the columns of `relation` and how each is converted. `roles` says what is looked for in it. */
export async function planOf(
  duck: Duck,
  relation: Relation,
  wanted: Wanted,
  roles: { readonly scores: boolean; readonly targets: boolean },
): Promise<Plan> {
  const { columns, name } = relation;
  const scores = roles.scores ? findScores(relation, wanted) : { found: [], probabilities: false };
  if (scores === undefined) {
    throw new UsageError(`--logits or --probabilities is needed: ${printable(name, 200)} has ${columnsText(columns)}`);
  }
  const targets = roles.targets ? findTargets(relation, wanted) : undefined;
  if (roles.targets && wanted.wanted === 'needed' && targets === undefined) {
    throw new UsageError(`--targets is needed: ${printable(name, 200)} has ${columnsText(columns)}`);
  }
  checkDifferent(scores.found, targets, relation);
  const weight = wanted.weight === undefined ? undefined : findColumn(wanted.weight, 'weight', columns, name);
  const isLabelled = wanted.classes !== undefined || wanted.positiveLabel !== undefined;
  const id = idOf(relation, wanted);
  const slices = wanted.by.flatMap((spec) => findColumn(spec, 'by', columns, name).expressions);
  const isWhole = columns.some((column) => identifier(column.name) === id && column.type === 'BIGINT');
  const reading: Reading = {
    numbers: namesOf(
      [...scores.found, weight, isLabelled ? undefined : targets].flatMap((found) => found?.expressions),
    ),
    texts: namesOf([...slices, isWhole ? undefined : id, ...(isLabelled ? (targets?.expressions ?? []) : [])]),
    wholes: namesOf([isWhole ? id : undefined]),
  };
  const convert = new Conversions(duck, relation, reading);
  const scoreSql: string[] = [];
  for (const found of scores.found) {
    const role = scores.probabilities ? 'probabilities' : 'logits';
    scoreSql.push(wanted.rows ? await convert.row(found, role) : await convert.score(found, role));
  }
  const targetSql = targets && (await convert.target(targets, wanted));
  const weightSql = weight && (await convert.score(weight, 'weight'));
  const idSql = id && convert.text(id);
  const idType = id === undefined ? '' : await convert.type(idSql ?? id, 'id');
  if (wanted.where !== undefined) await convert.condition(wanted.where);
  return {
    models: scores.found.map(({ label }) => label),
    probabilities: scores.probabilities,
    scores: scoreSql,
    targets: targetSql,
    weight: weightSql,
    id: idSql,
    idIsWhole: /^U?(?:TINYINT|SMALLINT|INTEGER|BIGINT)$/.test(idType),
    slices: await slicesOf(convert, slices),
    unmatched: relation.unmatched && `CAST(${relation.unmatched} AS UTINYINT)`,
    reading,
  };
}

/** The names that are plain columns, in small letters. */
function namesOf(expressions: readonly (string | undefined)[]): ReadonlySet<string> {
  return new Set(expressions.map((expression = '') => nameOf(expression)).filter((name) => name !== ''));
}

function checkDifferent(scores: readonly Found[], targets: Found | undefined, { name, columns }: Relation): void {
  const same = scores.find((found) => found.expressions.join() === targets?.expressions.join());
  if (same === undefined) return;
  throw new UsageError(
    `--targets expected another column than that of the scores, ${quote(same.label)}; ${printable(name, 200)} has ${columnsText(columns)}`,
  );
}

function idOf({ columns, name }: Relation, wanted: Wanted): string | undefined {
  if (wanted.id !== undefined) {
    const { expressions, label } = findColumn(wanted.id, 'id', columns, name);
    if (expressions.length === 1) return expressions[0];
    throw new UsageError(`--id expected one column for ${quote(label)}, got ${expressions.length}`);
  }
  if (!wanted.ids) return undefined;
  const usual = usualColumns(columns, 'id');
  return usual.length === 1 ? identifier(usual[0]) : undefined;
}

/** The values of columns in one text. */
async function slicesOf(convert: Conversions, by: readonly string[]): Promise<string | undefined> {
  if (by.length === 0) return undefined;
  const parts: string[] = [];
  // a text is told from a value that is missing, and from others beside it
  const signs = by.length > 1 ? [',', '"'] : [];
  for (const expression of by) {
    const column = convert.text(expression);
    const type = await convert.type(column, 'by');
    const text = /^(?:DOUBLE|FLOAT)$/.test(type) ? wholeText(column) : `CAST(${column} AS VARCHAR)`;
    const odd = [`${text} = 'null'`, ...signs.map((sign) => `contains(${text}, '${sign}')`)].join(' OR ');
    const quoted = `'"' || replace(${text}, '"', '""') || '"'`;
    parts.push(`CASE WHEN ${column} IS NULL THEN 'null' WHEN ${odd} THEN ${quoted} ELSE ${text} END`);
  }
  return parts.join(" || ', ' || ");
}

/** A number without the decimals that it does not have. */
function wholeText(number: string): string {
  const isWhole = `${number} = trunc(${number}) AND abs(${number}) < 1e15`;
  return `CASE WHEN ${isWhole} THEN CAST(CAST(${number} AS BIGINT) AS VARCHAR) ELSE CAST(${number} AS VARCHAR) END`;
}
