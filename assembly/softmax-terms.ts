import {
  add,
  and,
  div,
  every,
  greaterMask,
  larger,
  load4,
  mul,
  mulAdd,
  smaller,
  splat,
  store4,
  sub,
} from './lanes';
import {
  COEFFICIENT,
  CORRECTION,
  CURVE,
  DENOMINATOR,
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

@final
@unmanaged
export class RowTerms {
  // @ts-ignore: decorator
  @inline step(frame: usize, o: usize, x: usize, y: usize): void {
    const at = frame + o;
    const target = load4(at + DENOMINATOR);
    const others = load4(at + NUMERATOR);
    const both = add(target, others);
    const wrong = greaterMask(others, target);
    store4(at + FACTOR, div(others, both));
    store4(at + OTHER, div(target, both));
    store4(at + RATIO, div(smaller(others, target), add(both, larger(others, target))));
    store4(at + HINGE, and(sub(naturalLog(others), load4(at + HINGE)), wrong));
    store4(at + CORRECTION, splat(0));
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
    const rest = sub(splat(1), smoothing);
    const all = naturalLog(add(load4(at + DENOMINATOR), load4(at + NUMERATOR)));
    const spread = sub(mul(smoothing, all), mul(share, load4(at + COEFFICIENT)));
    store4(at + ENTROPY, mulAdd(rest, load4(at + ENTROPY), spread));
    store4(at + FACTOR, mulAdd(rest, load4(at + FACTOR), sub(smoothing, share)));
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
    const l = smaller(load4(at + ENTROPY), splat(1e4));
    const q = load4(at + FACTOR);
    const p = load4(at + OTHER);
    const inner = mulAdd(mul(sub(gamma, splat(1)), p), l, mul(q, sub(splat(2), l)));
    store4(at + CURVE, mul(mul(gamma, p), inner));
  }
}
