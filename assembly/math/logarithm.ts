import { MANTISSA_BITS } from './exponential';
import {
  ONE,
  TWO,
  add,
  and,
  choose,
  div,
  every,
  greaterMask,
  larger,
  mul,
  mulAdd,
  mulSub,
  nth,
  shiftLeft,
  shiftRightSigned,
  smaller,
  sub,
  subIntegers,
  toFloats,
  zero,
  zeroMask,
} from '../simd/lanes';
import { PairStage, TileStage } from '../simd/stage';
import { SINGLY, V0, V2 } from '../simd/tile';
import {
  Coefficient,
  Divisor,
  Entropy,
  Hinge,
  LogOnePlus,
  Modulation,
  Numerator,
  Ratio,
  get,
  next,
  put2,
} from '../slots';

// What every loss is made of: Modulation = 1 - p_t, and Entropy, the cross entropy, from its hinge and log(1 + e), e = e^-|x|.
//
// Method: log(1 + e) = 2 atanh(t / 2) = t + t^3 (a1 + a2 t^2 + a3 t^4 + a4 t^6), t = e / (1 + e / 2) in [0, 2/3],
//   minimax on t^2 in [0, 4/9], relative error 0.08 2^-24 before rounding; of float64 up to a10 t^20, 0.012 2^-53.
// Coefficients: scripts/coefficients.mjs.
// The modulation comes undivided, so that no stage has two divisions to wait for.

const SERIES: usize =
  sizeof<Float>() == 4
    ? memory.data<Float>([0.08333306014537811, 0.012506280094385147, 0.0021891766227781773, 0.0005454562488012016], 16)
    : memory.data<Float>(
        [
          0.08333333333333288,
          0.012500000000048457,
          0.002232142855321876,
          0.0004340278115961307,
          0.00008877804917981068,
          0.000018782407960435813,
          0.000004059179126832905,
          9.235361248286939e-7,
          1.591652653010793e-7,
          8.110999949002852e-8,
        ],
        16,
      );

/** Modulation /= Divisor. */
@final
export class Divided {}

/** LogOnePlus = log(1 + e), from which power.ts takes a power of the modulation. */
@final
export class Logged {}

/** Entropy = Hinge + log(1 + e), with the sign that hinge and ratio carry. */
@final
@unmanaged
export class AddEntropy<Kind> extends TileStage {
  @inline override tile(frame: usize, o: usize, x: usize, y: usize): void {
    const a1 = nth(SERIES, 0);
    const a2 = nth(SERIES, 1);
    const a3 = nth(SERIES, 2);
    const a4 = nth(SERIES, 3);
    const at = frame + o;
    addEntropy<Kind, V0>(at, a1, a2, a3, a4);
    if (!SINGLY) addEntropy<Kind, V2>(at, a1, a2, a3, a4);
  }
}

// @ts-ignore: decorator
@inline function addEntropy<Kind, V>(at: usize, a1: v128, a2: v128, a3: v128, a4: v128): void {
  if (idof<Kind>() == idof<Divided>()) divide<V>(at);
  const t0 = get<Ratio, V>(at);
  const t1 = next<Ratio, V>(at);
  const square0 = mul(t0, t0);
  const square1 = mul(t1, t1);
  const cube0 = mul(t0, square0);
  const cube1 = mul(t1, square1);
  const rest0 = series(square0, a1, a2, a3, a4);
  const rest1 = series(square1, a1, a2, a3, a4);
  // hinge and t first, which are at hand
  const first0 = add(get<Hinge, V>(at), t0);
  const first1 = add(next<Hinge, V>(at), t1);
  if (isDefined(LITE) || idof<Kind>() == idof<Logged>()) put2<LogOnePlus, V>(at, mulAdd(cube0, rest0, t0), mulAdd(cube1, rest1, t1));
  put2<Entropy, V>(at, mulAdd(cube0, rest0, first0), mulAdd(cube1, rest1, first1));
}

/** Modulation /= Divisor, of those that are Logged. */
@final
@unmanaged
export class Divide extends PairStage {
  @inline override pair(frame: usize, o: usize, x: usize, y: usize): void {
    divide<V0>(frame + o);
  }
}

// @ts-ignore: decorator
@inline function divide<V>(at: usize): void {
  const divisor0 = get<Divisor, V>(at);
  const divisor1 = next<Divisor, V>(at);
  put2<Modulation, V>(at, div(get<Modulation, V>(at), divisor0), div(next<Modulation, V>(at), divisor1));
}

/** The same of a soft target, whose modulation comes as h and which weighs both logarithms by Coefficient. */
@final
@unmanaged
export class AddWeighedEntropy extends TileStage {
  @inline override tile(frame: usize, o: usize, x: usize, y: usize): void {
    const a1 = nth(SERIES, 0);
    const a2 = nth(SERIES, 1);
    const a3 = nth(SERIES, 2);
    const a4 = nth(SERIES, 3);
    const one = every(ONE);
    const two = every(TWO);
    const at = frame + o;
    addWeighedEntropy<V0>(at, a1, a2, a3, a4, one, two);
    if (!SINGLY) addWeighedEntropy<V2>(at, a1, a2, a3, a4, one, two);
  }
}

// @ts-ignore: decorator
@inline function addWeighedEntropy<V>(
  at: usize,
  a1: v128,
  a2: v128,
  a3: v128,
  a4: v128,
  one: v128,
  two: v128,
): void {
  const h0 = get<Modulation, V>(at);
  const h1 = next<Modulation, V>(at);
  const v0 = div(get<Numerator, V>(at), get<Divisor, V>(at));
  const v1 = div(next<Numerator, V>(at), next<Divisor, V>(at));
  const major0 = larger(v0, h0);
  const major1 = larger(v1, h1);
  const modulation0 = mulAdd(smaller(v0, h0), mulSub(major0, two, one), major0);
  const modulation1 = mulAdd(smaller(v1, h1), mulSub(major1, two, one), major1);
  put2<Modulation, V>(at, modulation0, modulation1);
  const t0 = get<Ratio, V>(at);
  const t1 = next<Ratio, V>(at);
  const square0 = mul(t0, t0);
  const square1 = mul(t1, t1);
  const log0 = mulAdd(mul(t0, square0), series(square0, a1, a2, a3, a4), t0);
  const log1 = mulAdd(mul(t1, square1), series(square1, a1, a2, a3, a4), t1);
  const entropy0 = mulAdd(get<Coefficient, V>(at), log0, get<Hinge, V>(at));
  const entropy1 = mulAdd(next<Coefficient, V>(at), log1, next<Hinge, V>(at));
  put2<Entropy, V>(at, entropy0, entropy1);
}

// a1 + a2 t^2 + a3 t^4 + a4 t^6
// @ts-ignore: decorator
@inline function series(square: v128, a1: v128, a2: v128, a3: v128, a4: v128): v128 {
  if (sizeof<Float>() == 8) return longSeries(square, a1, a2, a3, a4);
  return mulAdd(mul(square, square), mulAdd(square, a4, a3), mulAdd(square, a2, a1));
}

// a1 + a2 t^2 + ... + a10 t^18: pairs first, which do not wait for each other.
// @ts-ignore: decorator
@inline function longSeries(square: v128, a1: v128, a2: v128, a3: v128, a4: v128): v128 {
  const fourth = mul(square, square);
  const low = mulAdd(fourth, mulAdd(square, a4, a3), mulAdd(square, a2, a1));
  const middle = mulAdd(fourth, mulAdd(square, nth(SERIES, 7), nth(SERIES, 6)), mulAdd(square, nth(SERIES, 5), nth(SERIES, 4)));
  const eighth = mul(fourth, fourth);
  return mulAdd(eighth, mulAdd(eighth, mulAdd(square, nth(SERIES, 9), nth(SERIES, 8)), middle), low);
}

// log(1 + e) of t = e / (1 + e / 2) in [0, 2/3]
// @ts-ignore: decorator
@inline export function logOnePlus(t: v128): v128 {
  const square = mul(t, t);
  return mulAdd(mul(t, square), series(square, nth(SERIES, 0), nth(SERIES, 1), nth(SERIES, 2), nth(SERIES, 3)), t);
}

// log v of v > 0, for the few that are not 1 + e.
//
// Method: v = 2^k m, m in [sqrt(1/2), sqrt(2)), s = (m - 1) / (m + 1),
//   log v = k ln 2 + 2 s + s (b1 s^2 + b2 s^4 + b3 s^6), minimax on |s| <= 0.1716, relative error 0.02 2^-24 before rounding;
//   of float64 up to b7 s^14, 0.011 2^-53.
// Domain: [0, 2^60]; what is small is scaled by 2^64, so that subnormal numbers count. log 0 is about -132 (-753).
// NaN and infinity are taken for numbers.

const LOG: usize =
  sizeof<Float>() == 4
    ? memory.data<Float>(
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
      )
    : memory.data<Float>(
        [
          2.0,
          0.6666666666666734,
          0.39999999999417146,
          0.2857142874188503,
          1e-290,
          1.8446744073709552e19,
          64.0,
          0.7071067811865476,
          1.0,
          5.497923018708371e-14,
          0.6931471805598903,
          0.2222219862112653, // b4 and what follows
          0.18183561982612373,
          0.15314107453247655,
          0.14795405673269707,
        ],
        16,
      );

// @ts-ignore: decorator
@inline export function naturalLog(v: v128): v128 {
  const small = greaterMask(nth(LOG, 4), v);
  const scaled = choose(mul(v, nth(LOG, 5)), v, small);
  const exponent = exponentOf(scaled);
  const m = subIntegers(scaled, shiftLeft(exponent, MANTISSA_BITS));
  return logarithmOf(sub(toFloats(exponent), and(small, nth(LOG, 6))), sub(m, nth(LOG, 8)), m);
}

/** -log v of v = 1 - d, a normal number, where d is known better than v - 1. */
// @ts-ignore: decorator
@inline export function surpriseOf(d: v128, v: v128): v128 {
  const exponent = exponentOf(v);
  const m = subIntegers(v, shiftLeft(exponent, MANTISSA_BITS));
  const k = toFloats(exponent);
  return sub(zero(), logarithmOf(k, choose(sub(zero(), d), sub(m, nth(LOG, 8)), zeroMask(k)), m));
}

// @ts-ignore: decorator
@inline function exponentOf(v: v128): v128 {
  return shiftRightSigned(subIntegers(v, nth(LOG, 7)), MANTISSA_BITS);
}

// log of 2^k m, with m - 1 as `above`.
// @ts-ignore: decorator
@inline function logarithmOf(k: v128, above: v128, m: v128): v128 {
  const s = div(above, add(m, nth(LOG, 8)));
  const square = mul(s, s);
  const b3 = sizeof<Float>() == 4 ? nth(LOG, 3) : mulAdd(square, tailOf(square), nth(LOG, 3));
  const series = mulAdd(square, mulAdd(square, mulAdd(square, b3, nth(LOG, 2)), nth(LOG, 1)), nth(LOG, 0));
  return add(mulAdd(s, series, mul(k, nth(LOG, 9))), mul(k, nth(LOG, 10)));
}

// b4 + b5 s^2 + b6 s^4 + b7 s^6
// @ts-ignore: decorator
@inline function tailOf(square: v128): v128 {
  const high = mulAdd(square, nth(LOG, 14), nth(LOG, 13));
  return mulAdd(square, mulAdd(square, high, nth(LOG, 12)), nth(LOG, 11));
}

/**
 * log(1 + x) of one finite number x > -1, to 2e-9 of it; for float64 to 2 units in the last place.
 *
 * Method: 1 + x = 2^k m with m in [sqrt(1/2), sqrt(2)), and log m = 2 s (1 + s^2 / 3 + ... + s^8 / 9), s = (m - 1) / (m + 1), up to
 * s^22 / 23 for float64; m - 1 is x itself where k is 0, so that nothing is lost of a small one.
 */
export function log1p(x: f64): f64 {
  const k = (reinterpret<i64>(1 + x) - reinterpret<i64>(0.7071067811865476)) >> 52;
  const scale = reinterpret<f64>((1023 - k) << 52);
  const above = x * scale + (scale - 1);
  const s = above / (above + 2);
  let series: f64 = 0;
  for (let n = sizeof<Float>() == 4 ? 9 : 23; n > 0; n -= 2) series = series * (s * s) + 1 / <f64>n;
  return <f64>k * 0.6931471805599453 + 2 * s * series;
}
