import { DataError, quote, UsageError } from './errors.js';

export type Role = 'logits' | 'targets';

/** A column that is wanted: by name or zero-based index, or by its usual names where the user gave none. */
export interface ColumnRequest {
  readonly role: Role;
  readonly column?: string;
}

const USUAL_NAMES: Readonly<Record<Role, readonly string[]>> = {
  logits: ['logits', 'logit'],
  targets: ['targets', 'target', 'labels', 'label'],
};

const INDEX = /^\d+$/;

/** Whether a first line of cells names the columns, rather than being the first row. */
export function isHeader(cells: readonly string[], requests: readonly ColumnRequest[]): boolean {
  if (requests.every(({ column }) => column !== undefined && INDEX.test(column))) {
    // Other columns may hold text in every row, so only the wanted ones are looked at.
    return requests.some(({ column }) => toNumber(cells[Number(column)] ?? '0') === undefined);
  }
  return cells.some((cell) => toNumber(cell) === undefined);
}

/** The indices of the wanted columns; `names` has a generated name for each column of a file without header. */
export function findColumns(
  file: string,
  names: readonly string[],
  named: boolean,
  requests: readonly ColumnRequest[],
): number[] {
  const listed = `the columns ${names.map((name) => (named ? quote(name) : name)).join(', ')}`;
  if (requests.length > 1 && names.length === 1) throw new UsageError(`TARGETS is missing: ${file} has one column`);
  const found = requests.map(({ role, column }) => {
    if (column !== undefined) {
      const byName = named ? indicesOf(names, column) : [];
      if (byName.length === 1) return byName[0];
      if (byName.length > 1) throw new DataError(file, `more than one column is called ${quote(column)}`);
      if (INDEX.test(column) && Number(column) < names.length) return Number(column);
      throw new DataError(file, `expected a column ${quote(column)} (--${role}-column), got ${listed}`);
    }
    const usual = named ? USUAL_NAMES[role].flatMap((name) => indicesOf(names, name)) : [];
    if (usual.length === 1) return usual[0];
    if (usual.length === 0 && names.length === 1) return 0;
    throw new UsageError(`--${role}-column is needed: ${file} has ${listed}`);
  });
  if (found.length > 1 && found[0] === found[1]) {
    throw new UsageError(`--targets-column expected another column than that of the logits; ${file} has ${listed}`);
  }
  return found;
}

function indicesOf(names: readonly string[], wanted: string): number[] {
  return names.flatMap((name, index) => (name === wanted ? [index] : []));
}

const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;
const WORDS: Readonly<Record<string, number>> = { nan: Number.NaN, true: 1, false: 0 };
const INFINITY = /^([+-]?)inf(?:inity)?$/i;

/** The number in a cell of text; undefined where there is none. NaN is a number that a file may hold. */
export function toNumber(cell: string): number | undefined {
  const text = cell.trim();
  if (NUMBER.test(text)) return Number(text);
  const infinity = INFINITY.exec(text);
  if (infinity !== null) return infinity[1] === '-' ? -Infinity : Infinity;
  const word = text.toLowerCase();
  return Object.hasOwn(WORDS, word) ? WORDS[word] : undefined;
}
