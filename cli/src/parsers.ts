import { InvalidArgumentError } from 'commander';

const NUMBER = /^[+-]?(?:\d{1,400}\.?\d{0,400}|\.\d{1,400})(?:e[+-]?\d{1,5})?$/i;

/** The number that a text is; undefined for any other text. NaN and infinities are for the library to refuse. */
export function toNumber(text: string): number | undefined {
  const trimmed = text.trim();
  if (NUMBER.test(trimmed)) return Number(trimmed);
  const word = trimmed.toLowerCase();
  if (word === 'nan') return Number.NaN;
  if (['inf', '+inf', 'infinity', '+infinity'].includes(word)) return Infinity;
  return word === '-inf' || word === '-infinity' ? -Infinity : undefined;
}

export function number(text: string): number {
  const value = toNumber(text);
  if (value === undefined) throw new InvalidArgumentError('Expected a number.');
  return value;
}

export function numberOrNone(text: string): number | 'none' {
  return text === 'none' ? text : number(text);
}

export function numbers(text: string): number[] {
  return items(text).map(number);
}

export function wholeNumber(text: string): number {
  const value = toNumber(text);
  if (value === undefined || !Number.isSafeInteger(value) || value < 1) {
    throw new InvalidArgumentError('Expected a whole number of at least 1.');
  }
  return value;
}

export function integer(text: string): number {
  const value = toNumber(text);
  if (value === undefined || !Number.isSafeInteger(value)) throw new InvalidArgumentError('Expected a whole number.');
  return value;
}

/** Names between commas; quotes are not needed, since a name with a comma can be a SQL expression. */
export function items(text: string): string[] {
  const parts = text.split(',').map((part) => part.trim());
  if (parts.some((part) => part === '')) throw new InvalidArgumentError('Expected values between commas.');
  return parts;
}

/** Columns between commas; a comma within brackets belongs to an expression. */
export function columns(text: string): string[] {
  const parts: string[] = [];
  let [depth, start] = [0, 0];
  for (let i = 0; i <= text.length; i++) {
    const character = text[i];
    if (character === '(' || character === '[') depth++;
    else if (character === ')' || character === ']') depth--;
    else if (i === text.length || (character === ',' && depth <= 0)) {
      parts.push(text.slice(start, i).trim());
      start = i + 1;
    }
  }
  if (parts.some((part) => part === '')) throw new InvalidArgumentError('Expected columns between commas.');
  return parts;
}

export function collect(value: string, previous: readonly string[] = []): string[] {
  if (value.trim() === '') throw new InvalidArgumentError('Expected a column.');
  return [...previous, value];
}

export function nonEmpty(text: string): string {
  if (text.trim() === '') throw new InvalidArgumentError('Expected a text that is not empty.');
  return text;
}

export function probabilities(text: string): number[] {
  const values = numbers(text);
  if (values.some((value) => !(value >= 0 && value <= 1)))
    throw new InvalidArgumentError('Expected probabilities in [0, 1].');
  return values;
}

export function shard(text: string): { index: number; count: number } {
  const found = /^(\d{1,9})\/(\d{1,9})$/.exec(text);
  const [index, count] = found === null ? [0, 0] : [Number(found[1]), Number(found[2])];
  if (index < 1 || index > count) throw new InvalidArgumentError('Expected a shard such as 3/16, counted from 1.');
  return { index, count };
}

export function cost(text: string): number {
  const value = number(text);
  if (!(value >= 0 && value < Infinity)) throw new InvalidArgumentError('Expected a number of at least 0.');
  return value;
}

export function limit(text: string): number {
  const value = number(text);
  if (Number.isNaN(value)) throw new InvalidArgumentError('Expected a number.');
  return value;
}

export function delimiter(text: string): string {
  const known: Record<string, string> = { tab: '\t', '\\t': '\t', space: ' ', comma: ',', semicolon: ';', pipe: '|' };
  const value = known[text.toLowerCase()] ?? text;
  if (value.length !== 1 || /["\r\n]/.test(value))
    throw new InvalidArgumentError('Expected one character, or tab, or space.');
  return value;
}

/** gamma, alpha and posWeight of a training: "2", "2,0.25", "2,none,3". */
export function trainedWith(text: string): { gamma: number; alpha: number | null; posWeight: number } {
  const [gamma, alpha = 'none', posWeight = '1', ...more] = items(text);
  if (more.length > 0) throw new InvalidArgumentError('Expected gamma,alpha or gamma,alpha,pos-weight.');
  const weight = numberOrNone(alpha);
  return { gamma: number(gamma), alpha: weight === 'none' ? null : weight, posWeight: number(posWeight) };
}
