import { ONE, every, mul, mulAdd, sub } from '../simd/lanes';
import { V0 } from '../simd/tile';
import { Alpha, AlphaNegative, TargetError, get } from '../slots';

// What formulas of soft targets make of a target y, beside y itself.

// 1 - y, of a smoothed target with what its number has lost.
// @ts-ignore: decorator
@inline export function complement(at: usize, y: v128): v128 {
  return sub(sub(every(ONE), y), get<TargetError, V0>(at));
}

// a y + (1 - a) z
// @ts-ignore: decorator
@inline export function alphaOf(at: usize, y: v128, z: v128): v128 {
  return mulAdd(get<Alpha, V0>(at), y, mul(get<AlphaNegative, V0>(at), z));
}
