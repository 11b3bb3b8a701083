// Copies of what does not lie on a SharedArrayBuffer: slots of shared memory, filled and emptied by turns.

import type { FloatSource, TargetSource } from '../arrays.js';
import { kindOf } from '../kinds.js';
import { KINDS, Role, type SharedArray } from './board.js';

/** Whether every thread sees an array where it is; true where there is none. */
export function isShared(array: unknown): boolean {
  return array === undefined || (ArrayBuffer.isView(array) && array.buffer instanceof SharedArrayBuffer);
}

type Source = FloatSource | TargetSource;

/** The slots of a loss, one buffer for each role, which stay for the next call. */
export class Staging {
  readonly #buffers = new Map<Role, SharedArrayBuffer>();

  constructor(readonly slots: number) {}

  /** Room for `length` numbers in each slot, of the kind that threads treat as they would treat the source. */
  region(role: Role, source: Source, length: number): SharedArray {
    const kind = KINDS.find(({ name }) => name === kindFor(role, source)) ?? Float64Array;
    const bytes = this.slots * length * kind.BYTES_PER_ELEMENT;
    let buffer = this.#buffers.get(role);
    if (buffer === undefined || buffer.byteLength < bytes) {
      buffer = new SharedArrayBuffer(bytes);
      this.#buffers.set(role, buffer);
    }
    return new kind(buffer, 0, this.slots * length) as SharedArray;
  }
}

/** Logits and weights become float32, as they do in one thread; targets stay what they are. */
function kindFor(role: Role, source: Source): string {
  if (role !== Role.targets) return 'Float32Array';
  return kindOf(source) ?? (typeof source[0] === 'boolean' ? 'Uint8Array' : 'Float64Array');
}

/** Copies `count` numbers from `start` on to `at` of a region. */
export function stage(source: Source, start: number, count: number, region: SharedArray, at: number): void {
  if (ArrayBuffer.isView(source)) region.set((source as Float32Array).subarray(start, start + count), at);
  else for (let k = 0; k < count; k++) region[at + k] = Number(source[start + k]);
}
