// Softmax losses: a row of logits has one target.

import { checkNumbers, convertLabels, type FloatSource, firstBadLabel, type LabelSource, labelsOf } from './arrays.js';
import { wrongValue } from './checks.js';
import { type CommonSettings, Evaluator, totals } from './criterion.js';
import { kindOf } from './kinds.js';
import { BAD_TARGET, Double, type Instance, instanceOf, SEGMENT, sharedInstance, Word } from './memory.js';

export interface SoftmaxSettings extends CommonSettings {
  readonly gamma: number;
  /** One a class; undefined is off. */
  readonly alpha: Float32Array | undefined;
  readonly labelSmoothing: number;
}

/** Columns for which the regions of an instance are still within 1 GiB in all; with 51,000 they are within 1 MiB. */
const WIDEST = 2 ** 26;

export class SoftmaxEvaluator extends Evaluator<LabelSource> {
  readonly #settings: SoftmaxSettings;
  readonly #step: number;

  constructor(settings: SoftmaxSettings) {
    const step = rowsPerSegment(settings.numClasses);
    super(settings, labelsOf, settings.numClasses, step, 0);
    this.#settings = settings;
    this.#step = step;
  }

  protected override checkElements(_: FloatSource, y: LabelSource): void {
    checkNumbers('targets', y);
  }

  protected override census(x: FloatSource, y: LabelSource, validate: boolean): void {
    const instance = instanceOf(x);
    totals.positives = 0;
    totals.negatives = 0;
    for (let start = 0; start < y.length; start += this.#step) {
      totals.positives += this.#convert(instance, y, start, Math.min(this.#step, y.length - start), validate);
    }
  }

  protected override instanceFor(x: FloatSource, grad?: Float32Array, hess?: Float32Array): Instance {
    return rowInstance(this.#settings.numClasses, this.#settings.alpha, x, grad, hess);
  }

  protected override configure(instance: Instance): void {
    const { words, doubles } = instance;
    const { numClasses, alpha, gamma, labelSmoothing } = this.#settings;
    words[Word.classes] = numClasses;
    words[Word.hessian] = 0;
    words[Word.alphas] = alpha === undefined ? 0 : instance.stageFloats(alpha, 0, numClasses, instance.alphas);
    words[Word.posWeights] = 0;
    doubles[Double.gamma] = gamma;
    doubles[Double.labelSmoothing] = numClasses === 1 ? 0 : labelSmoothing; // nothing to share it with
  }

  protected override begin(): number {
    return 0;
  }

  protected override placeTargets(
    instance: Instance,
    y: LabelSource,
    yAt: number,
    start: number,
    count: number,
    validate: boolean,
  ): void {
    const { words, targets } = instance;
    const { ignoreIndex } = this.#settings;
    words[Word.targets] = targets;
    if (kindOf(y) !== 'Int32Array' || (ignoreIndex !== null && ignoreIndex !== -1)) {
      this.#convert(instance, y, start, count, validate);
    } else if (yAt === 0) {
      instance.stageInts(y as Int32Array, start, count, targets);
    } else {
      words[Word.targets] = yAt + 4 * start;
    }
  }

  protected override evaluate({ kernel, frame, words, doubles }: Instance): void {
    kernel.softmax(frame);
    // the kernel takes -1 for a label to ignore
    const ignored = doubles[Double.positives] < words[Word.count];
    if (ignored && this.#settings.ignoreIndex === null) words[Word.bad] |= BAD_TARGET;
  }

  override badTarget(y: LabelSource, start: number): Error {
    return firstBadLabel(y, start, this.#settings);
  }

  /** Stages the labels and returns how many are not ignored. */
  #convert({ ints, targets }: Instance, y: LabelSource, start: number, count: number, validate: boolean): number {
    return convertLabels(y, start, count, this.#settings, validate, ints, targets / 4);
  }
}

/** Whole rows that fit in a segment, and one where none does. */
export function rowsPerSegment(numClasses: number): number {
  return Math.max(1, Math.floor(SEGMENT / numClasses));
}

/** The instance for rows of `columns`: one wide enough to stage a row, unless all that is as wide lies in a workspace. */
export function rowInstance(
  columns: number,
  alpha: Float32Array | undefined,
  x: FloatSource,
  ...results: (Float32Array | undefined)[]
): Instance {
  const instance = instanceOf(x);
  if (columns <= instance.width) return instance;
  const isHere = (array: Float32Array | undefined) => array === undefined || instance.holds(array);
  if (alpha === undefined && kindOf(x) === 'Float32Array' && isHere(x as Float32Array) && results.every(isHere)) {
    return instance;
  }
  if (columns > WIDEST) {
    const remedy = 'logits and results of wider rows must lie in a Workspace, and alpha must be null';
    throw wrongValue('numClasses', `at most ${WIDEST}, to stage a row`, columns, remedy);
  }
  return sharedInstance(columns);
}
