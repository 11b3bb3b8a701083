// Arrays for results: the caller's, which are checked, or new ones.

import { allocate, type Measure, sameLength, wrongKind, wrongValue } from '../checks.js';
import { kindOf, viewBuffer, viewBytes, viewOffset } from '../kinds.js';
import { FLOAT_KIND, Floats } from './arena.js';
import { type Operand, operandOf, type View } from './operand.js';
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

/**
 * Refuses a buffer that shares memory with another array of the call, in which what is written first would be read or written
 * again. It may be one of the inputs in `same`, each number of which is read before its result is written.
 */
export function checkApart(
  name: string,
  buffer: Floats,
  same: readonly (Operand | undefined)[],
  others: readonly (View | undefined)[] = [],
): void {
  const start = viewOffset(buffer);
  const end = start + viewBytes(buffer);
  for (const input of same) {
    if (input === undefined || !isMet(input.view, buffer, start, end)) continue;
    const isIt = input.kind === FLOAT_KIND && viewOffset(input.view) === start && viewBytes(input.view) === end - start;
    if (!isIt) throw shared(name, buffer);
  }
  for (const view of others) if (view !== undefined && isMet(view, buffer, start, end)) throw shared(name, buffer);
}

/** Whether a view has a byte of the buffer, which is the memory from `start` to `end`. Which memory that is takes longest to ask. */
function isMet(view: View, buffer: Floats, start: number, end: number): boolean {
  const from = viewOffset(view);
  return from < end && from + viewBytes(view) > start && viewBuffer(view) === viewBuffer(buffer);
}

function shared(name: string, buffer: Floats): RangeError {
  return wrongValue(name, 'memory apart from other arrays', buffer);
}

/** Where a function writes a number for each of its input: to the caller's buffer, which may be that input itself, or a new one. */
export function outputOf(given: unknown, x: Operand, measure: Measure = 'the length of "logits"'): Floats {
  const buffer = bufferOf('out', given, x.length, measure);
  if (buffer !== undefined) checkApart('out', buffer, [x]);
  return buffer ?? floats('out', x.length);
}
