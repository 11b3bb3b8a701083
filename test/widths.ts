// The entries that share one source, each with what its numbers are: what holds of one is tested of both.
import * as double from '../dist/float64.js';
import * as single from '../src/index.js';

export interface Width {
  readonly library: typeof single;
  /** What results lie in. */
  readonly Floats: Float32ArrayConstructor;
  /** A number as the kernel has it. */
  readonly toFloat: (value: number) => number;
  /** The unit of rounding, of that of float32. */
  readonly unit: number;
}

export const SINGLE: Width = { library: single, Floats: Float32Array, toFloat: Math.fround, unit: 1 };
export const DOUBLE: Width = {
  library: double as unknown as typeof single,
  Floats: Float64Array as unknown as Float32ArrayConstructor,
  toFloat: (value) => value,
  unit: 2 ** -29,
};

export const WIDTHS: readonly (readonly [name: 'float32' | 'float64', width: Width])[] = [
  ['float32', SINGLE],
  ['float64', DOUBLE],
];
