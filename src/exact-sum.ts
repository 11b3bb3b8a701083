// Sums without rounding: whatever the order of the terms, and however sums of parts were put together, the result is the
// same to the last bit.

import { wholeNumber, wrongKind, wrongValue } from './checks.js';
import { isPlain, lengthOf } from './kinds.js';

/**
 * A sum as JSON keeps it. The exact sum of the finite terms is that of `terms`, the first of which is this sum rounded to
 * float64, the second what is then left, rounded, and so on. Terms that are not finite are counted; no key means none.
 */
export interface ExactSumJSON {
  terms: number[];
  infinities?: number;
  negativeInfinities?: number;
  nans?: number;
}

const BASE = 2 ** 32;
/** The finite float64 numbers take 66 limbs of 32 bits; two more hold the carries of 2^53 terms. */
const LIMBS = 68;
/** A term adds less than 2^32 to a limb, which holds whole numbers up to 2^53. */
const TERMS_BETWEEN_CARRIES = 2 ** 20;
/** Terms of 53 bits each, with which the limbs' 2176 bits can be told. */
const MOST_TERMS = 42;

const view = new DataView(new ArrayBuffer(8));

/**
 * A superaccumulator: a whole number of the smallest subnormal, 2^-1074, in limbs of 32 bits, as Kulisch proposed. Limbs are
 * float64, and carries wait.
 */
export class ExactSum {
  /** Limb k counts 2^(32 k - 1074). Once carried, all but the last are in [0, 2^32) and the last has the sign. */
  readonly #limbs = new Float64Array(LIMBS);
  #uncarried = 0;
  #infinities = 0;
  #negativeInfinities = 0;
  #nans = 0;

  add(term: number): void {
    if (!Number.isFinite(term)) {
      if (term > 0) this.#infinities++;
      else if (term < 0) this.#negativeInfinities++;
      else this.#nans++;
      return;
    }
    view.setFloat64(0, term);
    const high = view.getUint32(0);
    const sign = high >>> 31 === 0 ? 1 : -1;
    const exponent = (high >>> 20) & 0x7ff;
    // a subnormal has the exponent of the smallest normal number, and no leading bit
    const position = exponent === 0 ? 0 : exponent - 1;
    const mantissa = (high & 0xf_ffff) + (exponent === 0 ? 0 : 0x10_0000);
    const low = view.getUint32(4);
    const shift = position & 31;
    const limbs = this.#limbs;
    const k = position >>> 5;
    // 53 bits, shifted, lie in three limbs; what a shift by 32 would be takes two steps
    limbs[k] += sign * ((low << shift) >>> 0);
    limbs[k + 1] += sign * (((mantissa << shift) | ((low >>> 1) >>> (31 - shift))) >>> 0);
    limbs[k + 2] += sign * ((mantissa >>> 1) >>> (31 - shift));
    if (++this.#uncarried === TERMS_BETWEEN_CARRIES) this.#carry();
  }

  /** Adds the terms of another sum, or takes them away again. */
  merge(other: ExactSum, sign: 1 | -1 = 1): void {
    this.#carry();
    other.#carry();
    const from = other.#limbs;
    for (let k = 0; k < LIMBS; k++) this.#limbs[k] += sign * from[k];
    this.#carry();
    this.#infinities += sign * other.#infinities;
    this.#negativeInfinities += sign * other.#negativeInfinities;
    this.#nans += sign * other.#nans;
  }

  /** The sum rounded to float64, ties to even. Infinities of both signs give NaN, as does a NaN. */
  get value(): number {
    if (this.#nans > 0) return Number.NaN;
    if (this.#infinities > 0) return this.#negativeInfinities > 0 ? Number.NaN : Number.POSITIVE_INFINITY;
    return this.#negativeInfinities > 0 ? Number.NEGATIVE_INFINITY : this.#rounded();
  }

  get nans(): number {
    return this.#nans;
  }

  /** How many terms were not finite. */
  get special(): number {
    return this.#infinities + this.#negativeInfinities + this.#nans;
  }

  /** Whether the sum is one of no terms, or of terms that cancel. */
  get isZero(): boolean {
    this.#carry();
    const allFinite = this.#infinities === 0 && this.#negativeInfinities === 0 && this.#nans === 0;
    return allFinite && this.#limbs.every((limb) => limb === 0);
  }

  /** Whether the sum has a count of terms below zero: more was taken away than was there. */
  get isOverdrawn(): boolean {
    return Math.min(this.#infinities, this.#negativeInfinities, this.#nans) < 0;
  }

  equals(other: ExactSum): boolean {
    return this.combined(other, -1).isZero;
  }

  clone(): ExactSum {
    const copy = new ExactSum();
    copy.merge(this);
    return copy;
  }

  /** A sum with the terms of both, or of this one without those of the other. */
  combined(other: ExactSum, sign: 1 | -1): ExactSum {
    const result = this.clone();
    result.merge(other, sign);
    return result;
  }

  /** Sums of the same terms have the same JSON. */
  toJSON(): ExactSumJSON {
    const json: ExactSumJSON = { terms: this.#terms() };
    if (this.#infinities !== 0) json.infinities = this.#infinities;
    if (this.#negativeInfinities !== 0) json.negativeInfinities = this.#negativeInfinities;
    if (this.#nans !== 0) json.nans = this.#nans;
    return json;
  }

  /** @throws TypeError or RangeError for what `toJSON` cannot have given. */
  static fromJSON(name: string, json: unknown): ExactSum {
    const rule = 'the sum that toJSON gave, an object with "terms"';
    if (!isPlain(json)) throw wrongKind(name, rule, json);
    const { terms, infinities = 0, negativeInfinities = 0, nans = 0 } = json;
    const length = Array.isArray(terms) ? lengthOf(terms) : undefined;
    if (length === undefined) throw wrongKind(`${name}.terms`, 'an array of numbers', terms);
    if (length > MOST_TERMS) throw wrongValue(`${name}.terms`, `at most ${MOST_TERMS} numbers`, length);
    const sum = new ExactSum();
    const given = Array.from(terms as readonly unknown[]);
    given.forEach((term, k) => {
      if (typeof term !== 'number') throw wrongKind(`${name}.terms[${k}]`, 'a number', term);
      if (!Number.isFinite(term)) throw wrongValue(`${name}.terms[${k}]`, 'a finite number', term);
      sum.add(term);
    });
    const again = sum.#terms();
    const wrong = given.findIndex((term, k) => term !== again[k]);
    if (wrong >= 0) {
      const rest = again[wrong] ?? 'none';
      throw wrongValue(`${name}.terms[${wrong}]`, `${rest}, what is left of the sum after rounding`, given[wrong]);
    }
    sum.#infinities = wholeNumber(`${name}.infinities`, infinities);
    sum.#negativeInfinities = wholeNumber(`${name}.negativeInfinities`, negativeInfinities);
    sum.#nans = wholeNumber(`${name}.nans`, nans);
    return sum;
  }

  #terms(): number[] {
    const rest = new ExactSum();
    rest.merge(this);
    const terms: number[] = [];
    for (let term = rest.#rounded(); term !== 0; term = rest.#rounded()) {
      // an exact sum may lie beyond what float64 holds
      if (!Number.isFinite(term)) term = Math.sign(term) * Number.MAX_VALUE;
      terms.push(term);
      rest.add(-term);
    }
    return terms;
  }

  #carry(): void {
    carryOver(this.#limbs);
    this.#uncarried = 0;
  }

  #rounded(): number {
    this.#carry();
    const negative = this.#limbs[LIMBS - 1] < 0;
    const limbs = negative ? this.#limbs.map((limb) => -limb) : this.#limbs;
    if (negative) carryOver(limbs);
    let top = LIMBS - 1;
    while (top > 2 && limbs[top] === 0) top--;
    // Three limbs have 65 bits or more. For the rounding it is enough to know of those below whether there is any.
    let bits = (BigInt(limbs[top]) << 64n) | (BigInt(limbs[top - 1]) << 32n) | BigInt(limbs[top - 2]);
    for (let k = 0; k < top - 2; k++) if (limbs[k] !== 0) bits |= 1n;
    // a BigInt becomes a Number by rounding, ties to even; every further product is exact or overflows
    let value = Number(bits) * Number.MIN_VALUE;
    for (let k = top; k > 2; k--) value *= BASE;
    return negative ? -value : value;
  }
}

function carryOver(limbs: Float64Array): void {
  let carry = 0;
  for (let k = 0; k < LIMBS - 1; k++) {
    const limb = limbs[k] + carry;
    carry = Math.floor(limb / BASE);
    limbs[k] = limb - carry * BASE;
  }
  limbs[LIMBS - 1] += carry;
}
