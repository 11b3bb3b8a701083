import { DataError, list } from './errors.js';
import type { Block, Rows, Table, Values } from './table.js';

const TARGET = 'a target of 0 or 1, or a probability between them';

/** Targets as the library takes them, and as classes where every one is hard. */
export interface Prepared {
  readonly targets: Uint8Array | Float32Array | Int32Array;
  /** 1 positive, 0 negative, 2 ignored; undefined where some target is soft. */
  readonly hard?: Uint8Array;
}

/** Hard targets become bytes whatever their type, so that they are computed as such. */
export function binaryTargets(values: Values, ignoreIndex: number | undefined): Prepared {
  // the loss refuses bytes that are neither 0 nor 1
  if (values instanceof Uint8Array && ignoreIndex === undefined) return { targets: values, hard: values };
  const hard = new Uint8Array(values.length);
  let ignored = false;
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (value === 0) continue;
    if (value === 1) hard[i] = 1;
    else if (value === ignoreIndex) {
      hard[i] = 2;
      ignored = true;
    } else return { targets: values instanceof Float32Array ? values : softOf(values) };
  }
  if (ignoreIndex === 0 || ignoreIndex === 1) {
    for (let i = 0; i < hard.length; i++) if (values[i] === ignoreIndex) hard[i] = 2;
    ignored = true;
  }
  return { targets: ignored ? Int32Array.from(values) : hard, hard };
}

/** Refuses targets that are no probability, as a loss does, where none is computed. */
export function checkTargets(
  values: Values,
  ignoreIndex: number | undefined,
  table: Table,
  place: (row: number) => string,
): void {
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if ((value >= 0 && value <= 1) || value === ignoreIndex) continue;
    throw new DataError(table.targetsName ?? table.name, `expected ${TARGET}, got ${value}`, place(i));
  }
}

/** Rounded to float32 as the library rounds them; a value that is none of 0, 1 and between stays one. */
function softOf(values: Values): Float32Array {
  return Float32Array.from(values);
}

/** The class of each row; or, with a width, its shares of all classes. */
export function rowTargets(
  { values, width }: Rows,
  table: Table,
  place: (row: number) => string,
): Int32Array | Float32Array {
  if (width > 1) return values instanceof Float32Array ? values : Float32Array.from(values);
  const labels = new Int32Array(values.length);
  for (let i = 0; i < labels.length; i++) {
    labels[i] = values[i];
    if (labels[i] !== values[i])
      throw new DataError(table.targetsName ?? table.name, `expected a class index, got ${values[i]}`, place(i));
  }
  return labels;
}

/** One target for each score of one-hot rows: 1 at the label, 2 in an ignored row. */
export function oneHot(labels: ArrayLike<number>, classes: number, ignoreIndex: number | undefined): Uint8Array {
  const hard = new Uint8Array(labels.length * classes);
  for (let row = 0; row < labels.length; row++) {
    const label = labels[row];
    if (label === ignoreIndex) hard.fill(2, row * classes, (row + 1) * classes);
    else if (label >= 0 && label < classes) hard[row * classes + label] = 1;
  }
  return hard;
}

/** The library's complaint about an element of a block, in terms of the input. */
export function located(error: unknown, table: Table, block: Block, place: (row: number) => string): unknown {
  if (!(error instanceof RangeError)) return error;
  const named = /^"(targets|logits|weight)".* (?:index|row) (\d+)/.exec(error.message);
  if (named === null) return error;
  const [, argument, text] = named;
  const rows = argument === 'targets' ? block.targets : argument === 'weight' ? block.weight : block.scores[0];
  const element = Number(text);
  const value = rows?.values[element];
  if (argument === 'targets') {
    const wide = block.scores[0].width > 1;
    if (value === -1 && table.classes !== undefined) {
      const expected = `one of the --classes, ${list(table.classes)}`;
      return new DataError(table.targetsName ?? table.name, `expected ${expected}, got another label`, place(element));
    }
    const expected = wide ? `a class index below ${block.scores[0].width}` : TARGET;
    return new DataError(table.targetsName ?? table.name, `expected ${expected}, got ${value}`, place(element));
  }
  if (argument === 'logits')
    return new DataError(table.name, `expected a probability in [0, 1], got ${value}`, place(element));
  return new DataError(table.name, `expected a finite weight, got ${value}`, place(element));
}
