// One label a row, brought to where the kernel reads those of a segment of [images, classes, pixels] logits.

import { Field32, Field64, SEGMENT } from '../abi.js';
import { type Instance, stageInts } from './arena.js';
import type { Request } from './evaluator.js';
import { type Classes, convertLabels, IGNORED_LABEL } from './targets.js';

/**
 * Pixels of an image up to which a segment may run over its planes: the labels of all images that it touches must then fit
 * their region, a SEGMENT of two classes and both images that it has a part of.
 */
export const MOST_PIXELS = SEGMENT / 4;

export class LabelReader {
  /** Whether labels of int32 mean to the kernel what they mean to the caller. */
  readonly #asGiven: boolean;
  /** The element that the run ends before. */
  #end = 0;
  /** The rows whose labels are in their region. */
  #from = 0;
  #to = 0;

  constructor(readonly classes: Classes) {
    const { numClasses, ignoreIndex, background } = classes;
    this.#asGiven = background === numClasses && (ignoreIndex === null || ignoreIndex === IGNORED_LABEL);
  }

  /** A run begins that ends before element `end`; the region has been used for something else. */
  begin(end: number): void {
    this.#end = end;
    this.#from = 0;
    this.#to = 0;
  }

  /**
   * Stages the labels that the elements from `start` on refer to, unless they are there, and as many behind them as the run
   * needs and their region holds; tells the frame. Returns whether one of them is bad, as far as it is known before the kernel
   * has seen them, and that matters.
   */
  place(instance: Instance, { y, layout, plane, validate }: Request, start: number, count: number): boolean {
    const { words, targets, ints } = instance;
    const { classes, pixels } = layout;
    const perImage = classes * pixels;
    const image = Math.floor(start / perImage);
    const imagesTo = (end: number) => Math.floor((end - 1) / perImage) + 1;
    // of planes that are cut apart a segment's pixels alone, else all those of the images that it touches
    const from = image * pixels + (plane === 0 ? 0 : start % pixels);
    const to = plane === 0 ? imagesTo(start + count) * pixels : from + count;
    let bad = false;
    // segments go forward
    if (to > this.#to) {
      this.#from = from;
      // small planes are at most a quarter of a segment each: as many as are read have room
      this.#to = plane === 0 ? Math.min(image + Math.floor(SEGMENT / pixels), imagesTo(this.#end)) * pixels : to;
      const rows = this.#to - from;
      if (this.#asGiven && y.kind === 'Int32Array') stageInts(instance, y, from, rows, targets);
      else bad = convertLabels(y, from, rows, this.classes, ints, targets / 4);
    }
    words[Field32.targets] = targets + 4 * (image * pixels - this.#from);
    words[Field32.first] = start - image * perImage;
    return bad && validate;
  }

  /** Whether among `count` elements that the kernel has seen some were ignored though none may be. */
  hasBad({ doubles }: Instance, count: number): boolean {
    return this.classes.ignoreIndex === null && doubles[Field64.positives] + doubles[Field64.negatives] < count;
  }
}
