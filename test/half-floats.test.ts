import { expect, test } from 'vitest';
import { AsymmetricLoss, FocalLoss, OneHotFocalLoss } from '../src/index.js';
import { widenHalves } from './raw-kernel.js';
import { DOUBLE } from './widths.js';

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

test('in double precision a half float is the same number', () => {
  const { FocalLoss: Double } = DOUBLE.library;
  const loss = new Double({ reduction: 'none', gamma: 2 });
  // bits in every place of the fraction
  const bits = Uint16Array.of(0x3555, 0x2eaa, 0xb9ff, 0x4001, 0xc3f7, 0x0001, 0x83ff, 0x3c55, 0xbaab, 0x3801, 0x35fd);
  const targets = Array.from(bits, (_, k) => k & 1);
  for (const type of ['float16', 'bfloat16'] as const) {
    const tensor = { data: bits, dims: [bits.length], type };
    const numbers = Float64Array.from(widenHalves(type, bits));
    expect(loss.forward(tensor as never, targets)).toEqual(loss.forward(numbers, targets));
  }
});

test('half floats that are read row by row, or are hard targets, are numbers and not bits', () => {
  const half = (...bits: number[]) => ({ data: Uint16Array.from(bits), dims: [bits.length], type: 'float16' });
  const [zero, one, two] = [0, 0x3c00, 0x4000];
  const x = [1, 2, 3, 4];
  for (const reduction of ['none', 'sum'] as const) {
    const options = { numClasses: 2, reduction, gamma: 2 };
    const weighed = (loss: typeof FocalLoss | typeof OneHotFocalLoss, targets: number[]) => {
      const criterion = new loss(options as never);
      expect(criterion.forward(x, targets, { weight: half(one, two) })).toEqual(
        criterion.forward(x, targets, { weight: [1, 2] }),
      );
    };
    weighed(FocalLoss, [0, 1, 1, 0]);
    weighed(OneHotFocalLoss, [0, 1]);
    const asymmetric = new AsymmetricLoss({ reduction });
    expect(asymmetric.forward([1, 2], half(one, zero))).toEqual(asymmetric.forward([1, 2], [1, 0]));
  }
  const brain = (...bits: number[]) => ({ data: Uint16Array.from(bits), dims: [bits.length], type: 'bfloat16' });
  const hard = new AsymmetricLoss();
  expect(hard.forward([1, 2], brain(0x3f80, 0))).toBe(hard.forward([1, 2], [1, 0]));
  const rows = new FocalLoss({ numClasses: 2 });
  expect(rows.forward(x, [0, 1, 1, 0], { weight: brain(0x3f80, 0x4000) })).toBe(
    rows.forward(x, [0, 1, 1, 0], { weight: [1, 2] }),
  );
  const soft = new FocalLoss({ reduction: 'none' });
  for (const targets of [half(0x3800, one, 0x3400), brain(0x3f00, 0x3f80, 0x3e80)]) {
    expect(soft.forward([1, 2, 3], targets)).toEqual(soft.forward([1, 2, 3], Float32Array.of(0.5, 1, 0.25)));
  }
  const ofProbabilities = new FocalLoss({ fromLogits: false, ignoreIndex: 255 });
  for (const probabilities of [half(0x3800, one, zero), brain(0x3f00, 0x3f80, 0)]) {
    const labels = Uint8Array.of(1, 1, 0);
    expect(ofProbabilities.forward(probabilities, labels)).toBe(ofProbabilities.forward([0.5, 1, 0], labels));
  }
  for (const probabilities of [half(one, 0x4000, zero), brain(0x3f80, 0x4000, 0)]) {
    const message = /^"logits" expected a probability in \[0, 1\] at index 1 \(fromLogits is false\), got 2$/;
    expect(() => ofProbabilities.forward(probabilities, Uint8Array.of(1, 0, 0))).toThrow(message);
    expect(() => ofProbabilities.forward(probabilities, [1, 0, 0])).toThrow(message);
    expect(ofProbabilities.forward(probabilities, Uint8Array.of(1, 255, 0))).toBe(0);
  }
  const skipping = new FocalLoss({ ignoreIndex: 0.5, reduction: 'none' });
  expect(skipping.forward([1, 2, 3], half(one, 0x3800, zero))).toEqual(
    skipping.forward([1, 2, 3], Float32Array.of(1, 0.5, 0)),
  );
  expect(() => new AsymmetricLoss().forward([1, 2], half(one, two))).toThrow(/0 or 1 at index 1, got 2/);
  expect(() => new FocalLoss().forward([1, 2], half(one, two))).toThrow(/a number in \[0, 1\] at index 1, got 2/);
});
