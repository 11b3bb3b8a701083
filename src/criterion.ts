// What every loss shares: the checks of a call, the loop over segments, and the reduction.

import { bufferOf, checkNumbers, type FloatSource, floatsOf } from './arrays.js';
import { apart, boolean, keyed, type Measure, sameLength, wholeRows } from './checks.js';
import { kindOf } from './kinds.js';
import { BAD_TARGET, Double, Flag, type Instance, Word } from './memory.js';
import type { CallOptions, GradHess, Reduction } from './types.js';

/** The sum of a call's losses, and the elements of each class that were not ignored. */
export interface Sums {
  sum: number;
  positives: number;
  negatives: number;
}

/** With the sum of each class, where a call is metered. */
export interface Totals extends Sums {
  sumPositives: number;
  sumNegatives: number;
}

/** Of the last run. */
export const totals: Totals = { sum: 0, sumPositives: 0, sumNegatives: 0, positives: 0, negatives: 0 };

export interface CommonSettings {
  readonly reduction: Reduction;
  readonly ignoreIndex: number | null;
  readonly normalizer: number | 'positives' | undefined;
  /** Columns that the length of the logits must be a multiple of. */
  readonly numClasses: number;
}

/** Targets from `start` to `end`, of arrays that begin with target `offset` of a call; segments begin where that call's do. */
export interface Range {
  readonly start: number;
  readonly end: number;
  readonly offset: number;
  /** Receives the three numbers of `Sums` for each segment. */
  readonly sums: Float64Array | undefined;
}

const CALL_KEYS = ['weight', 'out', 'gradOut', 'hessOut', 'validate'];

/** Evaluates one loss, whose targets are `T` after a tensor's data have been taken out. */
export abstract class Evaluator<T extends { readonly length: number } = { readonly length: number }> {
  /** Of the run: the position of the arrays' first target in the whole that they are part of, and the targets it is about. */
  protected offset = 0;
  protected start = 0;
  protected end = 0;

  constructor(
    readonly settings: CommonSettings,
    readonly targetsOf: (value: unknown) => T,
    /** Logits that share one target. */
    private readonly columns: number,
    /** Targets in a segment. */
    readonly step: number,
    private readonly flags: number,
  ) {}

  /** Checks what only a look at every element can tell and the kernel does not. */
  protected abstract checkElements(x: FloatSource, y: T, validate: boolean): void;
  /** Fills `positives` and `negatives` of `totals`. */
  protected abstract census(x: FloatSource, y: T, validate: boolean): void;
  protected abstract instanceFor(
    x: FloatSource,
    grad: Float32Array | undefined,
    hess: Float32Array | undefined,
  ): Instance;
  /** Writes to the frame what stays the same from call to call. */
  protected abstract configure(instance: Instance): void;
  /** Writes to the frame what depends on the kind of targets, and returns its flag. */
  protected abstract begin(instance: Instance, y: T): number;
  /** Places the targets, which lie at `yAt` in the instance or at 0 elsewhere, and what else goes by their position. */
  protected abstract placeTargets(
    instance: Instance,
    y: T,
    yAt: number,
    start: number,
    count: number,
    validate: boolean,
  ): void;
  protected abstract evaluate(instance: Instance): void;
  /** The error of the first bad target from `start` on. */
  abstract badTarget(y: T, start: number): Error;

  /** With `metered`, `totals` is filled by class whatever the reduction, and does not depend on which losses are neighbours. */
  forward(logits: unknown, targets: unknown, call: CallOptions | undefined, metered: boolean): Float32Array | number {
    const x = floatsOf('logits', logits);
    const y = this.targetsOf(targets);
    this.check(x, y, call);
    if (this.settings.reduction === 'none') {
      const out = call?.out ?? new Float32Array(y.length);
      this.run(x, y, call, out, undefined, undefined, 1, metered, metered);
      return out;
    }
    this.run(x, y, call, call?.out, undefined, undefined, 1, true, metered);
    return this.reduced();
  }

  valueAndGrad(logits: unknown, targets: unknown, call: CallOptions | undefined) {
    const x = floatsOf('logits', logits);
    const y = this.targetsOf(targets);
    this.check(x, y, call);
    const { reduction } = this.settings;
    const scale = reduction === 'mean' ? this.meanScale(x, y, call?.validate !== false) : 1;
    const grad = call?.gradOut ?? new Float32Array(x.length);
    const none = reduction === 'none';
    const out = call?.out ?? (none ? new Float32Array(y.length) : undefined);
    this.run(x, y, call, out, grad, undefined, scale, !none);
    return { value: none ? (out as Float32Array) : this.reduced(), grad };
  }

  gradHess(logits: unknown, targets: unknown, call: CallOptions | undefined): GradHess {
    const x = floatsOf('logits', logits);
    const y = this.targetsOf(targets);
    this.check(x, y, call);
    const grad = call?.gradOut ?? new Float32Array(x.length);
    const hess = call?.hessOut ?? new Float32Array(x.length);
    this.run(x, y, call, call?.out, grad, hess, 1, false);
    return { grad, hess };
  }

  /** What a sum is divided by under 'mean'. */
  divisor(positives: number, kept: number): number {
    const { normalizer } = this.settings;
    if (normalizer === undefined) return kept;
    return normalizer === 'positives' ? Math.max(1, positives) : normalizer;
  }

  /** The value under 'sum' and 'mean'. */
  reduced({ sum, positives, negatives }: Sums = totals): number {
    return this.settings.reduction === 'sum' ? sum : sum / this.divisor(positives, positives + negatives);
  }

  /** The factor of the gradient under 'mean', for which the targets are counted beforehand only where they must be. */
  meanScale(x: FloatSource, y: T, validate: boolean): number {
    const { normalizer, ignoreIndex } = this.settings;
    if (typeof normalizer === 'number') return 1 / normalizer;
    if (normalizer === undefined && ignoreIndex === null) return 1 / y.length;
    this.census(x, y, validate);
    // where nothing is kept every gradient is 0
    return 1 / (this.divisor(totals.positives, totals.positives + totals.negatives) || 1);
  }

  check(x: FloatSource, y: T, call: CallOptions | undefined): void {
    const { columns, settings } = this;
    if (settings.numClasses > 1) wholeRows(x.length, settings.numClasses);
    const measure = columns === 1 ? 'the length of "logits"' : 'the rows of "logits"';
    const rows = x.length / columns;
    sameLength('targets', y.length, rows, measure);
    if (call !== undefined) checkCall(call, rows, x.length, measure);
    if (!ArrayBuffer.isView(x)) checkNumbers('logits', x);
    this.checkElements(x, y, call?.validate !== false);
  }

  run(
    x: FloatSource,
    y: T,
    call: CallOptions | undefined,
    out: Float32Array | undefined,
    grad: Float32Array | undefined,
    hess: Float32Array | undefined,
    scale: number,
    sums: boolean,
    metered = false,
    range?: Range,
  ): void {
    const { columns, step } = this;
    const from = range === undefined ? 0 : range.start;
    const end = range === undefined ? y.length : range.end;
    const each = range?.sums;
    let next = 0;
    this.offset = range === undefined ? 0 : range.offset;
    this.start = from;
    this.end = end;
    const validate = call?.validate !== false;
    const weight = call?.weight;
    const instance = this.instanceFor(x, grad, hess);
    const { words, doubles } = instance;
    if (instance.owner !== this) {
      this.configure(instance);
      instance.owner = this;
    }
    words[Word.flags] = this.flags | this.begin(instance, y) | (sums ? Flag.sums : 0) | (metered ? Flag.byClass : 0);
    doubles[Double.gradScale] = scale;
    // 0 for what is staged
    const xAt = kindOf(x) === 'Float32Array' ? instance.locate(x as Float32Array, Word.logits) : 0;
    const yAt = ArrayBuffer.isView(y) ? instance.locate(y, Word.targets) : 0;
    const weightAt = instance.locate(weight, Word.weight);
    const outAt = instance.locate(out, Word.loss);
    const gradAt = instance.locate(grad, Word.grad);
    const hessAt = instance.locate(hess, Word.hess);
    let sum = 0;
    let sumPositives = 0;
    let sumNegatives = 0;
    let positives = 0;
    let negatives = 0;
    for (let start = from; start < end; start += step) {
      const count = Math.min(step, end - start);
      const first = start * columns;
      const length = count * columns;
      words[Word.count] = count;
      words[Word.logits] = xAt === 0 ? instance.stageFloats(x, first, length, instance.logits) : xAt + 4 * first;
      this.placeTargets(instance, y, yAt, start, count, validate);
      if (weight === undefined) words[Word.weight] = 0;
      else if (weightAt !== 0) words[Word.weight] = weightAt + 4 * start;
      else words[Word.weight] = instance.stageFloats(weight, start, count, instance.weight);
      words[Word.loss] = out === undefined ? 0 : outAt === 0 ? instance.loss : outAt + 4 * start;
      words[Word.grad] = grad === undefined ? 0 : gradAt === 0 ? instance.grad : gradAt + 4 * first;
      words[Word.hess] = hess === undefined ? 0 : hessAt === 0 ? instance.hess : hessAt + 4 * first;
      this.evaluate(instance);
      if (validate && (words[Word.bad] & BAD_TARGET) !== 0) throw this.badTarget(y, start);
      if (out !== undefined && outAt === 0) instance.takeFloats(out, start, count, instance.loss);
      if (grad !== undefined && gradAt === 0) instance.takeFloats(grad, first, length, instance.grad);
      if (hess !== undefined && hessAt === 0) instance.takeFloats(hess, first, length, instance.hess);
      if (each !== undefined) {
        each[next++] = doubles[Double.sum];
        each[next++] = doubles[Double.positives];
        each[next++] = doubles[Double.negatives];
      }
      sum += doubles[Double.sum];
      sumPositives += doubles[Double.sumPositives];
      sumNegatives += doubles[Double.sumNegatives];
      positives += doubles[Double.positives];
      negatives += doubles[Double.negatives];
    }
    totals.sum = sum;
    totals.sumPositives = sumPositives;
    totals.sumNegatives = sumNegatives;
    totals.positives = positives;
    totals.negatives = negatives;
  }
}

function checkCall(call: CallOptions, rows: number, elements: number, measure: Measure): void {
  keyed('call', call, CALL_KEYS);
  checkBuffer('weight', call.weight, rows, measure);
  checkBuffer('out', call.out, rows, measure);
  checkBuffer('gradOut', call.gradOut, elements, 'the length of "logits"');
  checkBuffer('hessOut', call.hessOut, elements, 'the length of "logits"');
  const { out, gradOut, hessOut } = call;
  apart('gradOut', gradOut, 'out', out);
  apart('hessOut', hessOut, 'out', out);
  apart('hessOut', hessOut, 'gradOut', gradOut);
  if (call.validate !== undefined) boolean('validate', call.validate);
}

function checkBuffer(name: string, buffer: unknown, length: number, measure: Measure): void {
  if (buffer !== undefined) sameLength(name, bufferOf(name, buffer).length, length, measure);
}
