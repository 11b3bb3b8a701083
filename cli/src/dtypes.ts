import type { Values } from './table.js';

export interface Dtype {
  readonly bytes: number;
  decode(buffer: ArrayBuffer, count: number): Values;
}

// Labels of one byte keep their type and floats their precision; wider integers are exact in float64 up to 2^53.
export const DTYPES: Readonly<Record<string, Dtype>> = {
  b1: { bytes: 1, decode: (buffer, count) => new Uint8Array(buffer, 0, count) },
  u1: { bytes: 1, decode: (buffer, count) => new Uint8Array(buffer, 0, count) },
  i1: { bytes: 1, decode: (buffer, count) => new Float64Array(new Int8Array(buffer, 0, count)) },
  u2: { bytes: 2, decode: (buffer, count) => new Float64Array(new Uint16Array(buffer, 0, count)) },
  i2: { bytes: 2, decode: (buffer, count) => new Float64Array(new Int16Array(buffer, 0, count)) },
  u4: { bytes: 4, decode: (buffer, count) => new Float64Array(new Uint32Array(buffer, 0, count)) },
  i4: { bytes: 4, decode: (buffer, count) => new Float64Array(new Int32Array(buffer, 0, count)) },
  u8: { bytes: 8, decode: (buffer, count) => fromBigInts(new BigUint64Array(buffer, 0, count)) },
  i8: { bytes: 8, decode: (buffer, count) => fromBigInts(new BigInt64Array(buffer, 0, count)) },
  f2: { bytes: 2, decode: (buffer, count) => fromHalves(new Uint16Array(buffer, 0, count)) },
  f4: { bytes: 4, decode: (buffer, count) => new Float32Array(buffer, 0, count) },
  f8: { bytes: 8, decode: (buffer, count) => new Float64Array(buffer, 0, count) },
};

function fromBigInts(values: BigInt64Array | BigUint64Array): Float64Array {
  const numbers = new Float64Array(values.length);
  for (let i = 0; i < values.length; i++) numbers[i] = Number(values[i]);
  return numbers;
}

// Every half there is, so that decoding is one load an element.
let halfValues: Float32Array | undefined;

function fromHalves(halves: Uint16Array): Float32Array {
  halfValues ??= Float32Array.from({ length: 1 << 16 }, (_, half) => halfValue(half));
  const numbers = new Float32Array(halves.length);
  for (let i = 0; i < halves.length; i++) numbers[i] = halfValues[halves[i]];
  return numbers;
}

function halfValue(half: number): number {
  const sign = half >> 15 ? -1 : 1;
  const exponent = (half >> 10) & 31;
  const fraction = half & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (1024 + fraction) * 2 ** (exponent - 25);
}
