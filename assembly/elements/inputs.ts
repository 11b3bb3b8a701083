import { Flag } from '../../src/abi';
import { takeLabels } from './labels';
import { Frame, IGNORED, State, bytesOf, has } from '../frame';
import { choose, negativeMask, splat, write } from '../simd/lanes';
import { BLOCK, V0, V1, fillsTiles, wholeTiles } from '../simd/tile';
import {
  Alpha,
  AlphaNegative,
  LabelBytes,
  Logits,
  PosWeight,
  Slot,
  TargetError,
  Targets,
  Weight,
  claim,
  put,
  putNumber,
  slot,
} from '../slots';

// A block's inputs as the stages want them: whole tiles, the rest filled with elements whose loss and derivatives are exactly
// 0; ignored elements replaced by such; targets smoothed, and as numbers where asked. What is fit already is read in place.

/** Before the first block of a call. */
export function prepareInputs(frame: usize): void {
  const call = changetype<State>(frame);
  call.ignores = has(call, Flag.ignore) ? 1 : 0;
  if (!call.readsNumbers) return;
  if (!isDefined(LITE)) call.classAbove = <Float>(has(call, Flag.soft) ? smoothedTarget(call, call.positiveAbove) : 0.5);
  fillSlot<Alpha>(frame, call.count, <Float>call.alphaPositive);
  fillSlot<AlphaNegative>(frame, call.count, <Float>call.alphaNegative);
  fillSlot<TargetError>(frame, call.count, 0);
  fillSlot<PosWeight>(frame, call.count, <Float>call.posWeight);
}

/** The inputs of `count` elements from `start` on; `filler` is the logit (or probability) whose loss is 0 for target 0. */
export function takeInputs(frame: usize, start: i32, count: i32, filler: Float): void {
  const call = changetype<State>(frame);
  const targets = !isDefined(LITE) && has(call, Flag.labels) ? takeLabels(frame, start) : targetsFrom(call, start);
  // the lite build copies every block
  const fits = !isDefined(LITE) && fillsTiles(count) && !call.ignores;
  call.targetsOfBlock = targets;
  call.x = call.logits + bytesOf(start);
  call.y = targets;
  call.weights = call.weight + bytesOf(start);
  if (!fits) {
    if (call.weight) padNumbers<Weight>(frame, call.weights, count, 0);
    call.weights = frame + slot<Weight>();
    padLogits(frame, call.x, targets, count, filler);
    call.x = frame + slot<Logits>();
  }
  if (call.readsNumbers) {
    if (!fits || !has(call, Flag.soft) || call.labelSmoothing != 0) {
      padSoft(frame, targets, count);
      call.y = frame + slot<Targets>();
    }
    if (isDefined(LITE)) return;
    if (call.alphas) {
      padNumbers<Alpha>(frame, call.alphas + bytesOf(start), count, 0);
      padNumbers<AlphaNegative>(frame, call.alphaNegatives + bytesOf(start), count, 0);
    }
    if (call.posWeights) padNumbers<PosWeight>(frame, call.posWeights + bytesOf(start), count, 0);
  } else if (!fits) {
    padBytes(frame, targets, count);
    call.y = frame + slot<Targets>();
  }
}

/** The address of the target of element `start`. */
// @ts-ignore: decorator
@inline function targetsFrom(call: State, start: i32): usize {
  return call.targets + (has(call, Flag.soft) ? bytesOf(start) : start);
}

/** A slot with `count` numbers from `source`, filled up with `filler`. */
// @ts-ignore: decorator
@inline export function padNumbers<S extends Slot>(frame: usize, source: usize, count: i32, filler: Float): void {
  copyAndFill(frame + slot<S>(), source, count, filler);
  claim<S>(frame, bytesOf(wholeTiles(count)));
}

/** A slot with one value, as far as a block of `count` elements, or a full one, goes. */
// @ts-ignore: decorator
@inline export function fillSlot<S extends Slot>(frame: usize, count: i32, value: Float): void {
  fillTiles(frame + slot<S>(), min(count, BLOCK), value);
  claim<S>(frame, bytesOf(wholeTiles(min(count, BLOCK))));
}

function copyAndFill(pad: usize, source: usize, count: i32, filler: Float): void {
  memory.copy(pad, source, bytesOf(count));
  fillTile(pad, count, filler);
}

function fillTiles(pad: usize, count: i32, value: Float): void {
  const lanes = splat(value);
  const end = pad + bytesOf(wholeTiles(count));
  for (let at = pad; at < end; at += 16) write(at, lanes);
}

/** The numbers from `from` on to the end of a tile. */
export function fillTile(pad: usize, from: i32, value: Float): void {
  for (let i = from; i < wholeTiles(from); i++) store<Float>(pad + bytesOf(i), value);
}

/** Pads logits, and replaces those whose target is ignored, and their weights, which may be NaN. */
function padLogits(frame: usize, logits: usize, targets: usize, count: i32, filler: Float): void {
  const call = changetype<State>(frame);
  padNumbers<Logits>(frame, logits, count, filler);
  if (!call.ignores) return;
  for (let i = 0; i < count; i++) {
    if (!isIgnored(call, targets, i)) continue;
    putNumber<Logits>(frame + bytesOf(i), filler);
    putNumber<Weight>(frame + bytesOf(i), 0);
  }
}

/** Pads byte targets. An ignored one is as good as 0: of a byte the lowest bit is looked at. */
function padBytes(frame: usize, targets: usize, count: i32): void {
  const pad = frame + slot<Targets>();
  memory.fill(pad, 0, wholeTiles(count));
  memory.copy(pad, targets, count);
}

/** A target y, smoothed: y (1 - s) + s / 2. */
// @ts-ignore: decorator
@inline function smoothedTarget(call: State, y: f64): f64 {
  return y * (1 - call.labelSmoothing) + call.labelSmoothing / 2;
}

/** Pads targets as numbers, smoothed. */
function padSoft(frame: usize, targets: usize, count: i32): void {
  const call = changetype<State>(frame);
  if (isDefined(LITE) && has(call, Flag.soft) && call.labelSmoothing == 0 && !call.ignores) {
    return padNumbers<Targets>(frame, targets, count, 0);
  }
  if (isDefined(LITE) || has(call, Flag.soft)) {
    for (let i = 0; i < count; i++) {
      const ignored = call.ignores && isIgnored(call, targets, i);
      const y = <f64>targetAt(call, targets, i);
      if (ignored) putTarget(frame, i, 0, 0);
      else putTarget(frame, i, smoothedTarget(call, y), smoothedRest(call, y));
    }
  } else numbersOfBytes(frame, targets, count);
  fillTile(frame + slot<Targets>(), count, 0);
  fillTile(frame + slot<TargetError>(), count, 0);
  claim<TargetError>(frame, bytesOf(wholeTiles(count)));
}

/** A target, of numbers; the lite build has it of bytes as well. */
// @ts-ignore: decorator
@inline export function targetAt(call: Frame, targets: usize, i: i32): Float {
  if (isDefined(LITE) && !has(call, Flag.soft)) return load<u8>(targets + i);
  return load<Float>(targets + bytesOf(i));
}

/** What a smoothed target y leaves of 1, for float64: (1 - y) (1 - s) + s / 2. */
// @ts-ignore: decorator
@inline function smoothedRest(call: State, y: f64): f64 {
  return sizeof<Float>() == 4 ? 0 : smoothedTarget(call, 1 - y);
}

/** A target as a number, and what the number cannot hold of it. */
// @ts-ignore: decorator
@inline function putTarget(frame: usize, i: i32, y: f64, rest: f64): void {
  putNumber<Targets>(frame + bytesOf(i), <Float>y);
  putNumber<TargetError>(frame + bytesOf(i), errorOf(y, rest));
}

// What 1 - y is more than the rest, which a float64 may be near enough to 1 for.
// @ts-ignore: decorator
@inline function errorOf(y: f64, rest: f64): Float {
  if (sizeof<Float>() == 8) return 1 - y - rest;
  return <Float>(y - <f64>(<Float>y));
}

/** Bytes as numbers, smoothed: they are one of two, and 0 where a target is ignored. */
function numbersOfBytes(frame: usize, targets: usize, count: i32): void {
  const call = changetype<State>(frame);
  const bytes = frame + slot<LabelBytes>();
  if (targets != bytes) memory.copy(bytes, targets, count);
  const zero = smoothedTarget(call, 0);
  const one = smoothedTarget(call, 1);
  chooseByByte<Targets>(frame, bytes, <Float>zero, <Float>one, count);
  chooseByByte<TargetError>(frame, bytes, errorOf(zero, one), errorOf(one, zero), count);
  if (!call.ignores || zero == 0) return;
  for (let i = 0; i < count; i++) if (load<u8>(bytes + i) == IGNORED) putTarget(frame, i, 0, sizeof<Float>() == 4 ? 0 : 1);
}

/** A slot with one of two numbers for each byte. */
function chooseByByte<S extends Slot>(frame: usize, bytes: usize, zero: Float, one: Float, count: i32): void {
  if (sizeof<Float>() == 8) {
    for (let i = 0; i < count; i++) putNumber<S>(frame + bytesOf(i), load<u8>(bytes + i) & 1 ? one : zero);
    return;
  }
  for (let i = 0; i < count; i += 8) {
    const words = i16x8.shl(v128.load8x8_u(bytes + i), 15);
    const low = negativeMask(i32x4.extend_low_i16x8_s(words));
    const high = negativeMask(i32x4.extend_high_i16x8_s(words));
    put<S, V0>(frame + bytesOf(i), choose(splat(one), splat(zero), low));
    put<S, V1>(frame + bytesOf(i), choose(splat(one), splat(zero), high));
  }
}

/** Writes 0 where the target is ignored. */
export function clearIgnored(call: State, out: usize, targets: usize, count: i32): void {
  for (let i = 0; i < count; i++) if (isIgnored(call, targets, i)) store<Float>(out + bytesOf(i), 0);
}

/** The target that is ignored, of numbers; the lite build has it of bytes, and where none is ignored, as well. */
// @ts-ignore: decorator
@inline export function ignoredTarget(call: Frame): Float {
  if (isDefined(LITE) && !has(call, Flag.ignore)) return NaN;
  if (isDefined(LITE) && !has(call, Flag.soft)) return IGNORED;
  return <Float>call.ignore;
}

function isIgnored(call: State, targets: usize, i: i32): bool {
  if (isDefined(LITE)) return targetAt(call, targets, i) == ignoredTarget(call);
  if (has(call, Flag.soft)) return load<Float>(targets + bytesOf(i)) == <Float>call.ignore;
  return load<u8>(targets + i) == IGNORED;
}
