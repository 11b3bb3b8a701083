import { wrongKind } from './checks.js';
import { ExactSum } from './exact-sum.js';
import { isPlain } from './kinds.js';
import { checkCount } from './tally.js';

/** Products are rounded, each by half an ulp, before they are added. */
const ROUNDING = 2 ** -50;

/** Name, rule and value of a sum that no elements can have given. */
export type Fault = [name: string, rule: string, value: number];

/** What has fallen into one bin. */
export class Bin {
  count = 0;
  weight = new ExactSum();
  probabilities = new ExactSum();
  positives = new ExactSum();

  combined(other: Bin, sign: 1 | -1): Bin {
    const result = new Bin();
    result.count = this.count + sign * other.count;
    result.weight = this.weight.combined(other.weight, sign);
    result.probabilities = this.probabilities.combined(other.probabilities, sign);
    result.positives = this.positives.combined(other.positives, sign);
    return result;
  }

  fault(from: number, to: number): Fault | undefined {
    const { count, weight, probabilities, positives } = this;
    if (count < 0) return ['count', 'an integer >= 0', count];
    if (!isAmount(weight, count, 0, Number.POSITIVE_INFINITY)) return ['weight', 'a sum of weights', weight.value];
    const total = weight.value;
    if (!isAmount(probabilities, count, from * total, to * total)) {
      return ['probabilities', `a weighted sum of numbers in [${from}, ${to}]`, probabilities.value];
    }
    if (!isAmount(positives, count, 0, total)) return ['positives', 'at most the weight', positives.value];
    return undefined;
  }

  static fromJSON(name: string, json: unknown): Bin {
    if (!isPlain(json)) throw wrongKind(name, 'a bin, as toJSON gave it', json);
    const bin = new Bin();
    bin.count = checkCount(`${name}.count`, json.count);
    bin.weight = ExactSum.fromJSON(`${name}.weight`, json.weight);
    bin.probabilities = ExactSum.fromJSON(`${name}.probabilities`, json.probabilities);
    bin.positives = ExactSum.fromJSON(`${name}.positives`, json.positives);
    return bin;
  }
}

/** Whether a sum of finite terms lies in a range of numbers >= 0, and is zero where there was nothing. */
export function isAmount(sum: ExactSum, count: number, least: number, most: number): boolean {
  if (sum.special !== 0 || sum.isOverdrawn) return false;
  if (count === 0) return sum.isZero;
  const { value } = sum;
  // of subnormal products each is rounded by as much as the smallest of them
  const slack = count * Number.MIN_VALUE;
  return value >= least * (1 - ROUNDING) - slack && value <= most * (1 + ROUNDING) + slack;
}

/** The bin k of a probability, k / size <= p < (k + 1) / size, whatever the product is rounded to. */
export function binOf(p: number, size: number): number {
  const k = Math.min(Math.floor(p * size), size - 1);
  if (p < k / size) return k - 1;
  return k + 1 < size && p >= (k + 1) / size ? k + 1 : k;
}
