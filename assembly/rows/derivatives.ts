import { POSITIVE_SCALE, State, bytesOf } from '../frame';
import { rowScale } from './row';
import { TINY, div, larger, mul, splat } from '../simd/lanes';
import { VectorStage } from '../simd/stage';
import { V0 } from '../simd/tile';
import {
  Modulation,
  Others,
  OthersSlope,
  Slope,
  TargetSlope,
  get,
  getNumber,
  put,
} from '../slots';

// The gradient of one row, from its exponentials, which wait in the output with the target's place 0.

/** TargetSlope = T, OthersSlope = T over the sum of the others' exponentials, for T see writeRow. */
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

// With T = a_t q^g (q + g p l) and w_j the fraction of class j among the others: dL/dz_j = T w_j, and -T for the target.
export function writeRow(frame: usize, start: i32, row: i32, label: i32): void {
  const call = changetype<State>(frame);
  const out = call.grad + <usize>(start + row) * bytesOf(call.classes);
  if (label < 0) {
    memory.fill(out, 0, bytesOf(call.classes));
    return;
  }
  rowScale(out, call.classes, getNumber<OthersSlope>(frame + bytesOf(row)));
  store<Float>(out + bytesOf(label), -getNumber<TargetSlope>(frame + bytesOf(row)));
}
