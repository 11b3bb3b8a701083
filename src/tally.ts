import { wholeNumber, wrongValue } from './checks.js';
import { ExactSum } from './exact-sum.js';

/** How many elements there were, and their exact sum: a batch of elements is one term of it. */
export class Tally {
  count = 0;
  sum = new ExactSum();

  add(count: number, sum: number): void {
    this.count += count;
    this.sum.add(sum);
  }

  /** This with another added or, where the sign is -1, taken away. Both stay as they are. */
  combined(other: Tally, sign: 1 | -1, what: string): Tally {
    const result = new Tally();
    result.count = this.count + sign * other.count;
    result.sum = this.sum.combined(other.sum, sign);
    if (result.count < 0)
      throw wrongValue('other', `at most ${this.count} ${what}, as this meter has seen`, other.count);
    if (!isPossible(result)) {
      const remedy = 'only what was merged can be taken away';
      throw wrongValue('other', `a sum of ${what} that is part of this meter's`, other.sum.value, remedy);
    }
    return result;
  }

  /** @throws TypeError or RangeError for what no stream of elements gives. */
  static fromJSON(countName: string, count: unknown, sumName: string, sum: unknown): Tally {
    const result = new Tally();
    result.count = checkCount(countName, count);
    result.sum = ExactSum.fromJSON(sumName, sum);
    if (!isPossible(result)) {
      const rule = result.count === 0 ? 'no terms where the count is 0' : 'no more terms than the count';
      throw wrongValue(sumName, rule, result.sum.value);
    }
    return result;
  }
}

/** Nothing has no sum, and there are no more batches than elements. */
function isPossible({ count, sum }: Tally): boolean {
  return !sum.isOverdrawn && sum.special <= count && (count > 0 || sum.isZero);
}

export function checkCount(name: string, value: unknown): number {
  const count = wholeNumber(name, value);
  if (count > Number.MAX_SAFE_INTEGER) throw wrongValue(name, `at most ${Number.MAX_SAFE_INTEGER}`, count);
  return count;
}
