import {
  add,
  and,
  div,
  every,
  greaterMask,
  larger,
  mul,
  mulAdd,
  mulSub,
  ONE,
  select4,
  shiftLeft,
  shiftRightSigned,
  smaller,
  sub,
  subIntegers,
  toFloats,
  TWO,
} from './lanes';
import { COEFFICIENT, DIVISOR, ENTROPY, FACTOR, HINGE, NUMERATOR, RATIO } from './layout';
import { First, Fourth, Second, Third } from './tile';

// What every loss is made of: FACTOR = 1 - p_t, and ENTROPY, the cross entropy, from its hinge and log(1 + e), e = e^-|x|.
//
// Method: log(1 + e) = 2 atanh(t / 2) = t + t^3 (a1 + a2 t^2 + a3 t^4 + a4 t^6), t = e / (1 + e / 2) in [0, 2/3],
//   minimax on t^2 in [0, 4/9], relative error 0.08 2^-24 before rounding.
// Coefficients: scripts/coefficients.mjs.
// FACTOR comes undivided, so that no stage has two divisions to wait for.

const SERIES: usize = memory.data<f32>(
  [0.08333306014537811, 0.012506280094385147, 0.0021891766227781773, 0.0005454562488012016],
  16,
);

/** FACTOR /= DIVISOR. */
@final
export class Divided {}

/** RATIO = log(1 + e), from which power.ts takes a power of the factor. */
@final
export class Logged {}

/** ENTROPY = HINGE + log(1 + e), with the sign that hinge and ratio carry. */
@final
@unmanaged
export class Entropy<Kind> {
  // @ts-ignore: decorator
  @inline tile(frame: usize, o: usize, x: usize, y: usize): void {
    const a1 = every(SERIES);
    const a2 = every(SERIES + 4);
    const a3 = every(SERIES + 8);
    const a4 = every(SERIES + 12);
    const at = frame + o;
    entropy<Kind, First>(at, a1, a2, a3, a4);
    entropy<Kind, Second>(at, a1, a2, a3, a4);
    entropy<Kind, Third>(at, a1, a2, a3, a4);
    entropy<Kind, Fourth>(at, a1, a2, a3, a4);
  }
}

// @ts-ignore: decorator
@inline function entropy<Kind, Vector>(at: usize, a1: v128, a2: v128, a3: v128, a4: v128): void {
  if (idof<Kind>() == idof<Divided>()) {
    const divisor = v128.load(at, DIVISOR + offsetof<Vector>());
    v128.store(at, div(v128.load(at, FACTOR + offsetof<Vector>()), divisor), FACTOR + offsetof<Vector>());
  }
  const t = v128.load(at, RATIO + offsetof<Vector>());
  const square = mul(t, t);
  const cube = mul(t, square);
  const rest = series(square, a1, a2, a3, a4);
  if (idof<Kind>() == idof<Logged>()) v128.store(at, mulAdd(cube, rest, t), RATIO + offsetof<Vector>());
  // hinge and t first, which are at hand
  v128.store(at, mulAdd(cube, rest, add(v128.load(at, HINGE + offsetof<Vector>()), t)), ENTROPY + offsetof<Vector>());
}

/** FACTOR /= DIVISOR, of those that are Logged. */
@final
@unmanaged
export class Divide {
  // @ts-ignore: decorator
  @inline step(frame: usize, o: usize, x: usize, y: usize): void {
    const at = frame + o;
    v128.store(at, div(v128.load(at, FACTOR), v128.load(at, DIVISOR)), FACTOR);
  }
}

/** The same of a soft target, whose FACTOR comes as h and which weighs both logarithms by COEFFICIENT. */
@final
@unmanaged
export class WeighedEntropy {
  // @ts-ignore: decorator
  @inline tile(frame: usize, o: usize, x: usize, y: usize): void {
    const a1 = every(SERIES);
    const a2 = every(SERIES + 4);
    const a3 = every(SERIES + 8);
    const a4 = every(SERIES + 12);
    const one = every(ONE);
    const two = every(TWO);
    const at = frame + o;
    weighed<First>(at, a1, a2, a3, a4, one, two);
    weighed<Second>(at, a1, a2, a3, a4, one, two);
    weighed<Third>(at, a1, a2, a3, a4, one, two);
    weighed<Fourth>(at, a1, a2, a3, a4, one, two);
  }
}

// @ts-ignore: decorator
@inline function weighed<Vector>(at: usize, a1: v128, a2: v128, a3: v128, a4: v128, one: v128, two: v128): void {
  const h = v128.load(at, FACTOR + offsetof<Vector>());
  const v = div(v128.load(at, NUMERATOR + offsetof<Vector>()), v128.load(at, DIVISOR + offsetof<Vector>()));
  const major = larger(v, h);
  v128.store(at, mulAdd(smaller(v, h), mulSub(major, two, one), major), FACTOR + offsetof<Vector>());
  const t = v128.load(at, RATIO + offsetof<Vector>());
  const square = mul(t, t);
  const log = mulAdd(mul(t, square), series(square, a1, a2, a3, a4), t);
  const hinge = v128.load(at, HINGE + offsetof<Vector>());
  v128.store(at, mulAdd(v128.load(at, COEFFICIENT + offsetof<Vector>()), log, hinge), ENTROPY + offsetof<Vector>());
}

// a1 + a2 t^2 + a3 t^4 + a4 t^6
// @ts-ignore: decorator
@inline function series(square: v128, a1: v128, a2: v128, a3: v128, a4: v128): v128 {
  return mulAdd(mul(square, square), mulAdd(square, a4, a3), mulAdd(square, a2, a1));
}

// log v of v > 0, for the few that are not 1 + e.
//
// Method: v = 2^k m, m in [sqrt(1/2), sqrt(2)), s = (m - 1) / (m + 1),
//   log v = k ln 2 + 2 s + s (b1 s^2 + b2 s^4 + b3 s^6), minimax on |s| <= 0.1716, relative error 0.02 2^-24 before rounding.
// Domain: [0, 2^60]; what is small is scaled by 2^64, so that subnormal numbers count. log 0 is about -132.
// NaN and infinity are taken for numbers.

const LOG: usize = memory.data<f32>(
  [
    2.0,
    0.6666677594184875,
    0.3997758626937866,
    0.29870694875717163,
    1e-20, // what is smaller is scaled
    1.8446744073709552e19, // by 2^64
    64.0,
    0.7071067690849304, // sqrt(1/2), whose bits as an integer divide the mantissas
    1.0,
    1.428606765330187e-6, // ln 2 in two parts, as in exponential.ts
    0.693145751953125,
  ],
  16,
);

// @ts-ignore: decorator
@inline export function naturalLog(v: v128): v128 {
  const small = greaterMask(every(LOG + 16), v);
  const scaled = select4(mul(v, every(LOG + 20)), v, small);
  const exponent = shiftRightSigned(subIntegers(scaled, every(LOG + 28)), 23);
  const m = subIntegers(scaled, shiftLeft(exponent, 23));
  const k = sub(toFloats(exponent), and(small, every(LOG + 24)));
  const one = every(LOG + 32);
  const s = div(sub(m, one), add(m, one));
  const square = mul(s, s);
  const series = mulAdd(square, mulAdd(square, mulAdd(square, every(LOG + 12), every(LOG + 8)), every(LOG + 4)), every(LOG));
  return add(mulAdd(s, series, mul(k, every(LOG + 36))), mul(k, every(LOG + 40)));
}

/**
 * log(1 + x) of one finite number x >= 0, to 2e-9 of it.
 *
 * Method: 1 + x = 2^k m with m in [sqrt(1/2), sqrt(2)), and log m = 2 s (1 + s^2 / 3 + ... + s^8 / 9), s = (m - 1) / (m + 1);
 * m - 1 is x itself where k is 0, so that nothing is lost of a small one.
 */
export function log1p(x: f64): f64 {
  const k = (reinterpret<i64>(1 + x) - reinterpret<i64>(0.7071067811865476)) >> 52;
  const scale = reinterpret<f64>((1023 - k) << 52);
  const above = x * scale + (scale - 1);
  const s = above / (above + 2);
  let series: f64 = 0;
  for (let n = 9; n > 0; n -= 2) series = series * (s * s) + 1 / <f64>n;
  return <f64>k * 0.6931471805599453 + 2 * s * series;
}
