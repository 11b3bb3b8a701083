import { boolean, notNumeric, OTHER_COPY, oneOf, onlyKeys, show, wrongKind, wrongShape, wrongValue } from './checks.js';
import { Floats } from './engine/arena.js';
import type { Evaluator, Request } from './engine/evaluator.js';
import { IGNORED_LABEL, labelOf } from './engine/targets.js';
import { ExactSum, type ExactSumJSON } from './exact-sum.js';
import { classOf, isPlain } from './kinds.js';
import { requireEvaluator } from './losses/loss.js';
import { checkSameOptions, type OptionsJSON } from './meter-options.js';
import { checkCount, Tally } from './tally.js';
import type { CallOptions, Criterion, Labels, Logits, Reduction, Targets, Value } from './types.js';

/** What becomes of elements whose loss is NaN: sums and means become NaN as well, or the elements are left out. */
export type NaNPolicy = 'propagate' | 'skip';

/** Every key is optional, unknown keys are refused. */
export interface LossMeterOptions {
  /** `'skip'` leaves elements whose loss is NaN out of counts and sums; `nan` counts them. Default `'propagate'`. */
  readonly nan?: NaNPolicy;
  /** `true`, for a softmax: rows and sums of each class as well. Default false. */
  readonly byClass?: boolean;
}

/** What a meter has seen of one class of a softmax. */
export interface ClassTotals {
  /** NaN where there are no rows. */
  mean: number;
  sum: number;
  /** Rows with this label. */
  count: number;
}

/** What a meter has seen. */
export interface LossTotals {
  /**
   * What the criterion gives under `'mean'` for everything seen at once: NaN of nothing. Of batches with a `normalizer` of
   * their own, the sum divided by the sum of those.
   */
  mean: number;
  sum: number;
  /** Elements (rows of a softmax) that were not ignored, nor skipped. */
  count: number;
  /** Those with a target above 0.5; all rows of a softmax, each of which has one class. */
  positives: number;
  negatives: number;
  /** The positives' part of `sum`. */
  sumPositives: number;
  sumNegatives: number;
  /** Elements whose loss was NaN: part of `count`, unless the meter skips them. */
  nan: number;
  /** With `byClass`, for each class. */
  classes?: ClassTotals[];
}

/** A meter's state, for another thread, process or day. Meters that have seen the same batches in any order have the same. */
export interface LossMeterJSON {
  version: 1;
  /** The class of the criterion and its options, those included that do not change a sum. */
  options: OptionsJSON;
  nanPolicy: NaNPolicy;
  positives: number;
  negatives: number;
  nan: number;
  sumPositives: ExactSumJSON;
  sumNegatives: ExactSumJSON;
  /** The sum of the batches' own normalizers, where they had one. */
  normalizer?: ExactSumJSON;
  /** With `byClass`, label, rows and sum of each class that was seen, by label. */
  classes?: [label: number, count: number, sum: ExactSumJSON][];
}

const VERSION = 1;
const POLICIES: readonly NaNPolicy[] = ['propagate', 'skip'];

/**
 * Adds up a loss over a stream of batches, shards or machines, each class apart. A batch gives one float64 number for each
 * class, in which every loss is added by itself; those numbers are added exactly, and rounded once, when they are read. So
 * neither the order of batches nor the way in which meters were merged changes a bit of the result, and `subtract` takes
 * back what `merge` brought. (A batch that is cut elsewhere gives other numbers, to 1e-12.)
 *
 * @example
 * ```ts
 * import { FocalLoss, LossMeter } from 'focal-loss-wasm';
 *
 * const meter = new LossMeter(new FocalLoss({ gamma: 2 }));
 * meter.update([0.5, -1], [1, 0]);
 * meter.update([2], [1]);
 * const { mean, count } = meter.compute();
 * ```
 */
export class LossMeter<R extends Reduction = Reduction> {
  readonly #evaluator: Evaluator;
  readonly #options: OptionsJSON;
  readonly #nanPolicy: NaNPolicy;
  #positives = new Tally();
  #negatives = new Tally();
  #nan = 0;
  /** Of the batches' own normalizers, which all batches have or none. */
  #normalizer = new ExactSum();
  #hasNormalizer = false;
  readonly #classes: Map<number, Tally> | undefined;
  /** Losses of a batch, where the caller does not want them. */
  #scratch: Floats = new Floats(0);

  /**
   * @param criterion a loss of this package; its reduction is that of what `update` returns.
   * @throws TypeError for anything else, for an unknown key or an option of the wrong kind; RangeError for an option out
   * of range, and for `byClass` where the criterion is not a softmax.
   */
  constructor(criterion: Criterion<R>, options?: LossMeterOptions) {
    const evaluator = requireEvaluator('criterion', criterion, 'a loss of this package');
    const { nan = 'propagate', byClass = false } = onlyKeys('options', options, ['nan', 'byClass']);
    this.#evaluator = evaluator;
    this.#options = { loss: evaluator.definition.name, ...criterion.options } as OptionsJSON;
    this.#nanPolicy = oneOf('nan', nan, POLICIES);
    if (boolean('byClass', byClass)) {
      if (evaluator.definition.placement !== 'rows') {
        throw wrongValue('byClass', 'false where the criterion is not a softmax', byClass);
      }
      this.#classes = new Map();
    }
  }

  /**
   * Adds a batch. Where one of its losses is NaN, and always with `byClass`, its losses are added one by one, as `'none'`
   * gives them.
   *
   * @returns what the criterion's `forward` gives for the batch, but for the rounding of a sum; skipped losses are part of it.
   * @throws as `forward` does, and TypeError for a batch without a `normalizer` after one with it, or the other way round;
   * nothing is added then.
   */
  update(logits: Logits, targets: Targets | Labels, call?: CallOptions): Value<R> {
    const request = this.#evaluator.request(logits, targets, call);
    this.#checkNormalizer(request);
    const value = this.#classes === undefined ? this.#add(request) : this.#updateByClass(this.#classes, request);
    if (request.normalizer !== undefined) this.#setNormalizer(this.#normalizer, request.normalizer);
    return value;
  }

  #add(request: Request): Value<R> {
    const value = this.#evaluator.value(request, true);
    const { positives, negatives, sumPositives, sumNegatives } = this.#evaluator.totals;
    if (Number.isNaN(sumPositives) || Number.isNaN(sumNegatives)) {
      this.#addLosses(this.#losses(request), request, positives, negatives);
      return value as Value<R>;
    }
    this.#positives.add(positives, sumPositives);
    this.#negatives.add(negatives, sumNegatives);
    return value as Value<R>;
  }

  /** The totals of everything seen so far, each rounded once. */
  compute(): LossTotals {
    const [positives, negatives] = [this.#positives.count, this.#negatives.count];
    const count = positives + negatives;
    const sum = this.#positives.sum.combined(this.#negatives.sum, 1).value;
    const result: LossTotals = {
      mean: sum / (this.#hasNormalizer ? this.#normalizer.value : this.#evaluator.divisor(positives, count)),
      sum,
      count,
      positives,
      negatives,
      sumPositives: this.#positives.sum.value,
      sumNegatives: this.#negatives.sum.value,
      nan: this.#nan,
    };
    const classes = this.#classes;
    if (classes !== undefined) {
      result.classes = Array.from({ length: this.#evaluator.settings.numClasses ?? 0 }, (_, label) => {
        const { count = 0, sum } = classes.get(label) ?? {};
        const value = sum?.value ?? 0;
        return { mean: value / count, sum: value, count };
      });
    }
    return result;
  }

  /**
   * Adds what another meter has seen, which stays as it is. Both must have been made with the same options, but for
   * `reduction` and `hessian`, which change no sum.
   *
   * @throws TypeError for anything but a meter, RangeError for a meter of other options.
   */
  merge(other: LossMeter): void {
    this.#combine(other, 1);
  }

  /**
   * Takes back what another meter has seen, as for a window that slides: after `merge(other)` and `subtract(other)` every bit
   * is as before, infinite sums and NaN included.
   *
   * @throws as `merge` does, and RangeError where this meter cannot have seen what the other has; it stays as it was then.
   */
  subtract(other: LossMeter): void {
    this.#combine(other, -1);
  }

  /** Forgets everything seen. */
  reset(): void {
    this.#positives = new Tally();
    this.#negatives = new Tally();
    this.#nan = 0;
    this.#setNormalizer(new ExactSum());
    this.#classes?.clear();
  }

  /** The state and the criterion's options; exact, whatever the sums are. */
  toJSON(): LossMeterJSON {
    const json: LossMeterJSON = {
      version: VERSION,
      options: this.#options,
      nanPolicy: this.#nanPolicy,
      positives: this.#positives.count,
      negatives: this.#negatives.count,
      nan: this.#nan,
      sumPositives: this.#positives.sum.toJSON(),
      sumNegatives: this.#negatives.sum.toJSON(),
    };
    if (this.#hasNormalizer) json.normalizer = this.#normalizer.toJSON();
    if (this.#classes !== undefined) {
      const seen = [...this.#classes].filter(([, tally]) => tally.count > 0).sort(([a], [b]) => a - b);
      json.classes = seen.map(([label, { count, sum }]) => [label, count, sum.toJSON()]);
    }
    return json;
  }

  /**
   * A meter with the state that `toJSON` gave, its `nan` and `byClass` included. Unknown keys are ignored.
   *
   * @param criterion a loss with the options of the one that the state comes from, but for `reduction` and `hessian`.
   * @throws TypeError or RangeError for a state of other options, of a version that this one does not know, or that no meter
   * can have.
   * @example
   * ```ts
   * const copy = LossMeter.fromJSON(criterion, JSON.parse(JSON.stringify(meter)));
   * ```
   */
  static fromJSON<R extends Reduction>(criterion: Criterion<R>, json: LossMeterJSON): LossMeter<R> {
    if (!isPlain(json)) throw wrongKind('json', 'the state of a LossMeter', json);
    const { version, options, nanPolicy, normalizer, classes } = json as unknown as Record<string, unknown>;
    if (version !== VERSION) {
      const remedy = 'the state is of another version of this package, or none of a LossMeter';
      throw notNumeric('json.version', `${VERSION}`, version, remedy);
    }
    const nan = oneOf('json.nanPolicy', nanPolicy, POLICIES);
    const meter = new LossMeter(criterion, { nan, byClass: classes !== undefined });
    checkSameOptions('json.options', options, meter.#options, "the criterion's");
    meter.#positives = Tally.fromJSON('json.positives', json.positives, 'json.sumPositives', json.sumPositives);
    meter.#negatives = Tally.fromJSON('json.negatives', json.negatives, 'json.sumNegatives', json.sumNegatives);
    meter.#nan = checkCount('json.nan', json.nan);
    meter.#checkNaN();
    if (normalizer !== undefined) {
      meter.#setNormalizer(ExactSum.fromJSON('json.normalizer', normalizer));
      const { value } = meter.#normalizer;
      if (!(value > 0 && meter.#normalizer.special === 0))
        throw wrongValue('json.normalizer', 'a sum of numbers > 0', value);
    }
    if (classes !== undefined) meter.#readClasses(classes);
    return meter;
  }

  #updateByClass(classes: Map<number, Tally>, request: Request): Value<R> {
    const { y, length } = request;
    if (y.length !== length) {
      throw wrongShape('targets', 'one label a row beside "byClass"', 'rows of shares');
    }
    const losses = request.out ?? this.#room(length);
    const value = this.#evaluator.value({ ...request, out: losses }, true) as Value<R>;
    const { ignoreIndex, numClasses = 0 } = this.#evaluator.settings;
    for (let row = 0; row < y.length; row++) {
      const label = labelOf(y.view[row], { numClasses, ignoreIndex });
      // with `validate: false` a wrong label is ignored as well
      if (label === undefined || label === IGNORED_LABEL) continue;
      const loss = losses[row];
      if (Number.isNaN(loss)) {
        this.#nan++;
        if (this.#nanPolicy === 'skip') continue;
      }
      let tally = classes.get(label);
      if (tally === undefined) {
        tally = new Tally();
        classes.set(label, tally);
      }
      tally.add(1, loss);
      this.#positives.add(1, loss);
    }
    // the meter's own room is not the caller's to keep
    return (typeof value === 'object' && losses !== request.out ? losses.slice() : value) as Value<R>;
  }

  /** The losses of a batch whose value is known, which may be their sum. */
  #losses(request: Request): Floats {
    const out = request.out ?? this.#room(request.length);
    if (request.out === undefined) this.#evaluator.value({ ...request, out }, false);
    return out;
  }

  #room(length: number): Floats {
    if (this.#scratch.length < length) this.#scratch = new Floats(length);
    return this.#scratch.subarray(0, length);
  }

  /** Adds a batch loss by loss, so that a NaN is in the sum of its own class alone, or in none. */
  #addLosses(losses: Floats, request: Request, positives: number, negatives: number): void {
    const isPositive = this.#evaluator.positives(request);
    // an ignored element has a loss of 0, and is in neither count
    this.#positives.count += positives;
    this.#negatives.count += negatives;
    for (let k = 0; k < request.length; k++) {
      const tally = isPositive(k) ? this.#positives : this.#negatives;
      if (Number.isNaN(losses[k])) {
        this.#nan++;
        if (this.#nanPolicy === 'skip') {
          tally.count--;
          continue;
        }
      }
      tally.sum.add(losses[k]);
    }
  }

  #combine(other: LossMeter, sign: 1 | -1): void {
    if (typeof other !== 'object' || other === null || !(#evaluator in other)) {
      throw wrongKind('other', 'a LossMeter', other, classOf(other) === 'LossMeter' ? OTHER_COPY : undefined);
    }
    checkSameOptions('other', other.#options, this.#options, "this meter's");
    if (other.#nanPolicy !== this.#nanPolicy) {
      throw wrongValue('other.nan', `${show(this.#nanPolicy)} (this meter's)`, other.#nanPolicy);
    }
    const [own, others] = [this.#classes, other.#classes];
    if ((own === undefined) !== (others === undefined)) {
      throw wrongValue('other.byClass', `${own !== undefined} (this meter's)`, others !== undefined);
    }
    if (this.#isNormalized !== undefined && other.#isNormalized === !this.#isNormalized) {
      const batches = (has: boolean) => `batches ${has ? 'with' : 'without'} a "normalizer" of their own`;
      throw wrongShape('other', `${batches(this.#isNormalized)}, as this meter's`, batches(!this.#isNormalized));
    }
    const normalizer = this.#normalizer.combined(other.#normalizer, sign);
    if (normalizer.value < 0) {
      throw wrongValue(
        'other',
        `normalizers of at most ${this.#normalizer.value}, as this meter's`,
        other.#normalizer.value,
      );
    }
    const positives = this.#positives.combined(other.#positives, sign, 'positives');
    const negatives = this.#negatives.combined(other.#negatives, sign, 'negatives');
    const nan = this.#nan + sign * other.#nan;
    if (nan < 0) throw wrongValue('other', `at most ${this.#nan} NaN, as this meter has seen`, other.#nan);
    const classes = Array.from(others ?? [], ([label, tally]): [number, Tally] => {
      const mine = own?.get(label) ?? new Tally();
      return [label, mine.combined(tally, sign, `rows of class ${label}`)];
    });
    this.#positives = positives;
    this.#negatives = negatives;
    this.#nan = nan;
    this.#setNormalizer(normalizer);
    for (const [label, tally] of classes) own?.set(label, tally);
  }

  /** Whether the batches had a normalizer of their own; undefined while there were none. */
  get #isNormalized(): boolean | undefined {
    if (this.#hasNormalizer) return true;
    return this.#positives.count + this.#negatives.count > 0 ? false : undefined;
  }

  #setNormalizer(sum: ExactSum, another = 0): void {
    sum.add(another);
    this.#normalizer = sum;
    this.#hasNormalizer = !sum.isZero;
  }

  #checkNormalizer({ normalizer }: Request): void {
    const isNormalized = this.#isNormalized;
    if (isNormalized === undefined || isNormalized === (normalizer !== undefined)) return;
    const rule = isNormalized
      ? "a number > 0, as this meter's other batches have"
      : "undefined, as in this meter's other batches";
    throw wrongKind('normalizer', rule, normalizer);
  }

  /** Refuses counts of NaN that contradict the sums. */
  #checkNaN(): void {
    const sums = this.#positives.sum.nans + this.#negatives.sum.nans;
    if (this.#nanPolicy === 'skip') {
      if (sums > 0) throw wrongValue('json.nanPolicy', "'propagate' where a sum is NaN", this.#nanPolicy);
      return;
    }
    if (this.#nan !== sums) throw wrongValue('json.nan', `${sums}, as many as the sums have`, this.#nan);
  }

  #readClasses(classes: unknown): void {
    if (!Array.isArray(classes)) throw wrongKind('json.classes', 'an array', classes);
    const { numClasses = 0 } = this.#evaluator.settings;
    const sum = new ExactSum();
    let [count, previous] = [0, -1];
    classes.forEach((entry: unknown, k) => {
      const name = `json.classes[${k}]`;
      if (!Array.isArray(entry)) throw wrongKind(name, 'an array of a label, a count and a sum', entry);
      const label = checkCount(`${name}[0]`, entry[0]);
      if (label <= previous || label >= numClasses) {
        throw wrongValue(`${name}[0]`, `a label above ${previous} and below ${numClasses}`, label);
      }
      const tally = Tally.fromJSON(`${name}[1]`, entry[1], `${name}[2]`, entry[2]);
      if (tally.count === 0) throw wrongValue(`${name}[1]`, 'an integer >= 1', tally.count);
      this.#classes?.set(label, tally);
      sum.merge(tally.sum);
      count += tally.count;
      previous = label;
    });
    if (count !== this.#positives.count) {
      throw wrongValue('json.classes', `${this.#positives.count} rows in all (positives)`, count);
    }
    if (!sum.equals(this.#positives.sum)) {
      throw wrongValue('json.classes', `a sum of ${this.#positives.sum.value} in all (sumPositives)`, sum.value);
    }
  }
}
