// Which arrays are accepted for what, and the checks of elements that must be made one by one in JavaScript.

import { wrongKind, wrongValue } from './checks.js';
import { isList, isObject, kindOf, lengthOf } from './kinds.js';

/** Logits after a tensor's data have been taken out. */
export type FloatSource = Float32Array | Float64Array | readonly number[];
export type TargetSource =
  | FloatSource
  | Uint8Array
  | Uint8ClampedArray
  | Int8Array
  | Int32Array
  | BigInt64Array
  | readonly boolean[];
export type LabelSource = Int32Array | Uint8Array | Uint16Array | BigInt64Array | readonly number[];
type Source = FloatSource | TargetSource | LabelSource;

const FLOAT_KINDS = ['Float32Array', 'Float64Array', 'Float16Array'];
const TARGET_KINDS = [
  'Float32Array',
  'Float64Array',
  'Uint8Array',
  'Uint8ClampedArray',
  'Int8Array',
  'Int32Array',
  'BigInt64Array',
];
const LABEL_KINDS = ['Int32Array', 'Uint8Array', 'Uint16Array', 'BigInt64Array'];

const FLOAT_RULE = 'a Float32Array, Float64Array, Float16Array, number[], or a tensor { data, dims } of one';
const TARGET_RULE = `a ${TARGET_KINDS.join(', ')}, number[], boolean[], or a tensor { data, dims } of one`;
const LABEL_RULE = `an ${LABEL_KINDS.join(', ')}, number[], or a tensor { data, dims } of one`;

export function floatsOf(name: string, value: unknown): FloatSource {
  if (kindOf(value) === 'Float32Array' && (value as Float32Array).length > 0) return value as Float32Array;
  return sourceOf(name, value, FLOAT_KINDS, FLOAT_RULE) as FloatSource;
}

export function targetsOf(value: unknown): TargetSource {
  const kind = kindOf(value);
  if ((kind === 'Uint8Array' || kind === 'Float32Array') && (value as Uint8Array).length > 0) {
    return value as Uint8Array | Float32Array;
  }
  return sourceOf('targets', value, TARGET_KINDS, TARGET_RULE) as TargetSource;
}

export function labelsOf(value: unknown): LabelSource {
  return sourceOf('targets', value, LABEL_KINDS, LABEL_RULE) as LabelSource;
}

/** A buffer to read weights from or to write results to. */
export function bufferOf(name: string, value: unknown): Float32Array {
  if (kindOf(value) !== 'Float32Array') throw wrongKind(name, 'a Float32Array', value);
  return attached(name, value as Float32Array);
}

function sourceOf(name: string, value: unknown, kinds: readonly string[], rule: string): Source {
  const kind = kindOf(value);
  if (kind !== undefined && kinds.includes(kind)) return attached(name, value as Float32Array);
  if (isList(value)) return value as readonly number[];
  if (kind === undefined && isTensor(value)) {
    const { data } = value;
    const inner = kindOf(data);
    if (inner !== undefined && kinds.includes(inner)) return attached(`${name}.data`, data as Float32Array);
    if (isList(data)) return data as readonly number[];
    throw wrongKind(`${name}.data`, rule.replace(/, or a tensor.*/, ''), data);
  }
  throw wrongKind(name, rule, value);
}

function isTensor(value: unknown): value is { data: unknown } {
  return isObject(value) && 'data' in value && (isShape(value.dims) || isShape(value.shape));
}

function isShape(value: unknown): boolean {
  return isList(value) || (kindOf(value) !== undefined && lengthOf(value) !== undefined);
}

/** Refuses an array that has lost its buffer, or the part of it that it viewed: its length reads as 0. */
function attached<T extends Float32Array>(name: string, array: T): T {
  if (array.length === 0) {
    try {
      Float32Array.prototype.indexOf.call(array, 0);
    } catch {
      throw wrongValue(name, 'an array that has its buffer', array, 'the buffer was transferred or resized');
    }
  }
  return array;
}

/** Whether targets are kept as floating point numbers, so that they may lie between 0 and 1. */
export function isSoft(targets: TargetSource): boolean {
  const kind = kindOf(targets);
  if (kind === undefined) return typeof targets[0] !== 'boolean';
  return kind === 'Float32Array' || kind === 'Float64Array';
}

/** Refuses an element that is not a number. A typed array has none. */
export function checkNumbers(name: string, source: Source): void {
  if (kindOf(source) !== undefined) return;
  for (let k = 0; k < source.length; k++) {
    if (typeof source[k] !== 'number') throw wrongKind(name, `a number at index ${k}`, source[k]);
  }
}

/** The checks of targets that the kernel cannot make: of what is converted before it gets there. */
export function checkTargets(targets: TargetSource, ignore: number | null, validate: boolean): void {
  const kind = kindOf(targets);
  if (kind === undefined) {
    if (typeof targets[0] === 'boolean') {
      for (let k = 1; k < targets.length; k++) {
        if (typeof targets[k] !== 'boolean') throw wrongKind('targets', `a boolean at index ${k}`, targets[k]);
      }
      return;
    }
    checkNumbers('targets', targets);
  }
  if (!validate || (kind !== undefined && kind !== 'Float64Array')) return;
  const values = targets as readonly number[];
  for (let k = 0; k < values.length; k++) {
    if (!(values[k] >= 0 && values[k] <= 1) && values[k] !== ignore) throw badTarget(targets, k);
  }
}

/** The error that names the first bad target from `start` on, of which the kernel has found that there is one. */
export function firstBadTarget(targets: TargetSource, start: number, ignore: number | null): RangeError {
  const soft = isSoft(targets);
  let k = start;
  for (; k < targets.length - 1; k++) {
    const value = Number(targets[k]);
    const good = soft ? value >= 0 && value <= 1 : value === 0 || value === 1;
    if (!good && value !== ignore) break;
  }
  return badTarget(targets, k);
}

function badTarget(targets: TargetSource, index: number): RangeError {
  return wrongValue(
    'targets',
    `${isSoft(targets) ? 'a number in [0, 1]' : '0 or 1'} at index ${index}`,
    targets[index],
  );
}

/** Refuses probabilities outside [0, 1], except where the target is ignored. NaN is let through, and gives NaN. */
export function checkProbabilities(source: FloatSource, targets: TargetSource, ignore: number | null): void {
  for (let k = 0; k < source.length; k++) {
    const value = Math.fround(source[k]);
    if ((value < 0 || value > 1) && (ignore === null || Number(targets[k]) !== ignore)) {
      throw wrongValue('logits', `a probability in [0, 1] at index ${k} (fromLogits is false)`, value);
    }
  }
}

/**
 * Writes the class indices of `count` rows from `start` on as int32, those to ignore as -1, and returns how many were not.
 * A label out of range is an error with its row; where `validate` is false it is ignored as well.
 */
export function convertLabels(
  labels: LabelSource,
  start: number,
  count: number,
  settings: { readonly numClasses: number; readonly ignoreIndex: number | null },
  validate: boolean,
  into: Int32Array,
  offset: number,
): number {
  const { numClasses, ignoreIndex } = settings;
  let kept = 0;
  for (let k = 0; k < count; k++) {
    const label = Number(labels[start + k]);
    if (label !== ignoreIndex && isClass(label, numClasses)) {
      into[offset + k] = label;
      kept++;
      continue;
    }
    if (validate && label !== ignoreIndex) throw badLabel(labels, start + k, numClasses);
    into[offset + k] = -1;
  }
  return kept;
}

/** The error that names the first bad label from `start` on, of which the kernel has found that there is one. */
export function firstBadLabel(
  labels: LabelSource,
  start: number,
  { numClasses, ignoreIndex }: { readonly numClasses: number; readonly ignoreIndex: number | null },
): RangeError {
  let k = start;
  for (; k < labels.length - 1; k++) {
    const label = Number(labels[k]);
    if (label !== ignoreIndex && !isClass(label, numClasses)) break;
  }
  return badLabel(labels, k, numClasses);
}

function isClass(label: number, numClasses: number): boolean {
  return label >= 0 && label < numClasses && Number.isInteger(label);
}

function badLabel(labels: LabelSource, row: number, numClasses: number): RangeError {
  return wrongValue('targets', `a class index in [0, ${numClasses}) at row ${row}`, labels[row]);
}
