// Copies of what does not lie on a SharedArrayBuffer: slots of shared memory, filled and emptied by turns. A slot has a cell
// for each of its segments, in which planes of classes lie side by side as if the segment were all there is.

import { type Kind, part, type View } from '../engine/operand.js';
import { viewBuffer } from '../kinds.js';
import { arrayType, type Role, type SharedArray } from './board.js';

/** Whether every thread sees an array where it is; true where there is none. */
export function isShared(array: unknown): boolean {
  return array === undefined || (ArrayBuffer.isView(array) && viewBuffer(array) instanceof SharedArrayBuffer);
}

/** The shared memory of a loss, one buffer for each role, which stays for the next call. */
export class Staging {
  readonly #buffers = new Map<Role, SharedArrayBuffer>();

  constructor(readonly slots: number) {}

  region(role: Role, kind: Kind, length: number): SharedArray {
    const Type = arrayType(kind);
    const bytes = length * Type.BYTES_PER_ELEMENT;
    let buffer = this.#buffers.get(role);
    if (buffer === undefined || buffer.byteLength < bytes) {
      buffer = new SharedArrayBuffer(bytes);
      this.#buffers.set(role, buffer);
    }
    return new Type(buffer, 0, length);
  }
}

/** Copies `count` numbers from `start` on to `at` of a region. */
export function stage(view: View, kind: Kind, start: number, count: number, region: SharedArray, at: number): void {
  region.set(part(view, kind, start, count) as Float32Array, at);
}
