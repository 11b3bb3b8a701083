import { Flag } from '../../src/abi';
import { Loss, evaluate } from '../elements/evaluate';
import { State, has } from '../frame';
import { Asymmetric } from './asymmetric';
import { FocalCrossEntropy } from './focal-cross-entropy';
import { FocalHard } from './focal-hard';
import { FocalProbability } from './focal-probability';
import { FocalSplit } from './focal-split';
import { Heatmap } from './heatmap';
import { Quality } from './quality';
import { Varifocal } from './varifocal';

// The losses that few calls ask for share one loop, since each loop is half a kilobyte: which of them it is is asked once for
// each block. Their curve costs little beside the rest, so it comes with the slope. A new one is a number here, and two lines.

const ASYMMETRIC: i32 = 0;
export const CROSS_ENTROPY: i32 = 1;
const HEATMAP: i32 = 2;
export const PROBABILITY: i32 = 3;
const QUALITY: i32 = 4;
export const SPLIT: i32 = 5;
const VARIFOCAL: i32 = 6;

/** The quality focal loss. Of bytes it is the focal loss. */
export function quality(frame: usize): void {
  if (mayBeSoft(frame)) evaluateMember(frame, QUALITY);
  else evaluate<FocalHard>(frame);
}

/** The varifocal loss. */
export function varifocal(frame: usize): void {
  evaluateMember(frame, VARIFOCAL);
}

/** The focal loss of heatmaps. Of bytes it is the focal loss. */
export function heatmap(frame: usize): void {
  if (mayBeSoft(frame)) evaluateMember(frame, HEATMAP);
  else evaluate<FocalHard>(frame);
}

/** The asymmetric loss. Without a margin, and with one gamma for both classes, it is the focal loss. */
export function asymmetric(frame: usize): void {
  const call = changetype<State>(frame);
  if (call.margin == 0 && call.gamma == call.beta) evaluate<FocalHard>(frame);
  else evaluateMember(frame, ASYMMETRIC);
}

/** Whether targets may lie between 0 and 1. */
// @ts-ignore: decorator
@inline export function mayBeSoft(frame: usize): bool {
  const call = changetype<State>(frame);
  return has(call, Flag.soft) || call.labelSmoothing != 0;
}

/** Evaluates one of them. */
export function evaluateMember(frame: usize, member: i32): void {
  changetype<State>(frame).member = member;
  evaluate<Member>(frame);
}

@final
@unmanaged
class Member extends Loss {
  @inline override readsNumbers(frame: usize): bool {
    return changetype<State>(frame).member != ASYMMETRIC;
  }

  @inline override filler(frame: usize): Float {
    return changetype<State>(frame).member == PROBABILITY ? 0 : -Infinity;
  }

  @inline override prepare(frame: usize): void {
    switch (changetype<State>(frame).member) {
      case ASYMMETRIC: return changetype<Asymmetric>(0).prepare(frame);
      case CROSS_ENTROPY: return changetype<FocalCrossEntropy>(0).prepare(frame);
      case PROBABILITY: return changetype<FocalProbability>(0).prepare(frame);
      case SPLIT: return changetype<FocalSplit>(0).prepare(frame);
    }
    changetype<Quality>(0).prepare(frame); // as any soft target
  }

  override terms(frame: usize, bytes: usize): i32 {
    switch (changetype<State>(frame).member) {
      case ASYMMETRIC: return changetype<Asymmetric>(0).terms(frame, bytes);
      case CROSS_ENTROPY: return changetype<FocalCrossEntropy>(0).terms(frame, bytes);
      case HEATMAP: return changetype<Heatmap>(0).terms(frame, bytes);
      case PROBABILITY: return changetype<FocalProbability>(0).terms(frame, bytes);
      case QUALITY: return changetype<Quality>(0).terms(frame, bytes);
      case SPLIT: return changetype<FocalSplit>(0).terms(frame, bytes);
    }
    return changetype<Varifocal>(0).terms(frame, bytes);
  }
}
