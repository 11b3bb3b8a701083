import { Flag } from '../src/abi';
import { Loss, evaluate } from './elements/evaluate';
import { bfloat16ToFloats, float16ToFloats } from './elements/half-floats';
import { State, has } from './frame';
import { FocalHard } from './losses/focal-hard';
import { FocalSoft } from './losses/focal-soft';
import { elementPosterior } from './posterior/elements';
import { WORK_BYTES } from './slots';

// The ABI of focal-loss-wasm/lite: the same frame, and the bits of the whole kernel, for what a call of that entry can ask for.

/** The first free address; a frame may lie here. */
export function base(): usize {
  return (__heap_base + 63) & ~63;
}

/** Bytes of a frame with its scratch. */
export function workBytes(): usize {
  return WORK_BYTES;
}

/** The focal loss of logits and targets: its values. */
export function binary(frame: usize): void {
  evaluate<Focal>(frame);
}

/** Both, over one loop. */
@final
@unmanaged
class Focal extends Loss {
  @inline override readsNumbers(frame: usize): bool {
    const call = changetype<State>(frame);
    return has(call, Flag.soft) || call.labelSmoothing != 0;
  }

  @inline override filler(frame: usize): Float {
    return -Infinity;
  }

  @inline override prepare(frame: usize): void {
    if (changetype<State>(frame).readsNumbers) changetype<FocalSoft>(0).prepare(frame);
    else changetype<FocalHard>(0).prepare(frame);
  }

  override terms(frame: usize, bytes: usize): i32 {
    if (changetype<State>(frame).readsNumbers) return changetype<FocalSoft>(0).terms(frame, bytes);
    return changetype<FocalHard>(0).terms(frame, bytes);
  }
}

/** The class probabilities behind `count` logits, written to the frame's loss address. */
export function posterior(frame: usize): void {
  elementPosterior(frame);
}

/** Numbers of 16 bits to float32, exactly. */
export function float16(source: usize, destination: usize, count: i32): void {
  float16ToFloats(source, destination, count);
}

export function bfloat16(source: usize, destination: usize, count: i32): void {
  bfloat16ToFloats(source, destination, count);
}
