import { Flag, Hessian } from '../../src/abi';
import { clearIgnored } from './inputs';
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
  readNext,
  smaller,
  splat,
  subWide,
  widen,
  write2,
  xor,
  zero,
} from '../simd/lanes';
import { PairStage, eachPair } from '../simd/stage';
import { V0, V1, fillsTiles, wholeTiles } from '../simd/tile';
import { Curve, Entropy, Modulation, Output, Slope, Slot, WeighedLoss, get, next, put2, slot } from '../slots';

// What becomes of a loss Modulation^G Entropy, whose sign is its class.

/**
 * Adds a block's losses, weighted by class, to the sum.
 * Two are added as they are, then widened: one rounding of at most 2^-24 before the float64 sum.
 */
function sum<G extends Power>(frame: usize, bytes: usize): void {
  const positive = xor(v128.load_splat<Float>(frame, POSITIVE_FACTOR), every(SIGN));
  const negative = v128.load_splat<Float>(frame, NEGATIVE_FACTOR);
  let total = beginSum(frame, SUM);
  for (let o: usize = 0; o < bytes; o += 32) {
    const at = frame + o;
    const power0 = changetype<G>(0).of(get<Modulation, V0>(at));
    const power1 = changetype<G>(0).of(get<Modulation, V1>(at));
    const a = mul(power0, weighted(get<Entropy, V0>(at), positive, negative));
    const b = mul(power1, weighted(get<Entropy, V1>(at), positive, negative));
    if (!isDefined(LITE)) put2<WeighedLoss, V0>(at, a, b); // for the engine, which packs what is stored
    total = addWide(total, widen(add(a, b)));
  }
  endSum(frame, SUM, total);
}

// Of float64 the sum of a block comes first, since rounding takes less of that than of the sum of all blocks.
// @ts-ignore: decorator
@inline function beginSum(frame: usize, lanes: usize): v128 {
  return sizeof<Float>() == 4 ? v128.load(frame + lanes) : zero();
}

// @ts-ignore: decorator
@inline function endSum(frame: usize, lanes: usize, sum: v128): void {
  v128.store(frame + lanes, sizeof<Float>() == 4 ? sum : addWide(sum, v128.load(frame + lanes)));
}

// The product with the sign of the entropy's class is the one that is not negative.
// @ts-ignore: decorator
@inline function weighted(entropy: v128, positive: v128, negative: v128): v128 {
  return larger(mul(entropy, negative), mul(entropy, positive));
}

/** Adds a block's losses to the sums of their class, each widened by itself: no sum depends on which losses are neighbours. */
function sumByClass(frame: usize, bytes: usize): void {
  if (isDefined(LITE) || mayBeNegative(changetype<State>(frame))) return sumSignedByClass(frame, bytes);
  let positives = beginSum(frame, SUM_POSITIVES);
  let negatives = beginSum(frame, SUM_NEGATIVES);
  for (let o: usize = 0; o < bytes; o += 16) {
    const loss = mul(get<Modulation, V0>(frame + o), get<Entropy, V0>(frame + o));
    positives = subWide(positives, widen(smaller(loss, zero())));
    negatives = addWide(negatives, widen(larger(loss, zero())));
  }
  endSum(frame, SUM_POSITIVES, positives);
  endSum(frame, SUM_NEGATIVES, negatives);
}

/** Whether a loss may be negative: by its weight, or by the epsilon of Poly-1. */
// @ts-ignore: decorator
@inline function mayBeNegative(call: Frame): bool {
  return call.weight != 0 || call.polyEpsilon < 0;
}

/** The same where Modulation may be negative: the class is the sign of Entropy alone. A loss that is NaN counts in both. */
function sumSignedByClass(frame: usize, bytes: usize): void {
  let positives = beginSum(frame, SUM_POSITIVES);
  let negatives = beginSum(frame, SUM_NEGATIVES);
  for (let o: usize = 0; o < bytes; o += 16) {
    const entropy = get<Entropy, V0>(frame + o);
    const loss = mul(get<Modulation, V0>(frame + o), absolute(entropy));
    const isPositive = negativeMask(entropy);
    const isNaN = notEqualMask(loss, loss);
    positives = addWide(positives, widen(and(loss, or(isPositive, isNaN))));
    negatives = addWide(negatives, widen(andNot(loss, andNot(isPositive, isNaN))));
  }
  endSum(frame, SUM_POSITIVES, positives);
  endSum(frame, SUM_NEGATIVES, negatives);
}

// @ts-ignore: decorator
@inline export function clearSums(frame: usize): void {
  memory.fill(frame + SUM, 0, 3 * 16);
}

/** Adds the losses Modulation Entropy: two at a time where that is asked for and does not overflow. */
export function addUp(frame: usize, bytes: usize): void {
  if (!isDefined(LITE) && has(changetype<State>(frame), Flag.byClass)) return sumByClass(frame, bytes);
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
export class Weigh extends PairStage {
  @inline override pair(frame: usize, o: usize, x: usize, y: usize): void {
    const at = frame + o;
    const weighed0 = mul(get<Modulation, V0>(at), read(x + o));
    const weighed1 = mul(next<Modulation, V0>(at), readNext(x + o));
    put2<Modulation, V0>(at, weighed0, weighed1);
  }
}

/** Makes Entropy finite where nothing is to come of it, because 0 times an infinite loss is 0 here. */
@final
@unmanaged
export class LimitUnused extends PairStage {
  @inline override pair(frame: usize, o: usize, x: usize, y: usize): void {
    const at = frame + o;
    const positive = v128.load_splat<Float>(frame, POSITIVE_FACTOR);
    const negative = v128.load_splat<Float>(frame, NEGATIVE_FACTOR);
    const limited0 = limitUnused(get<Entropy, V0>(at), get<Modulation, V0>(at), positive, negative);
    const limited1 = limitUnused(next<Entropy, V0>(at), next<Modulation, V0>(at), positive, negative);
    put2<Entropy, V0>(at, limited0, limited1);
  }
}

// @ts-ignore: decorator
@inline function limitUnused(entropy: v128, modulation: v128, positive: v128, negative: v128): v128 {
  // no factor of a class makes 1 infinite
  const limited = larger(smaller(entropy, splat(1)), splat(-1));
  const used = nonZeroMask(mul(modulation, byClass(entropy, positive, negative)));
  return choose(entropy, limited, used);
}

/** Keeps Modulation off 0 where Entropy is infinite: the power of a number above 0 has underflowed there. */
@final
@unmanaged
class KeepAboveZero extends PairStage {
  @inline override pair(frame: usize, o: usize, x: usize, y: usize): void {
    const at = frame + o;
    const infinite0 = greaterMask(absolute(get<Entropy, V0>(at)), splat(LARGEST));
    const infinite1 = greaterMask(absolute(next<Entropy, V0>(at)), splat(LARGEST));
    const power0 = get<Modulation, V0>(at);
    const power1 = next<Modulation, V0>(at);
    const kept0 = choose(larger(power0, splat(SMALLEST)), power0, infinite0);
    const kept1 = choose(larger(power1, splat(SMALLEST)), power1, infinite1);
    put2<Modulation, V0>(at, kept0, kept1);
  }
}

// The factor of each lane's class, the class being the sign of the cross entropy.
// @ts-ignore: decorator
@inline function byClass(entropy: v128, positive: v128, negative: v128): v128 {
  return xor(negative, and(xor(positive, negative), negativeMask(entropy)));
}

/** Writes the losses to x. */
@final
@unmanaged
export class WriteLoss extends PairStage {
  @inline override pair(frame: usize, o: usize, x: usize, y: usize): void {
    const at = frame + o;
    const positive = v128.load_splat<Float>(frame, POSITIVE_FACTOR);
    const negative = v128.load_splat<Float>(frame, NEGATIVE_FACTOR);
    const entropy0 = get<Entropy, V0>(at);
    const entropy1 = next<Entropy, V0>(at);
    const loss0 = mul(get<Modulation, V0>(at), absolute(mul(entropy0, byClass(entropy0, positive, negative))));
    const loss1 = mul(next<Modulation, V0>(at), absolute(mul(entropy1, byClass(entropy1, positive, negative))));
    write2(x + o, loss0, loss1);
  }
}

// How the second derivative is made fit for boosting, see docs/numerics.md.

@unmanaged
abstract class HessianPolicy {
  /** From what the call's derivative is once everything is multiplied in. */
  abstract of(derivative: v128): v128;
}

@final
@unmanaged
class Exact extends HessianPolicy {
  @inline override of(derivative: v128): v128 {
    return derivative;
  }
}

@final
@unmanaged
class Clip extends HessianPolicy {
  @inline override of(derivative: v128): v128 {
    return larger(derivative, splat(1e-16));
  }
}

@final
@unmanaged
class Absolute extends HessianPolicy {
  @inline override of(derivative: v128): v128 {
    return absolute(derivative);
  }
}

/** Writes a derivative, Slope or Curve, to x as the policy has it. */
@final
@unmanaged
class WriteDerivative<S extends Slot, P extends HessianPolicy> extends PairStage {
  @inline override pair(frame: usize, o: usize, x: usize, y: usize): void {
    const at = frame + o;
    const positive = v128.load_splat<Float>(frame, POSITIVE_SCALE);
    const negative = v128.load_splat<Float>(frame, NEGATIVE_SCALE);
    const scale0 = byClass(get<Entropy, V0>(at), positive, negative);
    const scale1 = byClass(next<Entropy, V0>(at), positive, negative);
    const derivative0 = mul(mul(get<Modulation, V0>(at), get<S, V0>(at)), scale0);
    const derivative1 = mul(mul(next<Modulation, V0>(at), next<S, V0>(at)), scale1);
    write2(x + o, changetype<P>(0).of(derivative0), changetype<P>(0).of(derivative1));
  }
}

/** The sums and arrays that a call asks for of the block at `start`, whose Modulation is still to be raised to `power`. */
export function putOutputs(frame: usize, start: i32, count: i32, power: i32): void {
  const call = changetype<State>(frame);
  const bytes = bytesOf(wholeTiles(count));
  let left = power;
  if (!isDefined(LITE) && isSumAlone(call) && !hasZeroFactor(call)) {
    left = sumPower(frame, power, bytes);
    if (left == SUMMED) return;
  }
  raise(frame, left, bytes);
  if (call.readsNumbers) eachPair<KeepAboveZero>(frame, 0, 0, bytes);
  if (call.weight) eachPair<Weigh>(frame, call.weights, 0, bytes);
  if (hasZeroFactor(call) || call.weight) eachPair<LimitUnused>(frame, 0, 0, bytes);
  if (has(call, Flag.sums)) addUp(frame, bytes);
  if (call.loss) {
    const out = placeFor(frame, call.loss, start, count);
    eachPair<WriteLoss>(frame, out, 0, bytes);
    finish(frame, call.loss, start, count);
  }
  if (isDefined(LITE)) return;
  if (call.grad) {
    const out = placeFor(frame, call.grad, start, count);
    eachPair<WriteDerivative<Slope, Exact>>(frame, out, 0, bytes);
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
  return !isDefined(LITE) && fillsTiles(count) ? out + bytesOf(start) : frame + slot<Output>();
}

function finish(frame: usize, out: usize, start: i32, count: i32): void {
  if (isDefined(LITE) || !fillsTiles(count)) memory.copy(out + bytesOf(start), frame + slot<Output>(), bytesOf(count));
}

function writeHess(frame: usize, out: usize, bytes: usize): void {
  const policy = changetype<State>(frame).hessian;
  if (policy == Hessian.clip) eachPair<WriteDerivative<Curve, Clip>>(frame, out, 0, bytes);
  else if (policy == Hessian.absGrad) eachPair<WriteDerivative<Slope, Absolute>>(frame, out, 0, bytes);
  else eachPair<WriteDerivative<Curve, Exact>>(frame, out, 0, bytes);
}
