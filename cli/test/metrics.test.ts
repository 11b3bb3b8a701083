import { expect, test } from 'vitest';
import { random } from '../../test/support.js';
import { type HistogramJSON, ScoreHistogram } from '../src/histogram.js';
import { type Metrics, metricsOf, reliability } from '../src/metrics.js';
import { probabilityOf, SIGMOID } from '../src/model-scores.js';
import { cheapest, thresholdResults } from '../src/thresholds.js';

const sigmoid = probabilityOf(SIGMOID, true);
const identity = probabilityOf(SIGMOID, false);

function scored(length: number, seed: number, round = (x: number) => x) {
  const next = random(seed);
  const scores = Float32Array.from({ length }, () => round(8 * (next() + next() + next() - 1.5)));
  const targets = Uint8Array.from(scores, (x) => (next() < sigmoid.of(0.7 * x - 1) ? 1 : 0));
  return { scores, targets };
}

/** By definition: every pair, every prefix of the ranking, every element. */
function byDefinition(scores: Float32Array, targets: Uint8Array, of: (x: number) => number, weight?: Float64Array) {
  const w = (i: number) => weight?.[i] ?? 1;
  const all = [...scores.keys()];
  const total = all.reduce((sum, i) => sum + w(i), 0);
  const [positives, negatives] = [1, 0].map((y) => all.filter((i) => targets[i] === y));
  let [pairs, all2] = [0, 0];
  for (const p of positives) {
    for (const n of negatives) {
      pairs += w(p) * w(n) * (scores[p] > scores[n] ? 1 : scores[p] === scores[n] ? 0.5 : 0);
      all2 += w(p) * w(n);
    }
  }
  let precision = 0;
  for (const p of positives) {
    const above = all.filter((i) => scores[i] >= scores[p]);
    const hits = above.reduce((sum, i) => sum + w(i) * targets[i], 0);
    precision += (w(p) * hits) / above.reduce((sum, i) => sum + w(i), 0);
  }
  const mean = (f: (p: number, y: number) => number) =>
    all.reduce((sum, i) => sum + w(i) * f(of(scores[i]), targets[i]), 0) / total;
  return {
    rocAuc: pairs / all2,
    averagePrecision: precision / positives.reduce((sum, i) => sum + w(i), 0),
    brier: mean((p, y) => (p - y) ** 2),
    logLoss: mean((p, y) => -Math.log(y === 1 ? p : 1 - p)),
  };
}

const close = (values: Record<string, number>, digits: number) =>
  Object.fromEntries(Object.entries(values).map(([key, value]) => [key, expect.closeTo(value, digits)]));

test('metrics of few scores are those of the definitions, ties and weights included', () => {
  for (const round of [(x: number) => x, Math.round]) {
    const { scores, targets } = scored(600, 5, round);
    for (const weight of [undefined, Float64Array.from(scores, (_, i) => 0.5 + (i % 3))]) {
      const histogram = new ScoreHistogram();
      histogram.add(scores, targets, weight);
      const metrics = metricsOf(histogram.buckets(), sigmoid);
      expect(metrics).toMatchObject(close(byDefinition(scores, targets, sigmoid.of, weight), 10));
      expect(metrics.error).toEqual({ logLoss: 0, brier: 0, ece: 0, rocAuc: 0, averagePrecision: 0 });
    }
  }
  const p = Float32Array.from(scored(500, 6).scores, sigmoid.of);
  const { targets } = scored(500, 6);
  const histogram = new ScoreHistogram();
  histogram.add(p, targets);
  expect(metricsOf(histogram.buckets(), identity)).toMatchObject(
    close(
      byDefinition(p, targets, (x) => x),
      9,
    ),
  );
});

test('the calibration error is the mean gap of fifteen bins', () => {
  const { scores, targets } = scored(3000, 7);
  const histogram = new ScoreHistogram();
  histogram.add(scores, targets);
  const bins = Array.from({ length: 15 }, () => ({ n: 0, p: 0, y: 0 }));
  for (const [i, score] of scores.entries()) {
    const bin = bins[Math.ceil(sigmoid.of(score) * 15) - 1];
    bin.n++;
    bin.p += sigmoid.of(score);
    bin.y += targets[i];
  }
  const ece = bins.reduce((sum, { p, y }) => sum + Math.abs(p - y) / 3000, 0);
  expect(metricsOf(histogram.buckets(), sigmoid).ece).toBeCloseTo(ece, 12);
  const found = reliability(histogram.buckets(), sigmoid);
  expect(found.map(({ count }) => count)).toEqual(bins.map(({ n }) => n));
  expect(found[7].positiveShare).toBeCloseTo(bins[7].y / bins[7].n, 12);
});

/** The same scores as counts, as if there were too many of them. */
function counted(histogram: ScoreHistogram, pieces: readonly { scores: Float32Array; targets: Uint8Array }[]) {
  const filler = new Float32Array((1 << 20) + 1);
  histogram.add(filler, new Uint8Array(filler.length).fill(2));
  for (const { scores, targets } of pieces) histogram.add(scores, targets);
  return histogram;
}

test('metrics of many scores are within the error that is told', () => {
  for (const round of [(x: number) => x, (x: number) => Math.round(x * 100) / 100, () => 2.3456789]) {
    const set = scored(50_000, 8, round);
    const exact = new ScoreHistogram();
    exact.add(set.scores, set.targets);
    const few = metricsOf(exact.buckets(), sigmoid);
    const many = metricsOf(counted(new ScoreHistogram(), [set]).buckets(), sigmoid);
    for (const key of Object.keys(few.error) as (keyof Metrics['error'])[]) {
      const off = Math.abs(many[key] - few[key]);
      expect(off, `${key} ${round}`).toBeLessThanOrEqual(many.error[key] + 1e-9);
    }
    expect(many.error.logLoss).toBeLessThan(1e-5);
    expect(many.error.rocAuc).toBeLessThan(round(0.123456) === 2.3456789 ? 0.51 : 0.01);
  }
});

test('scores that are NaN are counted apart, infinite ones are scores', () => {
  const scores = Float32Array.of(NaN, Infinity, -Infinity, 0, -0, 1);
  const targets = Uint8Array.of(1, 1, 0, 0, 1, 1);
  for (const histogram of [counted(new ScoreHistogram(), [{ scores, targets }]), new ScoreHistogram()]) {
    if (histogram.count === 0) histogram.add(scores, targets);
    expect([histogram.nan, histogram.count]).toEqual([1, 5]);
    const buckets = histogram.buckets();
    expect([buckets[0].negativeScore, buckets[buckets.length - 1].positiveScore]).toEqual([-Infinity, Infinity]);
    expect(metricsOf(buckets, sigmoid)).toMatchObject({ logLoss: expect.any(Number) });
  }
});

test('histograms that are merged, or kept as JSON, are that of everything at once', () => {
  const [a, b] = [scored(5000, 9), scored(7000, 10)];
  for (const many of [false, true]) {
    const make = (...pieces: (typeof a)[]) => {
      const histogram = new ScoreHistogram();
      if (many) return counted(histogram, pieces);
      for (const { scores, targets } of pieces) histogram.add(scores, targets);
      return histogram;
    };
    const merged = make(a);
    merged.merge(ScoreHistogram.fromJSON(JSON.parse(JSON.stringify(make(b)))));
    expect(merged.buckets()).toEqual(make(a, b).buckets());
    expect(merged.count).toBe(12_000);
  }
  const json = JSON.parse(JSON.stringify(counted(new ScoreHistogram(), [a]))) as HistogramJSON;
  expect(() =>
    ScoreHistogram.fromJSON({
      ...json,
      buckets: Buffer.from(new Float64Array([-1, 1, 1, 1, 1]).buffer).toString('base64'),
    }),
  ).toThrow('there is no such bucket');
  const few = JSON.parse(JSON.stringify(ScoreHistogram.fromJSON(json)));
  expect(few).toEqual(json);
});

test('thresholds count what reaches them, and the cheapest is cheapest of all', () => {
  const { scores, targets } = scored(2000, 11, (x) => Math.round(x * 20) / 20);
  const histogram = new ScoreHistogram();
  histogram.add(scores, targets);
  const costs = { miss: 7, alarm: 2 };
  const counts = (limit: number) => {
    let [tp, fp, fn] = [0, 0, 0];
    for (const [i, score] of scores.entries()) {
      const acts = sigmoid.of(score) >= limit;
      if (acts && targets[i]) tp++;
      else if (acts) fp++;
      else if (targets[i]) fn++;
    }
    return { tp, fp, fn, cost: 7 * fn + 2 * fp };
  };
  for (const result of thresholdResults(histogram.buckets(), sigmoid, [0, 0.1, 0.5, 0.99, 1], costs)) {
    const { tp, fp, fn, cost } = counts(result.threshold);
    expect(result).toMatchObject({ truePositives: tp, falsePositives: fp, falseNegatives: fn, cost, uncertain: 0 });
    expect(result.recall).toBe(tp / (tp + fn));
  }
  const best = cheapest(histogram.buckets(), sigmoid, costs);
  const all = [...scores].map((score) => counts(sigmoid.of(score)).cost);
  expect(best.cost).toBe(Math.min(...all));
  expect(counts(best.threshold).cost).toBe(best.cost);
  const never = cheapest(histogram.buckets(), sigmoid, { miss: 0, alarm: 1 });
  expect([never.threshold, never.cost, never.recall]).toEqual([Infinity, 0, 0]);
});

test('a threshold of 0.7 takes a probability that was written as 0.7', () => {
  const histogram = new ScoreHistogram();
  histogram.add(Float32Array.of(0.7, 0.3, 0.69), Uint8Array.of(1, 0, 0));
  const [{ truePositives, falsePositives }] = thresholdResults(histogram.buckets(), identity, [0.7], undefined);
  expect([truePositives, falsePositives]).toEqual([1, 0]);
});

test('scores are counted alike with weights of 1 and without, whatever is among them, and however many are the same', () => {
  const counted = (weighed: boolean, rounds: number, scores: Float32Array, targets: Uint8Array) => {
    const histogram = new ScoreHistogram();
    const weight = weighed ? new Float32Array(scores.length).fill(1) : undefined;
    for (let k = 0; k < rounds; k++) histogram.add(scores, targets, weight);
    return histogram;
  };
  const { scores, targets } = scored(200_001, 11);
  const odd = Float32Array.from(scores);
  const marked = Uint8Array.from(targets);
  odd.set([NaN, -NaN, Infinity, -Infinity, 0, -0, 1e-45, -1e-45, 3.4e38], 100_000);
  marked[150_000] = 2;
  for (const y of [targets, marked]) {
    const [fast, slow] = [false, true].map((weighed) => counted(weighed, 9, odd, y));
    expect([fast.count, fast.nan]).toEqual([slow.count, 18]);
    expect(fast.buckets()).toEqual(slow.buckets());
  }
  // more than 25 bits can count, of a score whose last 14 bits add up to the most
  const [score] = new Float32Array(Uint32Array.of(0x3f803fff).buffer);
  const same = counted(false, 520, new Float32Array(65_536).fill(score), new Uint8Array(65_536).fill(1));
  expect(same.buckets()).toHaveLength(1);
  expect(same.buckets()[0]).toMatchObject({ negatives: 0, positives: 520 * 65_536 });
  expect(same.buckets()[0].positiveScore).toBe(score);
});
