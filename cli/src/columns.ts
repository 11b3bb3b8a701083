import type { Column } from './duck.js';
import { identifier } from './duck.js';
import { list, printable, UsageError } from './errors.js';
import { toNumber } from './parsers.js';

/** What a column is wanted for. */
export type Role = 'logits' | 'probabilities' | 'targets' | 'weight' | 'id' | 'by';

/** The names that columns usually have, without regard to case. */
const USUAL: Readonly<Record<'logits' | 'probabilities' | 'targets' | 'id', readonly string[]>> = {
  logits: ['logit', 'logits', 'y_logit', 'y_logits', 'raw_score', 'decision_function'],
  probabilities: [
    ...['probability', 'probabilities', 'proba', 'prob', 'probs', 'p', 'y_prob', 'y_proba', 'y_probability'],
    ...['pred_prob', 'pred_proba', 'predicted_probability', 'prediction_probability', 'p_hat', 'phat'],
  ],
  targets: [
    ...['target', 'targets', 'label', 'labels', 'y_true', 'y', 'truth', 'true_label', 'ground_truth', 'actual'],
    ...['class', 'is_positive'],
  ],
  id: ['id'],
};

/** A SQL expression for a column, or one for each class. */
export interface Found {
  readonly expressions: readonly string[];
  readonly label: string;
}

/** The columns whose names are usual for a role. */
export function usualColumns(columns: readonly Column[], role: keyof typeof USUAL): string[] {
  return columns
    .filter(({ name, header = name }) => USUAL[role].includes(header.trim().toLowerCase()))
    .map(({ name }) => name);
}

/** A column's name without regard to case, its position, a pattern of names, or any SQL expression. */
export function findColumn(
  spec: string,
  role: Role,
  columns: readonly Column[],
  file: string,
  classes?: readonly string[],
): Found {
  const matching = (isIt: (name: string) => boolean) =>
    columns.filter(({ name, header }) => isIt(header ?? name) || isIt(name));
  const named = matching((name) => name === spec);
  const alike = named.length > 0 ? named : matching((name) => name.toLowerCase() === spec.toLowerCase());
  if (alike.length === 1) return { expressions: [identifier(alike[0].name)], label: alike[0].name };
  if (alike.length > 1) {
    throw new UsageError(
      `--${role} expected one column, got ${list(alike.map(({ name }) => name))} of ${printable(file, 200)}; a position from 0 tells them apart`,
    );
  }
  if (toNumber(spec) !== undefined) {
    // a number alone is a position, never an expression that gives the same for every row
    const at = /^\d+$/.test(spec) ? Number(spec) : columns.length;
    if (at < columns.length) return { expressions: [identifier(columns[at].name)], label: columns[at].name };
    throw new UsageError(
      `--${role} expected a column of ${printable(file, 200)}, got ${printable(spec, 20)}; it has ${columnsText(columns)}, counted from 0`,
    );
  }
  if (/^[^()'"\s]*\*[^()'"\s]*$/.test(spec)) {
    const matches = matchingColumns(spec, columns, classes);
    if (matches.length > 0) return { expressions: matches.map(identifier), label: spec };
  }
  return { expressions: [`(${spec})`], label: spec };
}

/** Columns such as logit_0, logit_1, ... in the order of their classes. */
function matchingColumns(pattern: string, columns: readonly Column[], classes?: readonly string[]): string[] {
  const [before, after] = pattern.toLowerCase().split('*', 2);
  const found = columns
    .map(({ name }) => name)
    .filter((name) => {
      const lower = name.toLowerCase();
      return lower.length >= before.length + after.length && lower.startsWith(before) && lower.endsWith(after);
    })
    .map((name) => ({ name, middle: name.slice(before.length, name.length - after.length) }));
  const place = (middle: string) => classes?.indexOf(middle) ?? -1;
  if (found.every(({ middle }) => place(middle) >= 0)) found.sort((a, b) => place(a.middle) - place(b.middle));
  else if (found.every(({ middle }) => /^\d{1,9}$/.test(middle)))
    found.sort((a, b) => Number(a.middle) - Number(b.middle));
  return found.map(({ name }) => name);
}

/** What a wrong name is told. */
export function columnsText(columns: readonly Column[]): string {
  return `the columns ${list(columns.map(({ name }) => name))}`;
}

const NUMBERS = /^(?:(?:U?(?:TINYINT|SMALLINT|INTEGER|BIGINT|HUGEINT))|FLOAT|DOUBLE|DECIMAL\(\d+,\d+\)|BIGNUM|VARINT)$/;

export function isNumeric(type: string): boolean {
  return NUMBERS.test(type);
}

/** The type of a list's or an array's items; undefined for anything else. */
export function itemType(type: string): string | undefined {
  return /^(.*)\[\d*\]$/s.exec(type)?.[1];
}

/** The plain name in a quoted identifier, in small letters; '' for another expression. */
export function nameOf(expression: string): string {
  return /^"(?:[^"]|"")*"$/.test(expression) ? expression.slice(1, -1).replaceAll('""', '"').toLowerCase() : '';
}
