// Values that go by class or by row, brought to the elements of a segment.

import { SEGMENT } from '../abi.js';
import type { Operand } from './operand.js';
import type { Layout } from './shapes.js';

/** The values of the classes over and over. */
export function classPattern(values: readonly number[]): Float64Array {
  return Float64Array.from({ length: values.length + SEGMENT }, (_, k) => values[k % values.length]);
}

/** Writes for each element from `start` on the value of its row. */
export function expandRows(
  { view }: Operand,
  { classes, pixels }: Layout,
  start: number,
  count: number,
  into: Float32Array,
  first: number,
): void {
  const values = view as Float32Array;
  const plane = classes * pixels;
  for (let k = 0; k < count; ) {
    const element = start + k;
    const image = Math.floor(element / plane);
    const pixel = element % pixels;
    const run = Math.min(count - k, pixels === 1 ? plane - (element % plane) : pixels - pixel);
    const row = image * pixels + pixel;
    if (pixels === 1) into.fill(values[row], first + k, first + k + run);
    else for (let j = 0; j < run; j++) into[first + k + j] = values[row + j];
    k += run;
  }
}

/** Multiplies each element from `start` on by the value of its class. */
export function multiplyByClass(
  pattern: Float64Array,
  { classes, pixels }: Layout,
  start: number,
  count: number,
  into: Float32Array,
  first: number,
): void {
  for (let k = 0; k < count; k++) into[first + k] *= pattern[Math.floor((start + k) / pixels) % classes];
}
