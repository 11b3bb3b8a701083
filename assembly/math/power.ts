import { GAMMA, GAMMA_HIGH, GAMMA_LOG2E, GAMMA_LOW } from '../frame';
import { MANTISSA_BITS } from './exponential';
import {
  absolute,
  add,
  and,
  div,
  mul,
  mulAdd,
  notBelow,
  nth,
  root,
  shiftLeft,
  shiftRightSigned,
  splat,
  sub,
  subIntegers,
  toFloats,
  zeroMask,
} from '../simd/lanes';
import { TileStage, VectorStage } from '../simd/stage';
import { V0, V1, V2, V3 } from '../simd/tile';
import { Exponent, Hinge, LogMantissa, LogOnePlus, Modulation, Remainder, Scale, get, put } from '../slots';

// c^gamma. Halves up to 5 are products and square roots; every other gamma is exp2(gamma log2 c).

/** A power with a formula of its own. */
@unmanaged
export abstract class Power {
  abstract of(c: v128): v128;
}

/** Modulation = Modulation^G. */
@final
@unmanaged
export class Raise<G extends Power> extends VectorStage {
  @inline override vector(frame: usize, o: usize, x: usize, y: usize): void {
    const at = frame + o;
    put<Modulation, V0>(at, changetype<G>(0).of(get<Modulation, V0>(at)));
  }
}

@final
@unmanaged
export class Zero extends Power {
  @inline override of(c: v128): v128 {
    return splat(1);
  }
}

@final
@unmanaged
export class One extends Power {
  @inline override of(c: v128): v128 {
    return c;
  }
}

@final
@unmanaged
export class OneAndHalf extends Power {
  @inline override of(c: v128): v128 {
    return mul(c, root(c));
  }
}

@final
@unmanaged
export class Two extends Power {
  @inline override of(c: v128): v128 {
    return mul(c, c);
  }
}

@final
@unmanaged
export class Three extends Power {
  @inline override of(c: v128): v128 {
    return mul(mul(c, c), c);
  }
}

@final
@unmanaged
export class Four extends Power {
  @inline override of(c: v128): v128 {
    const square = mul(c, c);
    return mul(square, square);
  }
}

@final
@unmanaged
export class Five extends Power {
  @inline override of(c: v128): v128 {
    const square = mul(c, c);
    return mul(mul(square, square), c);
  }
}

/** Modulation = Modulation^(twice / 2) for an odd `twice` up to 9. */
export function oddPower(frame: usize, twice: i32, bytes: usize): void {
  for (let o: usize = 0; o < bytes; o += 16) {
    const c = get<Modulation, V0>(frame + o);
    const square = mul(c, c);
    let power = root(c);
    if (twice & 2) power = mul(power, c);
    if (twice & 4) power = mul(power, square);
    if (twice & 8) power = mul(power, mul(square, square));
    put<Modulation, V0>(frame + o, power);
  }
}

// Any gamma, in three stages.
//
// Method: c = 2^k m with m in [sqrt(1/2), sqrt(2)); log2 m = s (b0 + b1 s^2 + b2 s^4 + b3 s^6), s = (m - 1) / (m + 1),
//   |s| <= 0.1716, relative error 0.23 2^-24 before rounding. gamma = high + low with 12 bits in high, so that high k is
//   exact; t = high k + (gamma log2 m + low k) is split at its nearest integer n before anything is lost, and
//   2^t = 2^n e^((t - n) ln 2), the exponential being that of exponential.ts.
// Domain: c in [0, 1]; 0^gamma is 0 for every gamma that comes here; t is held above -127, where the scale is zero.

const LOG: usize = memory.data<Float>(
  [
    2.885390043258667,
    0.9618218541145325,
    0.5745982527732849,
    0.48009762167930603,
    0.7071067690849304, // sqrt(1/2), whose bits as an integer divide the mantissas
  ],
  16,
);

/** From Modulation: Exponent, and log2 of its mantissa as LogMantissa. */
@final
@unmanaged
export class PowerLog extends TileStage {
  @inline override tile(frame: usize, o: usize, x: usize, y: usize): void {
    const b0 = nth(LOG, 0);
    const b1 = nth(LOG, 1);
    const b2 = nth(LOG, 2);
    const b3 = nth(LOG, 3);
    const least = nth(LOG, 4);
    const one = nth(SPLIT, 0);
    const at = frame + o;
    powerLog<V0>(at, b0, b1, b2, b3, least, one);
    powerLog<V1>(at, b0, b1, b2, b3, least, one);
    powerLog<V2>(at, b0, b1, b2, b3, least, one);
    powerLog<V3>(at, b0, b1, b2, b3, least, one);
  }
}

// @ts-ignore: decorator
@inline function powerLog<V>(at: usize, b0: v128, b1: v128, b2: v128, b3: v128, least: v128, one: v128): void {
  const c = get<Modulation, V>(at);
  const exponent = shiftRightSigned(subIntegers(c, least), MANTISSA_BITS);
  const m = subIntegers(c, shiftLeft(exponent, MANTISSA_BITS));
  const s = div(sub(m, one), add(m, one));
  const square = mul(s, s);
  const series = mulAdd(mul(square, square), mulAdd(square, b3, b2), mulAdd(square, b1, b0));
  put<Exponent, V>(at, toFloats(exponent));
  put<LogMantissa, V>(at, mul(s, series));
}

const SPLIT: usize = memory.data<Float>([1.0, -127.0, 12583039.0, -1.0, 0.6931471824645996], 16);

/** From those: Remainder and Scale of the exponential. */
@final
@unmanaged
export class PowerSplit extends VectorStage {
  @inline override vector(frame: usize, o: usize, x: usize, y: usize): void {
    const at = frame + o;
    const k = get<Exponent, V0>(at);
    const part = mulAdd(v128.load_splat<Float>(frame, GAMMA), get<LogMantissa, V0>(at), mul(v128.load_splat<Float>(frame, GAMMA_LOW), k));
    const whole = mul(v128.load_splat<Float>(frame, GAMMA_HIGH), k);
    split<V0>(at, whole, part, nth(SPLIT, 1), nth(SPLIT, 2), nth(SPLIT, 3), nth(SPLIT, 4));
  }
}

// t = whole + part, as Remainder and Scale of 2^t.
// @ts-ignore: decorator
@inline function split<V>(at: usize, whole: v128, part: v128, lowest: v128, round: v128, least: v128, ln2: v128): void {
  const rounded = add(notBelow(add(whole, part), lowest), round);
  const f = add(sub(whole, sub(rounded, round)), part);
  put<Remainder, V>(at, mul(notBelow(f, least), ln2));
  put<Scale, V>(at, shiftLeft(rounded, MANTISSA_BITS));
}

// A hard target's 1 - p_t is e / (1 + e) of an easy element, 1 / (1 + e) of another, so that its logarithm is what is known
// already: -|x|, as n ln 2 + r, of an easy one, less log(1 + e).

const EASY: usize = memory.data<Float>([1.0, 1.1920928955078125e-7], 16); // the bits of n = 0; 2^-23

/** From n and r of the exponential, Hinge and LogOnePlus: Remainder and Scale of the modulation's power. */
@final
@unmanaged
export class HardPowerSplit extends TileStage {
  @inline override tile(frame: usize, o: usize, x: usize, y: usize): void {
    const gamma = v128.load_splat<Float>(frame, GAMMA_LOG2E);
    const unit = nth(EASY, 1);
    const high = mul(v128.load_splat<Float>(frame, GAMMA_HIGH), unit);
    const low = mul(v128.load_splat<Float>(frame, GAMMA_LOW), unit);
    const lowest = nth(SPLIT, 1);
    const round = nth(SPLIT, 2);
    const least = nth(SPLIT, 3);
    const ln2 = nth(SPLIT, 4);
    const none = nth(EASY, 0);
    const at = frame + o;
    hardPowerSplit<V0>(at, gamma, high, low, lowest, round, least, ln2, none);
    hardPowerSplit<V1>(at, gamma, high, low, lowest, round, least, ln2, none);
    hardPowerSplit<V2>(at, gamma, high, low, lowest, round, least, ln2, none);
    hardPowerSplit<V3>(at, gamma, high, low, lowest, round, least, ln2, none);
  }
}

// @ts-ignore: decorator
@inline function hardPowerSplit<V>(
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
  const easy = zeroMask(get<Hinge, V>(at));
  const k = toFloats(and(subIntegers(get<Scale, V>(at), none), easy)); // 2^23 n
  const log = sub(and(get<Remainder, V>(at), easy), absolute(get<LogOnePlus, V>(at)));
  split<V>(at, mul(high, k), mulAdd(gamma, log, mul(low, k)), lowest, round, least, ln2);
}
