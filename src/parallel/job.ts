// What the caller's thread and the others send each other.

import type { FloatSource, TargetSource } from '../arrays.js';

/** A stretch of a call's elements, of which every array lies on a SharedArrayBuffer. */
export interface Job {
  readonly logits: FloatSource;
  readonly targets: TargetSource;
  readonly weight?: Float32Array;
  readonly out?: Float32Array;
  readonly grad?: Float32Array;
  /** Three numbers for each segment, in the order of `Sums`, where sums are wanted. */
  readonly sums?: Float64Array;
  /** Position of the stretch in the whole. */
  readonly offset: number;
  /** Factor of the gradient. */
  readonly scale: number;
  readonly validate: boolean;
  /** Elements that a thread takes at a time: whole segments. */
  readonly share: number;
  /** One number: how many shares have been taken. */
  readonly taken: Int32Array;
}
