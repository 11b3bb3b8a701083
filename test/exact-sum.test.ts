import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ExactSum } from '../src/exact-sum.js';
import { errorOf } from './support.js';

const view = new DataView(new ArrayBuffer(8));

/** A finite number as a multiple of the smallest subnormal. */
function multiple(value: number): bigint {
  view.setFloat64(0, value);
  const bits = view.getBigUint64(0);
  const exponent = (bits >> 52n) & 0x7ffn;
  const mantissa = (bits & 0xf_ffff_ffff_ffffn) | (exponent === 0n ? 0n : 1n << 52n);
  const size = exponent === 0n ? mantissa : mantissa << (exponent - 1n);
  return bits >> 63n === 0n ? size : -size;
}

function fromBits(bits: bigint): number {
  view.setBigUint64(0, bits);
  return view.getFloat64(0);
}

/** A size, in multiples of the smallest subnormal, as float64: bisection among all numbers, ties to the even one. */
function nearest(size: bigint): number {
  let [low, high] = [0n, 0x7ff0_0000_0000_0000n];
  while (high - low > 1n) {
    const middle = (low + high) >> 1n;
    if (multiple(fromBits(middle)) <= size) low = middle;
    else high = middle;
  }
  const [below, above] = [size - multiple(fromBits(low)), multiple(fromBits(high)) - size];
  return fromBits(below < above || (below === above && low % 2n === 0n) ? low : high);
}

function rounded(terms: readonly number[]): number {
  const sum = terms.reduce((total, term) => total + multiple(term), 0n);
  return sum < 0n ? -nearest(-sum) : nearest(sum);
}

function sumOf(terms: readonly number[]): ExactSum {
  const sum = new ExactSum();
  for (const term of terms) sum.add(term);
  return sum;
}

const anyNumber = fc.double({ noNaN: true, noDefaultInfinity: true });
/** Numbers of like size cancel and tie. */
const likeNumber = fc
  .tuple(fc.integer({ min: -9, max: 9 }), fc.integer({ min: -60, max: 60 }))
  .map(([m, e]) => m * 2 ** e);
const terms = fc.array(fc.oneof(anyNumber, likeNumber, likeNumber), { maxLength: 40 });
const withSpecials = fc.array(fc.oneof(fc.double(), likeNumber, fc.constantFrom(Infinity, -Infinity, NaN)), {
  maxLength: 20,
});

describe('ExactSum', () => {
  test('is the sum of its terms, rounded once', () => {
    fc.assert(
      fc.property(terms, (numbers) => {
        expect(sumOf(numbers).value).toBe(rounded(numbers));
      }),
      { numRuns: 2000 },
    );
  });

  test.each([
    ['what one addition rounds away', [1, 2 ** -53, 2 ** -53], 1 + 2 ** -52],
    ['a tie goes to the even number', [1, 2 ** -53], 1],
    ['a tie from an odd number goes up', [1 + 2 ** -52, 2 ** -53], 1 + 2 ** -51],
    ['the smallest number breaks a tie', [1, 2 ** -53, 5e-324], 1 + 2 ** -52],
    ['and below it', [1, 2 ** -53, -5e-324], 1],
    ['subnormal numbers', [5e-324, 5e-324, -1.5e-323], -5e-324],
    ['what overflows on the way', [Number.MAX_VALUE, Number.MAX_VALUE, -Number.MAX_VALUE], Number.MAX_VALUE],
    ['a sum beyond the largest number', [Number.MAX_VALUE, Number.MAX_VALUE], Infinity],
    ['half an ulp beyond it', [Number.MAX_VALUE, 2 ** 970], Infinity],
    ['less than that', [Number.MAX_VALUE, 2 ** 969], Number.MAX_VALUE],
    ['nothing', [], 0],
    ['negative zeros', [-0, -0], 0],
    ['all bits of a wide sum', [2 ** 1000, 1, 2 ** -1000, -(2 ** 1000), -1], 2 ** -1000],
  ])('%s', (_, numbers, want) => {
    expect(sumOf(numbers).value).toBe(want);
  });

  test('carries many terms in either direction', () => {
    const sum = new ExactSum();
    const largest = 2 ** 53 - 1; // all bits of three limbs
    const count = 2 ** 21 + 5;
    for (let k = 0; k < count; k++) sum.add(largest);
    const inAll = () => sum.toJSON().terms.reduce((total, term) => total + BigInt(term), 0n);
    expect(inAll()).toBe(BigInt(largest) * BigInt(count));
    for (let k = 0; k < 2 * count; k++) sum.add(-largest);
    expect(inAll()).toBe(-BigInt(largest) * BigInt(count));
  });

  test('its JSON tells all bits, and is the same for the same terms in any order and grouping', () => {
    fc.assert(
      fc.property(withSpecials, fc.infiniteStream(fc.nat()), (numbers, choices) => {
        const text = JSON.stringify(sumOf(numbers));
        const parts = numbers.map((number) => sumOf([number]));
        const next = () => choices.next().value;
        while (parts.length > 1) {
          const [part] = parts.splice(next() % parts.length, 1);
          parts[next() % parts.length].merge(part);
        }
        const merged = parts[0] ?? new ExactSum();
        expect(JSON.stringify(merged)).toBe(text);
        const copy = ExactSum.fromJSON('sum', JSON.parse(text));
        expect(JSON.stringify(copy)).toBe(text);
        expect(copy.value).toBe(merged.value);
        expect(copy.equals(merged)).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });

  test('what was merged can be taken away, whatever it was', () => {
    fc.assert(
      fc.property(withSpecials, withSpecials, (left, right) => {
        const sum = sumOf(left);
        const before = JSON.stringify(sum);
        sum.merge(sumOf(right));
        expect(JSON.stringify(sum)).toBe(JSON.stringify(sumOf([...right, ...left])));
        sum.merge(sumOf(right), -1);
        expect(JSON.stringify(sum)).toBe(before);
      }),
      { numRuns: 1000 },
    );
  });

  test('infinities of both signs, and NaN, are NaN until they are taken away', () => {
    const sum = sumOf([1, Infinity]);
    expect(sum.value).toBe(Infinity);
    sum.merge(sumOf([-Infinity]));
    expect(sum.value).toBeNaN();
    sum.merge(sumOf([Infinity]), -1);
    expect(sum.value).toBe(-Infinity);
    sum.merge(sumOf([NaN]));
    expect(sum.value).toBeNaN();
    sum.merge(sumOf([-Infinity, NaN]), -1);
    expect(sum.value).toBe(1);
    sum.merge(sumOf([NaN]), -1);
    expect(sum.isOverdrawn).toBe(true);
  });

  test('sums of other terms that are not finite are not equal, and none of them is zero', () => {
    const sums = [[], [Infinity], [-Infinity], [NaN], [Infinity, -Infinity], [NaN, NaN], [-Infinity, NaN]].map(sumOf);
    sums.forEach((sum, k) => {
      expect(sums.map((other) => sum.equals(other))).toEqual(sums.map((_, other) => other === k));
      expect(sum.isZero).toBe(k === 0);
    });
    expect(sums.map((sum) => sum.special)).toEqual([0, 1, 1, 1, 2, 2, 2]);
    const all = sumOf([1, Infinity, -Infinity, -Infinity, NaN, NaN, NaN]);
    expect(all.toJSON()).toEqual({ terms: [1], infinities: 1, negativeInfinities: 2, nans: 3 });
    expect(ExactSum.fromJSON('sum', all.toJSON()).equals(all)).toBe(true);
  });

  test('42 terms of the largest number are read', () => {
    const terms = Array(42).fill(Number.MAX_VALUE);
    expect(sumOf(terms).toJSON()).toEqual({ terms });
    expect(ExactSum.fromJSON('sum', { terms }).equals(sumOf(terms))).toBe(true);
  });

  test.each([
    [undefined, '"sum" expected the sum that toJSON gave, an object with "terms", got undefined'],
    [[1], '"sum" expected the sum that toJSON gave, an object with "terms", got an array of length 1'],
    [{}, '"sum.terms" expected an array of numbers, got undefined'],
    [{ terms: { length: 2 } }, '"sum.terms" expected an array of numbers, got an object'],
    [{ terms: Array(43).fill(1) }, '"sum.terms" expected at most 42 numbers, got 43'],
    [{ terms: ['1'] }, '"sum.terms[0]" expected a number, got \'1\''],
    [{ terms: [1, Infinity] }, '"sum.terms[1]" expected a finite number, got Infinity'],
    [{ terms: [0] }, '"sum.terms[0]" expected none, what is left of the sum after rounding, got 0'],
    [{ terms: [1, 1] }, '"sum.terms[0]" expected 2, what is left of the sum after rounding, got 1'],
    [{ terms: [2 ** -60, 1] }, `"sum.terms[0]" expected 1, what is left of the sum after rounding, got ${2 ** -60}`],
    [{ terms: [], nans: -1 }, '"sum.nans" expected an integer >= 0, got -1'],
    [{ terms: [], infinities: 0.5 }, '"sum.infinities" expected an integer >= 0, got 0.5'],
    [{ terms: [], negativeInfinities: '1' }, '"sum.negativeInfinities" expected an integer >= 0, got \'1\''],
  ])('JSON that no sum has: %j', (json, message) => {
    expect(errorOf(() => ExactSum.fromJSON('sum', json)).message).toBe(message);
  });
});
