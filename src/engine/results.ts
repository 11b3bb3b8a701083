// Arrays for results: the caller's, which are checked, or new ones.

import { allocate, type Measure, sameLength, wrongKind } from '../checks.js';
import { kindOf } from '../kinds.js';
import { FLOAT_KIND, Floats } from './arena.js';
import { operandOf } from './operand.js';
import { FLOATS } from './targets.js';

/** A new array; `name` is what an error calls it where memory cannot be had. */
export function floats(name: string, length: number): Floats {
  return allocate(name, length, (size) => new Floats(size));
}

/** A buffer of the caller's for results, undefined where there is none. */
export function bufferOf(name: string, value: unknown, length: number, measure: Measure): Floats | undefined {
  if (value === undefined) return undefined;
  if (kindOf(value) !== FLOAT_KIND) throw wrongKind(name, `a ${FLOAT_KIND}`, value);
  const buffer = operandOf(name, value, FLOATS);
  sameLength(name, buffer.length, length, measure);
  return value as Floats;
}
