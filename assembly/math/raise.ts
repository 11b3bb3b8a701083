import { State } from '../frame';
import { Exponentiate } from './exponential';
import {
  EXPONENT_UNIT,
  HardPowerSplit,
  OneAndHalf,
  PowerLog,
  PowerSplit,
  PowerSplitByClass,
  WholePowerByClass,
  Raise,
  Three,
  Two,
  Zero,
  raiseHalf,
} from './power';
import { eachPair, eachTile, eachVector } from '../simd/stage';
import { Modulation } from '../slots';

// Which power a gamma takes. A new special case is a class in power.ts and a line in `raise`, and in addPower of
// elements/outputs.ts if it is to cost no pass of its own.

// A power is known by twice its gamma, an integer up to 10, or as any other.

export const FIRST_POWER: i32 = 2;
export const ANY_POWER: i32 = -1;

/** The power that prepareGamma has found. */
// @ts-ignore: decorator
@inline export function powerOf(frame: usize): i32 {
  return changetype<State>(frame).power;
}

/** Modulation = Modulation^power. */
export function raise(frame: usize, power: i32, bytes: usize): void {
  if (isDefined(LITE)) return power == ANY_POWER ? anyPower(frame, bytes) : raiseHalf(frame, power, bytes);
  switch (power) {
    case ANY_POWER: return anyPower(frame, bytes);
    case 0: return eachPair<Raise<Zero>>(frame, 0, 0, bytes);
    case 2: return;
    case 3: return eachPair<Raise<OneAndHalf>>(frame, 0, 0, bytes);
    case 4: return eachPair<Raise<Two>>(frame, 0, 0, bytes);
    case 6: return eachPair<Raise<Three>>(frame, 0, 0, bytes);
  }
  raiseHalf(frame, power, bytes);
}

/** Modulation = exp2(gamma log2 Modulation). Overwrites the slots of the exponential. */
function anyPower(frame: usize, bytes: usize): void {
  eachTile<PowerLog>(frame, 0, 0, bytes);
  eachPair<PowerSplit>(frame, 0, 0, bytes);
  eachTile<Exponentiate<Modulation>>(frame, 0, 0, bytes);
}

/** Modulation = (1 - p_t)^gamma of hard targets, from Hinge, LogOnePlus and the slots of the exponential, which it overwrites. */
export function raiseHard(frame: usize, bytes: usize): void {
  eachTile<HardPowerSplit>(frame, 0, 0, bytes);
  eachTile<Exponentiate<Modulation>>(frame, 0, 0, bytes);
}

/** Finds the power of a call, and for any other the parts of gamma, the first of 12 bits (of 42 for float64). */
// @ts-ignore: decorator
@inline export function prepareGamma(frame: usize): void {
  prepareExponent(frame, changetype<State>(frame).gamma);
}

/** The same for any exponent. */
export function prepareExponent(frame: usize, gamma: f64): void {
  const call = changetype<State>(frame);
  const twice = gamma * 2;
  call.power = twice <= 10 && twice == Math.floor(twice) ? <i32>twice : ANY_POWER;
  const held = Math.min(gamma, 1e9); // any larger power of a number below 1 is 0 as well
  const high = highBits(held);
  call.gammaRounded = <Float>held;
  call.gammaHigh = <Float>high;
  call.gammaLow = <Float>(held - high);
  call.gammaHighUnit = <Float>(high * EXPONENT_UNIT);
  call.gammaLowUnit = <Float>((held - high) * EXPONENT_UNIT);
  call.gammaLog2e = <Float>(held * 1.4426950408889634);
}

/** What raiseByClass needs of the exponent that negatives have. */
export function prepareOtherExponent(frame: usize, gamma: f64): void {
  const call = changetype<State>(frame);
  const high = highBits(gamma);
  call.otherGammaRounded = <Float>gamma;
  call.otherGammaHigh = <Float>high;
  call.otherGammaLow = <Float>(gamma - high);
  const positive = call.gamma;
  const whole = Math.floor(positive) == positive && Math.floor(gamma) == gamma;
  call.hasWholePowers = whole && max(positive, gamma) < WHOLE_POWERS ? 1 : 0;
  call.wholePower = call.hasWholePowers ? <i32>positive : 0;
  call.otherWholePower = call.hasWholePowers ? <i32>gamma : 0;
}

/** Powers below it that are whole numbers are products of a number, its square and the square of that. */
const WHOLE_POWERS: f64 = 8;

/** Modulation = Modulation^gamma of positives, and to the other exponent of negatives. Overwrites the slots of the exponential. */
export function raiseByClass(frame: usize, bytes: usize): void {
  if (changetype<State>(frame).hasWholePowers) return eachVector<WholePowerByClass>(frame, 0, 0, bytes);
  eachTile<PowerLog>(frame, 0, 0, bytes);
  eachPair<PowerSplitByClass>(frame, 0, 0, bytes);
  eachTile<Exponentiate<Modulation>>(frame, 0, 0, bytes);
}

/** The leading 12 bits of a number; for float64 42, which leaves room for the 11 of an exponent. */
// @ts-ignore: decorator
@inline function highBits(value: f64): f64 {
  if (sizeof<Float>() == 8) return reinterpret<f64>(reinterpret<u64>(value) & ~0x7ff);
  return <f64>reinterpret<f32>(reinterpret<u32>(<f32>value) & 0xfffff000);
}
