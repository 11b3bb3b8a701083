// Losses of elements: sigmoids, each with a target of its own, or with those that one label a row stands for.

import { BAD_TARGET, Field32, Field64, Flag, Hessian, SEGMENT, SoftTargets } from '../abi.js';
import { sameLength, wrongValue } from '../checks.js';
import {
  FLOAT_BYTES,
  FLOAT_KIND,
  type Floats,
  type Instance,
  instanceOf,
  stageInts,
  stageLongs,
  toFloat,
} from './arena.js';
import type { Definition, Settings } from './definition.js';
import { Evaluator, type Request, type Results } from './evaluator.js';
import { LabelReader, MOST_PIXELS } from './label-reader.js';
import { decoded, numbersOf, type Operand, part } from './operand.js';
import { classPattern, expandRows, multiplyByClass } from './patterns.js';
import { axisOf, checkAgreement, type Layout } from './shapes.js';
import {
  checkDoubles,
  checkProbabilities,
  countLabels,
  firstBadLabel,
  firstBadTarget,
  isFloat,
  labelsOf,
  targetsOf,
  toBytes,
} from './targets.js';

/** Byte targets staged at once: what their region holds, since longer runs come faster from memory. */
const BYTES = FLOAT_BYTES * SEGMENT;
/** What ignored targets become where they are converted anyway: no other target can be 2. */
export const IGNORED = 2;

export class ElementEvaluator extends Evaluator {
  /** Reads one label a row, where that is what targets are. */
  readonly #labels: LabelReader | undefined;
  /** The values of the classes over and over, long enough for a segment that starts with any class. */
  readonly #alphas: Float64Array | undefined;
  readonly #alphaNegatives: Float64Array | undefined;
  readonly #posWeights: Float64Array | undefined;
  readonly #classWeights: Float64Array | undefined;
  /** Where the byte targets that are in their region end. */
  #bytesTo = 0;

  constructor(definition: Definition, settings: Settings) {
    const byLabel = definition.placement === 'labels';
    super(definition, settings, SEGMENT, byLabel ? MOST_PIXELS : Number.POSITIVE_INFINITY, true);
    const { alpha, posWeight, classWeight, numClasses = 1 } = settings;
    if (byLabel) this.#labels = new LabelReader({ ...settings, numClasses });
    if (alpha !== null && typeof alpha === 'object') {
      this.#alphas = classPattern(alpha);
      this.#alphaNegatives = classPattern(alpha.map((positive) => 1 - positive));
    }
    if (typeof posWeight === 'object') this.#posWeights = classPattern(posWeight);
    if (classWeight === undefined) return;
    this.#classWeights = classPattern(classWeight);
    this.largestWeight = classWeight.reduce((a, b) => Math.max(a, b));
  }

  protected override targetsOf(value: unknown): Operand {
    if (this.#labels !== undefined) return labelsOf(value);
    const y = targetsOf(value);
    return this.definition.soft ? y : decoded(y); // of hard targets no kernel decodes any
  }

  protected override lengthOf(x: Operand): number {
    return x.length;
  }

  protected override checkTargets(x: Operand, y: Operand, layout: Layout, validate: boolean): boolean {
    const { ignoreIndex, fromLogits } = this.settings;
    if (this.#labels !== undefined) {
      sameLength('targets', y.length, x.length / layout.classes, 'the rows of "logits"');
      checkAgreement('targets', y.dims, x.dims, x.dims && axisOf(this.settings.classAxis, x.dims));
      return false;
    }
    sameLength('targets', y.length, x.length, 'the length of "logits"', () => labelRemedy(x, y, layout));
    checkAgreement('targets', y.dims, x.dims);
    if (validate && isRounded(y) && this.definition.soft) checkDoubles(y, ignoreIndex);
    if (validate && !fromLogits) checkProbabilities(x, y, ignoredOf(y, ignoreIndex), toFloat);
    return false;
  }

  protected override checkWeight(weight: Operand, x: Operand, { classes }: Layout): void {
    const rows = x.length / classes;
    if (weight.length === x.length) {
      // of no logits both lengths are one
      if (rows > 0) checkAgreement('weight', weight.dims, x.dims);
      return;
    }
    if (classes === 1) sameLength('weight', weight.length, x.length, 'the length of "logits"');
    if (weight.length !== rows) {
      throw wrongValue('weight', `length ${x.length} (the length of "logits") or ${rows} (its rows)`, weight.length);
    }
    checkAgreement('weight', weight.dims, x.dims, x.dims && axisOf(this.settings.classAxis, x.dims));
  }

  protected override count(request: Request): void {
    const { y, validate, layout } = request;
    const { totals } = this;
    if (this.#labels !== undefined) {
      const { labelled, kept } = countLabels(y, this.#labels.classes, validate);
      totals.positives = labelled;
      totals.negatives = kept * layout.classes - labelled;
      return;
    }
    const instance = instanceOf(request.x.view);
    const { words, doubles, kernel, frame } = instance;
    if (instance.claim(this)) this.configure(instance);
    words[Field32.flags] = this.#flags(instance, y);
    this.#bytesTo = 0;
    const yAt = instance.locate(y.view, Field32.targets);
    totals.positives = 0;
    totals.negatives = 0;
    for (let start = 0; start < y.length; start += SEGMENT) {
      const count = Math.min(SEGMENT, y.length - start);
      words[Field32.count] = count;
      words[Field32.targets] = this.#targetsAt(instance, request, yAt, start, count);
      kernel.census(frame);
      if (validate && (words[Field32.bad] & BAD_TARGET) !== 0) throw this.badTarget(request, start);
      totals.positives += doubles[Field64.positives];
      totals.negatives += doubles[Field64.negatives];
    }
  }

  override positives({ y, layout }: Request): (index: number) => boolean {
    const { positiveAbove = 0.5 } = this.definition.parameters(this.settings);
    const values = numbersOf(y);
    // as the kernel counts them, to which a target just above a half is one
    if (this.#labels === undefined) return (index) => toFloat(Number(values[index])) > positiveAbove;
    const { classes, pixels } = layout;
    const { background } = this.settings;
    return (index) => {
      const label = Number(values[Math.floor(index / (classes * pixels)) * pixels + (index % pixels)]);
      return label !== background && label === Math.floor(index / pixels) % classes;
    };
  }

  protected override instanceFor({ x }: Request): Instance {
    return instanceOf(x.view);
  }

  protected override configure({ words, doubles }: Instance): void {
    const { hessian, labelSmoothing, numClasses = 1, polyEpsilon, softTargets } = this.settings;
    const {
      gamma,
      positive,
      negative,
      beta = 0,
      margin = 0,
      positiveAbove = 0.5,
    } = this.definition.parameters(this.settings);
    const { posWeight } = this.settings;
    words[Field32.alphas] = 0;
    words[Field32.alphaNegatives] = 0;
    words[Field32.posWeights] = 0;
    words[Field32.classes] = numClasses;
    words[Field32.hessian] = Hessian[hessian];
    words[Field32.softTargets] = SoftTargets[softTargets];
    doubles[Field64.gamma] = gamma;
    doubles[Field64.alphaPositive] = positive;
    doubles[Field64.alphaNegative] = negative;
    doubles[Field64.posWeight] = typeof posWeight === 'number' ? posWeight : 1;
    doubles[Field64.labelSmoothing] = labelSmoothing;
    doubles[Field64.polyEpsilon] = polyEpsilon;
    doubles[Field64.beta] = beta;
    doubles[Field64.margin] = margin;
    doubles[Field64.positiveAbove] = positiveAbove;
  }

  protected override begin(instance: Instance, request: Request, _: Results, to: number): number {
    const { y, layout } = request;
    instance.words[Field32.stride] = layout.pixels;
    this.#labels?.begin(this.endOf(to, request));
    this.#bytesTo = 0;
    return this.#flags(instance, y) | (this.settings.fromLogits ? 0 : Flag.probabilities);
  }

  #flags({ doubles }: Instance, y: Operand): number {
    if (this.#labels !== undefined) return Flag.labels;
    const { ignoreIndex } = this.settings;
    const skips = ignoreIndex === null || y.booleans ? 0 : Flag.ignore;
    if (!this.definition.soft || !isFloat(y.kind)) return skips;
    if (ignoreIndex !== null) doubles[Field64.ignore] = isRounded(y) ? IGNORED : ignoreIndex;
    return Flag.soft | skips;
  }

  protected override place(
    instance: Instance,
    request: Request,
    { out, grad, hess }: Results,
    start: number,
    count: number,
  ): void {
    const { words } = instance;
    const { x, y, layout, origin } = request;
    const at = start - origin;
    const xAt = x.kind === FLOAT_KIND ? instance.locate(x.view, Field32.logits) : 0;
    words[Field32.logits] =
      xAt === 0 ? instance.stageFloats(x.view, x.kind, at, count, instance.logits) : xAt + FLOAT_BYTES * at;
    if (this.#labels === undefined) {
      const yAt = instance.locate(y.view, Field32.targets);
      words[Field32.targets] = this.#targetsAt(instance, request, yAt, start, count);
    } else if (this.#labels.place(instance, request, start, count)) throw this.badTarget(request, start);
    words[Field32.weight] = this.#weightAt(instance, request, start, count);
    if (this.#alphas !== undefined && this.#alphaNegatives !== undefined) {
      words[Field32.alphas] = stagePattern(instance, this.#alphas, layout, start, count, instance.alphas);
      const { alphaNegatives } = instance;
      words[Field32.alphaNegatives] = stagePattern(
        instance,
        this.#alphaNegatives,
        layout,
        start,
        count,
        alphaNegatives,
      );
    }
    if (this.#posWeights !== undefined) {
      words[Field32.posWeights] = stagePattern(instance, this.#posWeights, layout, start, count, instance.posWeights);
    }
    words[Field32.loss] = resultAt(instance, out, Field32.loss, at, instance.loss);
    words[Field32.grad] = resultAt(instance, grad, Field32.grad, at, instance.grad);
    words[Field32.hess] = resultAt(instance, hess, Field32.hess, at, instance.hess);
  }

  protected override take(
    instance: Instance,
    { origin }: Request,
    { out, grad, hess }: Results,
    start: number,
    count: number,
  ): void {
    const { words, loss, grad: gradAt, hess: hessAt } = instance;
    const at = start - origin;
    if (out !== undefined && words[Field32.loss] === loss) instance.takeFloats(out, at, count, loss);
    if (grad !== undefined && words[Field32.grad] === gradAt) instance.takeFloats(grad, at, count, gradAt);
    if (hess !== undefined && words[Field32.hess] === hessAt) instance.takeFloats(hess, at, count, hessAt);
  }

  protected override isBad(instance: Instance, count: number): boolean {
    return super.isBad(instance, count) || this.#labels?.hasBad(instance, count) === true;
  }

  override badTarget({ y }: Request, start: number): Error {
    if (this.#labels !== undefined) return firstBadLabel(y, 0, this.#labels.classes);
    return firstBadTarget(
      decoded(y),
      start,
      ignoredOf(y, this.settings.ignoreIndex),
      this.definition.soft && isFloat(y.kind),
    );
  }

  /** The address of a segment's weights, times those of the classes; 0 where there are none. */
  #weightAt(instance: Instance, { weight, x, layout, origin }: Request, start: number, count: number): number {
    const { weight: region, floats } = instance;
    const classWeights = this.#classWeights;
    if (weight === undefined) {
      return classWeights === undefined ? 0 : stagePattern(instance, classWeights, layout, start, count, region);
    }
    const perElement = weight.length === x.length;
    if (perElement && classWeights === undefined) {
      const at = weight.kind === FLOAT_KIND ? instance.locate(weight.view, Field32.weight) : 0;
      if (at !== 0) return at + FLOAT_BYTES * (start - origin);
      return instance.stageFloats(weight.view, weight.kind, start - origin, count, region);
    }
    const first = region / FLOAT_BYTES;
    if (perElement) instance.stageFloats(weight.view, weight.kind, start - origin, count, region);
    else expandRows(weight, layout, start, count, floats, first);
    if (classWeights !== undefined) multiplyByClass(classWeights, layout, start, count, floats, first);
    return region;
  }

  /** The address of the targets as the kernel reads them: floats, or bytes 0, 1 and, where some are ignored, 2. */
  #targetsAt(instance: Instance, request: Request, yAt: number, start: number, count: number): number {
    const { targets } = instance;
    const { y, validate, origin } = request;
    const { view, kind } = y;
    const at = start - origin;
    const ignoreIndex = ignoredOf(y, this.settings.ignoreIndex);
    if (isFloat(kind) && this.definition.soft) {
      if (kind === FLOAT_KIND && yAt !== 0) return yAt + FLOAT_BYTES * at;
      instance.stageFloats(view, kind, at, count, targets);
      if (ignoreIndex !== null && isRounded(y)) markIgnored(instance, y, at, count, ignoreIndex);
      return targets;
    }
    const isByte = kind === 'Uint8Array' || kind === 'Uint8ClampedArray' || kind === 'Int8Array';
    if (isByte && ignoreIndex === null) {
      if (yAt !== 0) return yAt + at;
      const offset = at % BYTES;
      // segments go forward
      if (at + count > this.#bytesTo) {
        this.#bytesTo = Math.min(at - offset + BYTES, y.length);
        instance.stageBytes(view, kind, at, this.#bytesTo - at, targets + offset);
      }
      return targets + offset;
    }
    const bad = this.#narrow(instance, y, yAt, at, count, ignoreIndex);
    if (validate && bad) throw this.badTarget(request, start);
    return targets;
  }

  /** Makes bytes of integer targets; whether any was neither 0, 1 nor ignored. */
  #narrow(
    instance: Instance,
    y: Operand,
    yAt: number,
    start: number,
    count: number,
    ignoreIndex: number | null,
  ): boolean {
    const { kernel, raw, targets, bytes } = instance;
    const { view, kind } = y;
    const ignore = ignoreIndex ?? Number.NaN;
    switch (kind) {
      case 'Uint8Array':
      case 'Uint8ClampedArray':
      case 'Int8Array': {
        const from = yAt === 0 ? instance.stageBytes(view, kind, start, count, raw) : yAt + start;
        return kernel.narrow8(from, targets, count, kind === 'Int8Array' ? unsigned(ignore) : ignore) !== 0;
      }
      case 'Int32Array': {
        const from = yAt === 0 ? stageInts(instance, y, start, count, raw) : yAt + 4 * start;
        return kernel.narrow32(from, targets, count, ignore) !== 0;
      }
      case 'BigInt64Array': {
        const from = yAt === 0 ? stageLongs(instance, y, start, count, raw) : yAt + 8 * start;
        return kernel.narrow64(from, targets, count, ignore) !== 0;
      }
      default:
        return toBytes(y, start, count, ignoreIndex, IGNORED, bytes, targets);
    }
  }
}

/** What to do where targets of another length look like something else: bytes of floats, or one label a row. */
function labelRemedy(x: Operand, y: Operand, { classes }: Layout): string | undefined {
  if (y.kind === 'Uint8Array' && y.length === 4 * x.length) {
    return 'bytes of float32 are viewed by new Float32Array(b.buffer, b.byteOffset, b.length / 4)';
  }
  const columns = x.length / y.length;
  const isByRow = classes > 1 ? columns === classes : x.dims?.includes(columns) === true;
  return isByRow ? 'for one class index a row use OneHotFocalLoss or SoftmaxFocalLoss' : undefined;
}

/** Where the results for an array go: there, or to a region. */
export function resultAt(
  instance: Instance,
  array: Floats | undefined,
  field: Field32,
  start: number,
  region: number,
): number {
  if (array === undefined) return 0;
  const at = instance.locate(array, field);
  return at === 0 ? region : at + FLOAT_BYTES * start;
}

/** The values of the classes of a segment's elements. */
function stagePattern(
  instance: Instance,
  pattern: Float64Array,
  { classes, pixels }: Layout,
  start: number,
  count: number,
  region: number,
): number {
  if (pixels === 1) return instance.stageFloats(pattern, 'Float64Array', start % classes, count, region);
  const { floats } = instance;
  const first = region / FLOAT_BYTES;
  for (let k = 0; k < count; ) {
    const element = start + k;
    const end = Math.min(count, k + pixels - (element % pixels));
    floats.fill(pattern[Math.floor(element / pixels) % classes], first + k, first + end);
    k = end;
  }
  return region;
}

/** The target that is ignored, as the kernel compares it with these: none of booleans, and a float32 with float32. */
function ignoredOf({ booleans, kind }: Operand, ignore: number | null): number | null {
  if (booleans || ignore === null) return null;
  return isFloat(kind) && kind !== 'Float64Array' ? toFloat(ignore) : ignore;
}

/** Whether targets are rounded on their way to the kernel. */
function isRounded({ kind }: Operand): boolean {
  return kind === 'Float64Array' && FLOAT_KIND !== kind;
}

/** Targets of double precision are compared as such: what is ignored becomes a float that no target can be. */
export function markIgnored(
  { floats, targets }: Instance,
  y: Operand,
  start: number,
  count: number,
  ignore: number,
): void {
  const values = part(y.view, y.kind, start, count);
  const first = targets / FLOAT_BYTES;
  for (let k = 0; k < count; k++) if (values[k] === ignore) floats[first + k] = IGNORED;
}

/** A signed byte as the unsigned one it is stored like; NaN for any other number. */
function unsigned(value: number): number {
  return value === (value << 24) >> 24 ? value & 255 : Number.NaN;
}
