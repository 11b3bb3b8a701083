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
  SIGN,
  smaller,
  splat,
  store4,
  widen,
  xor,
  zero,
} from './lanes';
import {
  BY_CLASS,
  CURVE,
  ENTROPY,
  FACTOR,
  Frame,
  NEGATIVE_FACTOR,
  NEGATIVE_SLOPE,
  POSITIVE_FACTOR,
  POSITIVE_SLOPE,
  SLOPE,
  SUM,
  SUM_NEGATIVES,
  SUM_POSITIVES,
  SUMS,
} from './layout';
import { One } from './power';

// What becomes of a loss FACTOR^G ENTROPY, whose sign is its class.

/**
 * Adds a block's losses, weighted by class, to the sum.
 * Two are added as float32, then widened: one rounding of at most 2^-24 before the float64 sum.
 */
export function sum<G>(frame: usize, bytes: usize): void {
  const positive = xor(every(frame + POSITIVE_FACTOR), every(SIGN));
  const negative = every(frame + NEGATIVE_FACTOR);
  let total = v128.load(frame, SUM);
  for (let o: usize = 0; o < bytes; o += 32) {
    const at = frame + o;
    const a = mul(changetype<G>(0).of(v128.load(at, FACTOR)), weighted(v128.load(at, ENTROPY), positive, negative));
    const b = mul(changetype<G>(0).of(v128.load(at, FACTOR + 16)), weighted(v128.load(at, ENTROPY + 16), positive, negative));
    total = addWide(total, widen(add(a, b)));
  }
  v128.store(frame, total, SUM);
}

// The product with the sign of the entropy's class is the one that is not negative.
// @ts-ignore: decorator
@inline function weighted(entropy: v128, positive: v128, negative: v128): v128 {
  return larger(mul(entropy, negative), mul(entropy, positive));
}

/** Adds a block's losses to the sums of their class, each widened by itself: no sum depends on which losses are neighbours. */
function sumByClass(frame: usize, bytes: usize): void {
  let positives = v128.load(frame, SUM_POSITIVES);
  let negatives = v128.load(frame, SUM_NEGATIVES);
  for (let o: usize = 0; o < bytes; o += 16) {
    const loss = mul(v128.load(frame + o, FACTOR), v128.load(frame + o, ENTROPY));
    positives = addWide(positives, widen(smaller(loss, zero())));
    negatives = addWide(negatives, widen(larger(loss, zero())));
  }
  v128.store(frame, positives, SUM_POSITIVES);
  v128.store(frame, negatives, SUM_NEGATIVES);
}

// @ts-ignore: decorator
@inline export function clearSums(frame: usize): void {
  memory.fill(frame + SUM, 0, 48);
}

/** Adds the losses FACTOR ENTROPY: two at a time where that is asked for and does not overflow. */
export function addUp(frame: usize, bytes: usize): void {
  if (changetype<Frame>(frame).flags & BY_CLASS) return sumByClass(frame, bytes);
  const before = v128.load(frame, SUM);
  sum<One>(frame, bytes);
  if (!stands(frame, before)) sumByClass(frame, bytes);
}

/** Whether a call asks for its sum alone, which no weight of an element goes into. */
// @ts-ignore: decorator
@inline export function isSumAlone(call: Frame): bool {
  return (call.flags & (SUMS | BY_CLASS)) == SUMS && (call.weight | call.loss | call.grad | call.hess) == 0;
}

/** Whether the sum is finite; else it is again what it was before. */
// @ts-ignore: decorator
@inline export function stands(frame: usize, before: v128): bool {
  if (isFinite(sumOf(frame, SUM))) return true;
  v128.store(frame, before, SUM);
  return false;
}

/** The results of all blocks. */
// @ts-ignore: decorator
@inline export function finishSums(frame: usize): void {
  const call = changetype<Frame>(frame);
  call.sumPositives = scaled(sumOf(frame, SUM_POSITIVES), load<f32>(frame + POSITIVE_FACTOR));
  call.sumNegatives = scaled(sumOf(frame, SUM_NEGATIVES), load<f32>(frame + NEGATIVE_FACTOR));
  call.sum = sumOf(frame, SUM) + call.sumPositives + call.sumNegatives;
}

/** 0 times an infinite sum is 0 here; NaN stays. */
function scaled(sum: f64, factor: f32): f64 {
  return factor == 0 && sum == Infinity ? 0 : sum * <f64>factor;
}

// @ts-ignore: decorator
@inline function sumOf(frame: usize, lanes: usize): f64 {
  return Math.abs(load<f64>(frame + lanes) + load<f64>(frame + lanes + 8));
}

/** FACTOR *= the weights at x. */
@final
@unmanaged
export class Weigh {
  // @ts-ignore: decorator
  @inline step(frame: usize, o: usize, x: usize, y: usize): void {
    const at = frame + o;
    v128.store(at, mul(v128.load(at, FACTOR), load4(x + o)), FACTOR);
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
  const entropy = v128.load(at, ENTROPY);
  const capped = larger(smaller(entropy, splat(1e30)), splat(-1e30));
  const used = nonZeroMask(mul(v128.load(at, FACTOR), byClass(at, positive, negative)));
  v128.store(at, select4(entropy, capped, used), ENTROPY);
}

/** Keeps FACTOR off 0 where ENTROPY is infinite: the power of a number above 0 has underflowed there. */
@final
@unmanaged
export class Floor {
  // @ts-ignore: decorator
  @inline step(frame: usize, o: usize, x: usize, y: usize): void {
    const at = frame + o;
    const infinite = greaterMask(absolute(v128.load(at, ENTROPY)), splat(3.4028234663852886e38));
    v128.store(at, larger(v128.load(at, FACTOR), and(splat(1e-45), infinite)), FACTOR);
  }
}

// The factor of each lane's class, the class being the sign of the cross entropy.
// @ts-ignore: decorator
@inline function byClass(at: usize, positive: v128, negative: v128): v128 {
  return xor(negative, and(xor(positive, negative), negativeMask(v128.load(at, ENTROPY))));
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
  return mul(v128.load(at, FACTOR), absolute(mul(v128.load(at, ENTROPY), byClass(at, positive, negative))));
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
  return mul(mul(v128.load(at, FACTOR), v128.load(at, SLOPE)), byClass(at, positive, negative));
}

// How the second derivative is made fit for boosting, see docs/numerics.md.

@final
@unmanaged
export class Exact {
  // @ts-ignore: decorator
  @inline of(at: usize, factor: v128): v128 {
    return mul(mul(v128.load(at, FACTOR), v128.load(at, CURVE)), factor);
  }
}

@final
@unmanaged
export class Clip {
  // @ts-ignore: decorator
  @inline of(at: usize, factor: v128): v128 {
    return larger(mul(mul(v128.load(at, FACTOR), v128.load(at, CURVE)), factor), splat(1e-16));
  }
}

@final
@unmanaged
export class AbsGrad {
  // @ts-ignore: decorator
  @inline of(at: usize, factor: v128): v128 {
    return absolute(mul(mul(v128.load(at, FACTOR), v128.load(at, SLOPE)), factor));
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
