// An element is computed by itself: its results depend neither on where it lies nor on what lies beside it.
import { expect, test } from 'vitest';
import { LOSSES } from '../losses/registry.js';
import { SINGLE, WIDTHS } from './widths.js';

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
const logit = (p: number) => Math.log(p / (1 - p));

/** What has a way of its own somewhere: near to a margin of 0.05, to a target, to 0 and to the ends. */
const LOGITS = [-0.5, 1e-3, 3, -100, logit(0.05), logit(0.0500001), Number.NEGATIVE_INFINITY];
/** The first and last places of a tile, of its vectors, and of a block's end that fills none. */
const PLACES = [0, 5, 15, 16, 47, 50];
const LENGTH = 51;
/** A negative of no loss to speak of, and elements of which each is unlike the next. */
const NEIGHBOURS = [() => [-60, 0], (k: number) => [((k * 7) % 11) - 5, k & 1]];

const CASES = WIDTHS.flatMap(([name, width]) => LOSSES.map((entry) => [entry.title, name, entry, width] as const));

test.each(CASES)('%s, %s: the same results at any place and beside any elements', (_, __, entry, width) => {
  // biome-ignore lint/suspicious/noExplicitAny: losses are looked up by their names
  const loss = new (width.library as any)[entry.name]({ ...entry.fixed, reduction: 'none' });
  const results = (logits: Float32Array, targets: Float32Array, k: number) => {
    const { grad, hess } = loss.gradHess(logits, targets);
    return [loss.forward(logits, targets)[k], grad[k], hess[k]];
  };
  for (const x of LOGITS) {
    const near = sigmoid(x);
    for (const y of entry.soft ? [0, 1, 0.3, near, near * (1 - 2 ** -20)] : [0, 1]) {
      const alone = results(width.Floats.of(x), width.Floats.of(y), 0);
      for (const beside of NEIGHBOURS) {
        const logits = width.Floats.from({ length: LENGTH }, (_, k) => beside(k)[0]);
        const targets = width.Floats.from({ length: LENGTH }, (_, k) => beside(k)[1]);
        for (const k of PLACES) {
          const kept = [logits[k], targets[k]];
          [logits[k], targets[k]] = [x, y];
          const got = results(logits, targets, k);
          if (got.some((value, j) => !Object.is(value, alone[j])))
            expect.fail(`logit ${x}, target ${y} at ${k}: ${got}, alone ${alone}`);
          [logits[k], targets[k]] = kept;
        }
      }
    }
  }
});

test.each(CASES)('%s, %s: options just beside whole numbers give just beside their results', (_, __, entry, width) => {
  const logits = width.Floats.of(-3, -0.5, 0.25, 2, 7, 0.75, -1.5, 4, -6);
  const targets = width.Floats.from(logits, (_, k) => (entry.soft ? [0, 1, 0.3][k % 3] : k & 1));
  const results = (options: object) => {
    // biome-ignore lint/suspicious/noExplicitAny: losses are looked up by their names
    const loss = new (width.library as any)[entry.name]({ ...entry.fixed, reduction: 'none', ...options });
    const { grad, hess } = loss.gradHess(logits, targets);
    return [...loss.forward(logits, targets), ...grad, ...hess];
  };
  for (const [name, { min, max }] of Object.entries(entry.options)) {
    for (const value of [0.5, 1, 2].filter((v) => v > min && v < max)) {
      const there = results({ [name]: value });
      results({ [name]: value * (1 - 2 ** -18) }).forEach((beside, k) => {
        const distance = Math.abs(beside - there[k]);
        if (!(distance <= 1e-4 * Math.abs(there[k]) + 1e-5))
          expect.fail(`${name} ${value} at ${k}: ${there[k]}, just beside ${beside}`);
      });
    }
  }
});

test('probabilities with an epsilon just beside 1 have just the results beside it', () => {
  const { FocalLoss } = SINGLE.library;
  const p = Float32Array.of(0.1, 0.3, 0.5, 0.7, 0.95);
  const results = (polyEpsilon: number) => {
    const loss = new FocalLoss({ gamma: 2, alpha: 0.25, fromLogits: false, polyEpsilon, reduction: 'none' });
    const { grad, hess } = loss.gradHess(p, [0, 1, 1, 0, 1]);
    return [...loss.forward(p, [0, 1, 1, 0, 1]), ...grad, ...hess];
  };
  const beside = results(1 - 2 ** -18);
  for (const [k, value] of results(1).entries()) expect(value / beside[k]).toBeCloseTo(1, 4);
});
