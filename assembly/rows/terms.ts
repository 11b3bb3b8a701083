import { ValueOnly } from '../elements/derivative';
import { naturalLog } from '../math/logarithm';
import {
  HALF,
  add,
  and,
  div,
  every,
  greaterMask,
  larger,
  mulAdd,
  smaller,
  sub,
} from '../simd/lanes';
import { PairStage } from '../simd/stage';
import { V0 } from '../simd/tile';
import {
  Denominator,
  Divisor,
  Hinge,
  Modulation,
  Numerator,
  Probability,
  Ratio,
  get,
  next,
  put2,
} from '../slots';

// Terms of rows. With t the target's exponential, known by its logarithm too, and o the sum of the others':
//   q = 1 - p_t = o / (o + t), never a difference;
//   -log p_t = log(1 + o / t) where o <= t, log o - log t + log(1 + t / o) elsewhere.

/** Hinge, which holds log t, = log o - log t. */
@final
@unmanaged
export class RowHinge extends PairStage {
  @inline override pair(frame: usize, o: usize, x: usize, y: usize): void {
    const at = frame + o;
    const log0 = naturalLog(get<Numerator, V0>(at));
    const log1 = naturalLog(next<Numerator, V0>(at));
    put2<Hinge, V0>(at, sub(log0, get<Hinge, V0>(at)), sub(log1, next<Hinge, V0>(at)));
  }
}

/** The rest, from Denominator, t, and Numerator, o. */
@final
@unmanaged
export class RowTerms<Order> extends PairStage {
  @inline override pair(frame: usize, o: usize, x: usize, y: usize): void {
    const at = frame + o;
    const target0 = get<Denominator, V0>(at);
    const target1 = next<Denominator, V0>(at);
    const others0 = get<Numerator, V0>(at);
    const others1 = next<Numerator, V0>(at);
    const both0 = add(target0, others0);
    const both1 = add(target1, others1);
    const hinge0 = and(get<Hinge, V0>(at), greaterMask(others0, target0));
    const hinge1 = and(next<Hinge, V0>(at), greaterMask(others1, target1));
    const ratio0 = ratioOf(target0, others0);
    const ratio1 = ratioOf(target1, others1);
    put2<Modulation, V0>(at, others0, others1);
    put2<Divisor, V0>(at, both0, both1);
    if (idof<Order>() != idof<ValueOnly>()) put2<Probability, V0>(at, div(target0, both0), div(target1, both1));
    put2<Ratio, V0>(at, ratio0, ratio1);
    put2<Hinge, V0>(at, hinge0, hinge1);
  }
}

// The argument of log(1 + the smaller over the larger).
// @ts-ignore: decorator
@inline function ratioOf(target: v128, others: v128): v128 {
  const least = smaller(others, target);
  return div(least, mulAdd(least, every(HALF), larger(others, target)));
}
