// Copies of what does not lie on a SharedArrayBuffer: slots of shared memory, filled and emptied by turns.

import { type Operand, part } from '../engine/operand.js';
import { viewBuffer } from '../kinds.js';
import { KINDS, Role, type SharedArray } from './board.js';

/** Whether every thread sees an array where it is; true where there is none. */
export function isShared(array: unknown): boolean {
  return array === undefined || (ArrayBuffer.isView(array) && viewBuffer(array) instanceof SharedArrayBuffer);
}

/** The slots of a loss, one buffer for each role, which stay for the next call. */
export class Staging {
  readonly #buffers = new Map<Role, SharedArrayBuffer>();

  constructor(readonly slots: number) {}

  /** Room for `length` numbers in each slot, of the kind that threads treat as they would treat the source. */
  region(role: Role, kindName: string, length: number): SharedArray {
    const kind = KINDS.find(({ name }) => name === kindName) ?? Float64Array;
    const bytes = this.slots * length * kind.BYTES_PER_ELEMENT;
    let buffer = this.#buffers.get(role);
    if (buffer === undefined || buffer.byteLength < bytes) {
      buffer = new SharedArrayBuffer(bytes);
      this.#buffers.set(role, buffer);
    }
    return new kind(buffer, 0, this.slots * length) as SharedArray;
  }
}

/** Logits and weights become float32, as they do in one thread, but for half floats; targets stay what they are. */
export function stagedKind(role: Role, { kind }: Operand): string {
  if (kind === 'float16' || kind === 'bfloat16') return 'Uint16Array';
  return role === Role.targets ? kind : 'Float32Array';
}

/** Copies `count` numbers from `start` on to `at` of a region. */
export function stage({ view, kind }: Operand, start: number, count: number, region: SharedArray, at: number): void {
  region.set(part(view, kind, start, count) as Float32Array, at);
}
