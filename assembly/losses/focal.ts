import { Flag, SoftTargets } from '../../src/abi';
import { evaluate } from '../elements/evaluate';
import { State, has } from '../frame';
import { CROSS_ENTROPY, PROBABILITY, SPLIT, evaluateMember, mayBeSoft } from './family';
import { FocalHard } from './focal-hard';
import { FocalSoft } from './focal-soft';

/** The focal loss, by the least that a call's options need. */
export function focal(frame: usize): void {
  const call = changetype<State>(frame);
  if (has(call, Flag.probabilities)) evaluateMember(frame, PROBABILITY);
  else if (mayBeSoft(frame) && call.softTargets == SoftTargets.split) evaluateMember(frame, SPLIT);
  else if (mayBeSoft(frame) && call.softTargets == SoftTargets.crossEntropy) evaluateMember(frame, CROSS_ENTROPY);
  else if (needsNumbers(call)) evaluate<FocalSoft>(frame);
  else evaluate<FocalHard>(frame);
}

/** Whether targets are numbers, or become such, or an option is per element. */
// @ts-ignore: decorator
@inline function needsNumbers(call: State): bool {
  return mayBeSoft(changetype<usize>(call)) || call.alphas != 0 || call.posWeights != 0 || call.polyEpsilon != 0;
}
