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
import { VectorStage } from '../simd/stage';
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
  put,
} from '../slots';

// Terms of rows. With t the target's exponential, known by its logarithm too, and o the sum of the others':
//   q = 1 - p_t = o / (o + t), never a difference;
//   -log p_t = log(1 + o / t) where o <= t, log o - log t + log(1 + t / o) elsewhere.

/** Hinge, which holds log t, = log o - log t. */
@final
@unmanaged
export class RowHinge extends VectorStage {
  @inline override vector(frame: usize, o: usize, x: usize, y: usize): void {
    const at = frame + o;
    put<Hinge, V0>(at, sub(naturalLog(get<Numerator, V0>(at)), get<Hinge, V0>(at)));
  }
}

/** The rest, from Denominator, t, and Numerator, o. */
@final
@unmanaged
export class RowTerms<Order> extends VectorStage {
  @inline override vector(frame: usize, o: usize, x: usize, y: usize): void {
    const at = frame + o;
    const target = get<Denominator, V0>(at);
    const others = get<Numerator, V0>(at);
    const both = add(target, others);
    const least = smaller(others, target);
    const most = larger(others, target);
    const wrong = greaterMask(others, target);
    put<Modulation, V0>(at, others);
    put<Divisor, V0>(at, both);
    if (idof<Order>() != idof<ValueOnly>()) put<Probability, V0>(at, div(target, both));
    put<Ratio, V0>(at, div(least, mulAdd(least, every(HALF), most)));
    put<Hinge, V0>(at, and(get<Hinge, V0>(at), wrong));
  }
}
