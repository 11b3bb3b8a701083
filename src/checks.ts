// Every check of a value, and every message: `"name" expected <rule>, got <value>[; <remedy>]`. Text is built on failure.

import { isList, isPlain, kindOf, lengthOf } from './kinds.js';

/** A value as a message shows it: short, on one line, and without calling anything of the value's own. */
export function show(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return `'${JSON.stringify(value.length > 40 ? `${value.slice(0, 37)}...` : value).slice(1, -1)}'`;
    case 'number':
      return Object.is(value, -0) ? '-0' : String(value);
    case 'bigint':
      return `${String(value).slice(0, 40)}n`;
    case 'symbol':
      return 'a symbol';
    case 'function':
      return 'a function';
    case 'object': {
      if (value === null) return 'null';
      const kind = kindOf(value);
      if (kind !== undefined) return `a${kind.startsWith('I') ? 'n' : ''} ${kind} of length ${lengthOf(value)}`;
      return isList(value) ? `an array of length ${value.length}` : 'an object';
    }
    default:
      return String(value);
  }
}

function message(name: string, rule: string, got: string, remedy?: string): string {
  return `"${name}" expected ${rule}, got ${got}${remedy === undefined ? '' : `; ${remedy}`}`;
}

/** For a value of the wrong kind. */
export function wrongKind(name: string, rule: string, value: unknown, remedy?: string): TypeError {
  return new TypeError(message(name, rule, show(value), remedy));
}

/** For a value of the right kind that is out of its range. */
export function wrongValue(name: string, rule: string, value: unknown, remedy?: string): RangeError {
  return new RangeError(message(name, rule, show(value), remedy));
}

/** The error of a number that is none, or out of range. */
function notNumeric(name: string, rule: string, value: unknown, remedy?: string): Error {
  return typeof value === 'number' ? wrongValue(name, rule, value, remedy) : wrongKind(name, rule, value);
}

function isWhole(value: unknown, least: number): value is number {
  return Number.isInteger(value) && (value as number) >= least;
}

/** A finite number that is not negative: gamma, posWeight, a weight of a class. */
export function factor(name: string, value: unknown): number {
  if (typeof value === 'number' && value >= 0 && value < Number.POSITIVE_INFINITY) return value;
  throw notNumeric(name, 'a finite number >= 0', value);
}

/** alpha of a binary loss, or of one class of it. */
export function share(name: string, value: unknown): number {
  if (typeof value === 'number' && value >= 0 && value <= 1) return value;
  if (name !== 'alpha') throw notNumeric(name, 'a number in [0, 1]', value);
  throw notNumeric(name, 'a number in [0, 1], or null', value, value === -1 ? 'null turns it off' : undefined);
}

export function smoothing(value: unknown): number {
  if (typeof value === 'number' && value >= 0 && value < 1) return value;
  throw notNumeric('labelSmoothing', 'a number in [0, 1)', value);
}

export function ignoredIndex(value: unknown): number | null {
  if (value === null || Number.isFinite(value)) return value as number | null;
  throw notNumeric('ignoreIndex', 'a finite number, or null', value);
}

export function classCount(value: unknown): number {
  if (isWhole(value, 1)) return value;
  throw notNumeric('numClasses', 'an integer >= 1', value);
}

export function threadCount(value: unknown): number {
  if (isWhole(value, 1) && value <= 256) return value;
  throw notNumeric('threads', 'an integer in [1, 256]', value);
}

/** A whole number that is not negative: a length, a size in bytes, how many of something. */
export function wholeNumber(name: string, value: unknown): number {
  if (isWhole(value, 0)) return value;
  throw notNumeric(name, 'an integer >= 0', value);
}

export function boolean(name: string, value: unknown): boolean {
  if (typeof value !== 'boolean') throw wrongKind(name, 'a boolean', value);
  return value;
}

export function oneOf<T extends string>(name: string, value: unknown, choices: readonly T[]): T {
  if (choices.includes(value as T)) return value as T;
  const rule = `one of ${choices.map((choice) => `'${choice}'`).join(', ')}`;
  throw typeof value === 'string' ? wrongValue(name, rule, value) : wrongKind(name, rule, value);
}

export function normalizerOf(value: unknown): number | 'positives' {
  if (value === 'positives') return value;
  if (typeof value === 'number' && value > 0 && value < Number.POSITIVE_INFINITY) return value;
  throw notNumeric('normalizer', "a finite number > 0, or 'positives'", value);
}

/**
 * The values of an option that has one a class, each checked by `each`; undefined where the option is a single value.
 */
export function perClass(
  name: string,
  value: unknown,
  numClasses: number | undefined,
  each: (name: string, value: unknown) => number,
): Float64Array | undefined {
  const length = lengthOf(value);
  if (length === undefined) return undefined;
  if (numClasses === undefined) {
    throw wrongKind('numClasses', `an integer >= 1 where "${name}" has a value for each class`, undefined);
  }
  if (length !== numClasses) throw wrongValue(name, `${numClasses} values, one for each class`, length);
  return Float64Array.from({ length }, (_, k) => each(`${name}[${k}]`, (value as ArrayLike<unknown>)[k]));
}

/** An options object with no other keys than `keys`; an absent one is empty. */
export function keyed<T extends object>(name: string, value: T | undefined, keys: readonly string[]): Partial<T> {
  if (value === undefined) return {};
  if (!isPlain(value)) throw wrongKind(name, `an object with keys among ${keys.join(', ')}`, value);
  for (const key in value) {
    if (!keys.includes(key)) throw wrongKind(name, `keys among ${keys.join(', ')}`, key);
  }
  return value;
}

/** What a length must agree with. */
export type Measure = 'the length of "logits"' | 'the rows of "logits"';

export function sameLength(name: string, length: number, expected: number, measure: Measure): void {
  if (length !== expected) throw wrongValue(name, `length ${expected} (${measure})`, length);
}

/** Refuses one array for two results. */
export function apart(name: string, buffer: unknown, otherName: string, other: unknown): void {
  if (buffer !== undefined && buffer === other) throw wrongValue(name, `another array than "${otherName}"`, buffer);
}

export function wholeRows(length: number, numClasses: number): void {
  if (length % numClasses !== 0) {
    throw wrongValue('logits', `a length that is a multiple of ${numClasses} (numClasses)`, length);
  }
}
