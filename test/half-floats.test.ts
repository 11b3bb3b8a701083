import { expect, test } from 'vitest';
import { widenHalves } from './raw-kernel.js';

const ALL = Uint16Array.from({ length: 65_536 }, (_, bits) => bits);

/** The bits of the float32 that a float16 is, from the definition of its fields. */
function float16Bits(bits: number): number {
  const sign = (bits & 0x8000) << 16;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 0x3ff;
  if (exponent === 31) return (sign | 0x7f800000 | (fraction << 13)) >>> 0;
  const value = exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25);
  return (sign | new Uint32Array(Float32Array.of(value).buffer)[0]) >>> 0;
}

const wordsOf = (floats: Float32Array) => new Uint32Array(floats.buffer, floats.byteOffset, floats.length);

test('every float16 becomes itself: subnormal numbers, infinities, and every NaN with its bits', () => {
  const words = wordsOf(widenHalves('float16', ALL));
  expect(ALL.findIndex((bits) => words[bits] !== float16Bits(bits))).toBe(-1);
  expect([...widenHalves('float16', Uint16Array.of(0x3555, 0x0001, 0x7bff, 0xfc00, 0x8000))]).toEqual([
    0.333251953125,
    2 ** -24,
    65504,
    Number.NEGATIVE_INFINITY,
    -0,
  ]);
});

test('every bfloat16 becomes itself', () => {
  const words = wordsOf(widenHalves('bfloat16', ALL));
  expect(ALL.findIndex((bits) => words[bits] !== bits * 65_536)).toBe(-1);
});

test.each(['float16', 'bfloat16'] as const)('%s: any number of them, and none is written beyond the last', (kind) => {
  const all = wordsOf(widenHalves(kind, ALL));
  for (let length = 0; length < 40; length++) {
    expect(wordsOf(widenHalves(kind, ALL.subarray(14_000, 14_000 + length)))).toEqual(
      all.slice(14_000, 14_000 + length),
    );
  }
});
