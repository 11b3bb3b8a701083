import {
  add,
  and,
  div,
  every,
  greaterMask,
  integers,
  load4,
  mul,
  mulAdd,
  select4,
  shiftLeft,
  shiftRightSigned,
  splat,
  store4,
  sub,
  subIntegers,
  toFloats,
} from './lanes';
import { COEFFICIENT, CORRECT, CORRECTION, ENTROPY, HINGE, RATIO } from './layout';

// The cross entropy from its hinge and log(1 + e), e = e^-|x|.
//
// Method: log(1 + e) = 2 atanh(s) = 2 s + s (a1 s^2 + a2 s^4 + a3 s^6 + a4 s^8), s = e / (2 + e) in [0, 1/3],
//   minimax on s^2 in [0, 1/9], relative error 0.08 2^-24 before rounding.
// Coefficients: scripts/coefficients.mjs.
// The CORRECTION of the exponential enters here, times what the whole loss needs of it (CORRECT): adding it to
// the small part of the series costs one operation and no rounding.

const SERIES: usize = memory.data<f32>(
  [0.6666644811630249, 0.4002009630203247, 0.2802146077156067, 0.2792735993862152],
  16,
);

/** ENTROPY = HINGE + log(1 + e), with the sign that hinge and ratio carry. */
@final
@unmanaged
export class Entropy {
  // @ts-ignore: decorator
  @inline tile(frame: usize, o: usize, x: usize, y: usize): void {
    const a1 = every(SERIES);
    const a2 = every(SERIES + 4);
    const a3 = every(SERIES + 8);
    const a4 = every(SERIES + 12);
    const correct = every(frame + CORRECT);
    const at = frame + o;
    store4(at + ENTROPY, add(load4(at + HINGE), logarithm(at, a1, a2, a3, a4, correct)));
    store4(at + 16 + ENTROPY, add(load4(at + 16 + HINGE), logarithm(at + 16, a1, a2, a3, a4, correct)));
    store4(at + 32 + ENTROPY, add(load4(at + 32 + HINGE), logarithm(at + 32, a1, a2, a3, a4, correct)));
    store4(at + 48 + ENTROPY, add(load4(at + 48 + HINGE), logarithm(at + 48, a1, a2, a3, a4, correct)));
  }
}

/** ENTROPY = HINGE + COEFFICIENT log(1 + e): a soft target weighs both logarithms. */
@final
@unmanaged
export class WeighedEntropy {
  // @ts-ignore: decorator
  @inline tile(frame: usize, o: usize, x: usize, y: usize): void {
    const a1 = every(SERIES);
    const a2 = every(SERIES + 4);
    const a3 = every(SERIES + 8);
    const a4 = every(SERIES + 12);
    const correct = every(frame + CORRECT);
    const at = frame + o;
    weighed(at, logarithm(at, a1, a2, a3, a4, correct));
    weighed(at + 16, logarithm(at + 16, a1, a2, a3, a4, correct));
    weighed(at + 32, logarithm(at + 32, a1, a2, a3, a4, correct));
    weighed(at + 48, logarithm(at + 48, a1, a2, a3, a4, correct));
  }
}

// @ts-ignore: decorator
@inline function weighed(at: usize, log: v128): void {
  store4(at + ENTROPY, mulAdd(load4(at + COEFFICIENT), log, load4(at + HINGE)));
}

// @ts-ignore: decorator
@inline function logarithm(at: usize, a1: v128, a2: v128, a3: v128, a4: v128, correct: v128): v128 {
  const s = load4(at + RATIO);
  const square = mul(s, s);
  const series = mulAdd(mul(square, square), mulAdd(square, a4, a3), mulAdd(square, a2, a1));
  const rest = mulAdd(square, series, mul(load4(at + CORRECTION), correct));
  return mulAdd(s, rest, add(s, s));
}

// log v of v > 0, for the few that are not 1 + e.
//
// Method: v = 2^k m, m in [sqrt(1/2), sqrt(2)), s = (m - 1) / (m + 1),
//   log v = k ln 2 + 2 s + s (b1 s^2 + b2 s^4 + b3 s^6), minimax on |s| <= 0.1716, relative error 0.02 2^-24 before rounding.
// Domain: [0, 2^60]; what is small is scaled by 2^64, so that subnormal numbers count. log 0 is about -132.
// NaN and infinity are taken for numbers.

const LOG: usize = memory.data<f32>([2.0, 0.6666677594184875, 0.3997758626937866, 0.29870694875717163], 16);

// @ts-ignore: decorator
@inline export function naturalLog(v: v128): v128 {
  const small = greaterMask(splat(1e-20), v);
  const scaled = select4(mul(v, splat(1.8446744073709552e19)), v, small);
  const exponent = shiftRightSigned(subIntegers(scaled, integers(0x3f3504f3)), 23);
  const m = subIntegers(scaled, shiftLeft(exponent, 23));
  const k = sub(toFloats(exponent), and(small, splat(64)));
  const s = div(sub(m, splat(1)), add(m, splat(1)));
  const square = mul(s, s);
  const series = mulAdd(square, mulAdd(square, mulAdd(square, every(LOG + 12), every(LOG + 8)), every(LOG + 4)), every(LOG));
  return add(mulAdd(s, series, mul(k, splat(1.428606765330187e-6))), mul(k, splat(0.693145751953125)));
}
