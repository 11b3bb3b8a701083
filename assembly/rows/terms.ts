import { ValueOnly } from '../elements/derivative';
import { GAMMA, SMOOTHING, SMOOTHING_PER_CLASS } from '../frame';
import { naturalLog } from '../math/logarithm';
import {
  HALF,
  LOSS_LIMIT,
  ONE,
  TWO,
  add,
  and,
  div,
  every,
  greaterMask,
  larger,
  mul,
  mulAdd,
  smaller,
  sub,
} from '../simd/lanes';
import { VectorStage } from '../simd/stage';
import { V0 } from '../simd/tile';
import {
  Coefficient,
  Curve,
  Denominator,
  Divisor,
  Entropy,
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

// With smoothing s over C classes, y_j = s / C + (1 - s) [j = t]:
//   c = 1 - sum y_j p_j = (1 - s) q + s (C - 1) / C,
//   B = -sum y_j log p_j = (1 - s) l + s log(o + t) - s / C sum of all logarithms.
@final
@unmanaged
export class Smooth extends VectorStage {
  @inline override vector(frame: usize, o: usize, x: usize, y: usize): void {
    const at = frame + o;
    const smoothing = v128.load_splat<Float>(frame, SMOOTHING);
    const each = v128.load_splat<Float>(frame, SMOOTHING_PER_CLASS);
    const rest = sub(every(ONE), smoothing);
    const all = naturalLog(add(get<Denominator, V0>(at), get<Numerator, V0>(at)));
    const spread = sub(mul(smoothing, all), mul(each, get<Coefficient, V0>(at)));
    put<Entropy, V0>(at, mulAdd(rest, get<Entropy, V0>(at), spread));
    put<Modulation, V0>(at, mulAdd(rest, get<Modulation, V0>(at), sub(smoothing, each)));
  }
}

/** Curve = g p (q (2 - l) + (g - 1) p l). */
@final
@unmanaged
export class RowCurve extends VectorStage {
  @inline override vector(frame: usize, o: usize, x: usize, y: usize): void {
    const at = frame + o;
    const gamma = v128.load_splat<Float>(frame, GAMMA);
    const l = smaller(get<Entropy, V0>(at), every(LOSS_LIMIT));
    const q = get<Modulation, V0>(at);
    const p = get<Probability, V0>(at);
    const inner = mulAdd(mul(sub(gamma, every(ONE)), p), l, mul(q, sub(every(TWO), l)));
    put<Curve, V0>(at, mul(mul(gamma, p), inner));
  }
}
