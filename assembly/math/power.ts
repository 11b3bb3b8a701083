import {
  GAMMA,
  GAMMA_HIGH,
  GAMMA_HIGH_UNIT,
  GAMMA_LOG2E,
  GAMMA_LOW,
  GAMMA_LOW_UNIT,
  OTHER_GAMMA,
  OTHER_GAMMA_HIGH,
  OTHER_GAMMA_LOW,
  OTHER_WHOLE_POWER,
  WHOLE_POWER,
} from '../frame';
import { MANTISSA_BITS } from './exponential';
import {
  ONE,
  absolute,
  add,
  and,
  bitMask,
  choose,
  div,
  every,
  integers,
  mul,
  mulAdd,
  negativeMask,
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
import { PairStage, TileStage, VectorStage } from '../simd/stage';
import { SINGLY, V0, V2 } from '../simd/tile';
import { Entropy, Exponent, Hinge, LogMantissa, LogOnePlus, Modulation, Remainder, Scale, get, next, put, put2 } from '../slots';

// c^gamma. Halves up to 5 are products and square roots; every other gamma is exp2(gamma log2 c).

/** A power with a formula of its own. */
@unmanaged
export abstract class Power {
  abstract of(c: v128): v128;
}

/** Modulation = Modulation^G. */
@final
@unmanaged
export class Raise<G extends Power> extends PairStage {
  @inline override pair(frame: usize, o: usize, x: usize, y: usize): void {
    const at = frame + o;
    const power0 = changetype<G>(0).of(get<Modulation, V0>(at));
    const power1 = changetype<G>(0).of(next<Modulation, V0>(at));
    put2<Modulation, V0>(at, power0, power1);
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

/** Modulation = Modulation^(twice / 2) for any `twice` up to 10, by the products that a class of it has. */
export function raiseHalf(frame: usize, twice: i32, bytes: usize): void {
  for (let o: usize = 0; o < bytes; o += SINGLY ? 16 : 32) {
    const at = frame + o;
    const power0 = halfPower(get<Modulation, V0>(at), twice);
    const power1 = halfPower(next<Modulation, V0>(at), twice);
    put2<Modulation, V0>(at, power0, power1);
  }
}

// @ts-ignore: decorator
@inline function halfPower(c: v128, twice: i32): v128 {
  const square = mul(c, c);
  let power = twice & 1 ? root(c) : splat(1);
  if (twice & 2) power = mul(power, c);
  if (twice & 4) power = mul(power, square);
  if (twice & 8) power = mul(power, mul(square, square));
  return power;
}

// Any gamma, in three stages.
//
// Method: c = 2^k m with m in [sqrt(1/2), sqrt(2)); log2 m = s (b0 + b1 s^2 + b2 s^4 + b3 s^6), s = (m - 1) / (m + 1),
//   |s| <= 0.1716, relative error 0.23 2^-24 before rounding (of float64 up to b7 s^14, 0.046 2^-53). gamma = high + low with 12
//   bits (42) in high, so that high k is exact; t = high k + (gamma log2 m + low k) is split at its nearest integer n before anything is lost, and
//   2^t = 2^n e^((t - n) ln 2), the exponential being that of exponential.ts.
// Domain: c in [0, 1]; 0^gamma is 0 for every gamma that comes here; t is held above -127, where the scale is zero.

const LOG: usize =
  sizeof<Float>() == 4
    ? memory.data<Float>(
        [
          2.885390043258667,
          0.9618218541145325,
          0.5745982527732849,
          0.48009762167930603,
          0.7071067690849304, // sqrt(1/2), whose bits as an integer divide the mantissas
        ],
        16,
      )
    : memory.data<Float>(
        [
          2.8853900817779268,
          0.9617966939260298,
          0.577078016322929,
          0.412198590581367,
          0.7071067811865476,
          0.3205980638812033, // b4 and what follows
          0.2623582749732546,
          0.2203126667171647,
          0.21956312267358907,
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
    if (!SINGLY) powerLog<V2>(at, b0, b1, b2, b3, least, one);
  }
}

// @ts-ignore: decorator
@inline function powerLog<V>(at: usize, b0: v128, b1: v128, b2: v128, b3: v128, least: v128, one: v128): void {
  const c0 = get<Modulation, V>(at);
  const c1 = next<Modulation, V>(at);
  const exponent0 = shiftRightSigned(subIntegers(c0, least), MANTISSA_BITS);
  const exponent1 = shiftRightSigned(subIntegers(c1, least), MANTISSA_BITS);
  const m0 = subIntegers(c0, shiftLeft(exponent0, MANTISSA_BITS));
  const m1 = subIntegers(c1, shiftLeft(exponent1, MANTISSA_BITS));
  const s0 = div(sub(m0, one), add(m0, one));
  const s1 = div(sub(m1, one), add(m1, one));
  put2<Exponent, V>(at, toFloats(exponent0), toFloats(exponent1));
  put2<LogMantissa, V>(at, mul(s0, log2Series(mul(s0, s0), b0, b1, b2, b3)), mul(s1, log2Series(mul(s1, s1), b0, b1, b2, b3)));
}

// @ts-ignore: decorator
@inline function log2Series(square: v128, b0: v128, b1: v128, b2: v128, b3: v128): v128 {
  if (sizeof<Float>() == 8) {
    const fourth = mul(square, square);
    const low = mulAdd(fourth, mulAdd(square, b3, b2), mulAdd(square, b1, b0));
    const high = mulAdd(square, nth(LOG, 6), nth(LOG, 5));
    return mulAdd(mul(fourth, fourth), mulAdd(fourth, mulAdd(square, nth(LOG, 8), nth(LOG, 7)), high), low);
  }
  return mulAdd(mul(square, square), mulAdd(square, b3, b2), mulAdd(square, b1, b0));
}

// 1, the least n and 1.5 2^23 + 127 of exponential.ts, the least remainder, ln 2
const SPLIT: usize =
  sizeof<Float>() == 4
    ? memory.data<Float>([1.0, -127.0, 12583039.0, -1.0, 0.6931471824645996], 16)
    : memory.data<Float>([1.0, -1023.0, 6755399441056767.0, -1.0, 0.6931471805599453], 16);

/** From those: Remainder and Scale of the exponential. */
@final
@unmanaged
export class PowerSplit extends PairStage {
  @inline override pair(frame: usize, o: usize, x: usize, y: usize): void {
    const at = frame + o;
    const gamma = v128.load_splat<Float>(frame, GAMMA);
    const high = v128.load_splat<Float>(frame, GAMMA_HIGH);
    const low = v128.load_splat<Float>(frame, GAMMA_LOW);
    const k0 = get<Exponent, V0>(at);
    const k1 = next<Exponent, V0>(at);
    const part0 = mulAdd(gamma, get<LogMantissa, V0>(at), mul(low, k0));
    const part1 = mulAdd(gamma, next<LogMantissa, V0>(at), mul(low, k1));
    const whole0 = mul(high, k0);
    const whole1 = mul(high, k1);
    split<V0>(at, whole0, whole1, part0, part1, nth(SPLIT, 1), nth(SPLIT, 2), nth(SPLIT, 3), nth(SPLIT, 4));
  }
}

/** The same with an exponent for each class, which is the sign of Entropy. */
@final
@unmanaged
export class PowerSplitByClass extends PairStage {
  @inline override pair(frame: usize, o: usize, x: usize, y: usize): void {
    const at = frame + o;
    const k0 = get<Exponent, V0>(at);
    const k1 = next<Exponent, V0>(at);
    const positive0 = negativeMask(get<Entropy, V0>(at));
    const positive1 = negativeMask(next<Entropy, V0>(at));
    const gamma = v128.load_splat<Float>(frame, GAMMA);
    const high = v128.load_splat<Float>(frame, GAMMA_HIGH);
    const low = v128.load_splat<Float>(frame, GAMMA_LOW);
    const otherGamma = v128.load_splat<Float>(frame, OTHER_GAMMA);
    const otherHigh = v128.load_splat<Float>(frame, OTHER_GAMMA_HIGH);
    const otherLow = v128.load_splat<Float>(frame, OTHER_GAMMA_LOW);
    const low0 = mul(choose(low, otherLow, positive0), k0);
    const low1 = mul(choose(low, otherLow, positive1), k1);
    const part0 = mulAdd(choose(gamma, otherGamma, positive0), get<LogMantissa, V0>(at), low0);
    const part1 = mulAdd(choose(gamma, otherGamma, positive1), next<LogMantissa, V0>(at), low1);
    const whole0 = mul(choose(high, otherHigh, positive0), k0);
    const whole1 = mul(choose(high, otherHigh, positive1), k1);
    split<V0>(at, whole0, whole1, part0, part1, nth(SPLIT, 1), nth(SPLIT, 2), nth(SPLIT, 3), nth(SPLIT, 4));
  }
}

/** The same of whole numbers below 8, whose bits say what is multiplied. */
@final
@unmanaged
export class WholePowerByClass extends VectorStage {
  @inline override vector(frame: usize, o: usize, x: usize, y: usize): void {
    const at = frame + o;
    const positive = negativeMask(get<Entropy, V0>(at));
    const bits = choose(integers(frame + WHOLE_POWER), integers(frame + OTHER_WHOLE_POWER), positive);
    const one = nth(SPLIT, 0);
    const c = get<Modulation, V0>(at);
    const square = mul(c, c);
    const small = mul(choose(c, one, bitMask(bits, 0)), choose(square, one, bitMask(bits, 1)));
    put<Modulation, V0>(at, mul(small, choose(mul(square, square), one, bitMask(bits, 2))));
  }
}

// t = whole + part, as Remainder and Scale of 2^t.
// @ts-ignore: decorator
@inline function split<V>(
  at: usize,
  whole0: v128,
  whole1: v128,
  part0: v128,
  part1: v128,
  lowest: v128,
  round: v128,
  least: v128,
  ln2: v128,
): void {
  const rounded0 = add(notBelow(add(whole0, part0), lowest), round);
  const rounded1 = add(notBelow(add(whole1, part1), lowest), round);
  const f0 = add(sub(whole0, sub(rounded0, round)), part0);
  const f1 = add(sub(whole1, sub(rounded1, round)), part1);
  put2<Remainder, V>(at, mul(notBelow(f0, least), ln2), mul(notBelow(f1, least), ln2));
  put2<Scale, V>(at, shiftLeft(rounded0, MANTISSA_BITS), shiftLeft(rounded1, MANTISSA_BITS));
}

/** Of the integers that exponents are, once exponentsOf has made numbers of their bits. */
export const EXPONENT_UNIT: f64 = sizeof<Float>() == 4 ? 1.1920928955078125e-7 : 1; // 2^-23

// Of float32 2^23 n; a float64 has more bits than integers that become floats.
// @ts-ignore: decorator
@inline function exponentsOf(bits: v128): v128 {
  return toFloats(sizeof<Float>() == 4 ? bits : shiftRightSigned(bits, MANTISSA_BITS));
}

// A hard target's 1 - p_t is e / (1 + e) of an easy element, 1 / (1 + e) of another, so that its logarithm is what is known
// already: -|x|, as n ln 2 + r, of an easy one, less log(1 + e).


/** From n and r of the exponential, Hinge and LogOnePlus: Remainder and Scale of the modulation's power. */
@final
@unmanaged
export class HardPowerSplit extends TileStage {
  @inline override tile(frame: usize, o: usize, x: usize, y: usize): void {
    const gamma = v128.load_splat<Float>(frame, GAMMA_LOG2E);
    const high = v128.load_splat<Float>(frame, GAMMA_HIGH_UNIT);
    const low = v128.load_splat<Float>(frame, GAMMA_LOW_UNIT);
    const lowest = nth(SPLIT, 1);
    const round = nth(SPLIT, 2);
    const least = nth(SPLIT, 3);
    const ln2 = nth(SPLIT, 4);
    const none = every(ONE); // the bits of n = 0
    const at = frame + o;
    hardPowerSplit<V0>(at, gamma, high, low, lowest, round, least, ln2, none);
    if (!SINGLY) hardPowerSplit<V2>(at, gamma, high, low, lowest, round, least, ln2, none);
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
  const easy0 = zeroMask(get<Hinge, V>(at));
  const easy1 = zeroMask(next<Hinge, V>(at));
  const k0 = exponentsOf(and(subIntegers(get<Scale, V>(at), none), easy0));
  const k1 = exponentsOf(and(subIntegers(next<Scale, V>(at), none), easy1));
  const log0 = sub(and(get<Remainder, V>(at), easy0), absolute(get<LogOnePlus, V>(at)));
  const log1 = sub(and(next<Remainder, V>(at), easy1), absolute(next<LogOnePlus, V>(at)));
  const part0 = mulAdd(gamma, log0, mul(low, k0));
  const part1 = mulAdd(gamma, log1, mul(low, k1));
  split<V>(at, mul(high, k0), mul(high, k1), part0, part1, lowest, round, least, ln2);
}
