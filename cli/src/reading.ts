// How columns are read whose types are guessed by the first rows: those of text and of JSON.

import type { Column } from './duck.js';
import { identifier } from './duck.js';

/** What columns are wanted as, by their names in small letters. */
export interface Reading {
  /** Numbers, whatever they look like at first. */
  readonly numbers: ReadonlySet<string>;
  /** Text as it is written, in a column beside that of the guessed type: `textOf` tells its name. */
  readonly texts: ReadonlySet<string>;
  /** Whole numbers, where they look so. */
  readonly wholes: ReadonlySet<string>;
}

export const AS_GUESSED: Reading = { numbers: new Set(), texts: new Set(), wholes: new Set() };

/**
 * The type that a column is read with. The engine rounds what does not fit a whole number, so that a column is one only where
 * it names rows, or where a float64 would round it as well.
 */
export function typeToRead({ name, type, long }: Column, format: 'csv' | 'json', { numbers, wholes }: Reading): string {
  const key = name.toLowerCase();
  // true and false are no numbers in text
  if (numbers.has(key) && (format === 'csv' ? type !== 'BOOLEAN' : type === 'BOOLEAN')) return 'DOUBLE';
  if (wholes.has(key) || long === true) return type;
  return type.replace(/"(?:[^"]|"")*"|\bU?(?:BIGINT|HUGEINT)\b/g, (part) => (part.startsWith('"') ? part : 'DOUBLE'));
}

/** The name of the column that has the text of another. */
export function textOf(name: string): string {
  return `__text_${name.toLowerCase()}`;
}

/** The columns of which a text is wanted that is not what they are read as. */
export function asTexts(columns: readonly Column[], { texts }: Reading): Column[] {
  return columns.filter(({ name, type }) => type !== 'VARCHAR' && texts.has(name.toLowerCase()));
}

/** FROM what, with the wanted texts beside the columns; `from` has these columns as text. */
export function besideTexts(from: string, texts: readonly Column[], more: readonly string[]): string {
  if (texts.length === 0) return from;
  const casts = texts.map(({ name, type }) => `CAST(${identifier(name)} AS ${type}) AS ${identifier(name)}`);
  const copies = texts.map(({ name }) => `${identifier(name)} AS ${identifier(textOf(name))}`);
  return `(SELECT * REPLACE (${casts.join(', ')}), ${[...copies, ...more].join(', ')} FROM ${from})`;
}
