import {
  absolute,
  add,
  addWide,
  and,
  every,
  greaterMask,
  larger,
  load4,
  mul,
  negativeMask,
  nonZeroMask,
  select4,
  smaller,
  splat,
  store4,
  widen,
  xor,
  zero,
} from './lanes';
import {
  CURVE,
  ENTROPY,
  FACTOR,
  Frame,
  NEGATIVE_FACTOR,
  NEGATIVE_SLOPE,
  PAD_ALPHA,
  PAD_ALPHA_NEGATIVE,
  POSITIVE_FACTOR,
  POSITIVE_SLOPE,
  SLOPE,
  SUM_NEGATIVES,
  SUM_POSITIVES,
  WIDE,
} from './layout';
import { One } from './power';

// What becomes of a loss FACTOR^G ENTROPY, whose sign is its class.

/**
 * Adds a block's losses to the sums of their class.
 * Two losses are added as float32, then widened: one rounding of at most 2^-24 before the float64 sum.
 */
export function sum<G>(frame: usize, bytes: usize): void {
  let positives = load4(frame + SUM_POSITIVES);
  let negatives = load4(frame + SUM_NEGATIVES);
  for (let o: usize = 0; o < bytes; o += 32) {
    const at = frame + o;
    const a = mul(changetype<G>(0).of(load4(at + FACTOR)), load4(at + ENTROPY));
    const b = mul(changetype<G>(0).of(load4(at + 16 + FACTOR)), load4(at + 16 + ENTROPY));
    positives = addWide(positives, widen(add(smaller(a, zero()), smaller(b, zero()))));
    negatives = addWide(negatives, widen(add(larger(a, zero()), larger(b, zero()))));
  }
  store4(frame + SUM_POSITIVES, positives);
  store4(frame + SUM_NEGATIVES, negatives);
}

/** The same with each loss widened by itself, for sums that must not depend on which losses are neighbours. */
function sumWide(frame: usize, bytes: usize): void {
  let positives = load4(frame + SUM_POSITIVES);
  let negatives = load4(frame + SUM_NEGATIVES);
  for (let o: usize = 0; o < bytes; o += 16) {
    const loss = mul(load4(frame + o + FACTOR), load4(frame + o + ENTROPY));
    positives = addWide(positives, widen(smaller(loss, zero())));
    negatives = addWide(negatives, widen(larger(loss, zero())));
  }
  store4(frame + SUM_POSITIVES, positives);
  store4(frame + SUM_NEGATIVES, negatives);
}

/** Adds the losses FACTOR ENTROPY to the sums, two at a time where that neither overflows nor is forbidden. */
export function addUp(frame: usize, bytes: usize): void {
  if (changetype<Frame>(frame).flags & WIDE) return sumWide(frame, bytes);
  const positives = v128.load(frame + SUM_POSITIVES);
  const negatives = v128.load(frame + SUM_NEGATIVES);
  sum<One>(frame, bytes);
  if (isFinite(sumOf(frame, SUM_POSITIVES) + sumOf(frame, SUM_NEGATIVES))) return;
  v128.store(frame + SUM_POSITIVES, positives);
  v128.store(frame + SUM_NEGATIVES, negatives);
  sumWide(frame, bytes);
}

// @ts-ignore: decorator
@inline export function sumOf(frame: usize, lanes: usize): f64 {
  return Math.abs(load<f64>(frame + lanes) + load<f64>(frame + lanes + 8));
}

/** FACTOR *= the weights at x. */
@final
@unmanaged
export class Weigh {
  // @ts-ignore: decorator
  @inline step(frame: usize, o: usize, x: usize, y: usize): void {
    const at = frame + o + FACTOR;
    store4(at, mul(load4(at), load4(x + o)));
  }
}

/** Makes ENTROPY finite where nothing is to come of it, because 0 times an infinite loss is 0 here. */
@final
@unmanaged
export class Cap {
  // @ts-ignore: decorator
  @inline step(frame: usize, o: usize, x: usize, y: usize): void {
    cap(frame + o, every(frame + POSITIVE_FACTOR), every(frame + NEGATIVE_FACTOR));
  }
}

// @ts-ignore: decorator
@inline function cap(at: usize, positive: v128, negative: v128): void {
  const entropy = load4(at + ENTROPY);
  const capped = larger(smaller(entropy, splat(1e30)), splat(-1e30));
  const used = nonZeroMask(mul(load4(at + FACTOR), byClass(at, positive, negative)));
  store4(at + ENTROPY, select4(entropy, capped, used));
}

/** Keeps FACTOR off 0 where ENTROPY is infinite: the power of a number above 0 has underflowed there. */
@final
@unmanaged
export class Floor {
  // @ts-ignore: decorator
  @inline step(frame: usize, o: usize, x: usize, y: usize): void {
    const at = frame + o;
    const infinite = greaterMask(absolute(load4(at + ENTROPY)), splat(3.4028234663852886e38));
    store4(at + FACTOR, larger(load4(at + FACTOR), and(splat(1e-45), infinite)));
  }
}

// The factor of each lane's class, the class being the sign of the cross entropy.
// @ts-ignore: decorator
@inline function byClass(at: usize, positive: v128, negative: v128): v128 {
  return xor(negative, and(xor(positive, negative), negativeMask(load4(at + ENTROPY))));
}

/** Writes the losses to x. */
@final
@unmanaged
export class WriteLoss {
  // @ts-ignore: decorator
  @inline step(frame: usize, o: usize, x: usize, y: usize): void {
    store4(x + o, lossOf(frame + o, every(frame + POSITIVE_FACTOR), every(frame + NEGATIVE_FACTOR)));
  }
}

// @ts-ignore: decorator
@inline function lossOf(at: usize, positive: v128, negative: v128): v128 {
  return mul(absolute(mul(load4(at + FACTOR), load4(at + ENTROPY))), byClass(at, positive, negative));
}

/** Writes the gradients to x. */
@final
@unmanaged
export class WriteGrad {
  // @ts-ignore: decorator
  @inline step(frame: usize, o: usize, x: usize, y: usize): void {
    store4(x + o, slopeOf(frame + o, every(frame + POSITIVE_SLOPE), every(frame + NEGATIVE_SLOPE)));
  }
}

// @ts-ignore: decorator
@inline function slopeOf(at: usize, positive: v128, negative: v128): v128 {
  return mul(mul(load4(at + FACTOR), load4(at + SLOPE)), byClass(at, positive, negative));
}

// How the second derivative is made fit for boosting, see docs/numerics.md.

@final
@unmanaged
export class Exact {
  // @ts-ignore: decorator
  @inline of(at: usize, factor: v128): v128 {
    return mul(mul(load4(at + FACTOR), load4(at + CURVE)), factor);
  }
}

@final
@unmanaged
export class Clip {
  // @ts-ignore: decorator
  @inline of(at: usize, factor: v128): v128 {
    return larger(mul(mul(load4(at + FACTOR), load4(at + CURVE)), factor), splat(1e-16));
  }
}

@final
@unmanaged
export class AbsGrad {
  // @ts-ignore: decorator
  @inline of(at: usize, factor: v128): v128 {
    return absolute(mul(mul(load4(at + FACTOR), load4(at + SLOPE)), factor));
  }
}

/** Writes the Hessians to x. */
@final
@unmanaged
export class WriteHess<Policy> {
  // @ts-ignore: decorator
  @inline step(frame: usize, o: usize, x: usize, y: usize): void {
    store4(x + o, curveOf<Policy>(frame + o, every(frame + POSITIVE_SLOPE), every(frame + NEGATIVE_SLOPE)));
  }
}

// @ts-ignore: decorator
@inline function curveOf<Policy>(at: usize, positive: v128, negative: v128): v128 {
  return changetype<Policy>(0).of(at, byClass(at, positive, negative));
}
