import { Exponential } from './exponential';
import { Frame, GAMMA, GAMMA_HIGH, GAMMA_LOG2E, GAMMA_LOW, POWER, SUM } from './layout';
import { stands, sum } from './outputs';
import { Five, Four, HardPowerSplit, oddPower, One, OneAndHalf, Power, PowerLog, PowerSplit, Three, Two, Zero } from './power';
import { sweep, sweepVectors } from './sweep';

// Which power a gamma takes. A new special case is a class in power.ts and a line in takePower, and in addPower if it is to cost no pass of its own.

// A power is known by twice its gamma, an integer up to 10, or as any other.

export const FIRST_POWER: i32 = 2;
export const ANY_POWER: i32 = -1;
/** Of a block of which nothing is left to do. */
export const FINISHED: i32 = -2;

/** The power that prepareGamma has found. */
// @ts-ignore: decorator
@inline export function powerOf(frame: usize): i32 {
  return load<i32>(frame + POWER);
}

/**
 * The short way of a block whose sum is all that is asked for: no array of losses is made. Returns FINISHED, or what power
 * of FACTOR is left to take where the sum is not finite, and is taken back. The power of a soft target's factor can
 * underflow against an infinite cross entropy, and two float32 can overflow.
 */
export function sumPower(frame: usize, power: i32, bytes: usize): i32 {
  const before = v128.load(frame, SUM);
  const left = addPower(frame, power, bytes);
  return stands(frame, before) ? FINISHED : left;
}

/** Adds the losses FACTOR^power ENTROPY, and returns what power of FACTOR is left to take. */
function addPower(frame: usize, power: i32, bytes: usize): i32 {
  switch (power) {
    case 0: sum<Zero>(frame, bytes); break;
    case 2: sum<One>(frame, bytes); break;
    case 3: sum<OneAndHalf>(frame, bytes); break;
    case 4: sum<Two>(frame, bytes); break;
    default: // the less usual ones
      takePower(frame, power, bytes);
      sum<One>(frame, bytes);
      return FIRST_POWER;
  }
  return power;
}

/** FACTOR = FACTOR^power. */
export function takePower(frame: usize, power: i32, bytes: usize): void {
  switch (power) {
    case ANY_POWER: return anyPower(frame, bytes);
    case 0: return sweepVectors<Power<Zero>>(frame, 0, 0, bytes);
    case 2: return;
    case 3: return sweepVectors<Power<OneAndHalf>>(frame, 0, 0, bytes);
    case 4: return sweepVectors<Power<Two>>(frame, 0, 0, bytes);
    case 6: return sweepVectors<Power<Three>>(frame, 0, 0, bytes);
    case 8: return sweepVectors<Power<Four>>(frame, 0, 0, bytes);
    case 10: return sweepVectors<Power<Five>>(frame, 0, 0, bytes);
  }
  oddPower(frame, power, bytes);
}

/** FACTOR = exp2(gamma log2 FACTOR). Overwrites the slots of the exponential. */
function anyPower(frame: usize, bytes: usize): void {
  sweep<PowerLog>(frame, 0, 0, bytes);
  sweepVectors<PowerSplit>(frame, 0, 0, bytes);
  sweep<Exponential>(frame, 0, 0, bytes);
}

/** FACTOR = (1 - p_t)^gamma of hard targets, from the slots of the exponential, which it overwrites, HINGE and RATIO. */
export function hardPower(frame: usize, bytes: usize): void {
  sweep<HardPowerSplit>(frame, 0, 0, bytes);
  sweep<Exponential>(frame, 0, 0, bytes);
}

/** Finds the power of a call, and for any other the parts of gamma, the first of 12 bits. */
export function prepareGamma(frame: usize): void {
  const gamma = changetype<Frame>(frame).gamma;
  const twice = gamma * 2;
  store<i32>(frame + POWER, twice <= 10 && twice == Math.floor(twice) ? <i32>twice : ANY_POWER);
  const held = Math.min(gamma, 1e9); // any larger power of a float32 below 1 is 0 as well
  const high = reinterpret<f32>(reinterpret<u32>(<f32>held) & 0xfffff000);
  store<f32>(frame + GAMMA, <f32>held);
  store<f32>(frame + GAMMA_HIGH, high);
  store<f32>(frame + GAMMA_LOW, <f32>(held - <f64>high));
  store<f32>(frame + GAMMA_LOG2E, <f32>(held * 1.4426950408889634));
}
