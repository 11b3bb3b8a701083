// What an argument holds: its elements as a typed array, and its shape where it has one. Everything of the caller's own that
// can run (getters, proxies, elements of lists) has run when an operand is there; lengths are taken once.

import { allocate, wrongKind, wrongShape, wrongValue } from '../checks.js';
import {
  classOf,
  isList,
  isObject,
  kindOf,
  type TypedArrayName,
  viewBuffer,
  viewLength,
  viewOffset,
} from '../kinds.js';
import { checkDims, type Dims, flatten, isRow, type Shaped } from './shapes.js';

export type View =
  | Float32Array
  | Float64Array
  | Int8Array
  | Uint8Array
  | Uint8ClampedArray
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array;

/** What the elements are: those of a typed array, half floats as bits, or what a list of JavaScript's values held. */
export type Kind = Exclude<TypedArrayName, 'Float16Array'> | 'float16' | 'bfloat16';

export interface Operand {
  readonly view: View;
  readonly kind: Kind;
  readonly length: number;
  readonly dims: Dims | undefined;
  /** Whether the elements were booleans, none of which is ever ignored. */
  readonly booleans: boolean;
}

/** What an argument may hold, and in which words a message says so. */
export interface Accepted {
  readonly kinds: ReadonlySet<TypedArrayName>;
  readonly lists: readonly ('number' | 'boolean' | 'bigint')[];
  readonly rule: string;
  /** Half floats as bits of a Uint16Array, beside a `type`. */
  readonly halves: boolean;
  /** A hint for a typed array that is not accepted. */
  readonly remedy?: (kind: TypedArrayName) => string | undefined;
}

const CONSTRUCTORS = {
  Float32Array,
  Float64Array,
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  BigInt64Array,
  BigUint64Array,
  float16: Uint16Array,
  bfloat16: Uint16Array,
};

type Construct = { new (buffer: ArrayBufferLike, offset: number, length: number): View; BYTES_PER_ELEMENT: number };

/** `count` elements of a view from `start` on, never through a constructor of the view's own. */
export function part(view: View, kind: Kind, start: number, count: number): View {
  const Type = CONSTRUCTORS[kind] as Construct;
  return new Type(viewBuffer(view), viewOffset(view) + start * Type.BYTES_PER_ELEMENT, count);
}

export function operandOf(name: string, value: unknown, accepted: Accepted): Operand {
  const kind = kindOf(value);
  if (kind !== undefined) return viewOperand(name, value as View, kind, undefined, undefined, accepted);
  if (isList(value)) return listOperand(name, value, undefined, accepted);
  const tensor = isObject(value) ? tensorOf(name, value) : undefined;
  if (tensor !== undefined) return tensorOperand(name, tensor, accepted);
  throw wrongKind(name, accepted.rule, value, remedyFor(value, name));
}

function viewOperand(
  name: string,
  view: View,
  kind: TypedArrayName,
  dims: Dims | undefined,
  type: unknown,
  accepted: Accepted,
): Operand {
  const length = viewLength(view);
  if (length === 0) checkAttached(name, view as Uint8Array);
  if (kind === 'Uint16Array' && (type === 'float16' || type === 'bfloat16')) {
    if (!accepted.halves) throw wrongKind(name, accepted.rule, view, `its type is ${type}`);
    return { view, kind: type, length, dims, booleans: false };
  }
  checkKind(name, view, accepted);
  if (kind === 'Float16Array') {
    const bits = new Uint16Array(viewBuffer(view), viewOffset(view), length);
    return { view: bits, kind: 'float16', length, dims, booleans: false };
  }
  return { view, kind, length, dims, booleans: false };
}

/** Refuses a typed array of another kind, alone or in a list; anything else is looked at element by element. */
function checkKind(name: string, value: unknown, { kinds, rule, remedy }: Accepted): void {
  const kind = kindOf(value);
  if (kind !== undefined && !kinds.has(kind)) throw wrongKind(name, rule, value, remedy?.(kind));
}

function tensorOperand(name: string, tensor: Tensor, accepted: Accepted): Operand {
  const { data, type } = tensor;
  const inner = `${name}.data`;
  const kind = kindOf(data);
  if (kind === undefined && !isList(data)) {
    throw wrongKind(inner, accepted.rule.replace(/, or a tensor.*/, ''), data, remedyFor(data, inner));
  }
  const length = kind === undefined ? (data as readonly unknown[]).length : viewLength(data as View);
  if (kind !== undefined && length === 0) checkAttached(inner, data as Uint8Array);
  const dims = checkDims(name, tensor, length);
  if (kind === undefined) return listOperand(inner, data as readonly unknown[], dims, accepted);
  return viewOperand(inner, data as View, kind, dims, type, accepted);
}

/** What a tensor of any library says of itself. */
interface Tensor extends Shaped {
  readonly data: unknown;
  readonly type: unknown;
}

/** What an object that has data and a shape says of itself, each key read once; undefined for any other object. */
function tensorOf(name: string, value: Record<string, unknown>): Tensor | undefined {
  if (!('data' in value)) return undefined;
  const data = dataOf(name, value);
  const { dims, shape } = value;
  if (typeof data === 'function' || !(isRow(dims) || isRow(shape))) return undefined;
  const { strides, stride, offset, type } = value;
  return { data, dims, shape, strides, stride, offset, type };
}

/** The data of a tensor; one whose data are elsewhere, on a GPU say, throws when it is asked for them. */
function dataOf(name: string, value: Record<string, unknown>): unknown {
  try {
    return value.data;
  } catch (error) {
    const got = error instanceof Error ? `an error: ${error.message.slice(0, 100)}` : 'an error';
    throw Object.assign(wrongShape(`${name}.data`, 'data in memory', got, 'fetch the data first'), { cause: error });
  }
}

/** Refuses an array that has lost its buffer, or the part of it that it viewed: its length reads as 0. */
function checkAttached(name: string, view: Uint8Array): void {
  try {
    Uint8Array.prototype.indexOf.call(view, 0);
  } catch {
    throw wrongValue(name, 'an array that has its buffer', view, 'the buffer was transferred or resized');
  }
}

/** What holds the elements of a list, by their type. */
const LISTS = { number: Float64Array, bigint: BigInt64Array, boolean: Uint8Array };

/** Lists become typed arrays before anything of a call is written anywhere, since reading them may run anything. */
function listOperand(name: string, list: readonly unknown[], dims: Dims | undefined, accepted: Accepted): Operand {
  const nested = dims === undefined && list.length > 0 && (isList(list[0]) || kindOf(list[0]) !== undefined);
  if (nested) {
    const flat = flatten(name, list, (row) => checkKind(name, row, accepted));
    return { ...listOperand(name, flat.elements, flat.dims, accepted) };
  }
  const { length } = list;
  if (length === 0) return { view: new Float64Array(0), kind: 'Float64Array', length, dims, booleans: false };
  const type = typeof list[0] as 'number' | 'boolean' | 'bigint';
  if (!accepted.lists.includes(type)) throw wrongElement(name, list[0], 0, accepted.lists);
  const Type = LISTS[type];
  const view: Float64Array | BigInt64Array | Uint8Array = allocate(name, length, (size) => new Type(size));
  for (let k = 0; k < length; k++) {
    const value = list[k];
    if (typeof value !== type) throw wrongElement(name, value, k, [type]);
    if (type === 'bigint' && BigInt.asIntN(64, value as bigint) !== value) {
      throw wrongValue(name, `an integer of 64 bits at index ${k}`, value, undefined, k);
    }
    view[k] = value as never;
  }
  if (list.length !== length) throw changed(name, length, list.length);
  return { view, kind: kindOf(view) as Kind, length, dims, booleans: type === 'boolean' };
}

function wrongElement(name: string, value: unknown, index: number, types: readonly string[]): TypeError {
  return wrongKind(name, `a ${types.join(' or ')} at index ${index}`, value, remedyFor(value, name), index);
}

export function changed(name: string, before: number, now: number): RangeError {
  return wrongShape(name, `length ${before} throughout the call`, `length ${now}`, 'leave arrays alone during a call');
}

/** What to do with something that holds numbers in its own way. */
function remedyFor(value: unknown, name: string): string | undefined {
  const has = (key: string) => {
    try {
      return typeof (value as Record<string, unknown>)[key] === 'function';
    } catch {
      return false;
    }
  };
  if (has('then')) return `${name} is a promise: await it`;
  if (has('dataSync')) return 'give { data: tensor.dataSync(), dims: tensor.shape }';
  if (has('toArray')) return 'give its toArray()';
  const kind = classOf(value);
  if (kind === 'ArrayBuffer' || kind === 'SharedArrayBuffer' || kind === 'DataView') {
    return 'give a typed array over it, such as new Float32Array(buffer)';
  }
  return undefined;
}

/** The numbers of an operand, half floats decoded: for what reads them one by one. */
export function numbersOf({ view, kind, length }: Operand): ArrayLike<number> {
  if (kind === 'float16') return Float32Array.from({ length }, (_, k) => halfOf(view[k] as number));
  if (kind !== 'bfloat16') return view as Float64Array;
  const bits = Uint32Array.from(view as Uint16Array, (half) => half << 16);
  return new Float32Array(bits.buffer);
}

/** The operand itself, or one of its numbers where they are half floats: for what reads it in more places than one. */
export function decoded(operand: Operand): Operand {
  if (operand.kind !== 'float16' && operand.kind !== 'bfloat16') return operand;
  return { ...operand, view: numbersOf(operand) as Float32Array, kind: 'Float32Array' };
}

/** The number whose IEEE half float has these bits. */
function halfOf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
