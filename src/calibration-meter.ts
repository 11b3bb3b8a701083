import { Bin, binOf, type Fault, isAmount } from './calibration-bin.js';
import { notNumeric, OTHER_COPY, onlyKeys, sameLength, wrongKind, wrongValue } from './checks.js';
import { numbersOf, type Operand, operandOf } from './engine/operand.js';
import { checkAgreement } from './engine/shapes.js';
import { FLOATS, targetsOf } from './engine/targets.js';
import { ExactSum, type ExactSumJSON } from './exact-sum.js';
import { classOf, isPlain } from './kinds.js';
import { log, logOfRest } from './logarithm.js';
import type { Logits, Targets } from './types.js';

/** Every key is optional, unknown keys are refused. */
export interface CalibrationMeterOptions {
  /** Bins of equal width that probabilities are sorted into; an integer in [1, 100000]. Default 15. */
  readonly bins?: number;
}

/** Every key is optional, unknown keys are refused. */
export interface CalibrationUpdateOptions {
  /** How much each element counts; finite, >= 0, in any array that is accepted for logits. Default: 1 each. */
  readonly weight?: Logits;
}

/** One bin of a reliability diagram. */
export interface CalibrationBin {
  /** Probabilities p with from <= p < to; 1 belongs to the last bin. */
  from: number;
  to: number;
  /** Elements. */
  count: number;
  /** Their weights' sum. */
  weight: number;
  /** Weighted means of the probabilities and of the targets: equal where the model is calibrated. NaN of nothing. */
  meanProbability: number;
  positiveShare: number;
}

/** What a meter has seen. Means are weighted, and NaN of nothing. */
export interface CalibrationTotals {
  /** Expected calibration error: the bins' |meanProbability - positiveShare|, weighed by the bins' shares of the weight. */
  ece: number;
  /** Maximum calibration error: the largest of those differences. */
  mce: number;
  /** Mean of (p - y)^2. */
  brier: number;
  /** Mean of -log p of the class that it was. Infinity where a probability of 0 came true. */
  logLoss: number;
  /** Elements. */
  count: number;
  /** Their weights' sum. */
  weight: number;
  bins: CalibrationBin[];
}

/** A meter's state: for each bin elements, and exact sums of weights, weighted probabilities and weighted targets. */
export interface CalibrationMeterJSON {
  version: 1;
  bins: { count: number; weight: ExactSumJSON; probabilities: ExactSumJSON; positives: ExactSumJSON }[];
  brier: ExactSumJSON;
  logLoss: ExactSumJSON;
}

const VERSION = 1;
const MOST_BINS = 100_000;
const HEAVIEST = 3.4028234663852886e38;

/**
 * Tells how well probabilities are calibrated, over a stream, shards or machines: expected and maximum calibration error
 * (Naeini et al. 2015, Guo et al. 2017, https://arxiv.org/abs/1706.04599), Brier score, log loss, and the bins of a reliability
 * diagram. Each element is a term of sums that are exact, and rounded once, when they are read: no order, no batch and no way
 * of merging changes a bit, and `subtract` takes back what `merge` brought.
 *
 * @example
 * ```ts
 * import { CalibrationMeter } from 'focal-loss-wasm/metrics';
 *
 * const meter = new CalibrationMeter({ bins: 10 });
 * meter.update([0.9, 0.8, 0.3], [1, 1, 0]);
 * const { ece, brier, bins } = meter.compute();
 * ```
 */
export class CalibrationMeter {
  readonly #bins: Bin[];
  #brier = new ExactSum();
  #logLoss = new ExactSum();

  /** @throws TypeError for an unknown key or bins of the wrong kind, RangeError for a number of bins out of range. */
  constructor(options?: CalibrationMeterOptions) {
    const { bins = 15 } = onlyKeys('options', options, ['bins']);
    if (typeof bins !== 'number') throw wrongKind('bins', `an integer in [1, ${MOST_BINS}]`, bins);
    if (!Number.isInteger(bins) || bins < 1 || bins > MOST_BINS) {
      throw wrongValue('bins', `an integer in [1, ${MOST_BINS}]`, bins);
    }
    this.#bins = Array.from({ length: bins }, () => new Bin());
  }

  /**
   * Adds a batch.
   *
   * @param probabilities of the positive class, in [0, 1]: any array that is accepted for logits; float64 numbers are taken as
   * they are. Models trained with focal loss give theirs by `focalPosterior`.
   * @param targets 0 or 1, one for each probability: any array that is accepted for targets.
   * @throws TypeError for arrays or options of the wrong kind; RangeError for a probability that is NaN or outside [0, 1], a
   * target that is neither 0 nor 1, a weight that is negative or not finite, or lengths that differ. Nothing is added then.
   */
  update(probabilities: Logits, targets: Targets, options?: CalibrationUpdateOptions): void {
    const { weight } = onlyKeys('options', options, ['weight']);
    const x = operandOf('probabilities', probabilities, FLOATS);
    const y = targetsOf(targets);
    const w = weight === undefined ? undefined : operandOf('weight', weight, FLOATS);
    const p = numbersOf(x);
    const weights = w && numbersOf(w);
    const { length } = x;
    sameLength('targets', y.length, length, 'the length of "probabilities"');
    if (w !== undefined) sameLength('weight', w.length, length, 'the length of "probabilities"');
    checkAgreement('targets', y.dims, x.dims, undefined, 'probabilities');
    checkAgreement('weight', w?.dims, x.dims, undefined, 'probabilities');
    const classes = classesOf(y);
    for (let k = 0; k < length; k++) {
      if (!(p[k] >= 0 && p[k] <= 1))
        throw wrongValue('probabilities', `a number in [0, 1] at index ${k}`, p[k], undefined, k);
      if (weights !== undefined && !(weights[k] >= 0 && weights[k] <= HEAVIEST)) {
        throw wrongValue('weight', `a number >= 0 that float32 can hold, at index ${k}`, weights[k], undefined, k);
      }
    }
    for (let k = 0; k < length; k++) this.#add(p[k], classes[k], weights === undefined ? 1 : weights[k]);
  }

  /** What can be told from everything seen so far. */
  compute(): CalibrationTotals {
    const size = this.#bins.length;
    const weights = new ExactSum();
    for (const { weight } of this.#bins) weights.merge(weight);
    const weight = weights.value;
    let [count, ece, mce] = [0, 0, weight > 0 ? 0 : Number.NaN];
    const bins = this.#bins.map((bin, k): CalibrationBin => {
      const share = bin.weight.value;
      const meanProbability = bin.probabilities.value / share;
      const positiveShare = bin.positives.value / share;
      count += bin.count;
      if (share > 0) {
        const difference = Math.abs(bin.probabilities.combined(bin.positives, -1).value);
        ece += difference;
        mce = Math.max(mce, difference / share);
      }
      return { from: k / size, to: (k + 1) / size, count: bin.count, weight: share, meanProbability, positiveShare };
    });
    const brier = this.#brier.value / weight;
    return {
      ece: ece / weight,
      mce,
      brier,
      logLoss: this.#logLoss.value / weight,
      count,
      weight,
      bins,
    };
  }

  /**
   * Adds what another meter has seen, which stays as it is.
   *
   * @throws TypeError for anything but a meter, RangeError for a meter with another number of bins.
   */
  merge(other: CalibrationMeter): void {
    this.#combine(other, 1);
  }

  /**
   * Takes back what another meter has seen, as for a window that slides: after `merge(other)` and `subtract(other)` every bit
   * is as before, an infinite log loss included.
   *
   * @throws as `merge` does, and RangeError where this meter cannot have seen what the other has; it stays as it was then.
   */
  subtract(other: CalibrationMeter): void {
    this.#combine(other, -1);
  }

  /** Forgets everything seen. */
  reset(): void {
    this.#bins.forEach((_, k) => {
      this.#bins[k] = new Bin();
    });
    this.#brier = new ExactSum();
    this.#logLoss = new ExactSum();
  }

  /** The state, exact. Meters that have seen the same elements in any order have the same. */
  toJSON(): CalibrationMeterJSON {
    return {
      version: VERSION,
      bins: this.#bins.map(({ count, weight, probabilities, positives }) => ({
        count,
        weight: weight.toJSON(),
        probabilities: probabilities.toJSON(),
        positives: positives.toJSON(),
      })),
      brier: this.#brier.toJSON(),
      logLoss: this.#logLoss.toJSON(),
    };
  }

  /**
   * A meter with the state that `toJSON` gave, and as many bins. Unknown keys are ignored.
   *
   * @throws TypeError or RangeError for a state of a version that this one does not know, or that no meter can have.
   * @example
   * ```ts
   * const copy = CalibrationMeter.fromJSON(JSON.parse(JSON.stringify(meter)));
   * ```
   */
  static fromJSON(json: CalibrationMeterJSON): CalibrationMeter {
    if (!isPlain(json)) throw wrongKind('json', 'the state of a CalibrationMeter', json);
    const { version, bins, brier, logLoss } = json as unknown as Record<string, unknown>;
    if (version !== VERSION) {
      const remedy = 'the state is of another version of this package, or none of a CalibrationMeter';
      throw notNumeric('json.version', `${VERSION}`, version, remedy);
    }
    if (!Array.isArray(bins)) throw wrongKind('json.bins', 'an array of bins', bins);
    const meter = new CalibrationMeter({ bins: bins.length });
    bins.forEach((bin: unknown, k) => {
      meter.#bins[k] = Bin.fromJSON(`json.bins[${k}]`, bin);
    });
    meter.#brier = ExactSum.fromJSON('json.brier', brier);
    meter.#logLoss = ExactSum.fromJSON('json.logLoss', logLoss);
    const fault = meter.#fault();
    if (fault !== undefined) throw wrongValue(`json.${fault[0]}`, fault[1], fault[2]);
    return meter;
  }

  #add(p: number, y: number, weight: number): void {
    const bin = this.#bins[binOf(p, this.#bins.length)];
    bin.count++;
    bin.weight.add(weight);
    bin.probabilities.add(weight * p);
    if (y === 1) bin.positives.add(weight);
    const distance = y === 1 ? 1 - p : p;
    this.#brier.add(weight * distance * distance);
    // an element that weighs nothing has no log loss, even where that would be infinite
    if (weight > 0) this.#logLoss.add(weight * -(y === 1 ? log(p) : logOfRest(p)));
  }

  #combine(other: CalibrationMeter, sign: 1 | -1): void {
    if (typeof other !== 'object' || other === null || !(#bins in other)) {
      const isForeign = classOf(other) === 'CalibrationMeter';
      throw wrongKind('other', 'a CalibrationMeter', other, isForeign ? OTHER_COPY : undefined);
    }
    const size = this.#bins.length;
    if (other.#bins.length !== size) throw wrongValue('other.bins', `${size} (this meter's)`, other.#bins.length);
    const result = new CalibrationMeter({ bins: size });
    this.#bins.forEach((bin, k) => {
      result.#bins[k] = bin.combined(other.#bins[k], sign);
    });
    result.#brier = this.#brier.combined(other.#brier, sign);
    result.#logLoss = this.#logLoss.combined(other.#logLoss, sign);
    const fault = result.#fault();
    if (fault !== undefined) {
      const remedy = 'only what was merged can be taken away';
      throw wrongValue(
        'other',
        `elements that this meter has seen, so that ${fault[0]} stays ${fault[1]}`,
        fault[2],
        remedy,
      );
    }
    result.#bins.forEach((bin, k) => {
      this.#bins[k] = bin;
    });
    this.#brier = result.#brier;
    this.#logLoss = result.#logLoss;
  }

  /** Name, rule and value of what no elements can have given. */
  #fault(): Fault | undefined {
    let count = 0;
    const weight = new ExactSum();
    for (let k = 0; k < this.#bins.length; k++) {
      const bin = this.#bins[k];
      const fault = bin.fault(k / this.#bins.length, (k + 1) / this.#bins.length);
      if (fault !== undefined) return [`bins[${k}].${fault[0]}`, fault[1], fault[2]];
      count += bin.count;
      weight.merge(bin.weight);
    }
    if (!isAmount(this.#brier, count, 0, weight.value)) {
      return ['brier', 'a number between 0 and the weight', this.#brier.value];
    }
    // a log loss may be infinite
    const { value, special, isOverdrawn } = this.#logLoss;
    const possible = value > 0 ? weight.value > 0 && special <= count : value === 0;
    return possible && !isOverdrawn ? undefined : ['logLoss', 'a sum of log losses', value];
  }
}

function classesOf(targets: Operand): Uint8Array {
  const classes = new Uint8Array(targets.length);
  const values = numbersOf(targets);
  for (let k = 0; k < classes.length; k++) {
    const label = Number(values[k]);
    if (label !== 0 && label !== 1) throw wrongValue('targets', `0 or 1 at index ${k}`, values[k], undefined, k);
    classes[k] = label;
  }
  return classes;
}
