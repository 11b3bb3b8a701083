// Copies of what does not lie on a SharedArrayBuffer, a chunk at a time.

import type { FloatSource, TargetSource } from '../arrays.js';
import { kindOf } from '../kinds.js';

/** Elements of a chunk at most; whole segments. */
export const CHUNK = 32 * 16_384;
/** Beyond the threads, which work on a chunk each: filled and emptied meanwhile. */
const SPARE = 2;
/** The calling thread cannot fill more in the time in which threads empty them. */
const MOST = 8;

type Shared = Float32Array | Float64Array | Uint8Array | Int8Array | Int32Array | BigInt64Array;
type Kind = { new (buffer: SharedArrayBuffer, offset: number, length: number): Shared; BYTES_PER_ELEMENT: number };

const TARGET_KINDS: Record<string, Kind> = {
  Float32Array,
  Float64Array,
  Uint8Array,
  Uint8ClampedArray: Uint8Array,
  Int8Array,
  Int32Array,
  BigInt64Array,
};

/** Whether every thread sees an array where it is; true where there is none. */
export function isShared(array: unknown): boolean {
  return array === undefined || (ArrayBuffer.isView(array) && array.buffer instanceof SharedArrayBuffer);
}

/** Room for one chunk of each array of a call. */
export class Staging {
  readonly #regions = new Map<string, SharedArrayBuffer>();

  /** Logits become float32, as they do in one thread. */
  logits(source: FloatSource, start: number, end: number): FloatSource {
    return this.#stage('logits', source, Float32Array, start, end) as Float32Array;
  }

  /** Targets stay what they are, so that the threads treat them alike. */
  targets(source: TargetSource, start: number, end: number): TargetSource {
    const kind = TARGET_KINDS[kindOf(source) ?? (typeof source[0] === 'boolean' ? 'Uint8Array' : 'Float64Array')];
    return this.#stage('targets', source, kind, start, end) as TargetSource;
  }

  weight(source: Float32Array | undefined, start: number, end: number): Float32Array | undefined {
    return source && (this.#stage('weight', source, Float32Array, start, end) as Float32Array);
  }

  /** Where results for `target` can be written: there, or in a region. */
  results(name: string, target: Float32Array | undefined, start: number, end: number): Float32Array | undefined {
    if (target === undefined || isShared(target)) return target?.subarray(start, end);
    return this.#region(name, Float32Array, end - start) as Float32Array;
  }

  #stage(name: string, source: FloatSource | TargetSource, kind: Kind, start: number, end: number): Shared {
    if (isShared(source)) return (source as Float32Array).subarray(start, end);
    const into = this.#region(name, kind, end - start) as Float32Array;
    if (ArrayBuffer.isView(source)) into.set((source as Float32Array).subarray(start, end));
    else for (let k = start; k < end; k++) into[k - start] = Number(source[k]);
    return into;
  }

  #region(name: string, kind: Kind, length: number): Shared {
    let buffer = this.#regions.get(name);
    if (buffer === undefined || buffer.byteLength < CHUNK * kind.BYTES_PER_ELEMENT) {
      buffer = new SharedArrayBuffer(CHUNK * kind.BYTES_PER_ELEMENT);
      this.#regions.set(name, buffer);
    }
    return new kind(buffer, 0, length);
  }
}

/** The stagings of a loss, handed out to whoever comes first. */
export class Stagings {
  readonly count: number;
  readonly #free: Staging[];
  readonly #waiting: ((staging: Staging) => void)[] = [];

  constructor(threads: number) {
    this.count = Math.min(threads + SPARE, MOST);
    this.#free = Array.from({ length: this.count }, () => new Staging());
  }

  async take(): Promise<Staging> {
    return this.#free.pop() ?? new Promise((resolve) => this.#waiting.push(resolve));
  }

  giveBack(staging: Staging): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free.push(staging);
    else next(staging);
  }
}
