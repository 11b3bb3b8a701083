// What a value is, asked so that no answer can be pretended: across realms, through proxies, of subclasses.

export type TypedArrayName =
  | 'Float16Array'
  | 'Float32Array'
  | 'Float64Array'
  | 'Int8Array'
  | 'Uint8Array'
  | 'Uint8ClampedArray'
  | 'Int16Array'
  | 'Uint16Array'
  | 'Int32Array'
  | 'Uint32Array'
  | 'BigInt64Array'
  | 'BigUint64Array';

const typedArray = Object.getPrototypeOf(Uint8Array.prototype);

function getter<T>(key: PropertyKey): (this: unknown) => T {
  return Object.getOwnPropertyDescriptor(typedArray, key)?.get as (this: unknown) => T;
}

// A subclass or an own property can say anything; these read what the array is.
const nameGetter = getter<TypedArrayName | undefined>(Symbol.toStringTag);
const lengthGetter = getter<number>('length');
const bufferGetter = getter<ArrayBufferLike>('buffer');
const offsetGetter = getter<number>('byteOffset');
const bytesGetter = /* @__PURE__ */ getter<number>('byteLength');

/** The intrinsic name of a typed array; undefined for anything else. */
export function kindOf(value: unknown): TypedArrayName | undefined {
  return nameGetter.call(value);
}

/** The length of a typed array, 0 where it has lost its buffer. */
export function viewLength(array: ArrayBufferView): number {
  return lengthGetter.call(array);
}

export function viewBuffer(array: ArrayBufferView): ArrayBufferLike {
  return bufferGetter.call(array);
}

export function viewOffset(array: ArrayBufferView): number {
  return offsetGetter.call(array);
}

export function viewBytes(array: ArrayBufferView): number {
  return bytesGetter.call(array);
}

/** An object that can be asked for its properties: a revoked proxy cannot. */
export function isObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  try {
    Array.isArray(value);
    return true;
  } catch {
    return false;
  }
}

export function isList(value: unknown): value is readonly unknown[] {
  return isObject(value) && Array.isArray(value);
}

/** An object as a literal makes it, of any realm, or one without a prototype. */
export function isPlain(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object') return false;
  try {
    // null cannot be asked
    const prototype = Object.getPrototypeOf(value);
    return prototype === null || (Object.getPrototypeOf(prototype) === null && !Array.isArray(value));
  } catch {
    return false;
  }
}

/** The name of the class of an object that is neither plain nor an array, without calling anything of its own. */
export function classOf(value: unknown): string | undefined {
  try {
    const prototype = Object.getPrototypeOf(value);
    const { value: make } = Object.getOwnPropertyDescriptor(prototype, 'constructor') as PropertyDescriptor;
    const { value: name } = Object.getOwnPropertyDescriptor(make, 'name') as PropertyDescriptor;
    return typeof name === 'string' && /^\w{1,40}$/.test(name) && name !== 'Object' ? name : undefined;
  } catch {
    return undefined;
  }
}

/** The length of something that has one, arrays and array-likes alike. */
export function lengthOf(value: unknown): number | undefined {
  if (!isObject(value)) return undefined;
  try {
    return typeof value.length === 'number' ? value.length : undefined;
  } catch {
    // a typed array's prototype, or a proxy of a typed array
    return undefined;
  }
}
