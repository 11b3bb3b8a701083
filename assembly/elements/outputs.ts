import { Flag, Hessian } from '../../src/abi';
import { clearIgnored, padNumbers } from './inputs';
import {
  Frame,
  NEGATIVE_FACTOR,
  NEGATIVE_SCALE,
  POSITIVE_FACTOR,
  POSITIVE_SCALE,
  SUM,
  SUM_NEGATIVES,
  SUM_POSITIVES,
  State,
  bytesOf,
  has,
} from '../frame';
import { One, OneAndHalf, Power, Two, Zero } from '../math/power';
import { FIRST_POWER, raise } from '../math/raise';
import {
  LARGEST,
  SIGN,
  SMALLEST,
  absolute,
  add,
  addWide,
  and,
  andNot,
  choose,
  every,
  greaterMask,
  larger,
  mul,
  negativeMask,
  nonZeroMask,
  notEqualMask,
  or,
  read,
  smaller,
  splat,
  subWide,
  widen,
  write,
  xor,
  zero,
} from '../simd/lanes';
import { VectorStage, eachVector } from '../simd/stage';
import { V0, V1, fillsTiles, wholeTiles } from '../simd/tile';
import { Curve, Entropy, Modulation, Output, Slope, Weight, get, put, slot } from '../slots';

// What becomes of a loss Modulation^G Entropy, whose sign is its class.

/**
 * Adds a block's losses, weighted by class, to the sum.
 * Two are added as they are, then widened: one rounding of at most 2^-24 before the float64 sum.
 */
function sum<G extends Power>(frame: usize, bytes: usize): void {
  const positive = xor(v128.load_splat<Float>(frame, POSITIVE_FACTOR), every(SIGN));
  const negative = v128.load_splat<Float>(frame, NEGATIVE_FACTOR);
  let total = v128.load(frame, SUM);
  for (let o: usize = 0; o < bytes; o += 32) {
    const at = frame + o;
    const a = mul(changetype<G>(0).of(get<Modulation, V0>(at)), weighted(get<Entropy, V0>(at), positive, negative));
    const b = mul(changetype<G>(0).of(get<Modulation, V1>(at)), weighted(get<Entropy, V1>(at), positive, negative));
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
  if (changetype<State>(frame).weight) return sumWeighedByClass(frame, bytes);
  let positives = v128.load(frame, SUM_POSITIVES);
  let negatives = v128.load(frame, SUM_NEGATIVES);
  for (let o: usize = 0; o < bytes; o += 16) {
    const loss = mul(get<Modulation, V0>(frame + o), get<Entropy, V0>(frame + o));
    positives = subWide(positives, widen(smaller(loss, zero())));
    negatives = addWide(negatives, widen(larger(loss, zero())));
  }
  v128.store(frame, positives, SUM_POSITIVES);
  v128.store(frame, negatives, SUM_NEGATIVES);
}

/** The same where Modulation may be negative: the class is the sign of Entropy alone. A loss that is NaN counts in both. */
function sumWeighedByClass(frame: usize, bytes: usize): void {
  let positives = v128.load(frame, SUM_POSITIVES);
  let negatives = v128.load(frame, SUM_NEGATIVES);
  for (let o: usize = 0; o < bytes; o += 16) {
    const entropy = get<Entropy, V0>(frame + o);
    const loss = mul(get<Modulation, V0>(frame + o), absolute(entropy));
    const isPositive = negativeMask(entropy);
    const isNaN = notEqualMask(loss, loss);
    positives = addWide(positives, widen(and(loss, or(isPositive, isNaN))));
    negatives = addWide(negatives, widen(andNot(loss, andNot(isPositive, isNaN))));
  }
  v128.store(frame, positives, SUM_POSITIVES);
  v128.store(frame, negatives, SUM_NEGATIVES);
}

// @ts-ignore: decorator
@inline export function clearSums(frame: usize): void {
  memory.fill(frame + SUM, 0, 3 * 16);
}

/** Adds the losses Modulation Entropy: two at a time where that is asked for and does not overflow. */
export function addUp(frame: usize, bytes: usize): void {
  if (has(changetype<State>(frame), Flag.byClass)) return sumByClass(frame, bytes);
  const before = v128.load(frame, SUM);
  sum<One>(frame, bytes);
  if (undoIfInfinite(frame, before)) sumByClass(frame, bytes);
}

/** Whether a call asks for its sum alone, which no weight of an element goes into. */
// @ts-ignore: decorator
@inline export function isSumAlone(call: Frame): bool {
  return (call.flags & (Flag.sums | Flag.byClass)) == Flag.sums && (call.weight | call.loss | call.grad | call.hess) == 0;
}

/** Whether the sum is infinite or NaN; it is then again what it was before. */
// @ts-ignore: decorator
@inline function undoIfInfinite(frame: usize, before: v128): bool {
  if (isFinite(sumOf(frame, SUM))) return false;
  v128.store(frame, before, SUM);
  return true;
}

/** The sum is complete: no power is left to take, no loss to weigh. */
export const SUMMED: i32 = -2;

/**
 * The short way of a block whose sum is all that is asked for: no array of losses is made. Returns SUMMED, or what power
 * of Modulation is left to take where the sum is not finite, and is taken back. The power of a soft target's modulation can
 * underflow against an infinite cross entropy, and two float32 can overflow.
 */
export function sumPower(frame: usize, power: i32, bytes: usize): i32 {
  const before = v128.load(frame, SUM);
  const left = addPower(frame, power, bytes);
  return undoIfInfinite(frame, before) ? left : SUMMED;
}

/** Adds the losses Modulation^power Entropy, and returns what power of Modulation is left to take. */
function addPower(frame: usize, power: i32, bytes: usize): i32 {
  switch (power) {
    case 0:
      sum<Zero>(frame, bytes);
      break;
    case 2:
      sum<One>(frame, bytes);
      break;
    case 3:
      sum<OneAndHalf>(frame, bytes);
      break;
    case 4:
      sum<Two>(frame, bytes);
      break;
    default: // the less usual ones
      raise(frame, power, bytes);
      sum<One>(frame, bytes);
      return FIRST_POWER;
  }
  return power;
}

/** The results of all blocks. */
// @ts-ignore: decorator
@inline export function finishSums(frame: usize): void {
  const call = changetype<State>(frame);
  call.sumPositives = scaled(sumOf(frame, SUM_POSITIVES), call.positiveFactor);
  call.sumNegatives = scaled(sumOf(frame, SUM_NEGATIVES), call.negativeFactor);
  call.sum = sumOf(frame, SUM) + call.sumPositives + call.sumNegatives;
}

/** 0 times an infinite sum is 0 here; NaN stays. */
function scaled(sum: f64, factor: Float): f64 {
  return factor == 0 && Math.abs(sum) == Infinity ? 0 : sum * <f64>factor;
}

// @ts-ignore: decorator
@inline function sumOf(frame: usize, lanes: usize): f64 {
  return load<f64>(frame + lanes) + load<f64>(frame + lanes + 8);
}

/** Modulation *= the weights at x. */
@final
@unmanaged
export class Weigh extends VectorStage {
  @inline override vector(frame: usize, o: usize, x: usize, y: usize): void {
    const at = frame + o;
    put<Modulation, V0>(at, mul(get<Modulation, V0>(at), read(x + o)));
  }
}

/** Makes Entropy finite where nothing is to come of it, because 0 times an infinite loss is 0 here. */
@final
@unmanaged
export class LimitUnused extends VectorStage {
  @inline override vector(frame: usize, o: usize, x: usize, y: usize): void {
    limitUnused(frame + o, v128.load_splat<Float>(frame, POSITIVE_FACTOR), v128.load_splat<Float>(frame, NEGATIVE_FACTOR));
  }
}

// @ts-ignore: decorator
@inline function limitUnused(at: usize, positive: v128, negative: v128): void {
  const entropy = get<Entropy, V0>(at);
  const limited = larger(smaller(entropy, splat(1e30)), splat(-1e30));
  const used = nonZeroMask(mul(get<Modulation, V0>(at), byClass(at, positive, negative)));
  put<Entropy, V0>(at, choose(entropy, limited, used));
}

/** Keeps Modulation off 0 where Entropy is infinite: the power of a number above 0 has underflowed there. */
@final
@unmanaged
class KeepAboveZero extends VectorStage {
  @inline override vector(frame: usize, o: usize, x: usize, y: usize): void {
    const at = frame + o;
    const infinite = greaterMask(absolute(get<Entropy, V0>(at)), splat(LARGEST));
    put<Modulation, V0>(at, larger(get<Modulation, V0>(at), and(splat(SMALLEST), infinite)));
  }
}

// The factor of each lane's class, the class being the sign of the cross entropy.
// @ts-ignore: decorator
@inline function byClass(at: usize, positive: v128, negative: v128): v128 {
  return xor(negative, and(xor(positive, negative), negativeMask(get<Entropy, V0>(at))));
}

/** Writes the losses to x. */
@final
@unmanaged
export class WriteLoss extends VectorStage {
  @inline override vector(frame: usize, o: usize, x: usize, y: usize): void {
    write(x + o, lossOf(frame + o, v128.load_splat<Float>(frame, POSITIVE_FACTOR), v128.load_splat<Float>(frame, NEGATIVE_FACTOR)));
  }
}

// @ts-ignore: decorator
@inline function lossOf(at: usize, positive: v128, negative: v128): v128 {
  return mul(get<Modulation, V0>(at), absolute(mul(get<Entropy, V0>(at), byClass(at, positive, negative))));
}

/** Writes the gradients to x. */
@final
@unmanaged
class WriteGrad extends VectorStage {
  @inline override vector(frame: usize, o: usize, x: usize, y: usize): void {
    write(x + o, slopeOf(frame + o, v128.load_splat<Float>(frame, POSITIVE_SCALE), v128.load_splat<Float>(frame, NEGATIVE_SCALE)));
  }
}

// @ts-ignore: decorator
@inline function slopeOf(at: usize, positive: v128, negative: v128): v128 {
  return mul(mul(get<Modulation, V0>(at), get<Slope, V0>(at)), byClass(at, positive, negative));
}

// How the second derivative is made fit for boosting, see docs/numerics.md.

@unmanaged
abstract class HessianPolicy {
  /** From the terms at `at` and the factor of their class. */
  abstract of(at: usize, factor: v128): v128;
}

@final
@unmanaged
class Exact extends HessianPolicy {
  @inline override of(at: usize, factor: v128): v128 {
    return mul(mul(get<Modulation, V0>(at), get<Curve, V0>(at)), factor);
  }
}

@final
@unmanaged
class Clip extends HessianPolicy {
  @inline override of(at: usize, factor: v128): v128 {
    return larger(mul(mul(get<Modulation, V0>(at), get<Curve, V0>(at)), factor), splat(1e-16));
  }
}

@final
@unmanaged
class AbsGrad extends HessianPolicy {
  @inline override of(at: usize, factor: v128): v128 {
    return absolute(mul(mul(get<Modulation, V0>(at), get<Slope, V0>(at)), factor));
  }
}

/** Writes the Hessians to x. */
@final
@unmanaged
class WriteHess<Policy extends HessianPolicy> extends VectorStage {
  @inline override vector(frame: usize, o: usize, x: usize, y: usize): void {
    write(x + o, curveOf<Policy>(frame + o, v128.load_splat<Float>(frame, POSITIVE_SCALE), v128.load_splat<Float>(frame, NEGATIVE_SCALE)));
  }
}

// @ts-ignore: decorator
@inline function curveOf<Policy extends HessianPolicy>(at: usize, positive: v128, negative: v128): v128 {
  return changetype<Policy>(0).of(at, byClass(at, positive, negative));
}

/** The sums and arrays that a call asks for of the block at `start`, whose Modulation is still to be raised to `power`. */
export function putOutputs(frame: usize, start: i32, count: i32, power: i32): void {
  const call = changetype<State>(frame);
  const bytes = bytesOf(wholeTiles(count));
  let left = power;
  if (isSumAlone(call) && !hasZeroFactor(call)) {
    left = sumPower(frame, power, bytes);
    if (left == SUMMED) return;
  }
  raise(frame, left, bytes);
  if (call.readsNumbers) eachVector<KeepAboveZero>(frame, 0, 0, bytes);
  if (call.weight) eachVector<Weigh>(frame, weightsFrom(frame, start, count), 0, bytes);
  if (hasZeroFactor(call) || call.weight) eachVector<LimitUnused>(frame, 0, 0, bytes);
  if (has(call, Flag.sums)) addUp(frame, bytes);
  if (call.loss) {
    const out = placeFor(frame, call.loss, start, count);
    eachVector<WriteLoss>(frame, out, 0, bytes);
    finish(frame, call.loss, start, count);
  }
  if (call.grad) {
    const out = placeFor(frame, call.grad, start, count);
    eachVector<WriteGrad>(frame, out, 0, bytes);
    finish(frame, call.grad, start, count);
  }
  if (call.hess) {
    writeHess(frame, placeFor(frame, call.hess, start, count), bytes);
    finish(frame, call.hess, start, count);
  }
  if (!call.ignores) return;
  if (call.grad) clearIgnored(call, call.grad + bytesOf(start), call.targetsOfBlock, count);
  if (call.hess) clearIgnored(call, call.hess + bytesOf(start), call.targetsOfBlock, count);
}

/** Whether some class counts for nothing: 0 times an infinite loss is 0 here. */
// @ts-ignore: decorator
@inline function hasZeroFactor(call: State): bool {
  return call.positiveFactor == 0 || call.negativeFactor == 0;
}

/** Where a block's results go: to their array if they fill it to the end of a tile. */
function placeFor(frame: usize, out: usize, start: i32, count: i32): usize {
  return fillsTiles(count) ? out + bytesOf(start) : frame + slot<Output>();
}

function finish(frame: usize, out: usize, start: i32, count: i32): void {
  if (!fillsTiles(count)) memory.copy(out + bytesOf(start), frame + slot<Output>(), bytesOf(count));
}

function weightsFrom(frame: usize, start: i32, count: i32): usize {
  const weight = changetype<State>(frame).weight + bytesOf(start);
  if (fillsTiles(count)) return weight;
  padNumbers<Weight>(frame, weight, count, 0);
  return frame + slot<Weight>();
}

function writeHess(frame: usize, out: usize, bytes: usize): void {
  const policy = changetype<State>(frame).hessian;
  if (policy == Hessian.clip) eachVector<WriteHess<Clip>>(frame, out, 0, bytes);
  else if (policy == Hessian.absGrad) eachVector<WriteHess<AbsGrad>>(frame, out, 0, bytes);
  else eachVector<WriteHess<Exact>>(frame, out, 0, bytes);
}
