// Binary losses: logits and targets go element by element.

import {
  checkProbabilities,
  checkTargets,
  type FloatSource,
  firstBadTarget,
  isSoft,
  type TargetSource,
  targetsOf,
} from './arrays.js';
import { type CommonSettings, Evaluator, totals } from './criterion.js';
import type { Narrow } from './kernel.js';
import { kindOf } from './kinds.js';
import { BAD_TARGET, Double, Flag, type Instance, instanceOf, SEGMENT, Word } from './memory.js';
import type { HessianPolicy } from './types.js';

export interface BinarySettings extends CommonSettings {
  readonly gamma: number;
  /** One for all, or one a class; null is off. */
  readonly alpha: number | Float64Array | null;
  readonly posWeight: number | Float64Array;
  readonly labelSmoothing: number;
  readonly fromLogits: boolean;
  readonly hessian: HessianPolicy;
}

export const HESSIANS: readonly HessianPolicy[] = ['exact', 'clip', 'gaussNewton', 'absGrad'];

/** Byte targets staged at once: what their region holds, since longer runs come faster from memory. */
const BYTES = 4 * SEGMENT;
/** What ignored targets become where they are converted anyway: no other target can be 2. */
const IGNORED = 2;

export class BinaryEvaluator extends Evaluator<TargetSource> {
  readonly #settings: BinarySettings;
  /** The values of the classes over and over, long enough for a segment that starts with any class. */
  readonly #alphas: Float32Array | undefined;
  readonly #alphaNegatives: Float32Array | undefined;
  readonly #posWeights: Float32Array | undefined;

  constructor(settings: BinarySettings) {
    const ignore = settings.ignoreIndex === null ? 0 : Flag.ignore;
    super(settings, targetsOf, 1, SEGMENT, ignore | (settings.fromLogits ? 0 : Flag.probabilities));
    this.#settings = settings;
    const { alpha, posWeight } = settings;
    if (alpha instanceof Float64Array) {
      this.#alphas = pattern(alpha);
      this.#alphaNegatives = pattern(alpha.map((positive) => 1 - positive));
    }
    if (posWeight instanceof Float64Array) this.#posWeights = pattern(posWeight);
  }

  protected override checkElements(x: FloatSource, y: TargetSource, validate: boolean): void {
    const { ignoreIndex, fromLogits } = this.#settings;
    checkTargets(y, ignoreIndex, validate);
    if (!fromLogits && validate) checkProbabilities(x, y, ignoreIndex);
  }

  protected override census(x: FloatSource, y: TargetSource, validate: boolean): void {
    const instance = instanceOf(x);
    const { words, doubles, kernel, frame } = instance;
    const yAt = ArrayBuffer.isView(y) ? instance.locate(y, Word.targets) : 0;
    words[Word.flags] = this.begin(instance, y) | (this.#settings.ignoreIndex === null ? 0 : Flag.ignore);
    totals.positives = 0;
    totals.negatives = 0;
    this.start = 0;
    this.end = y.length;
    for (let start = 0; start < y.length; start += SEGMENT) {
      const count = Math.min(SEGMENT, y.length - start);
      words[Word.count] = count;
      words[Word.targets] = this.#targetsAt(instance, y, yAt, start, count, validate);
      kernel.census(frame);
      if (validate && (words[Word.bad] & BAD_TARGET) !== 0) throw this.badTarget(y, start);
      totals.positives += doubles[Double.positives];
      totals.negatives += doubles[Double.negatives];
    }
  }

  protected override instanceFor(x: FloatSource): Instance {
    return instanceOf(x);
  }

  protected override configure({ words, doubles }: Instance): void {
    const { gamma, alpha, posWeight, labelSmoothing, hessian } = this.#settings;
    words[Word.alphas] = 0;
    words[Word.alphaNegatives] = 0;
    words[Word.posWeights] = 0;
    words[Word.hessian] = HESSIANS.indexOf(hessian);
    doubles[Double.gamma] = gamma;
    doubles[Double.alphaPositive] = typeof alpha === 'number' ? alpha : 1;
    doubles[Double.alphaNegative] = typeof alpha === 'number' ? 1 - alpha : 1;
    doubles[Double.posWeight] = typeof posWeight === 'number' ? posWeight : 1;
    doubles[Double.labelSmoothing] = labelSmoothing;
    doubles[Double.positiveAbove] = 0.5;
  }

  protected override begin({ doubles }: Instance, y: TargetSource): number {
    if (!isSoft(y)) return 0;
    const { ignoreIndex } = this.#settings;
    if (ignoreIndex !== null) doubles[Double.ignore] = kindOf(y) === 'Float32Array' ? ignoreIndex : IGNORED;
    return Flag.soft;
  }

  protected override placeTargets(
    instance: Instance,
    y: TargetSource,
    yAt: number,
    start: number,
    count: number,
    validate: boolean,
  ): void {
    const { words } = instance;
    words[Word.targets] = this.#targetsAt(instance, y, yAt, start, count, validate);
    if (this.#alphas === undefined && this.#posWeights === undefined) return;
    const phase = (this.offset + start) % this.#settings.numClasses;
    if (this.#alphas !== undefined && this.#alphaNegatives !== undefined) {
      words[Word.alphas] = instance.stageFloats(this.#alphas, phase, count, instance.alphas);
      words[Word.alphaNegatives] = instance.stageFloats(this.#alphaNegatives, phase, count, instance.alphaNegatives);
    }
    if (this.#posWeights !== undefined) {
      words[Word.posWeights] = instance.stageFloats(this.#posWeights, phase, count, instance.posWeights);
    }
  }

  protected override evaluate({ kernel, frame }: Instance): void {
    kernel.binary(frame);
  }

  override badTarget(y: TargetSource, start: number): Error {
    return firstBadTarget(y, start, this.#settings.ignoreIndex);
  }

  /** The address of the targets as the kernel reads them: float32, or bytes 0, 1 and, where some are ignored, 2. */
  #targetsAt(
    instance: Instance,
    y: TargetSource,
    yAt: number,
    start: number,
    count: number,
    validate: boolean,
  ): number {
    const { ignoreIndex } = this.#settings;
    const { kernel, targets, raw } = instance;
    const kind = kindOf(y);
    let ignore = ignoreIndex ?? Number.NaN;
    let narrow: Narrow;
    let from: number;
    switch (kind) {
      case 'Float32Array':
        return yAt === 0 ? instance.stageFloats(y as Float32Array, start, count, targets) : yAt + 4 * start;
      case 'Uint8Array':
      case 'Uint8ClampedArray':
      case 'Int8Array': {
        if (ignoreIndex === null) {
          if (yAt !== 0) return yAt + start;
          const offset = start % BYTES;
          if (offset === 0 || start === this.start) {
            instance.stageBytes(y as Uint8Array, start, Math.min(BYTES - offset, this.end - start), targets + offset);
          }
          return targets + offset;
        }
        from = yAt === 0 ? instance.stageBytes(y as Uint8Array, start, count, raw) : yAt + start;
        narrow = kernel.narrow8;
        if (kind === 'Int8Array') ignore = unsigned(ignore);
        break;
      }
      case 'Int32Array':
        from = yAt === 0 ? instance.stageInts(y as Int32Array, start, count, raw) : yAt + 4 * start;
        narrow = kernel.narrow32;
        break;
      case 'BigInt64Array':
        from = yAt === 0 ? instance.stageLongs(y as BigInt64Array, start, count, raw) : yAt + 8 * start;
        narrow = kernel.narrow64;
        break;
      default:
        return this.#convertedAt(instance, y as Float64Array | readonly number[] | readonly boolean[], start, count);
    }
    const bad = narrow(from, targets, count, ignore);
    if (validate && bad !== 0) throw this.badTarget(y, start);
    return targets;
  }

  #convertedAt(
    instance: Instance,
    y: Float64Array | readonly number[] | readonly boolean[],
    start: number,
    count: number,
  ): number {
    const { targets, bytes, floats } = instance;
    const { ignoreIndex } = this.#settings;
    if (typeof y[0] === 'boolean') {
      for (let k = 0; k < count; k++) bytes[targets + k] = y[start + k] ? 1 : 0;
      return targets;
    }
    const values = y as Float64Array;
    if (ignoreIndex === null) return instance.stageFloats(values, start, count, targets);
    for (let k = 0; k < count; k++) {
      const value = values[start + k];
      floats[targets / 4 + k] = value === ignoreIndex ? IGNORED : value;
    }
    return targets;
  }
}

/** A signed byte as the unsigned one it is stored like; NaN for any other number. */
function unsigned(value: number): number {
  return value === (value << 24) >> 24 ? value & 255 : Number.NaN;
}

/** The classes' values over and over. */
function pattern(values: Float64Array): Float32Array {
  return Float32Array.from({ length: values.length + SEGMENT }, (_, k) => values[k % values.length]);
}
