// Losses of rows: a softmax over classes, with one label a row or a share for each class.

import { Field32, Field64, Flag, Hessian, SEGMENT, SoftTargets } from '../abi.js';
import { sameLength, wrongShape, wrongValue } from '../checks.js';
import {
  FLOAT_BYTES,
  FLOAT_KIND,
  type Floats,
  type Instance,
  instanceOf,
  sharedInstance,
  stageInts,
  toFloat,
} from './arena.js';
import type { Definition, Settings } from './definition.js';
import { Evaluator, type Request, type Results } from './evaluator.js';
import type { Operand, View } from './operand.js';
import { PlaneStager, stagePlanes } from './planes.js';
import { axisOf, checkAgreement, type Layout } from './shapes.js';
import {
  type Classes,
  convertLabels,
  countLabels,
  firstBadLabel,
  IGNORED_LABEL,
  isFloat,
  labelsOf,
} from './targets.js';

/** For an instance that is to be wide enough, whether or not there are alphas. */
const NO_ALPHAS = new Float64Array(0);

/** Columns for which the regions of an instance are still within 1 GiB in all; with 51,000 they are within 1 MiB. */
const WIDEST = 2 ** 26;

export class RowEvaluator extends Evaluator {
  readonly #classes: Classes;
  /** What each class is multiplied by, where it is. */
  readonly #alphas: Float64Array | undefined;
  readonly #planes: PlaneStager;

  constructor(definition: Definition, settings: Settings) {
    const { numClasses = 1, alpha, classWeight } = settings;
    super(definition, settings, rowsPerSegment(numClasses), rowsPerSegment(numClasses), false);
    this.#classes = { numClasses, ignoreIndex: settings.ignoreIndex };
    this.#alphas = weightsOf(numClasses, alpha, classWeight);
    this.largestWeight = this.#alphas?.reduce((a, b) => Math.max(a, b)) ?? 1;
    this.#planes = new PlaneStager(this.step, this.#alphas !== undefined);
  }

  protected override targetsOf(value: unknown): Operand {
    return labelsOf(value);
  }

  protected override lengthOf(x: Operand, { classes }: Layout): number {
    return x.length / classes;
  }

  protected override checkTargets(x: Operand, y: Operand, layout: Layout, validate: boolean): boolean {
    const rows = x.length / layout.classes;
    // of no rows nothing tells labels from shares
    if (rows === 0 && y.length === 0) return false;
    if (isShares(x, y, rows)) {
      checkAgreement('targets', y.dims, x.dims);
      if (this.settings.ignoreIndex !== null) {
        const remedy = 'a weight of 0 leaves a row out of the sum';
        throw wrongShape('targets', 'one label a row beside "ignoreIndex"', 'a row of shares each', remedy);
      }
      if (validate) checkShares(y, layout);
      return true;
    }
    const remedy = () =>
      y.length === x.length ? 'shares of classes are a Float32Array, Float64Array or number[]' : undefined;
    sameLength('targets', y.length, rows, 'the rows of "logits"', remedy);
    checkAgreement('targets', y.dims, x.dims, x.dims && axisOf(this.settings.classAxis, x.dims));
    return false;
  }

  protected override checkWeight(weight: Operand, x: Operand, { classes }: Layout): void {
    sameLength('weight', weight.length, x.length / classes, 'the rows of "logits"');
    checkAgreement('weight', weight.dims, x.dims, x.dims && axisOf(this.settings.classAxis, x.dims));
  }

  protected override count({ y, length, shares, validate }: Request): void {
    const { totals } = this;
    totals.positives = shares ? length : countLabels(y, this.#classes, validate).kept;
    totals.negatives = 0;
  }

  override positives(): (index: number) => boolean {
    return () => true;
  }

  protected override instanceFor({ x, shares }: Request, { grad, hess }: Results): Instance {
    const { numClasses } = this.#classes;
    if (!shares) return rowInstance(numClasses, this.#alphas, x, grad, hess);
    // wide enough for the shares beside alpha
    return rowInstance(numClasses > SEGMENT ? 2 * numClasses : numClasses, this.#alphas ?? NO_ALPHAS, x, grad, hess);
  }

  protected override configure(instance: Instance): void {
    const { words, doubles } = instance;
    const { hessian, labelSmoothing, polyEpsilon, softTargets } = this.settings;
    const { numClasses } = this.#classes;
    const { gamma } = this.definition.parameters(this.settings);
    words[Field32.classes] = numClasses;
    words[Field32.hessian] = Hessian[hessian];
    words[Field32.alphas] = this.#alphas === undefined ? 0 : stageAlphas(instance, this.#alphas);
    words[Field32.posWeights] = 0;
    words[Field32.softTargets] = SoftTargets[softTargets];
    doubles[Field64.gamma] = gamma;
    doubles[Field64.polyEpsilon] = polyEpsilon;
    doubles[Field64.labelSmoothing] = numClasses === 1 ? 0 : labelSmoothing; // nothing to share it with
  }

  protected override begin(_: Instance, request: Request, __: Results, to: number): number {
    this.#planes.begin(this.endOf(to, request));
    return request.shares ? Flag.soft : 0;
  }

  protected override place(instance: Instance, request: Request, results: Results, start: number, count: number): void {
    const { words } = instance;
    const { weight, layout, shares, origin } = request;
    const { out } = results;
    const at = start - origin;
    if (layout.pixels === 1) this.#placeRows(instance, request, results, at, count);
    else this.#placePlanes(instance, request, results, start, count);
    if (!shares) words[Field32.targets] = this.#labelsAt(instance, request, start, count);
    const weightAt = weight?.kind === FLOAT_KIND ? instance.locate(weight.view, Field32.weight) : 0;
    if (weight === undefined) words[Field32.weight] = 0;
    else if (weightAt !== 0) words[Field32.weight] = weightAt + FLOAT_BYTES * at;
    else words[Field32.weight] = instance.stageFloats(weight.view, weight.kind, at, count, instance.weight);
    const outAt = instance.locate(out, Field32.loss);
    words[Field32.loss] = out === undefined ? 0 : outAt === 0 ? instance.loss : outAt + FLOAT_BYTES * at;
  }

  /** Rows one after the other. */
  #placeRows(
    instance: Instance,
    { x, y, layout, shares }: Request,
    { grad, hess }: Results,
    start: number,
    count: number,
  ): void {
    const { words } = instance;
    const first = start * layout.classes;
    const total = count * layout.classes;
    const at = (view: View | undefined, kind: string, field: Field32) => {
      const address = kind === FLOAT_KIND ? instance.locate(view, field) : 0;
      return address === 0 ? 0 : address + FLOAT_BYTES * first;
    };
    words[Field32.stride] = 1;
    words[Field32.logits] =
      at(x.view, x.kind, Field32.logits) || instance.stageFloats(x.view, x.kind, first, total, instance.logits);
    if (shares) {
      words[Field32.targets] =
        at(y.view, y.kind, Field32.targets) ||
        instance.stageFloats(y.view, y.kind, first, total, sharesRegion(instance, layout));
    }
    words[Field32.grad] = grad === undefined ? 0 : at(grad, FLOAT_KIND, Field32.grad) || instance.grad;
    words[Field32.hess] = hess === undefined ? 0 : at(hess, FLOAT_KIND, Field32.hess) || instance.hess;
  }

  /** Planes of classes: in place where all that has them is there, else staged. */
  #placePlanes(instance: Instance, request: Request, results: Results, start: number, count: number): void {
    const { words } = instance;
    const { x, y, layout, shares, plane } = request;
    const { grad, hess } = results;
    const isHere = (array: Floats | undefined) => array === undefined || instance.holds(array);
    const { classes, pixels } = layout;
    if (plane > 0 && x.kind === FLOAT_KIND && instance.holds(x.view) && isHere(grad) && isHere(hess) && !shares) {
      const first = FLOAT_BYTES * (start + (start - (start % pixels)) * (classes - 1));
      words[Field32.stride] = pixels;
      words[Field32.logits] = instance.locate(x.view, Field32.logits) + first;
      words[Field32.grad] = grad === undefined ? 0 : instance.locate(grad, Field32.grad) + first;
      words[Field32.hess] = hess === undefined ? 0 : instance.locate(hess, Field32.hess) + first;
      return;
    }
    this.#planes.place(instance, request, results, start);
    if (shares) words[Field32.targets] = stagePlanes(instance, y, layout, start, count, sharesRegion(instance, layout));
  }

  protected override take(
    instance: Instance,
    { layout, origin }: Request,
    results: Results,
    first: number,
    count: number,
  ): void {
    const { words } = instance;
    const { out, grad, hess } = results;
    const start = first - origin;
    if (out !== undefined && words[Field32.loss] === instance.loss) {
      instance.takeFloats(out, start, count, instance.loss);
    }
    if (layout.pixels > 1) {
      this.#planes.take(instance, layout, results, start + count);
      return;
    }
    const takeRows = (array: Floats | undefined, field: Field32, region: number) => {
      if (array === undefined || words[field] !== region) return;
      instance.takeFloats(array, start * layout.classes, count * layout.classes, region);
    };
    takeRows(grad, Field32.grad, instance.grad);
    takeRows(hess, Field32.hess, instance.hess);
  }

  protected override isBad(instance: Instance, count: number): boolean {
    const { words, doubles } = instance;
    // shares have been checked, in double precision: in float32 a sum may round to the other side of the tolerance
    if ((words[Field32.flags] & Flag.soft) !== 0) return false;
    // the kernel takes -1 for a label to ignore
    const ignores = doubles[Field64.positives] < count;
    return super.isBad(instance, count) || (ignores && this.#classes.ignoreIndex === null);
  }

  override badTarget({ y }: Request, start: number): Error {
    return firstBadLabel(y, start, this.#classes);
  }

  #labelsAt(instance: Instance, request: Request, first: number, count: number): number {
    const { targets, ints } = instance;
    const { y, validate, origin } = request;
    const start = first - origin;
    const { ignoreIndex } = this.#classes;
    if (y.kind !== 'Int32Array' || (ignoreIndex !== null && ignoreIndex !== IGNORED_LABEL)) {
      const bad = convertLabels(y, start, count, this.#classes, ints, targets / 4);
      if (bad && validate) throw this.badTarget(request, first);
      return targets;
    }
    const yAt = instance.locate(y.view, Field32.targets);
    return yAt === 0 ? stageInts(instance, y, start, count, targets) : yAt + 4 * start;
  }
}

/** Whether targets are a row of shares each: integers never are, nor is one class, where rows are as many as logits. */
function isShares(x: Operand, y: Operand, rows: number): boolean {
  return y.length === x.length && y.length !== rows && isFloat(y.kind);
}

/** Where shares are staged: behind the alphas, in a region that is three times as wide as a segment or twice as a row. */
function sharesRegion(instance: Instance, { classes }: Layout): number {
  return instance.alphas + FLOAT_BYTES * 16 * Math.ceil(classes / 16);
}

/** How far the shares of a row may be from 1 together: a float16 has three digits. */
const SHARES_TOLERANCE = 1e-3;

/** Refuses rows whose shares are none. */
function checkShares({ view, length }: Operand, { classes, pixels }: Layout): void {
  const values = view as Float64Array;
  for (let row = 0; row < length / classes; row++) {
    const first = (row - (row % pixels)) * classes + (row % pixels);
    let sum = 0;
    for (let j = 0; j < classes; j++) {
      const share = values[first + j * pixels];
      if (!(share >= 0 && share <= 1)) {
        throw wrongValue('targets', `a share in [0, 1] of class ${j} at row ${row}`, share, undefined, row);
      }
      sum += share;
    }
    if (Math.abs(sum - 1) > SHARES_TOLERANCE) {
      throw wrongValue('targets', `shares that add up to 1 at row ${row}`, sum, undefined, row);
    }
  }
}

/** alpha and classWeight of each class, multiplied; undefined where neither is given. */
export function weightsOf(
  numClasses: number,
  alpha: number | readonly number[] | null,
  classWeight: readonly number[] | undefined,
): Float64Array | undefined {
  if (alpha === null && classWeight === undefined) return undefined;
  return Float64Array.from({ length: numClasses }, (_, j) => {
    const own = alpha === null ? 1 : typeof alpha === 'number' ? alpha : alpha[j];
    if (classWeight === undefined) return own;
    const product = own * classWeight[j];
    if (Number.isFinite(toFloat(product))) return product;
    throw wrongValue(`classWeight[${j}]`, `a number that float32 can hold times ${own} (alpha)`, classWeight[j]);
  });
}

export function stageAlphas(instance: Instance, alphas: Float64Array): number {
  return instance.stageFloats(alphas, 'Float64Array', 0, alphas.length, instance.alphas);
}

/** Whole rows that fit in a segment, and one where none does. */
export function rowsPerSegment(numClasses: number): number {
  return Math.max(1, Math.floor(SEGMENT / numClasses));
}

/** The instance for rows of `columns`: one wide enough to stage a row, unless all that is as wide lies in a workspace. */
export function rowInstance(
  columns: number,
  alphas: Float64Array | undefined,
  x: Operand,
  ...results: (Floats | undefined)[]
): Instance {
  const instance = instanceOf(x.view);
  if (columns <= instance.width) return instance;
  const isHere = (array: Floats | undefined) => array === undefined || instance.holds(array);
  if (alphas === undefined && x.kind === FLOAT_KIND && instance.holds(x.view) && results.every(isHere)) {
    return instance;
  }
  if (columns > WIDEST) {
    const remedy = 'logits and results of wider rows must lie in a Workspace, and alpha must be null';
    throw wrongValue('numClasses', `at most ${WIDEST}, to stage a row`, columns, remedy);
  }
  return sharedInstance(columns);
}
