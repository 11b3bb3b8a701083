import {
  absolute,
  add,
  and,
  div,
  every,
  mul,
  mulAdd,
  notBelow,
  shiftLeft,
  shiftRightSigned,
  splat,
  sqrt4,
  sub,
  subIntegers,
  toFloats,
  zeroMask,
} from './lanes';
import { FACTOR, GAMMA, GAMMA_HIGH, GAMMA_LOG2E, GAMMA_LOW, HINGE, RATIO, REMAINDER, SCALE } from './layout';
import { First, Fourth, Second, Third } from './tile';

// c^gamma. Halves up to 5 are products and square roots; every other gamma is exp2(gamma log2 c).

/** FACTOR = FACTOR^G in place. */
@final
@unmanaged
export class Power<G> {
  // @ts-ignore: decorator
  @inline step(frame: usize, o: usize, x: usize, y: usize): void {
    const at = frame + o;
    v128.store(at, changetype<G>(0).of(v128.load(at, FACTOR)), FACTOR);
  }
}

@final
@unmanaged
export class Zero {
  // @ts-ignore: decorator
  @inline of(c: v128): v128 {
    return splat(1);
  }
}

@final
@unmanaged
export class One {
  // @ts-ignore: decorator
  @inline of(c: v128): v128 {
    return c;
  }
}

@final
@unmanaged
export class OneAndHalf {
  // @ts-ignore: decorator
  @inline of(c: v128): v128 {
    return mul(c, sqrt4(c));
  }
}

@final
@unmanaged
export class Two {
  // @ts-ignore: decorator
  @inline of(c: v128): v128 {
    return mul(c, c);
  }
}

@final
@unmanaged
export class Three {
  // @ts-ignore: decorator
  @inline of(c: v128): v128 {
    return mul(mul(c, c), c);
  }
}

@final
@unmanaged
export class Four {
  // @ts-ignore: decorator
  @inline of(c: v128): v128 {
    const square = mul(c, c);
    return mul(square, square);
  }
}

@final
@unmanaged
export class Five {
  // @ts-ignore: decorator
  @inline of(c: v128): v128 {
    const square = mul(c, c);
    return mul(mul(square, square), c);
  }
}

/** FACTOR = FACTOR^(twice / 2) for an odd `twice` up to 9. */
export function oddPower(frame: usize, twice: i32, bytes: usize): void {
  for (let o: usize = 0; o < bytes; o += 16) {
    const c = v128.load(frame + o, FACTOR);
    const square = mul(c, c);
    let power = sqrt4(c);
    if (twice & 2) power = mul(power, c);
    if (twice & 4) power = mul(power, square);
    if (twice & 8) power = mul(power, mul(square, square));
    v128.store(frame + o, power, FACTOR);
  }
}

// Any gamma, in three stages.
//
// Method: c = 2^k m with m in [sqrt(1/2), sqrt(2)); log2 m = s (b0 + b1 s^2 + b2 s^4 + b3 s^6), s = (m - 1) / (m + 1),
//   |s| <= 0.1716, relative error 0.23 2^-24 before rounding. gamma = high + low with 12 bits in high, so that high k is
//   exact; t = high k + (gamma log2 m + low k) is split at its nearest integer n before anything is lost, and
//   2^t = 2^n e^((t - n) ln 2), the exponential being that of exponential.ts.
// Domain: c in [0, 1]; 0^gamma is 0 for every gamma that comes here; t is held above -127, where the scale is zero.

const LOG: usize = memory.data<f32>(
  [
    2.885390043258667,
    0.9618218541145325,
    0.5745982527732849,
    0.48009762167930603,
    0.7071067690849304, // sqrt(1/2), whose bits as an integer divide the mantissas
  ],
  16,
);

/** From FACTOR: its exponent as SCALE, log2 of its mantissa as REMAINDER. */
@final
@unmanaged
export class PowerLog {
  // @ts-ignore: decorator
  @inline tile(frame: usize, o: usize, x: usize, y: usize): void {
    const b0 = every(LOG);
    const b1 = every(LOG + 4);
    const b2 = every(LOG + 8);
    const b3 = every(LOG + 12);
    const least = every(LOG + 16);
    const one = every(SPLIT);
    const at = frame + o;
    powerLog<First>(at, b0, b1, b2, b3, least, one);
    powerLog<Second>(at, b0, b1, b2, b3, least, one);
    powerLog<Third>(at, b0, b1, b2, b3, least, one);
    powerLog<Fourth>(at, b0, b1, b2, b3, least, one);
  }
}

// @ts-ignore: decorator
@inline function powerLog<Vector>(at: usize, b0: v128, b1: v128, b2: v128, b3: v128, least: v128, one: v128): void {
  const c = v128.load(at, FACTOR + offsetof<Vector>());
  const exponent = shiftRightSigned(subIntegers(c, least), 23);
  const m = subIntegers(c, shiftLeft(exponent, 23));
  const s = div(sub(m, one), add(m, one));
  const square = mul(s, s);
  const series = mulAdd(mul(square, square), mulAdd(square, b3, b2), mulAdd(square, b1, b0));
  v128.store(at, toFloats(exponent), SCALE + offsetof<Vector>());
  v128.store(at, mul(s, series), REMAINDER + offsetof<Vector>());
}

const SPLIT: usize = memory.data<f32>([1.0, -127.0, 12583039.0, -1.0, 0.6931471824645996], 16);

/** From those: REMAINDER and SCALE of the exponential. */
@final
@unmanaged
export class PowerSplit {
  // @ts-ignore: decorator
  @inline step(frame: usize, o: usize, x: usize, y: usize): void {
    const at = frame + o;
    const k = v128.load(at, SCALE);
    const part = mulAdd(every(frame + GAMMA), v128.load(at, REMAINDER), mul(every(frame + GAMMA_LOW), k));
    const whole = mul(every(frame + GAMMA_HIGH), k);
    split<First>(at, whole, part, every(SPLIT + 4), every(SPLIT + 8), every(SPLIT + 12), every(SPLIT + 16));
  }
}

// t = whole + part, as REMAINDER and SCALE of 2^t.
// @ts-ignore: decorator
@inline function split<Vector>(at: usize, whole: v128, part: v128, lowest: v128, round: v128, least: v128, ln2: v128): void {
  const rounded = add(notBelow(add(whole, part), lowest), round);
  const f = add(sub(whole, sub(rounded, round)), part);
  v128.store(at, mul(notBelow(f, least), ln2), REMAINDER + offsetof<Vector>());
  v128.store(at, shiftLeft(rounded, 23), SCALE + offsetof<Vector>());
}

// A hard target's 1 - p_t is e / (1 + e) of an easy element, 1 / (1 + e) of another, so that its logarithm is what is known
// already: -|x|, as n ln 2 + r, of an easy one, less log(1 + e).

const EASY: usize = memory.data<f32>([1.0, 1.1920928955078125e-7], 16); // the bits of n = 0; 2^-23

/** From n and r of the exponential, HINGE and RATIO = log(1 + e): REMAINDER and SCALE of the factor's power. */
@final
@unmanaged
export class HardPowerSplit {
  // @ts-ignore: decorator
  @inline tile(frame: usize, o: usize, x: usize, y: usize): void {
    const gamma = every(frame + GAMMA_LOG2E);
    const unit = every(EASY + 4);
    const high = mul(every(frame + GAMMA_HIGH), unit);
    const low = mul(every(frame + GAMMA_LOW), unit);
    const lowest = every(SPLIT + 4);
    const round = every(SPLIT + 8);
    const least = every(SPLIT + 12);
    const ln2 = every(SPLIT + 16);
    const none = every(EASY);
    const at = frame + o;
    hardPowerSplit<First>(at, gamma, high, low, lowest, round, least, ln2, none);
    hardPowerSplit<Second>(at, gamma, high, low, lowest, round, least, ln2, none);
    hardPowerSplit<Third>(at, gamma, high, low, lowest, round, least, ln2, none);
    hardPowerSplit<Fourth>(at, gamma, high, low, lowest, round, least, ln2, none);
  }
}

// @ts-ignore: decorator
@inline function hardPowerSplit<Vector>(
  at: usize,
  gamma: v128,
  high: v128,
  low: v128,
  lowest: v128,
  round: v128,
  least: v128,
  ln2: v128,
  none: v128,
): void {
  const easy = zeroMask(v128.load(at, HINGE + offsetof<Vector>()));
  const k = toFloats(and(subIntegers(v128.load(at, SCALE + offsetof<Vector>()), none), easy)); // 2^23 n
  const log = sub(and(v128.load(at, REMAINDER + offsetof<Vector>()), easy), absolute(v128.load(at, RATIO + offsetof<Vector>())));
  split<Vector>(at, mul(high, k), mulAdd(gamma, log, mul(low, k)), lowest, round, least, ln2);
}
