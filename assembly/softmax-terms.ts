import { ValueOnly } from './derivative';
import {
  add,
  and,
  CAP,
  div,
  every,
  greaterMask,
  HALF,
  larger,
  mul,
  mulAdd,
  ONE,
  smaller,
  sub,
  TWO,
} from './lanes';
import {
  COEFFICIENT,
  CURVE,
  DENOMINATOR,
  DIVISOR,
  ENTROPY,
  FACTOR,
  GAMMA,
  HINGE,
  NUMERATOR,
  OTHER,
  RATIO,
  SMOOTHING,
  SMOOTHING_SHARE,
} from './layout';
import { naturalLog } from './logarithm';

// Terms of rows. With t the target's exponential, known by its logarithm too, and o the sum of the others':
//   q = 1 - p_t = o / (o + t), never a difference;
//   -log p_t = log(1 + o / t) where o <= t, log o - log t + log(1 + t / o) elsewhere.

/** HINGE, which holds log t, = log o - log t. */
@final
@unmanaged
export class RowHinge {
  // @ts-ignore: decorator
  @inline step(frame: usize, o: usize, x: usize, y: usize): void {
    const at = frame + o;
    v128.store(at, sub(naturalLog(v128.load(at, NUMERATOR)), v128.load(at, HINGE)), HINGE);
  }
}

/** The rest, from DENOMINATOR, t, and NUMERATOR, o. */
@final
@unmanaged
export class RowTerms<Derivative> {
  // @ts-ignore: decorator
  @inline step(frame: usize, o: usize, x: usize, y: usize): void {
    const at = frame + o;
    const target = v128.load(at, DENOMINATOR);
    const others = v128.load(at, NUMERATOR);
    const both = add(target, others);
    const least = smaller(others, target);
    const most = larger(others, target);
    const wrong = greaterMask(others, target);
    v128.store(at, others, FACTOR);
    v128.store(at, both, DIVISOR);
    if (idof<Derivative>() != idof<ValueOnly>()) v128.store(at, div(target, both), OTHER);
    v128.store(at, div(least, mulAdd(least, every(HALF), most)), RATIO);
    v128.store(at, and(v128.load(at, HINGE), wrong), HINGE);
  }
}

// With smoothing s over C classes, y_j = s / C + (1 - s) [j = t]:
//   c = 1 - sum y_j p_j = (1 - s) q + s (C - 1) / C,
//   B = -sum y_j log p_j = (1 - s) l + s log(o + t) - s / C sum of all logarithms.
@final
@unmanaged
export class Smooth {
  // @ts-ignore: decorator
  @inline step(frame: usize, o: usize, x: usize, y: usize): void {
    const at = frame + o;
    const smoothing = every(frame + SMOOTHING);
    const share = every(frame + SMOOTHING_SHARE);
    const rest = sub(every(ONE), smoothing);
    const all = naturalLog(add(v128.load(at, DENOMINATOR), v128.load(at, NUMERATOR)));
    const spread = sub(mul(smoothing, all), mul(share, v128.load(at, COEFFICIENT)));
    v128.store(at, mulAdd(rest, v128.load(at, ENTROPY), spread), ENTROPY);
    v128.store(at, mulAdd(rest, v128.load(at, FACTOR), sub(smoothing, share)), FACTOR);
  }
}

/** CURVE = g p (q (2 - l) + (g - 1) p l). */
@final
@unmanaged
export class RowCurve {
  // @ts-ignore: decorator
  @inline step(frame: usize, o: usize, x: usize, y: usize): void {
    const at = frame + o;
    const gamma = every(frame + GAMMA);
    const l = smaller(v128.load(at, ENTROPY), every(CAP));
    const q = v128.load(at, FACTOR);
    const p = v128.load(at, OTHER);
    const inner = mulAdd(mul(sub(gamma, every(ONE)), p), l, mul(q, sub(every(TWO), l)));
    v128.store(at, mul(mul(gamma, p), inner), CURVE);
  }
}
