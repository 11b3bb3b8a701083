// Derives every coefficient of assembly/ and compares it with what stands there.
// node scripts/coefficients.mjs            checks, and prints each set with its error in units of 2^-24, or of 2^-53 for float64
import { readFileSync } from 'node:fs';
import { minimaxFloat32 } from './minimax.mjs';
import { Decimal, minimaxFloat64 } from './minimax-decimal.mjs';

const UNIT = 2 ** -24;
const UNIT64 = 2 ** -53;
const powers = (count) => Array.from({ length: count }, (_, k) => (x) => x ** k);

// r coth(r / 2) = 2 + r^2 / 6 - r^4 / 360 + ..., as a function of r^2.
const evenPart = (square) => {
  const r = Math.sqrt(square);
  return square < 1e-4 ? 2 + square / 6 - square ** 2 / 360 + square ** 3 / 15120 : r / Math.tanh(r / 2);
};

// 2 atanh(s) / s - 2, as a function of s^2.
const atanhRest = (square) => {
  if (square < 1e-3) return 2 * (square / 3 + square ** 2 / 5 + square ** 3 / 7 + square ** 4 / 9);
  const s = Math.sqrt(square);
  return (2 * Math.atanh(s)) / s - 2;
};

const halfLn2 = (Math.LN2 / 2) * 1.0001;
const sqrtHalfRatio = ((Math.SQRT2 - 1) / (Math.SQRT2 + 1)) ** 2;

const sets = [
  {
    file: 'assembly/math/exponential.ts',
    name: 'EVEN without its leading 2',
    target: (x) => (x < 1e-9 ? 1 / 6 - x / 360 : (evenPart(x) - 2) / x),
    // e^r = (v + r) / (v - r) moves by -2 r dv / (v^2 - r^2)
    weight: (x) => (2 * Math.sqrt(x) * x) / 4,
    basis: powers(2),
    low: 0,
    high: halfLn2 ** 2,
  },
  {
    file: 'assembly/math/logarithm.ts',
    name: 'SERIES, of t = 2 s',
    scale: (k) => 2 ** (-2 * k - 3),
    target: (x) => (x < 1e-9 ? 2 / 3 : atanhRest(x) / x),
    weight: (x) => x / (2 + atanhRest(x)),
    basis: powers(4),
    low: 0,
    high: 1 / 9,
  },
  {
    file: 'assembly/math/power.ts',
    name: 'LOG',
    target: (x) => (2 + atanhRest(x)) / Math.LN2,
    weight: (x) => Math.LN2 / (2 + atanhRest(x)),
    basis: powers(4),
    low: 0,
    high: sqrtHalfRatio,
  },
  {
    file: 'assembly/math/logarithm.ts',
    name: 'LOG without its leading 2',
    target: (x) => (x < 1e-9 ? 2 / 3 : atanhRest(x) / x),
    weight: (x) => x / (2 + atanhRest(x)),
    basis: powers(3),
    low: 0,
    high: sqrtHalfRatio,
  },
];

// The same for float64, in decimal arithmetic.

const decimalEven = (x) => {
  const e = Decimal.exp(x.sqrt());
  return x.sqrt().times(e.plus(1)).div(e.minus(1));
};

/** 2 atanh(s) / s */
const decimalAtanh = (x) => {
  const s = x.sqrt();
  return s.isZero() ? new Decimal(2) : Decimal.ln(s.plus(1).div(new Decimal(1).minus(s))).div(s);
};
const ofAtanhRest = { target: (x) => decimalAtanh(x).minus(2).div(x), weight: (x) => x.div(decimalAtanh(x)) };

const sets64 = [
  {
    file: 'assembly/math/exponential.ts',
    name: 'EVEN without its leading 2',
    target: (x) => decimalEven(x).minus(2).div(x),
    weight: (x) => x.sqrt().times(x).div(2),
    count: 5,
    high: halfLn2 ** 2,
  },
  {
    file: 'assembly/math/logarithm.ts',
    name: 'SERIES, of t = 2 s',
    scale: (k) => 2 ** (-2 * k - 3),
    ...ofAtanhRest,
    count: 10,
    high: 1 / 9,
  },
  {
    file: 'assembly/math/power.ts',
    name: 'LOG',
    target: (x) => decimalAtanh(x).div(Decimal.ln(2)),
    weight: (x) => Decimal.ln(2).div(decimalAtanh(x)),
    count: 8,
    high: sqrtHalfRatio,
  },
  {
    file: 'assembly/math/logarithm.ts',
    name: 'LOG without its leading 2',
    ...ofAtanhRest,
    count: 7,
    high: sqrtHalfRatio,
  },
];

let wrong = 0;
for (const set of sets) {
  const { coefficients: plain, error } = minimaxFloat32(set);
  const coefficients = plain.map((value, k) => value * (set.scale?.(k) ?? 1));
  const source = readFileSync(new URL(`../${set.file}`, import.meta.url), 'utf8');
  const literals = new Set((source.match(/-?\d+\.\d+(e-?\d+)?/g) ?? []).map((text) => Math.fround(Number(text))));
  const missing = coefficients.filter((value) => !literals.has(value));
  wrong += missing.length;
  console.log(`${set.file} ${set.name}: ${coefficients.join(', ')}; error ${(error / UNIT).toFixed(3)} x 2^-24`);
  for (const value of missing) console.error(`  ${value} does not stand in ${set.file}`);
}
for (const set of sets64) {
  const { coefficients: plain, error } = minimaxFloat64(set);
  const coefficients = plain.map((value, k) => value * (set.scale?.(k) ?? 1));
  const source = readFileSync(new URL(`../${set.file}`, import.meta.url), 'utf8');
  const literals = new Set((source.match(/-?\d+\.\d+(e-?\d+)?/g) ?? []).map(Number));
  const missing = coefficients.filter((value) => !literals.has(value));
  wrong += missing.length;
  console.log(
    `${set.file} ${set.name}, float64: ${coefficients.join(', ')}; error ${(error / UNIT64).toFixed(3)} x 2^-53`,
  );
  for (const value of missing) console.error(`  ${value} does not stand in ${set.file}`);
}
process.exitCode = wrong === 0 ? 0 : 1;
