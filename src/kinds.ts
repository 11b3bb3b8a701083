// What a value is, asked so that no answer can be pretended: across realms, through proxies, of subclasses.

const typedArrayName = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype), Symbol.toStringTag)
  ?.get as (this: unknown) => TypedArrayName | undefined;

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

/** The intrinsic name of a typed array; undefined for anything else. */
export function kindOf(value: unknown): TypedArrayName | undefined {
  return typedArrayName.call(value);
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
  if (typeof value !== 'object' || value === null) return false;
  try {
    const prototype = Object.getPrototypeOf(value);
    return prototype === null || (Object.getPrototypeOf(prototype) === null && !Array.isArray(value));
  } catch {
    return false;
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
