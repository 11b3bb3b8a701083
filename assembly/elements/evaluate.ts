import { countTargets } from './count-targets';
import { prepareInputs, takeInputs } from './inputs';
import { clearSums, finishSums, putOutputs } from './outputs';
import { State, bytesOf } from '../frame';
import { prepareGamma } from '../math/raise';
import { BLOCK, wholeTiles } from '../simd/tile';
import { clearSlots } from '../slots';

// A loss of each element by itself: the stages over one block after another. No loss is named here.

/** What a loss of elements is made of. It has no state: a loss is a type parameter of `evaluate`. */
@unmanaged
export abstract class Loss {
  /** Whether its stages read targets as numbers; as bytes 0 and 1 otherwise. */
  abstract readsNumbers(frame: usize): bool;

  /** The logit whose loss and derivatives are exactly 0 for target 0. */
  abstract filler(frame: usize): Float;

  /** What a call needs before its first block. */
  abstract prepare(frame: usize): void;

  /**
   * Modulation and Entropy of the block at the call's x and y, and Slope and Curve, without the power, where they are wanted.
   * Returns which power of Modulation is left to take.
   */
  abstract terms(frame: usize, bytes: usize): i32;
}

export function evaluate<L extends Loss>(frame: usize): void {
  const call = changetype<State>(frame);
  call.readsNumbers = changetype<L>(0).readsNumbers(frame) ? 1 : 0;
  begin(frame);
  changetype<L>(0).prepare(frame);
  for (let left = call.count; left > 0; left -= BLOCK) {
    const start = call.count - left; // counted down, since start + BLOCK might not fit
    const count = min(left, BLOCK);
    takeInputs(frame, start, count, changetype<L>(0).filler(frame));
    putOutputs(frame, start, count, changetype<L>(0).terms(frame, bytesOf(wholeTiles(count))));
  }
  finishSums(frame);
}

function begin(frame: usize): void {
  clearSlots(frame);
  prepareGamma(frame);
  clearSums(frame);
  countTargets(frame);
  prepareInputs(frame);
}

/** What losses and derivatives are multiplied by, by class. */
export function setFactors(frame: usize, positive: f64, negative: f64): void {
  const call = changetype<State>(frame);
  call.positiveFactor = <Float>positive;
  call.negativeFactor = <Float>negative;
  if (isDefined(LITE)) return; // it has no derivatives
  call.positiveScale = <Float>(positive * call.gradScale);
  call.negativeScale = <Float>(negative * call.gradScale);
}
