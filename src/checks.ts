// Every check of a value, and every message: `"name" expected <rule>, got <value>[; <remedy>]`. Text is built on failure.

import { classOf, isList, isPlain, kindOf, lengthOf } from './kinds.js';
import type { Reduction } from './types.js';

/** What every error of this package carries, so that a server need not read messages. */
export interface ErrorDetails {
  /** `'FOCAL_LOSS_ARGUMENT'`, `'FOCAL_LOSS_KERNEL'` or `'FOCAL_LOSS_THREAD'`. */
  readonly code: string;
  /** The name in the message. */
  readonly argument?: string;
  /** The index or row that the message names. */
  readonly index?: number;
}

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
      if (kind !== undefined) return `${article(kind)} ${kind} of length ${lengthOf(value)}`;
      if (isList(value)) return `an array of length ${value.length}`;
      const name = classOf(value);
      return name === undefined ? 'an object' : `${article(name)} ${name}`;
    }
    default:
      return String(value);
  }
}

function article(name: string): string {
  return /^[AEIO]/.test(name) ? 'an' : 'a';
}

function failed<E extends Error>(error: E, argument: string, index: number | undefined): E & ErrorDetails {
  detail(error, 'code', 'FOCAL_LOSS_ARGUMENT');
  detail(error, 'argument', argument);
  if (index !== undefined) detail(error, 'index', index);
  return error as E & ErrorDetails;
}

/** Adds what a program reads, and a printed error need not repeat. */
function detail(error: Error, key: keyof ErrorDetails, value: unknown): void {
  Object.defineProperty(error, key, { value, configurable: true, writable: true });
}

function message(name: string, rule: string, got: string, remedy: string | undefined): string {
  return `"${name}" expected ${rule}, got ${got}${remedy === undefined ? '' : `; ${remedy}`}`;
}

/** For a value of the wrong kind. */
export function wrongKind(name: string, rule: string, value: unknown, remedy?: string, index?: number): TypeError {
  return failed(new TypeError(message(name, rule, show(value), remedy)), name, index);
}

/** For a value of the right kind that is out of its range. */
export function wrongValue(name: string, rule: string, value: unknown, remedy?: string, index?: number): RangeError {
  return failed(new RangeError(message(name, rule, show(value), remedy)), name, index);
}

/** For a value that is described in other words than `show` has. */
export function wrongShape(name: string, rule: string, got: string, remedy?: string, index?: number): RangeError {
  return failed(new RangeError(message(name, rule, got, remedy)), name, index);
}

/** The error of a number that is none, or out of range. */
export function notNumeric(name: string, rule: string, value: unknown, remedy?: string): Error {
  return typeof value === 'number' ? wrongValue(name, rule, value, remedy) : wrongKind(name, rule, value, remedy);
}

/** What to do with something of this package that another copy of it made. */
export const OTHER_COPY = 'this one is of another copy or entry of focal-loss-wasm: import both from the same';

function isWhole(value: unknown, least: number): value is number {
  return Number.isInteger(value) && (value as number) >= least;
}

/** The largest float32. Options are float32 in the kernel, where anything larger would be infinite and meet a 0. */
const FLOAT32_MAX = 3.4028234663852886e38;
const FLOAT32_REMEDY = 'float32 holds at most 3.4028235e38';

/** A number that is not negative and that float32 can hold: posWeight, a weight of a class. */
export function factor(name: string, value: unknown): number {
  if (typeof value === 'number' && value >= 0 && value <= FLOAT32_MAX) return value;
  const isLarge = typeof value === 'number' && value > FLOAT32_MAX && value < Number.POSITIVE_INFINITY;
  throw notNumeric(name, 'a finite number >= 0', value, isLarge ? FLOAT32_REMEDY : undefined);
}

/** Beyond this a float32 power has no digits that mean anything. */
export const LARGEST_EXPONENT = 64;

/** An exponent: gamma, beta. */
export function exponent(name: string, value: unknown): number {
  if (typeof value === 'number' && value >= 0 && value <= LARGEST_EXPONENT) return value;
  const remedy = `a power above ${LARGEST_EXPONENT} has no digits that mean anything`;
  const isLarge = typeof value === 'number' && value > LARGEST_EXPONENT;
  throw notNumeric(name, `a number in [0, ${LARGEST_EXPONENT}]`, value, isLarge ? remedy : undefined);
}

/** A number that float32 can hold. */
export function coefficient(name: string, value: unknown): number {
  if (typeof value === 'number' && Math.abs(value) <= FLOAT32_MAX) return value;
  throw notNumeric(name, 'a finite number', value, Number.isFinite(value) ? FLOAT32_REMEDY : undefined);
}

/** A number in [0, 1]: alpha, or that of one class; whether the caller takes null as well is said in the message alone. */
export function fraction(name: string, value: unknown, orNull = name === 'alpha'): number {
  if (typeof value === 'number' && value >= 0 && value <= 1) return value;
  if (!orNull) throw notNumeric(name, 'a number in [0, 1]', value);
  throw notNumeric(name, 'a number in [0, 1], or null', value, value === -1 ? 'null turns it off' : undefined);
}

/** A number in [0, 1): label smoothing, a margin. */
export function partOfOne(name: string, value: unknown): number {
  if (typeof value === 'number' && value >= 0 && value < 1) return value;
  throw notNumeric(name, 'a number in [0, 1)', value);
}

export function ignoredIndex(name: string, value: unknown): number | null {
  if (value === null || Number.isFinite(value)) return value as number | null;
  throw notNumeric(name, 'a finite number, or null', value);
}

/** Columns that an int32 can count. */
const MOST_CLASSES = 2 ** 31 - 1;

export function classCount(name: string, value: unknown): number {
  if (isWhole(value, 1) && value <= MOST_CLASSES) return value;
  const isLarge = typeof value === 'number' && value > MOST_CLASSES;
  throw notNumeric(name, 'an integer >= 1', value, isLarge ? `at most ${MOST_CLASSES}` : undefined);
}

export function wholeIndex(name: string, value: unknown): number {
  if (Number.isSafeInteger(value)) return value as number;
  throw notNumeric(name, 'an integer', value);
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

const REDUCTIONS: readonly Reduction[] = ['none', 'mean', 'sum'];

export function reductionOf(name: string, value: unknown): Reduction {
  return oneOf(name, value, REDUCTIONS);
}

/** A number that a sum can be divided by, and a gradient multiplied by its inverse. */
export function divisor(name: string, value: unknown, others = ''): number {
  if (typeof value === 'number' && 1 / value > 0 && 1 / value <= FLOAT32_MAX) return value;
  throw notNumeric(name, `a finite number > 0${others}`, value);
}

export function normalizerOf(name: string, value: unknown): number | 'positives' {
  return value === 'positives' ? value : divisor(name, value, ", or 'positives'");
}

/**
 * The values of an option that has one for each class, each checked by `each`; undefined where the option is a single value.
 */
export function perClass(
  name: string,
  value: unknown,
  numClasses: number | undefined,
  each: (name: string, value: unknown) => number,
): readonly number[] | undefined {
  const length = lengthOf(value);
  if (length === undefined) return undefined;
  if (numClasses === undefined) {
    throw wrongKind('numClasses', `an integer >= 1 where "${name}" has a value for each class`, undefined);
  }
  if (length !== numClasses) throw wrongValue(name, `${numClasses} values, one for each class`, length);
  return Object.freeze(
    Array.from({ length }, (_, k) => each(`${name}[${k}]`, (value as ArrayLike<unknown>)[k])),
  ) as readonly number[];
}

/**
 * The keys of an options object, each read once, with no other than `keys` among them; an absent one is empty. `remedy` is
 * what to do with another key.
 */
export function onlyKeys<T extends object>(
  name: string,
  value: T | undefined,
  keys: readonly string[],
  remedy?: string,
): Partial<T> {
  if (value === undefined) return {};
  if (!isPlain(value)) {
    const plain = classOf(value) === undefined ? undefined : 'give a plain object, such as { ...options }';
    throw wrongKind(name, `an object with keys among ${keys.join(', ')}`, value, plain);
  }
  const read: Record<string, unknown> = {};
  for (const key in value) {
    if (!keys.includes(key)) throw wrongKind(name, `keys among ${keys.join(', ')}`, key, remedy);
    read[key] = value[key as keyof T];
  }
  return read as Partial<T>;
}

/** What a length must agree with. */
export type Measure = 'the length of "logits"' | 'the rows of "logits"' | 'the length of "probabilities"';

export function sameLength(
  name: string,
  length: number,
  expected: number,
  measure: Measure,
  remedy?: () => string | undefined,
): void {
  if (length !== expected) throw wrongValue(name, `length ${expected} (${measure})`, length, remedy?.());
}

/** A new array for results; what cannot be had is an error that says how much it is. */
export function allocate<T>(name: string, length: number, make: (length: number) => T): T {
  try {
    return make(length);
  } catch {
    throw wrongValue(
      name,
      'a length that memory can be had for',
      length,
      'give smaller batches, or a buffer of your own',
    );
  }
}
