// What several test files need: repeatable inputs, comparison of bits, and the form of an error.
import { expect } from 'vitest';
import { SEGMENT } from '../src/abi.js';
import type { ErrorDetails } from '../src/checks.js';

export { SEGMENT };
/** Elements that cross two borders of a segment, and do not end at a third. */
export const ACROSS = 2 * SEGMENT + 997;

/** Uniform numbers in [0, 1), the same for the same seed (mulberry32). */
export function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Logits between -12 and 12, dense around 0. */
export function someLogits(length: number, seed = 1): Float32Array {
  const next = random(seed);
  return Float32Array.from({ length }, () => 24 * (next() - 0.5) * next());
}

/** One target in four is positive. */
export function hardTargets(length: number, seed = 2): Uint8Array {
  const next = random(seed);
  return Uint8Array.from({ length }, () => (next() < 0.25 ? 1 : 0));
}

export function softTargets(length: number, seed = 3): Float32Array {
  const next = random(seed);
  return Float32Array.from({ length }, () => next());
}

/** Index of the first element whose bits differ, -1 where there is none. */
export function firstDifference(a: Float32Array, b: Float32Array): number {
  if (a.length !== b.length) return Math.min(a.length, b.length);
  const left = new Int32Array(a.buffer, a.byteOffset, a.byteLength / 4);
  const right = new Int32Array(b.buffer, b.byteOffset, b.byteLength / 4);
  return Math.floor((left.findIndex((word, k) => word !== right[k]) * 4) / a.BYTES_PER_ELEMENT);
}

/** The sum in double precision, with what its additions lose (Neumaier). */
export function sum64(values: ArrayLike<number>): number {
  let total = 0;
  let lost = 0;
  for (let k = 0; k < values.length; k++) {
    const sum = total + values[k];
    if (Number.isFinite(sum)) {
      const [large, small] = Math.abs(total) > Math.abs(values[k]) ? [total, values[k]] : [values[k], total];
      lost += large - sum + small;
    }
    total = sum;
  }
  return total + lost;
}

/** The form of every message: `"name" expected <rule>, got <value>[; <remedy>]`. */
export const FORM = /^"[^"]+" expected \S.*, got \S.*$/;

/** What `run` throws, which must be a TypeError or RangeError with our form of message. */
export function errorOf(run: () => unknown): (TypeError | RangeError) & ErrorDetails {
  let error: unknown;
  try {
    const result = run();
    expect.fail(`expected an error, got ${String(result)}`);
  } catch (thrown) {
    error = thrown;
  }
  if (!(error instanceof TypeError || error instanceof RangeError)) throw error;
  expect(error.message).toMatch(FORM);
  return error as typeof error & ErrorDetails;
}
