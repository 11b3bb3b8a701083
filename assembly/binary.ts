import { censusOf } from './census';
import { LogOnly, ValueOnly, WithCurve, WithSlope } from './derivative';
import { Quotient, Reduce } from './exponential';
import { ANY_POWER, FINISHED, FIRST_POWER, hardPower, powerOf, prepareGamma, sumPower, takePower } from './gamma';
import { EasyCorrection, HardDerivatives, HardGaussNewton, HardTerms, UNMASKED } from './hard';
import {
  ABS_GRAD,
  BLOCK,
  BY_CLASS,
  CLIP,
  COEFFICIENT,
  CORRECT,
  CURVE,
  Frame,
  GAUSS_NEWTON,
  IGNORE,
  NEGATIVE_FACTOR,
  NEGATIVE_SLOPE,
  PAD_ALPHA,
  PAD_ALPHA_NEGATIVE,
  PAD_LOGITS,
  PAD_LOST,
  PAD_OUT,
  PAD_POS_WEIGHT,
  PAD_TARGETS,
  PAD_WEIGHT,
  POSITIVE_FACTOR,
  POSITIVE_SLOPE,
  PROBABILITIES,
  SOFT,
  SUMS,
  TILE,
  wholeTiles,
} from './layout';
import { Divide, Divided, Entropy, Logged, WeighedEntropy } from './logarithm';
import { AbsGrad, addUp, Cap, clearSums, Clip, Exact, finishSums, Floor, isSumAlone, Weigh, WriteGrad, WriteHess, WriteLoss } from './outputs';
import { clearIgnored, fillSlot, padBytes, padFloats, padLogits, padSoft } from './pad';
import { outOfRange, ProbabilityDerivatives, ProbabilityTerms } from './probability';
import { General, Mark, Plain, SoftDerivatives, SoftGaussNewton, SoftTerms } from './soft';
import { sweep, sweepVectors } from './sweep';

// The binary losses: the stages over one block after another.

/** Whether the loss is computed from float32 targets: soft ones, or options that are per element. */
// @ts-ignore: decorator
@inline function isSoft(call: Frame): bool {
  return (
    (call.flags & (SOFT | PROBABILITIES)) != 0 || call.labelSmoothing != 0 || call.alphas != 0 || call.posWeights != 0
  );
}

export function binary(frame: usize): void {
  const call = changetype<Frame>(frame);
  prepare(frame);
  for (let start = 0; start < call.count; start += <i32>BLOCK) {
    block(frame, start, min(call.count - start, <i32>BLOCK));
  }
  finishSums(frame);
}

// @ts-ignore: decorator
@inline function prepare(frame: usize): void {
  const call = changetype<Frame>(frame);
  const soft = isSoft(call);
  prepareGamma(frame);
  // The loss of an easy element goes as e^(gamma + 1), that of others less: these shares leave the least error over all.
  // A power that is taken from logarithms knows nothing of e.
  const counted = powerOf(frame) == ANY_POWER && !soft ? 0 : Math.min(call.gamma, 64);
  const share = soft || powerOf(frame) > UNMASKED ? 0.75 : 0.65;
  store<f32>(frame + CORRECT, <f32>(share * (counted + 1)));
  const positive = soft ? 1 : call.alphaPositive * call.posWeight;
  const negative = soft ? 1 : call.alphaNegative;
  store<f32>(frame + POSITIVE_FACTOR, <f32>positive);
  store<f32>(frame + NEGATIVE_FACTOR, <f32>negative);
  store<f32>(frame + POSITIVE_SLOPE, <f32>(positive * call.gradScale));
  store<f32>(frame + NEGATIVE_SLOPE, <f32>(negative * call.gradScale));
  clearSums(frame);
  censusOf(frame);
  if (!soft) return;
  fillSlot(frame + PAD_ALPHA, call.count, <f32>call.alphaPositive);
  fillSlot(frame + PAD_ALPHA_NEGATIVE, call.count, <f32>call.alphaNegative);
  fillSlot(frame + PAD_LOST, call.count, 0);
  fillSlot(frame + PAD_POS_WEIGHT, call.count, <f32>call.posWeight);
}

function block(frame: usize, start: i32, count: i32): void {
  const call = changetype<Frame>(frame);
  const soft = isSoft(call);
  const whole = count % <i32>TILE == 0;
  const bytes = <usize>wholeTiles(count) << 2;
  const source = call.targets + (call.flags & SOFT ? start << 2 : start);
  let x = call.logits + (start << 2);
  let y = source;
  if (call.flags & PROBABILITIES && outOfRange(x, count)) call.bad |= 2;
  if (!whole || call.flags & IGNORE) {
    padLogits(frame, x, source, count);
    x = frame + PAD_LOGITS;
  }
  if (soft && (!whole || call.flags & IGNORE || !(call.flags & SOFT) || call.labelSmoothing != 0)) {
    padSoft(frame, source, count);
    y = frame + PAD_TARGETS;
  } else if (!soft && (!whole || call.flags & IGNORE)) {
    padBytes(frame, source, count);
    y = frame + PAD_TARGETS;
  }
  if (call.alphas) {
    padFloats(frame + PAD_ALPHA, call.alphas + (start << 2), count, 0);
    padFloats(frame + PAD_ALPHA_NEGATIVE, call.alphaNegatives + (start << 2), count, 0);
  }
  if (call.posWeights) padFloats(frame + PAD_POS_WEIGHT, call.posWeights + (start << 2), count, 0);
  let power: i32;
  if (call.hess != 0 && call.hessian != ABS_GRAD) power = terms<WithCurve>(frame, x, y, bytes, soft);
  else if (call.hess != 0 || call.grad != 0) power = terms<WithSlope>(frame, x, y, bytes, soft);
  else power = terms<ValueOnly>(frame, x, y, bytes, soft);
  outputs(frame, start, count, bytes, soft, power);
  if (!(call.flags & IGNORE)) return;
  if (call.grad) clearIgnored(call, call.grad + (start << 2), source, count);
  if (call.hess) clearIgnored(call, call.hess + (start << 2), source, count);
}

// @ts-ignore: decorator
@inline function isPlain(call: Frame): bool {
  const single = call.alphas == 0 && call.posWeights == 0 && call.posWeight == 1;
  return single && call.labelSmoothing == 0 && call.gamma <= 3;
}

/** FACTOR and ENTROPY of a block, and its derivatives without the power. Returns what power of FACTOR is left to take. */
function terms<Derivative>(frame: usize, x: usize, y: usize, bytes: usize, soft: bool): i32 {
  const call = changetype<Frame>(frame);
  if (call.flags & PROBABILITIES) {
    probabilityTerms<Derivative>(frame, x, y, bytes);
    return powerOf(frame);
  }
  quotients(frame, x, y, bytes, soft);
  if (soft) softTerms<Derivative>(frame, x, y, bytes);
  else if (powerOf(frame) == ANY_POWER) {
    hardTermsRaised<Derivative>(frame, x, y, bytes);
    return FIRST_POWER;
  } else hardTerms<Derivative>(frame, x, y, bytes);
  return powerOf(frame);
}

/** e^-|x| as NUMERATOR / DENOMINATOR, and its CORRECTION. */
function quotients(frame: usize, x: usize, y: usize, bytes: usize, soft: bool): void {
  const power = powerOf(frame);
  sweep<Reduce>(frame, x, y, bytes);
  sweep<Quotient>(frame, x, y, bytes);
  if (!soft && power > UNMASKED) sweep<EasyCorrection>(frame, x, y, bytes);
}

function probabilityTerms<Derivative>(frame: usize, x: usize, y: usize, bytes: usize): void {
  sweepVectors<ProbabilityTerms>(frame, x, y, bytes);
  // The curve costs little beside the logarithms, so it comes with the slope.
  if (idof<Derivative>() != idof<ValueOnly>()) sweepVectors<ProbabilityDerivatives>(frame, x, y, bytes);
  if (idof<Derivative>() == idof<WithCurve>() && isGaussNewton(frame)) {
    memory.copy(frame + CURVE, frame + COEFFICIENT, bytes);
  }
}

function softTerms<Derivative>(frame: usize, x: usize, y: usize, bytes: usize): void {
  const call = changetype<Frame>(frame);
  if (isPlain(call)) sweep<SoftTerms<Plain>>(frame, x, y, bytes);
  else sweepVectors<SoftTerms<General>>(frame, x, y, bytes);
  sweep<WeighedEntropy>(frame, x, y, bytes);
  if (call.flags & BY_CLASS) sweepVectors<Mark>(frame, x, y, bytes);
  if (idof<Derivative>() != idof<ValueOnly>()) sweepVectors<SoftDerivatives<Derivative>>(frame, x, y, bytes);
  if (idof<Derivative>() == idof<WithCurve>() && isGaussNewton(frame)) {
    sweepVectors<SoftGaussNewton>(frame, x, y, bytes);
  }
}

// @ts-ignore: decorator
@inline function hardTerms<Derivative>(frame: usize, x: usize, y: usize, bytes: usize): void {
  sweep<HardTerms<Derivative>>(frame, x, y, bytes);
  sweep<Entropy<Divided>>(frame, x, y, bytes);
  if (idof<Derivative>() != idof<ValueOnly>()) hardDerivatives<Derivative>(frame, bytes);
}

/** The same with FACTOR raised to the power, which costs less from the logarithms at hand than from FACTOR. */
function hardTermsRaised<Derivative>(frame: usize, x: usize, y: usize, bytes: usize): void {
  if (idof<Derivative>() == idof<ValueOnly>()) sweep<HardTerms<LogOnly>>(frame, x, y, bytes);
  else sweep<HardTerms<Derivative>>(frame, x, y, bytes);
  sweep<Entropy<Logged>>(frame, x, y, bytes);
  if (idof<Derivative>() != idof<ValueOnly>()) {
    sweepVectors<Divide>(frame, x, y, bytes);
    hardDerivatives<Derivative>(frame, bytes);
  }
  hardPower(frame, bytes);
}

function hardDerivatives<Derivative>(frame: usize, bytes: usize): void {
  sweepVectors<HardDerivatives<Derivative>>(frame, 0, 0, bytes);
  if (idof<Derivative>() == idof<WithCurve>() && isGaussNewton(frame)) {
    sweepVectors<HardGaussNewton>(frame, 0, 0, bytes);
  }
}

// @ts-ignore: decorator
@inline function isGaussNewton(frame: usize): bool {
  return changetype<Frame>(frame).hessian == GAUSS_NEWTON;
}

/** Whether some class counts for nothing: 0 times an infinite loss is 0 here. */
// @ts-ignore: decorator
@inline function isCapped(frame: usize): bool {
  return load<f32>(frame + POSITIVE_FACTOR) == 0 || load<f32>(frame + NEGATIVE_FACTOR) == 0;
}

/** The sums and arrays that the call asks for. */
function outputs(frame: usize, start: i32, count: i32, bytes: usize, soft: bool, power: i32): void {
  const call = changetype<Frame>(frame);
  let left = power;
  if (isSumAlone(call) && !isCapped(frame)) {
    left = sumPower(frame, power, bytes);
    if (left == FINISHED) return;
  }
  takePower(frame, left, bytes);
  if (soft) sweepVectors<Floor>(frame, 0, 0, bytes);
  if (call.weight) sweepVectors<Weigh>(frame, weights(frame, call.weight + (start << 2), count), 0, bytes);
  if (isCapped(frame) || call.weight) sweepVectors<Cap>(frame, 0, 0, bytes);
  if (call.flags & SUMS) addUp(frame, bytes);
  const whole = count % <i32>TILE == 0;
  if (call.loss) {
    const out = call.loss + (start << 2);
    sweepVectors<WriteLoss>(frame, whole ? out : frame + PAD_OUT, 0, bytes);
    if (!whole) memory.copy(out, frame + PAD_OUT, count << 2);
  }
  if (call.grad) {
    const out = call.grad + (start << 2);
    sweepVectors<WriteGrad>(frame, whole ? out : frame + PAD_OUT, 0, bytes);
    if (!whole) memory.copy(out, frame + PAD_OUT, count << 2);
  }
  if (call.hess) {
    const out = call.hess + (start << 2);
    writeHess(frame, call.hessian, whole ? out : frame + PAD_OUT, bytes);
    if (!whole) memory.copy(out, frame + PAD_OUT, count << 2);
  }
}

function weights(frame: usize, source: usize, count: i32): usize {
  if (count % <i32>TILE == 0) return source;
  padFloats(frame + PAD_WEIGHT, source, count, 0);
  return frame + PAD_WEIGHT;
}

function writeHess(frame: usize, policy: i32, out: usize, bytes: usize): void {
  if (policy == CLIP) sweepVectors<WriteHess<Clip>>(frame, out, 0, bytes);
  else if (policy == ABS_GRAD) sweepVectors<WriteHess<AbsGrad>>(frame, out, 0, bytes);
  else sweepVectors<WriteHess<Exact>>(frame, out, 0, bytes);
}
