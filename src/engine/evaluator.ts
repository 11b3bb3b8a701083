// What every loss shares: the checks of a call, the loop over segments, and the reduction.

import { wasm } from '#wasm';
import { BAD_TARGET, Field32, Field64, Flag } from '../abi.js';
import { boolean, divisor as divisorOf, type Measure, onlyKeys, wrongValue } from '../checks.js';
import { viewLength } from '../kinds.js';
import type { CallOptions, GradHess } from '../types.js';
import { FLOAT_KIND, type Floats, type Instance, toFloat } from './arena.js';
import type { Definition, Settings } from './definition.js';
import { lossOf } from './kernel.js';
import { changed, decoded, numbersOf, type Operand, operandOf } from './operand.js';
import { bufferOf, checkApart, floats } from './results.js';
import { type Layout, layoutOf } from './shapes.js';
import { FLOATS } from './targets.js';

/** The sum of a call's losses, and the elements of each class that were not ignored; by class only where it is metered. */
export interface Totals {
  sum: number;
  positives: number;
  negatives: number;
  sumPositives: number;
  sumNegatives: number;
}

/** A call whose arguments are checked: nothing of the caller's own runs any more. */
export interface Request {
  readonly x: Operand;
  readonly y: Operand;
  readonly weight: Operand | undefined;
  readonly out: Floats | undefined;
  readonly gradOut: Floats | undefined;
  readonly hessOut: Floats | undefined;
  readonly validate: boolean;
  /** Of this call, in the place of the loss's own. */
  readonly normalizer: number | undefined;
  readonly layout: Layout;
  /** Elements, or rows of a softmax. */
  readonly length: number;
  /** Whether targets are a row of shares each, and not labels. */
  readonly shares: boolean;
  /** The element or row of the whole that the arrays begin with: 0, but where they are a part of it. */
  readonly origin: number;
  /** Elements or rows of a plane that no segment may cross the end of; 0 where there is none. */
  readonly plane: number;
}

/** What is wanted of a run. */
export interface Results {
  readonly out: Floats | undefined;
  readonly grad: Floats | undefined;
  readonly hess: Floats | undefined;
  /** Factor of the gradient. */
  readonly scale: number;
  readonly sums: boolean;
  /** Sums by class, whatever the reduction, which do not depend on which losses are neighbours. */
  readonly metered: boolean;
  /** Receives sum, positives and negatives of each segment where they are added up elsewhere. */
  readonly perSegment?: Float64Array;
}

const CALL_KEYS = ['weight', 'out', 'gradOut', 'hessOut', 'validate', 'normalizer'];
const NO_CALL: CallOptions = {};
/** The commonest of all: one object for every call. */
const VALUE_ALONE: Results = {
  out: undefined,
  grad: undefined,
  hess: undefined,
  scale: 1,
  sums: true,
  metered: false,
};
const PLAIN: Layout = { classes: 1, pixels: 1 };

/** Evaluates one loss with its settings. */
export abstract class Evaluator {
  /** The largest number that a class multiplies a call's weights by. */
  protected largestWeight = 1;
  /** Of the last run. */
  readonly totals: Totals = { sum: 0, positives: 0, negatives: 0, sumPositives: 0, sumNegatives: 0 };

  constructor(
    readonly definition: Definition,
    readonly settings: Settings,
    /** Elements or rows that one call of the kernel is given at most. */
    readonly step: number,
    /** A segment ends where a plane of more pixels does. */
    private readonly mostPixels: number,
    /** Whether what is counted is elements, of which a plane is one class's, and not rows. */
    private readonly isByClass: boolean,
  ) {}

  /** The targets of a call, for `length` elements or rows of `classes` logits. */
  protected abstract targetsOf(value: unknown): Operand;
  /** Elements or rows that have a loss of their own. */
  protected abstract lengthOf(x: Operand, layout: Layout): number;
  /**
   * Refuses targets that do not go with the logits, or whose values only a look at every one can tell. Returns whether they
   * are a row of shares each.
   */
  protected abstract checkTargets(x: Operand, y: Operand, layout: Layout, validate: boolean): boolean;
  /** Whether a weight has one number an element, or one a row; an error for any other length. */
  protected abstract checkWeight(weight: Operand, x: Operand, layout: Layout): void;
  /** Tells of each index whether its target is positive. */
  abstract positives(request: Request): (index: number) => boolean;
  /** Counts the targets into `totals`. */
  protected abstract count(request: Request): void;
  protected abstract instanceFor(request: Request, results: Results): Instance;
  /** Writes to the frame what stays the same from call to call. */
  protected abstract configure(instance: Instance): void;
  /** Writes to the frame what depends on the kind of targets, and returns the flags; the run ends before segment `to`. */
  protected abstract begin(instance: Instance, request: Request, results: Results, to: number): number;
  /** Places what a segment reads and says where its results go. */
  protected abstract place(instance: Instance, request: Request, results: Results, start: number, count: number): void;
  /** Copies what was not written in place to where it belongs. */
  protected abstract take(instance: Instance, request: Request, results: Results, start: number, count: number): void;
  /** The error of the first bad target from element or row `start` on. */
  abstract badTarget(request: Request, start: number): Error;

  forward(logits: unknown, targets: unknown, call: CallOptions | undefined, metered: boolean): Floats | number {
    return this.value(this.request(logits, targets, call), metered);
  }

  /** The value of a call whose arguments are checked. */
  value(request: Request, metered: boolean): Floats | number {
    if (this.settings.reduction === 'none') {
      const out = request.out ?? floats('out', request.length);
      this.run(request, { out, grad: undefined, hess: undefined, scale: 1, sums: metered, metered });
      return out;
    }
    const { out } = request;
    this.run(request, out === undefined && !metered ? VALUE_ALONE : { ...VALUE_ALONE, out, metered });
    return this.reduced(request.normalizer);
  }

  valueAndGrad(logits: unknown, targets: unknown, call: CallOptions | undefined) {
    const request = this.request(logits, targets, call);
    const none = this.settings.reduction === 'none';
    const scale = this.gradScale(request);
    const grad = request.gradOut ?? floats('grad', request.x.length);
    const out = request.out ?? (none ? floats('out', request.length) : undefined);
    this.run(request, { out, grad, hess: undefined, scale, sums: !none, metered: false });
    return { value: none ? (out as Floats) : this.reduced(request.normalizer), grad };
  }

  gradHess(logits: unknown, targets: unknown, call: CallOptions | undefined): GradHess {
    const request = this.request(logits, targets, call);
    const grad = request.gradOut ?? floats('grad', request.x.length);
    const hess = request.hessOut ?? floats('hess', request.x.length);
    this.run(request, { out: request.out, grad, hess, scale: 1, sums: false, metered: false });
    return { grad, hess } as unknown as GradHess;
  }

  /** What a sum is divided by under 'mean'. */
  divisor(positives: number, kept: number, normalizer: number | undefined = undefined): number {
    const divisor = normalizer ?? this.settings.normalizer;
    if (divisor === undefined) return kept;
    return divisor === 'positives' ? Math.max(1, positives) : divisor;
  }

  /** The value under 'sum' and 'mean' of the last run, or of totals that were added up elsewhere. */
  reduced(normalizer: number | undefined, totals: Totals = this.totals): number {
    const { sum, positives, negatives } = totals;
    return this.settings.reduction === 'sum' ? sum : sum / this.divisor(positives, positives + negatives, normalizer);
  }

  /** The factor of the gradient, for which the targets are counted beforehand only where they must be. */
  gradScale(request: Request): number {
    const { reduction, normalizer, ignoreIndex } = this.settings;
    if (reduction !== 'mean') return 1;
    const divisor = request.normalizer ?? normalizer;
    if (typeof divisor === 'number') return 1 / divisor;
    if (divisor === undefined && ignoreIndex === null) return 1 / request.length;
    this.count(request);
    const { positives, negatives } = this.totals;
    // where nothing is kept every gradient is 0
    return 1 / (this.divisor(positives, positives + negatives) || 1);
  }

  /** Checks a call. Every key of it is read once, and all that may run code of the caller's before a length is relied on. */
  request(logits: unknown, targets: unknown, call: CallOptions | undefined): Request {
    const given = call === undefined ? NO_CALL : onlyKeys('call', call, CALL_KEYS);
    const validate = given.validate === undefined ? true : boolean('validate', given.validate);
    const normalizer = given.normalizer === undefined ? undefined : divisorOf('normalizer', given.normalizer);
    const x = operandOf('logits', logits, FLOATS);
    const y = this.targetsOf(targets);
    let weight = given.weight === undefined ? undefined : operandOf('weight', given.weight, FLOATS);
    const { numClasses, classAxis } = this.settings;
    let layout = PLAIN;
    if (numClasses !== undefined) {
      layout = layoutOf(x.dims, classAxis, numClasses);
      if (x.length % numClasses !== 0) {
        throw wrongValue('logits', `a length that is a multiple of ${numClasses} (numClasses)`, x.length);
      }
    }
    const length = this.lengthOf(x, layout);
    const shares = this.checkTargets(x, y, layout, validate);
    if (weight !== undefined) {
      this.checkWeight(weight, x, layout);
      checkWeights(weight);
      checkProducts(weight, this.largestWeight);
      if (weight.length !== x.length) weight = decoded(weight); // read row by row
    }
    const measure: Measure = length === x.length ? 'the length of "logits"' : 'the rows of "logits"';
    const out = bufferOf('out', given.out, length, measure);
    const gradOut = bufferOf('gradOut', given.gradOut, x.length, 'the length of "logits"');
    const hessOut = bufferOf('hessOut', given.hessOut, x.length, 'the length of "logits"');
    if (out !== undefined) checkApart('out', out, [x, weight], [y.view]);
    if (gradOut !== undefined) checkApart('gradOut', gradOut, [x, weight], [y.view, out]);
    if (hessOut !== undefined) checkApart('hessOut', hessOut, [x, weight], [y.view, out, gradOut]);
    // whatever of the caller's own has run since their lengths were taken belongs to what was read after them
    if (y.view !== targets || weight !== undefined) {
      checkUnchanged('logits', x);
      checkUnchanged('targets', y);
    }
    const plane = layout.pixels > this.mostPixels ? layout.pixels : 0;
    return { x, y, weight, out, gradOut, hessOut, validate, normalizer, layout, length, shares, origin: 0, plane };
  }

  /**
   * The compiled kernel, which threads are given.
   *
   * @internal
   */
  get binary(): typeof wasm {
    return wasm;
  }

  /** How many calls of the kernel a request takes. */
  segments({ length, plane }: Request): number {
    return plane === 0 ? Math.ceil(length / this.step) : (length / plane) * Math.ceil(plane / this.step);
  }

  /**
   * The start of a segment. Planes of more pixels than a segment are cut apart, and where a plane is one class's the classes
   * of the same pixels follow each other, so that labels are read once.
   */
  startOf(segment: number, { plane, layout }: Request): number {
    if (plane === 0) return segment * this.step;
    const planes = this.isByClass ? layout.classes : 1;
    const chunks = Math.ceil(plane / this.step);
    const within = segment % (chunks * planes);
    const image = (segment - within) / (chunks * planes);
    return (image * planes + (within % planes)) * plane + Math.floor(within / planes) * this.step;
  }

  /** The elements or rows of the segment that starts at `start`. */
  countOf(start: number, { length, plane }: Request): number {
    return Math.min(this.step, plane === 0 ? length - start : plane - (start % plane));
  }

  /** The element or row that a run up to segment `to` ends before. */
  protected endOf(to: number, request: Request): number {
    const last = this.startOf(to - 1, request);
    return last + this.countOf(last, request);
  }

  /** Evaluates the segments from `from` up to `to`; `totals` are theirs afterwards. */
  run(request: Request, results: Results, from = 0, to = this.segments(request)): void {
    const { validate } = request;
    const { perSegment } = results;
    const instance = this.instanceFor(request, results);
    const { words, doubles, kernel, frame } = instance;
    if (instance.claim(this)) this.configure(instance);
    words[Field32.flags] =
      this.begin(instance, request, results, to) |
      (results.sums ? Flag.sums : 0) |
      (results.metered ? Flag.byClass : 0);
    doubles[Field64.gradScale] = results.scale;
    const loss = this.definition.kernel;
    const { totals } = this;
    let sum = 0;
    let sumPositives = 0;
    let sumNegatives = 0;
    let positives = 0;
    let negatives = 0;
    for (let segment = from; segment < to; segment++) {
      const start = this.startOf(segment, request);
      const count = this.countOf(start, request);
      words[Field32.count] = count;
      this.place(instance, request, results, start, count);
      if (loss === 'binary') kernel.binary(frame);
      else lossOf(kernel, loss)(frame);
      if (validate && this.isBad(instance, count)) throw this.badTarget(request, start);
      this.take(instance, request, results, start, count);
      sum += doubles[Field64.sum];
      positives += doubles[Field64.positives];
      negatives += doubles[Field64.negatives];
      sumPositives += doubles[Field64.sumPositives];
      sumNegatives += doubles[Field64.sumNegatives];
      if (perSegment !== undefined) {
        perSegment[3 * segment] = doubles[Field64.sum];
        perSegment[3 * segment + 1] = doubles[Field64.positives];
        perSegment[3 * segment + 2] = doubles[Field64.negatives];
      }
    }
    totals.sum = sum;
    totals.sumPositives = sumPositives;
    totals.sumNegatives = sumNegatives;
    totals.positives = positives;
    totals.negatives = negatives;
  }

  /** Whether the kernel has met a bad target. */
  protected isBad({ words }: Instance, _count: number): boolean {
    return (words[Field32.bad] & BAD_TARGET) !== 0;
  }
}

/** Refuses weights that are not float32 already and that it cannot hold: infinite, they would meet a 0. */
export function checkWeights({ view, kind, length }: Operand): void {
  if (kind !== 'Float64Array' || kind === FLOAT_KIND) return;
  for (let k = 0; k < length; k++) {
    if (Number.isFinite(view[k]) && !Number.isFinite(Math.fround(view[k] as number))) {
      throw wrongValue('weight', `a number that float32 can hold at index ${k}`, view[k], undefined, k);
    }
  }
}

/** Refuses weights that the kernel's numbers cannot hold once they are multiplied by `most`, the largest weight of a class. */
function checkProducts(weight: Operand, most: number): void {
  if (most <= 1) return;
  const values = numbersOf(weight);
  for (let k = 0; k < weight.length; k++) {
    if (!Number.isFinite(values[k]) || Number.isFinite(toFloat(values[k] * most))) continue;
    const rule = `a number that float32 can hold times ${most}, a class's weight, at index ${k}`;
    throw wrongValue('weight', rule, values[k], undefined, k);
  }
}

/** Refuses an array that code of the caller's own has made shorter since its length was taken. */
export function checkUnchanged(name: string, { view, length }: Operand): void {
  const now = viewLength(view);
  if (now < length) throw changed(name, length, now);
}
