import { any, or } from '../simd/lanes';
import { V0, V1, V2, V3 } from '../simd/tile';
import { Near, get, getNumber } from '../slots';

// Few elements are next to where a loss is 0: a tile without any is told from the mask of its elements at once.

// @ts-ignore: decorator
@inline export function anyNear(at: usize): bool {
  return any(or(or(get<Near, V0>(at), get<Near, V1>(at)), or(get<Near, V2>(at), get<Near, V3>(at))));
}

/** Whether the first element at `at` is: its mask is no number then. */
// @ts-ignore: decorator
@inline export function isNear(at: usize): bool {
  const mask = getNumber<Near>(at);
  return mask != mask;
}
