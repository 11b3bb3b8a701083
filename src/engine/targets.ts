// Targets: which are accepted, what is wrong with one, and how labels become what the kernel reads.

import { wrongValue } from '../checks.js';
import type { TypedArrayName } from '../kinds.js';
import { type Accepted, type Kind, numbersOf, type Operand, operandOf } from './operand.js';

const INTEGER_KINDS: readonly TypedArrayName[] = [
  'Uint8Array',
  'Uint8ClampedArray',
  'Int8Array',
  'Uint16Array',
  'Int16Array',
  'Uint32Array',
  'Int32Array',
  'BigInt64Array',
  'BigUint64Array',
];
const FLOAT_KINDS: readonly TypedArrayName[] = ['Float32Array', 'Float64Array', 'Float16Array'];

const VIEW_REMEDY = 'bytes of float32 are viewed by new Float32Array(b.buffer, b.byteOffset, b.length / 4)';
const HALF_REMEDY = "half floats as bits are { data, dims, type: 'float16' }";

/** Logits, probabilities, weights: numbers that may be fractions. */
export const FLOATS: Accepted = {
  kinds: new Set(FLOAT_KINDS),
  lists: ['number'],
  halves: true,
  rule: 'a Float32Array, Float64Array, Float16Array, number[], or a tensor { data, dims } of one',
  remedy: (kind) => (kind === 'Uint8Array' ? VIEW_REMEDY : kind === 'Uint16Array' ? HALF_REMEDY : undefined),
};

/** Targets of elements. */
export const TARGETS: Accepted = {
  kinds: new Set([...FLOAT_KINDS, ...INTEGER_KINDS]),
  lists: ['number', 'boolean', 'bigint'],
  halves: true,
  rule: 'a Float32Array, Float64Array, Float16Array, array of integers, number[], boolean[], bigint[], or a tensor { data, dims } of one',
};

/** One class index a row; or of a softmax, a row of shares. */
export const LABELS: Accepted = {
  kinds: new Set([...INTEGER_KINDS, 'Float32Array', 'Float64Array'] as const),
  lists: ['number', 'bigint'],
  halves: false,
  rule: 'a typed array of integers, Float32Array, Float64Array, number[], bigint[], or a tensor { data, dims } of one',
};

export function targetsOf(value: unknown): Operand {
  return operandOf('targets', value, TARGETS);
}

export function labelsOf(value: unknown): Operand {
  return operandOf('targets', value, LABELS);
}

export function isFloat(kind: Kind): boolean {
  return kind === 'Float32Array' || kind === 'Float64Array' || kind === 'float16' || kind === 'bfloat16';
}

/** Whether a value is the one that is ignored, compared exactly: a double cannot tell all 64-bit labels apart. */
function isIgnored(value: number | bigint, ignore: number | null): boolean {
  if (ignore === null) return false;
  if (typeof value === 'number') return value === ignore;
  return Number.isInteger(ignore) && value === BigInt(ignore);
}

// Targets of elements.

/** Refuses targets of double precision outside [0, 1], which float32 might round into it. */
export function checkDoubles(y: Operand, ignore: number | null): void {
  const values = y.view as Float64Array;
  for (let k = 0; k < y.length; k++) {
    if (!(values[k] >= 0 && values[k] <= 1) && values[k] !== ignore) throw badTarget(y, k, true);
  }
}

function isBinary(value: number | bigint): boolean {
  return value === 0 || value === 1 || value === 0n || value === 1n;
}

/** The error that names the first bad target from `start` on, of which it is known that there is one; of numbers, not bits. */
export function firstBadTarget(y: Operand, start: number, ignore: number | null, soft: boolean): RangeError {
  const skipped = y.booleans ? null : ignore;
  let k = start;
  for (; k < y.length - 1; k++) {
    const value = y.view[k];
    const good = soft ? value >= 0 && value <= 1 : isBinary(value);
    if (!good && !isIgnored(value, skipped)) break;
  }
  return badTarget(y, k, soft);
}

function badTarget(y: Operand, index: number, soft: boolean): RangeError {
  const value = y.view[index];
  const remedy = soft ? undefined : remedyFor(Number(value));
  const rule = `${soft ? 'a number in [0, 1]' : '0 or 1'} at index ${index}`;
  return wrongValue('targets', rule, value, remedy, index);
}

function remedyFor(label: number): string | undefined {
  if (label === 255 || label === -1 || label === -100) return `ignoreIndex: ${label} leaves such elements out`;
  return label > 1 ? 'class indices are for OneHotFocalLoss or SoftmaxFocalLoss' : undefined;
}

/** Targets of any kind as bytes 0, 1 and `ignored`; whether any was none of these. */
export function toBytes(
  y: Operand,
  start: number,
  count: number,
  ignore: number | null,
  ignored: number,
  into: Uint8Array,
  offset: number,
): boolean {
  const { view } = y;
  let bad = false;
  for (let k = 0; k < count; k++) {
    const value = view[start + k];
    if (isIgnored(value, ignore)) into[offset + k] = ignored;
    else {
      into[offset + k] = value === 1 || value === 1n ? 1 : 0;
      bad ||= !isBinary(value);
    }
  }
  return bad;
}

/**
 * Refuses probabilities that are outside [0, 1] as the kernel has them, except where the target is ignored. NaN is let through,
 * and gives NaN.
 */
export function checkProbabilities(
  x: Operand,
  y: Operand,
  ignore: number | null,
  toFloat: (value: number) => number,
): void {
  const values = numbersOf(x);
  const targets = numbersOf(y);
  for (let k = 0; k < x.length; k++) {
    const value = toFloat(values[k]);
    if ((value < 0 || value > 1) && !isIgnored(targets[k], ignore)) {
      throw wrongValue('logits', `a probability in [0, 1] at index ${k} (fromLogits is false)`, value, undefined, k);
    }
  }
}

// Labels of rows.

/** Which labels there are. */
export interface Classes {
  readonly numClasses: number;
  readonly ignoreIndex: number | null;
  /** The label of a row without a class, where there may be such. */
  readonly background?: number;
}

/** Of a row that is left out. */
export const IGNORED_LABEL = -1;

/**
 * Writes the labels of `count` rows from `start` on as int32: those to ignore as -1, background as numClasses. Returns whether
 * any is out of range; it is then ignored as well.
 */
export function convertLabels(
  y: Operand,
  start: number,
  count: number,
  classes: Classes,
  into: Int32Array,
  offset: number,
): boolean {
  const { view } = y;
  const { numClasses, ignoreIndex, background } = classes;
  let bad = false;
  const convert = (k: number) => {
    const label = labelOf(view[start + k], classes);
    bad ||= label === undefined;
    into[offset + k] = label ?? IGNORED_LABEL;
  };
  if (y.kind !== 'Int32Array') {
    for (let k = 0; k < count; k++) convert(k);
    return bad;
  }
  // the commonest kind, most of whose labels are what they seem
  const labels = view as Int32Array;
  for (let k = 0; k < count; k++) {
    const label = labels[start + k];
    if (label >= 0 && label < numClasses && label !== ignoreIndex && label !== background) into[offset + k] = label;
    else if (label === numClasses && label === background && label !== ignoreIndex) into[offset + k] = label;
    else convert(k);
  }
  return bad;
}

/** How many rows have a class, and how many are kept. */
export function countLabels(y: Operand, classes: Classes, validate: boolean): { labelled: number; kept: number } {
  const { view } = y;
  let labelled = 0;
  let kept = 0;
  for (let k = 0; k < y.length; k++) {
    const label = labelOf(view[k], classes);
    if (label === undefined && validate) throw badLabel(y, k, classes);
    if (label === undefined || label === IGNORED_LABEL) continue;
    kept++;
    if (label < classes.numClasses) labelled++;
  }
  return { labelled, kept };
}

/** The error that names the first bad label from `start` on, of which the kernel has found that there is one. */
export function firstBadLabel(y: Operand, start: number, classes: Classes): RangeError {
  let k = start;
  while (k < y.length - 1 && labelOf(y.view[k], classes) !== undefined) k++;
  return badLabel(y, k, classes);
}

/** What the kernel reads for a label; undefined for a wrong one. */
export function labelOf(value: number | bigint, { numClasses, ignoreIndex, background }: Classes): number | undefined {
  if (isIgnored(value, ignoreIndex)) return IGNORED_LABEL;
  const label = Number(value);
  if (label === background) return numClasses;
  return label >= 0 && label < numClasses && Number.isInteger(label) ? label : undefined;
}

function badLabel(y: Operand, row: number, { numClasses, background }: Classes): RangeError {
  const value = y.view[row];
  const label = Number(value);
  const rule = `a class index in [0, ${numClasses})${background === undefined ? '' : ` or ${background} (background)`}`;
  const isUsual = label === 255 || label === -1 || label === -100;
  const remedy = isUsual ? `ignoreIndex: ${label} leaves such rows out` : undefined;
  return wrongValue('targets', `${rule} at row ${row}`, value, remedy, row);
}
