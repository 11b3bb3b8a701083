import { keyed, wholeNumber, wrongKind } from './checks.js';
import { totals } from './criterion.js';
import { evaluatorOf } from './loss.js';
import type { CallOptions, Criterion, Labels, Logits, Reduction, Targets, Value } from './types.js';

/** What a meter has seen. */
export interface LossTotals {
  /** What the criterion gives under `'mean'` for everything seen at once: NaN of nothing. */
  mean: number;
  sum: number;
  /** Elements (rows of a softmax) that were not ignored. */
  count: number;
  /** Those with a target above 0.5; all rows of a softmax, each of which has one class. */
  positives: number;
  negatives: number;
  /** The positives' part of `sum`. */
  sumPositives: number;
  sumNegatives: number;
}

/** A sum as JSON keeps it: its value and what rounding has taken from it; a value that is not finite by its name. */
type Sum = [value: number | 'Infinity' | 'NaN', rest: number];

/** A meter's state, for another thread, process or day. */
export interface LossMeterJSON {
  positives: number;
  negatives: number;
  sumPositives: Sum;
  sumNegatives: Sum;
}

/**
 * Adds up a loss over a stream of batches, shards or workers, each class apart, and loses nothing in adding: every loss is
 * added in float64 by itself, and batches by Neumaier's compensated sum. However a stream is cut, its sums and means are
 * those of the whole to 1e-12.
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
  readonly #evaluator: NonNullable<ReturnType<typeof evaluatorOf>>;
  #positives = 0;
  #negatives = 0;
  #sumPositives = new Accumulator();
  #sumNegatives = new Accumulator();

  /**
   * @param criterion a loss of this package; its reduction is that of what `update` returns.
   * @throws TypeError for anything else.
   */
  constructor(criterion: Criterion<R>) {
    const evaluator = evaluatorOf(criterion);
    if (evaluator === undefined) throw wrongKind('criterion', 'a loss of this package', criterion);
    this.#evaluator = evaluator;
  }

  /**
   * Adds a batch.
   *
   * @returns what the criterion's `forward` gives for the batch, but for the rounding of a sum.
   * @throws as `forward` does; nothing is added then.
   */
  update(logits: Logits, targets: Targets | Labels, call?: CallOptions): Value<R> {
    const value = this.#evaluator.forward(logits, targets, call, true);
    this.#positives += totals.positives;
    this.#negatives += totals.negatives;
    this.#sumPositives.add(totals.sumPositives);
    this.#sumNegatives.add(totals.sumNegatives);
    return value as Value<R>;
  }

  /** The totals of everything seen so far. */
  compute(): LossTotals {
    const [positives, negatives] = [this.#positives, this.#negatives];
    const [sumPositives, sumNegatives] = [this.#sumPositives.total, this.#sumNegatives.total];
    const count = positives + negatives;
    const sum = sumPositives + sumNegatives;
    const mean = sum / this.#evaluator.divisor(positives, count);
    return { mean, sum, count, positives, negatives, sumPositives, sumNegatives };
  }

  /**
   * Adds what another meter has seen, which stays as it is. Both must have been made with the same options.
   *
   * @throws TypeError for anything but a meter.
   */
  merge(other: LossMeter): void {
    if (typeof other !== 'object' || other === null || !(#evaluator in other)) {
      throw wrongKind('other', 'a LossMeter', other);
    }
    this.#positives += other.#positives;
    this.#negatives += other.#negatives;
    this.#sumPositives.merge(other.#sumPositives);
    this.#sumNegatives.merge(other.#sumNegatives);
  }

  /** Forgets everything seen. */
  reset(): void {
    this.#positives = 0;
    this.#negatives = 0;
    this.#sumPositives = new Accumulator();
    this.#sumNegatives = new Accumulator();
  }

  /** The state, without the criterion; exact, whatever the sums are. */
  toJSON(): LossMeterJSON {
    return {
      positives: this.#positives,
      negatives: this.#negatives,
      sumPositives: this.#sumPositives.toJSON(),
      sumNegatives: this.#sumNegatives.toJSON(),
    };
  }

  /**
   * A meter with the state that `toJSON` gave.
   *
   * @param criterion a loss with the options of the one that the state comes from.
   * @throws TypeError or RangeError for a state that no meter can have.
   * @example
   * ```ts
   * const copy = LossMeter.fromJSON(criterion, JSON.parse(JSON.stringify(meter)));
   * ```
   */
  static fromJSON<R extends Reduction>(criterion: Criterion<R>, json: LossMeterJSON): LossMeter<R> {
    const meter = new LossMeter(criterion);
    if (json === undefined) throw wrongKind('json', 'the state of a LossMeter', json);
    const state = keyed('json', json, ['positives', 'negatives', 'sumPositives', 'sumNegatives']);
    meter.#positives = wholeNumber('json.positives', state.positives);
    meter.#negatives = wholeNumber('json.negatives', state.negatives);
    meter.#sumPositives = Accumulator.fromJSON('json.sumPositives', state.sumPositives);
    meter.#sumNegatives = Accumulator.fromJSON('json.sumNegatives', state.sumNegatives);
    return meter;
  }
}

/** A sum, and apart from it what its additions have rounded away. */
class Accumulator {
  #value = 0;
  #rest = 0;

  add(term: number): void {
    const value = this.#value + term;
    if (Number.isFinite(value)) {
      this.#rest += Math.abs(this.#value) >= Math.abs(term) ? this.#value - value + term : term - value + this.#value;
    } else {
      this.#rest = 0;
    }
    this.#value = value;
  }

  merge(other: Accumulator): void {
    const { total } = this;
    this.add(other.#value);
    this.#rest += other.#rest;
    // an infinite sum stays without a rest
    if (!Number.isFinite(total + other.#value)) this.#rest = 0;
  }

  get total(): number {
    return this.#value + this.#rest;
  }

  toJSON(): Sum {
    const value = Number.isFinite(this.#value) ? this.#value : (String(this.#value) as 'Infinity' | 'NaN');
    return [value, this.#rest];
  }

  static fromJSON(name: string, json: unknown): Accumulator {
    const [value, rest] = Array.isArray(json) && json.length === 2 ? json : [];
    const isNumber = Number.isFinite(value) || value === 'Infinity' || value === 'NaN';
    if (!isNumber || !Number.isFinite(rest)) throw wrongKind(name, 'the sum that toJSON gave', json);
    const sum = new Accumulator();
    sum.#value = Number(value);
    sum.#rest = rest;
    return sum;
  }
}
