import { POSITIVE_SCALE, State, bytesOf } from '../frame';
import { rowScale } from './row';
import { div, larger, mul, splat } from '../simd/lanes';
import { VectorStage } from '../simd/stage';
import { V0 } from '../simd/tile';
import {
  Curve,
  Denominator,
  Entropy,
  Modulation,
  Numerator,
  Others,
  OthersSlope,
  Probability,
  Slope,
  Slot,
  TargetSlope,
  get,
  getNumber,
  put,
} from '../slots';

// Derivatives of one row, from its exponentials, which wait in the output with the target's place 0.

const TINY: f32 = 1e-37;

/** TargetSlope = T, OthersSlope = T over the sum of the others' exponentials, for T see writeSlope. */
@final
@unmanaged
export class RowSlope extends VectorStage {
  @inline override vector(frame: usize, o: usize, x: usize, y: usize): void {
    const at = frame + o;
    const slope = mul(mul(get<Modulation, V0>(at), get<Slope, V0>(at)), v128.load_splat<Float>(frame, POSITIVE_SCALE));
    put<TargetSlope, V0>(at, slope);
    put<OthersSlope, V0>(at, div(slope, larger(get<Others, V0>(at), splat(TINY))));
  }
}

// @ts-ignore: decorator
@inline function rowValue<S extends Slot>(frame: usize, row: i32): Float {
  return getNumber<S>(frame + bytesOf(row));
}

/** Derivatives of a row whose classes are `step` bytes from one another. */
export function writeRow(frame: usize, start: i32, row: i32, label: i32): void {
  const call = changetype<State>(frame);
  const step: usize = call.stride > 1 ? <usize>call.stride << 2 : 4;
  const first = call.stride > 1 ? <usize>(start + row) << 2 : <usize>(start + row) * (<usize>call.classes << 2);
  const source = (call.grad ? call.grad : call.hess) + first;
  if (label < 0) {
    if (call.grad) clearRow(call.grad + first, step, call.classes);
    if (call.hess) clearRow(call.hess + first, step, call.classes);
  } else if (call.labelSmoothing != 0) {
    writeSmoothed(frame, row, label, step, source, call.grad ? call.grad + first : 0, call.hess ? call.hess + first : 0);
  } else {
    if (call.hess) writeCurve(frame, row, label, step, source, call.hess + first);
    if (call.grad) writeSlope(frame, row, label, step, source);
  }
}

function clearRow(out: usize, step: usize, classes: i32): void {
  if (step == 4) memory.fill(out, 0, classes << 2);
  else for (let j = 0; j < classes; j++) store<f32>(out + <usize>j * step, 0);
}

// With T = a_t q^g (q + g p l) and w_j the fraction of class j among the others: dL/dz_j = T w_j, and -T for the target.
// @ts-ignore: decorator
@inline function writeSlope(frame: usize, row: i32, label: i32, step: usize, out: usize): void {
  const factor = rowValue<OthersSlope>(frame, row);
  const classes = changetype<State>(frame).classes;
  if (step == 4) rowScale(out, classes, factor);
  else for (let j = 0; j < classes; j++) store<f32>(out + <usize>j * step, load<f32>(out + <usize>j * step) * factor);
  store<f32>(out + <usize>label * step, -rowValue<TargetSlope>(frame, row));
}

// With U = a_t q^g g p (q (2 - l) + (g - 1) p l): d2L/dz_j2 = U w_j^2 + T w_j (1 - q w_j), and U + T p for the target.
// In float64, because 1 - q w_j and the like cancel.
function writeCurve(frame: usize, row: i32, label: i32, step: usize, exponentials: usize, out: usize): void {
  const factor: f64 = rowValue<Modulation>(frame, row) * changetype<State>(frame).positiveScale;
  const slope = factor * <f64>rowValue<Slope>(frame, row);
  const curve = factor * <f64>rowValue<Curve>(frame, row);
  const others = Math.max(rowValue<Others>(frame, row), TINY);
  const q = others / (others + <f64>rowValue<Denominator>(frame, row));
  for (let j = 0; j < changetype<State>(frame).classes; j++) {
    const w = <f64>load<f32>(exponentials + <usize>j * step) / others;
    store<f32>(out + <usize>j * step, <f32>(curve * w * w + slope * w * (1 - q * w)));
  }
  store<f32>(out + <usize>label * step, <f32>(curve + slope * <f64>rowValue<Probability>(frame, row)));
}

// With y_j the smoothed target, k = 1 - c and c_j' = -p_j (y_j - k):
//   dL/dz_j = a c^g (p_j - y_j + g c_j' B / c),
//   d2L/dz_j2 = a c^g (p_j (1 - p_j) + 2 g c_j' (p_j - y_j) / c + g B ((g - 1) (c_j' / c)^2 + c_j' (1 - 2 p_j) / c)).
function writeSmoothed(
  frame: usize,
  row: i32,
  label: i32,
  step: usize,
  exponentials: usize,
  grad: usize,
  hess: usize,
): void {
  const call = changetype<State>(frame);
  const factor: f64 = rowValue<Modulation>(frame, row) * changetype<State>(frame).positiveScale;
  const gamma = call.gamma;
  const entropy: f64 = Math.min(rowValue<Entropy>(frame, row), 1e4);
  const target: f64 = rowValue<Denominator>(frame, row);
  const others: f64 = rowValue<Numerator>(frame, row);
  const all = target + others;
  const rest = 1 - call.labelSmoothing;
  const each = call.labelSmoothing / <f64>call.classes;
  const c = Math.max((rest * others) / all + call.labelSmoothing - each, TINY);
  for (let j = 0; j < call.classes; j++) {
    const at = <usize>j * step;
    const chosen = j == label;
    const p = (chosen ? target : <f64>load<f32>(exponentials + at)) / all;
    const y = chosen ? each + rest : each;
    const turn = (-p * (y - (1 - c))) / c; // c'/c
    const first = p - y;
    const bend = (gamma - 1) * turn * turn + turn * (1 - 2 * p);
    if (hess) store<f32>(hess + at, <f32>(factor * (p * (1 - p) + 2 * gamma * turn * first + gamma * entropy * bend)));
    if (grad) store<f32>(grad + at, <f32>(factor * (first + gamma * turn * entropy)));
  }
}
