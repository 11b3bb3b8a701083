// Rows whose classes are planes of pixels, brought to the kernel's memory and back: of each class a run of pixels.

import { Field32 } from '../abi.js';
import { FLOAT_BYTES, type Floats, type Instance } from './arena.js';
import type { Request } from './evaluator.js';
import type { Operand } from './operand.js';
import { eachStretch, type Layout } from './shapes.js';

/** What a loss of planes reads and writes. */
interface Wanted {
  readonly grad: Floats | undefined;
  readonly hess?: Floats | undefined;
}

/** Segments staged at once: more of them would leave the second-level cache before they are read. */
const MOST_SEGMENTS = 3;

/**
 * Stages planes of several segments at once, where there is room for them: a run of pixels comes the faster the longer it is,
 * and each costs a call. Regions that a call does not use are part of the room.
 */
export class PlaneStager {
  /** The row that the run ends before. */
  #end = 0;
  /** The rows that are staged. */
  #from = 0;
  #to = 0;
  /** Bytes from the logits to the gradient, and from there to the second derivative. */
  #size = 0;

  constructor(
    /** Rows of a segment. */
    readonly step: number,
    /** Whether the region of alphas is used. */
    readonly hasAlphas: boolean,
  ) {}

  /** A run begins that ends before row `end`; nothing is staged. */
  begin(end: number): void {
    this.#end = end;
    this.#to = 0;
  }

  /** Says to the frame where the planes of the segment from row `start` on are, and stages them unless they are there. */
  place(
    instance: Instance,
    { x, layout, shares, plane }: Pick<Request, 'x' | 'layout' | 'shares' | 'plane'>,
    { grad, hess }: Wanted,
    start: number,
  ): void {
    const { words, logits } = instance;
    if (start >= this.#to) {
      const arrays = hess !== undefined ? 3 : grad !== undefined ? 2 : 1;
      // shares lie behind alphas, and half floats go by the region of the second derivative
      const isPlain = !shares && x.kind !== 'float16' && x.kind !== 'bfloat16';
      const room = (this.hasAlphas ? instance.alphas : instance.targets) - logits;
      this.#size = isPlain ? Math.floor(room / arrays / 64) * 64 : instance.grad - logits;
      const fitting = Math.floor(this.#size / FLOAT_BYTES / layout.classes / this.step);
      const most = isPlain ? Math.min(MOST_SEGMENTS, fitting) : 1;
      this.#from = start;
      this.#to = start;
      for (let k = 0; k < most && this.#to < this.#end; k++) {
        const left = plane === 0 ? this.#end - this.#to : plane - (this.#to % plane);
        this.#to += Math.min(this.step, left);
      }
      stagePlanes(instance, x, layout, start, this.#to - start, logits);
    }
    const at = FLOAT_BYTES * (start - this.#from);
    words[Field32.stride] = this.#to - this.#from;
    words[Field32.logits] = logits + at;
    words[Field32.grad] = grad === undefined ? 0 : logits + this.#size + at;
    words[Field32.hess] = hess === undefined ? 0 : logits + 2 * this.#size + at;
  }

  /** Takes what was written for the rows that are staged once their last segment, which ends before row `end`, is done. */
  take(instance: Instance, layout: Layout, { grad, hess }: Wanted, end: number): void {
    if (end !== this.#to) return;
    const count = end - this.#from;
    const { logits } = instance;
    if (grad !== undefined) takePlanes(instance, grad, layout, this.#from, count, logits + this.#size);
    if (hess !== undefined) takePlanes(instance, hess, layout, this.#from, count, logits + 2 * this.#size);
  }
}

/** Copies the planes of `count` rows from `start` on to a region, whose address it returns. */
export function stagePlanes(
  instance: Instance,
  { view, kind }: Operand,
  layout: Layout,
  start: number,
  count: number,
  region: number,
): number {
  eachStretch(layout, start, count, (element, place, length) => {
    instance.stageFloats(view, kind, element, length, region + FLOAT_BYTES * place);
  });
  return region;
}

function takePlanes(
  instance: Instance,
  array: Floats,
  layout: Layout,
  start: number,
  count: number,
  region: number,
): void {
  eachStretch(layout, start, count, (element, place, length) => {
    instance.takeFloats(array, element, length, region + FLOAT_BYTES * place);
  });
}
