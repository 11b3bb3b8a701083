// Shapes of tensors: what is taken, what contradicts itself or another, and where classes lie.

import { wrongKind, wrongShape } from '../checks.js';
import { isList, kindOf, lengthOf } from '../kinds.js';

export type Dims = readonly number[];

/** Where the classes of logits lie: `[images, classes, pixels]`, `pixels` being 1 where they are the last axis. */
export interface Layout {
  readonly classes: number;
  readonly pixels: number;
}

/**
 * The stretches in which the logits of `count` rows from `start` on lie, where each class has a plane of pixels: calls `each`
 * with a stretch's first logit, its place where the planes of these rows lie by themselves, and its length.
 */
export function eachStretch(
  { classes, pixels }: Layout,
  start: number,
  count: number,
  each: (logit: number, place: number, length: number) => void,
): void {
  for (let k = 0; k < count; ) {
    const pixel = (start + k) % pixels;
    const length = Math.min(count - k, pixels - pixel);
    const first = (start + k - pixel) * classes + pixel;
    for (let j = 0; j < classes; j++) each(first + j * pixels, k + j * count, length);
    k += length;
  }
}

export function showDims(dims: Dims): string {
  return `[${dims.slice(0, 8).join(', ')}${dims.length > 8 ? ', ...' : ''}]`;
}

export interface Shaped {
  readonly dims?: unknown;
  readonly shape?: unknown;
  readonly strides?: unknown;
  readonly stride?: unknown;
  readonly offset?: unknown;
}

const REMEDY = 'copy it to C order';

/** The dims of a tensor of `length` elements, which must be in C order from its first element on. */
export function checkDims(name: string, tensor: Shaped, length: number): Dims {
  const key = tensor.dims === undefined || tensor.dims === null ? 'shape' : 'dims';
  const dims = numbersOf(`${name}.${key}`, tensor[key]);
  for (const [axis, size] of dims.entries()) {
    if (!Number.isSafeInteger(size) || size < 0) {
      throw wrongShape(`${name}.${key}`, `sizes that are integers >= 0`, `${size} at axis ${axis}`, undefined, axis);
    }
  }
  const product = dims.reduce((a, b) => a * b, 1);
  if (product !== length) {
    const rule = `sizes whose product is ${length} (the length of its data)`;
    throw wrongShape(`${name}.${key}`, rule, `${showDims(dims)}, whose product is ${product}`);
  }
  for (const stridesKey of ['strides', 'stride'] as const) checkStrides(name, stridesKey, tensor[stridesKey], dims);
  const { offset } = tensor;
  if (offset !== undefined && offset !== null && offset !== 0) {
    throw wrongShape(`${name}.offset`, '0', typeof offset === 'number' ? String(offset) : typeof offset, REMEDY);
  }
  return dims;
}

function checkStrides(name: string, key: 'strides' | 'stride', value: unknown, dims: Dims): void {
  if (value === undefined || value === null) return;
  const strides = numbersOf(`${name}.${key}`, value);
  let expected = 1;
  let inOrder = strides.length === dims.length;
  for (let axis = dims.length - 1; axis >= 0 && inOrder; axis--) {
    // the stride of an axis of one element, or of no elements at all, is never taken
    inOrder = dims[axis] <= 1 || strides[axis] === expected || dims.includes(0);
    expected *= dims[axis];
  }
  if (!inOrder) {
    throw wrongShape(`${name}.${key}`, `those of C order for ${showDims(dims)}`, showDims(strides), REMEDY);
  }
}

/** More axes than anything has. */
const MOST_AXES = 64;
/** More levels than anybody nests arrays; few, since one array in many places is many elements. */
const MOST_LEVELS = 8;

function numbersOf(name: string, value: unknown): Dims {
  const length = isList(value) || kindOf(value) !== undefined ? lengthOf(value) : undefined;
  if (length === undefined || length > MOST_AXES) throw wrongKind(name, 'an array of sizes', value);
  const list = value as ArrayLike<unknown>;
  return Array.from({ length }, (_, axis) => {
    const size = list[axis];
    if (typeof size === 'bigint') return Number(size);
    if (typeof size !== 'number') throw wrongKind(name, `a number at axis ${axis}`, size, undefined, axis);
    return size;
  });
}

/** The elements of nested arrays in order, and their shape; `check` sees every array that is in another. */
export function flatten(
  name: string,
  list: readonly unknown[],
  check: (row: unknown) => void,
): { elements: unknown[]; dims: Dims } {
  const dims: number[] = [];
  for (let level: unknown = list; isRow(level); level = level[0]) {
    if (dims.length === MOST_LEVELS) throw wrongKind(name, `at most ${MOST_LEVELS} levels of arrays`, list);
    dims.push(level.length);
  }
  const elements: unknown[] = [];
  const visit = (value: unknown, depth: number, row: number): void => {
    if (depth === dims.length) {
      if (isRow(value)) throw ragged(name, row, `a value ${depth} levels deep`, `an array of length ${value.length}`);
      elements.push(value);
      return;
    }
    if (!isRow(value)) throw ragged(name, row, `an array of length ${dims[depth]}`, 'a single value');
    check(value);
    if (value.length !== dims[depth]) {
      throw ragged(name, row, `an array of length ${dims[depth]}`, `one of length ${value.length}`);
    }
    for (let k = 0; k < dims[depth]; k++) visit(value[k], depth + 1, depth === 0 ? k : row);
  };
  visit(list, 0, 0);
  return { elements, dims };
}

/** An array of any kind. */
export function isRow(value: unknown): value is ArrayLike<unknown> {
  return isList(value) || (kindOf(value) !== undefined && lengthOf(value) !== undefined);
}

function ragged(name: string, row: number, rule: string, got: string): RangeError {
  return wrongShape(name, `${rule} at row ${row}, as the first row has it`, got, undefined, row);
}

/** Dims without axes of size 1. */
function essential(dims: Dims): Dims {
  return dims.filter((size) => size !== 1);
}

function isSame(a: Dims, b: Dims): boolean {
  return a.length === b.length && a.every((size, axis) => size === b[axis]);
}

/**
 * Refuses dims that do not agree with those of the logits, or what `base` names, once axes of size 1 are left out. `axis` is the
 * class axis where `name` has one element a row, which the dims then lack.
 */
export function checkAgreement(
  name: string,
  dims: Dims | undefined,
  others: Dims | undefined,
  axis?: number,
  base = 'logits',
): void {
  if (dims === undefined || others === undefined) return;
  const rows = others.filter((_, k) => k !== axis);
  if (isSame(essential(dims), essential(rows))) return;
  const without = axis === undefined ? '' : ' without the class axis';
  throw wrongShape(name, `dims ${showDims(rows)} (those of "${base}"${without})`, showDims(dims));
}

/** The index of the class axis, from a `classAxis` that may count from the end. */
export function axisOf(classAxis: number, dims: Dims): number {
  const axis = classAxis < 0 ? dims.length + classAxis : classAxis;
  if (axis >= 0 && axis < dims.length) return axis;
  throw wrongShape('classAxis', `an axis of "logits", whose dims are ${showDims(dims)}`, String(classAxis));
}

/** Where the classes of logits lie, whose class axis must have `numClasses` elements. */
export function layoutOf(dims: Dims | undefined, classAxis: number, numClasses: number): Layout {
  if (dims === undefined) {
    if (classAxis !== -1) {
      const remedy = 'give { data, dims }';
      throw wrongShape('logits', `a tensor with dims beside "classAxis" ${classAxis}`, 'no dims', remedy);
    }
    return { classes: numClasses, pixels: 1 };
  }
  const axis = axisOf(classAxis, dims);
  if (dims[axis] !== numClasses) {
    const other = dims.indexOf(numClasses);
    const remedy = other < 0 ? undefined : `"classAxis" ${other} has ${numClasses}`;
    const rule = `${numClasses} (numClasses) elements along axis ${axis}, the class axis`;
    throw wrongShape('logits', rule, `dims ${showDims(dims)}`, remedy);
  }
  const pixels = dims.slice(axis + 1).reduce((a, b) => a * b, 1);
  // of one class every element is a row
  return { classes: numClasses, pixels: numClasses === 1 ? 1 : Math.max(1, pixels) };
}
