import { wholeNumber } from './checks.js';
import { numbersOf, operandOf } from './engine/operand.js';
import { FLOATS } from './engine/targets.js';
import type { Logits } from './types.js';

/**
 * The indices of the k largest losses, hardest first, equal ones by their index; NaN counts as the largest. Takes
 * O(n log k).
 *
 * @param losses as `forward` gives them for the reduction `'none'`: any array that is accepted for logits.
 * @param k an integer >= 0; more than there are losses gives all of them.
 * @returns a Uint32Array of min(k, losses.length) indices.
 * @throws TypeError for an array of a kind that is not accepted, RangeError for a k that is not a whole number.
 * @example
 * ```ts
 * import { hardest } from 'focal-loss-wasm';
 *
 * hardest([0.5, 3, 0.1, 7], 2); // 3, 1
 * ```
 */
export function hardest(losses: Logits, k: number): Uint32Array {
  const operand = operandOf('losses', losses, FLOATS);
  const { length } = operand;
  const values = numbersOf(operand);
  const count = Math.min(wholeNumber('k', k), length);
  const heap = new Uint32Array(count);
  if (count === 0) return heap;

  // A heap of the hardest so far with the easiest of them on top.
  for (let index = 0; index < count; index++) heap[index] = index;
  for (let at = (count >> 1) - 1; at >= 0; at--) sink(heap, count, at, values);
  for (let index = count; index < length; index++) {
    if (isHarder(values, index, heap[0])) {
      heap[0] = index;
      sink(heap, count, 0, values);
    }
  }
  // Taking the easiest off each time leaves them hardest first.
  for (let size = count - 1; size > 0; size--) {
    [heap[0], heap[size]] = [heap[size], heap[0]];
    sink(heap, size, 0, values);
  }
  return heap;
}

function sink(heap: Uint32Array, size: number, from: number, values: ArrayLike<number>): void {
  const index = heap[from];
  let at = from;
  for (let child = 2 * at + 1; child < size; child = 2 * at + 1) {
    if (child + 1 < size && isHarder(values, heap[child], heap[child + 1])) child++;
    if (!isHarder(values, index, heap[child])) break;
    heap[at] = heap[child];
    at = child;
  }
  heap[at] = index;
}

function isHarder(values: ArrayLike<number>, a: number, b: number): boolean {
  const [x, y] = [values[a], values[b]];
  if (x > y) return true;
  if (x < y) return false;
  const [xIsNaN, yIsNaN] = [Number.isNaN(x), Number.isNaN(y)];
  return xIsNaN === yIsNaN ? a < b : xIsNaN;
}
