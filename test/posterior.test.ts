import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import {
  FocalLoss,
  type FocalPosteriorOptions,
  focalPosterior,
  type Logits,
  softmaxFocalPosterior,
  Workspace,
} from '../src/index.js';
import { float32FromBits, SMALLEST_NORMAL } from './oracle.js';
import { softmaxPosterior64 } from './reference.js';
import { ACROSS, errorOf, firstDifference, random, someLogits } from './support.js';
import type { PosteriorGroup } from './vectors/cases.js';

const groups = JSON.parse(
  readFileSync(new URL('./vectors/posteriors.json', import.meta.url), 'utf8'),
) as PosteriorGroup[];

test('every vector', () => {
  const faults: string[] = [];
  for (const { options, classes, rows } of groups) {
    const words = rows.flatMap(([bits]) => bits.match(/.{8}/g) as string[]);
    const logits = Float32Array.from(words, (word) => float32FromBits(Number.parseInt(word, 16)));
    const got =
      classes === 1
        ? focalPosterior(logits, options as { gamma: number; alpha: number | null })
        : softmaxFocalPosterior(logits, { ...options, alpha: options.alpha as number[] | null, numClasses: classes });
    const truths = rows.flatMap(([, truth]) => truth).map(Number);
    expect(got).toHaveLength(truths.length);
    truths.forEach((truth, k) => {
      const bound = Math.max((classes === 1 ? 2e-6 : 4e-6) * truth, SMALLEST_NORMAL);
      if (!(got[k] >= 0 && Math.abs(got[k] - truth) <= bound)) {
        faults.push(`${JSON.stringify(options)} ${words[k]}: ${got[k]}, not ${truth}`);
      }
    });
  }
  expect(faults.slice(0, 20)).toEqual([]);
});

test('scores of a focal loss at gamma 2, alpha .25 are not probabilities', () => {
  const logit = (p: number) => Math.log(p / (1 - p));
  const [half, nine] = focalPosterior([logit(0.399), logit(0.601)], { gamma: 2, alpha: 0.25 });
  expect(half).toBeCloseTo(0.5, 2);
  expect(nine).toBeCloseTo(0.9, 2);
});

test('gamma 0 without alpha gives the sigmoid and the softmax', () => {
  const x = someLogits(200);
  focalPosterior(x, { gamma: 0, alpha: null }).forEach((p, k) => {
    expect(Math.abs(p * (1 + Math.exp(-x[k])) - 1)).toBeLessThan(2e-6);
  });
  const p = softmaxFocalPosterior([0, Math.log(2), Math.log(5)], { gamma: 0, alpha: null, numClasses: 3 });
  [1 / 8, 2 / 8, 5 / 8].forEach((want, k) => {
    expect(p[k]).toBeCloseTo(want, 6);
  });
});

test('probabilities: between 0 and 1, rising with the logit, rows that sum to 1', () => {
  const extremes = [-Infinity, -3.4e38, -104, -89, -50, -17, -1, -0, 0, 1, 17, 50, 89, 104, 3.4e38, Infinity];
  for (const gamma of [0, 0.5, 1, 2, 1.7, 5, 10]) {
    for (const alpha of [null, 0.25, 0.9]) {
      const p = focalPosterior(Float32Array.from(extremes), { gamma, alpha });
      expect([p[0], p[p.length - 1]]).toEqual([0, 1]);
      p.forEach((value, k) => {
        expect(value >= 0 && value <= 1).toBe(true);
        if (k > 0) expect(value).toBeGreaterThanOrEqual(p[k - 1] * (1 - 2e-6));
      });
    }
    const rows = softmaxFocalPosterior([50, 0, -200, 7, 7, 7, -3.4e38, 3.4e38, 0], { gamma, numClasses: 3 });
    for (const row of [0, 3, 6]) {
      const sum = rows[row] + rows[row + 1] + rows[row + 2];
      expect(sum).toBeCloseTo(1, 5);
    }
    expect(rows[4]).toBeCloseTo(1 / 3, 6);
    expect(rows[7]).toBeCloseTo(1, 6);
  }
  expect(focalPosterior([Number.NaN], { gamma: 2 })[0]).toBeNaN();
});

const CLASSES = [1, 2, 3, 4, 5, 7, 8, 10, 16, 31, 32, 33, 80, 319, 320, 321, 800];

/** Rows of which every fifth has one class far above the others, and every seventh two that are equal. */
function rowsOf(rows: number, classes: number): Float32Array {
  const next = random(classes);
  const logits = Float32Array.from({ length: rows * classes }, () => 12 * (next() - 0.5));
  for (let row = 0; row < rows; row++) {
    if (row % 5 === 0) logits[row * classes + (row % classes)] = 30;
    if (row % 7 === 0) logits[row * classes] = logits[row * classes + 1] = 9;
  }
  return logits;
}

test.each(CLASSES)('rows of %i classes, whatever their number', (numClasses) => {
  const faults: string[] = [];
  const alphas = Array.from({ length: numClasses }, (_, k) => 0.25 + (k % 4) / 4);
  const most = Math.ceil(600 / numClasses) + 5;
  for (const gamma of [0, 0.5, 1.7, 2, 5]) {
    for (const alpha of [null, alphas]) {
      for (const rows of [1, 2, 3, 4, 5, most]) {
        const logits = rowsOf(rows, numClasses);
        const got = softmaxFocalPosterior(logits, { gamma, alpha, numClasses });
        for (let row = 0; row < rows; row++) {
          const from = row * numClasses;
          const truths = softmaxPosterior64(logits.subarray(from, from + numClasses), gamma, alpha ?? undefined);
          truths.forEach((truth, k) => {
            const bound = Math.max(4e-6 * truth, SMALLEST_NORMAL);
            if (Math.abs(got[from + k] - truth) <= bound) return;
            faults.push(`gamma ${gamma}, row ${row} of ${rows}, class ${k}: ${got[from + k]}, not ${truth}`);
          });
        }
      }
    }
  }
  expect(faults.slice(0, 10)).toEqual([]);
});

test.each([3, 10, 32, 80, 300])(
  'a row of %i classes is the same alone and among others, whatever they are',
  (numClasses) => {
    const rows = 30;
    const logits = rowsOf(rows, numClasses);
    logits.fill(5000, 2 * numClasses, 2 * numClasses + 2);
    logits[6 * numClasses + 1] = Number.NaN;
    logits[9 * numClasses + 2] = Infinity;
    logits.fill(-Infinity, 11 * numClasses, 12 * numClasses);
    const options = { gamma: 1.7, numClasses };
    const all = softmaxFocalPosterior(logits, options);
    for (let row = 0; row < rows; row++) {
      const part = logits.subarray(row * numClasses, (row + 1) * numClasses);
      const same = all.subarray(row * numClasses, (row + 1) * numClasses);
      expect(firstDifference(softmaxFocalPosterior(part, options), same)).toBe(-1);
      expect(same.some(Number.isNaN)).toBe(row === 6);
    }
    const two = all.subarray(2 * numClasses, 2 * numClasses + 3);
    expect(two[0]).toBeCloseTo(0.5, 6);
    expect([two[1], two[2]]).toEqual([two[0], 0]);
    expect(all[9 * numClasses + 2]).toBe(1);
    expect(all[11 * numClasses]).toBeCloseTo(1 / numClasses, 6);
  },
);

test('rows in place: the posterior may take the room of its logits', () => {
  for (const numClasses of [3, 10, 80, 300]) {
    const logits = rowsOf(20, numClasses);
    const want = softmaxFocalPosterior(logits, { gamma: 2, numClasses });
    const inside = new Workspace(4 * logits.length).float32(logits.length);
    inside.set(logits);
    expect(softmaxFocalPosterior(inside, { gamma: 2, numClasses, out: inside })).toBe(inside);
    expect(firstDifference(inside, want)).toBe(-1);
  }
});

/** Every mixture of logits and results in a workspace and in ordinary arrays; logits that are converted as well. */
function homes(x: Float32Array): [name: string, logits: Logits, out: Float32Array | undefined][] {
  const workspace = new Workspace(24 * x.length);
  const inside = () => workspace.float32(x.length);
  const here = inside();
  here.set(x);
  const copy = x.slice();
  const inPlace = inside();
  inPlace.set(x);
  return [
    ['ordinary', x, undefined],
    ['from a workspace', here, undefined],
    ['to a workspace', x, inside()],
    ['in a workspace', here, inside()],
    ['in place', copy, copy],
    ['in place in a workspace', inPlace, inPlace],
    ['Float64Array', Float64Array.from(x), new Float32Array(x.length)],
    ['number[] to a workspace', [...x], inside()],
  ];
}

test('in whatever arrays, over any number of segments, a logit has the posterior that it has alone', () => {
  const x = someLogits(ACROSS);
  const options = { gamma: 2, alpha: 0.25 };
  const whole = focalPosterior(x, options);
  expect(whole).toBeInstanceOf(Float32Array);
  for (let start = 0; start < ACROSS; start += 1000) {
    const end = Math.min(start + 1000, ACROSS);
    const part = focalPosterior(x.subarray(start, end), options);
    expect(firstDifference(part, whole.subarray(start, end))).toBe(-1);
  }
  for (const [name, logits, out] of homes(x)) {
    const result = focalPosterior(logits, { ...options, ...(out && { out }) });
    if (out !== undefined) expect(result).toBe(out);
    expect(firstDifference(result, whole), name).toBe(-1);
  }
  for (let n = 0; n < 40; n++) {
    const part = focalPosterior(x.subarray(3, 3 + n), options);
    expect(firstDifference(part, whole.subarray(3, 3 + n))).toBe(-1);
  }
});

test.each([3, 10, 800])('the same of rows of %i classes', (numClasses) => {
  const rows = Math.ceil(ACROSS / numClasses);
  const x = rowsOf(rows, numClasses);
  const options = { gamma: 2, numClasses };
  const whole = softmaxFocalPosterior(x, options);
  for (let start = 0; start < rows; start += 100) {
    const [from, to] = [start * numClasses, Math.min(start + 100, rows) * numClasses];
    expect(firstDifference(softmaxFocalPosterior(x.subarray(from, to), options), whole.subarray(from, to))).toBe(-1);
  }
  for (const [name, logits, out] of homes(x)) {
    const result = softmaxFocalPosterior(logits, { ...options, ...(out && { out }) });
    if (out !== undefined) expect(result).toBe(out);
    expect(firstDifference(result, whole), name).toBe(-1);
  }
});

test('refusals', () => {
  expect(errorOf(() => focalPosterior([1], { gamma: -1 })).message).toMatch(/^"gamma" expected .*got -1/);
  expect(errorOf(() => focalPosterior([1], { gamme: 2 } as never)).message).toMatch(/gamme/);
  expect(errorOf(() => focalPosterior([1, 2], { gamma: 2, out: new Float32Array(1) })).message).toMatch(
    /^"out".*got 1/,
  );
  expect(errorOf(() => softmaxFocalPosterior([1, 2, 3], { gamma: 2, numClasses: 2 })).message).toMatch(
    /^"logits".*got 3/,
  );
});

test('a class that counts for nothing leaves the other one certain', () => {
  const logits = Float32Array.of(-120, -80, -1, 0, 30, 90, Number.NaN);
  const probabilities = (options: FocalPosteriorOptions) => [...focalPosterior(logits, { gamma: 2, ...options })];
  const all = (value: number) => [...Array(logits.length - 1).fill(value), Number.NaN];
  expect(probabilities({ alpha: 0 })).toEqual(all(1));
  expect(probabilities({ alpha: 1e-60 })).toEqual(all(1));
  expect(probabilities({ posWeight: 0 })).toEqual(all(1));
  expect(probabilities({ alpha: 1 })).toEqual(all(0));
  expect(probabilities({ alpha: 1, posWeight: 0 })).toEqual(all(Number.NaN));
});

test('gamma is 1.5 where none is given', () => {
  const x = [0.5, -1, 2];
  expect(focalPosterior(x)).toEqual(focalPosterior(x, { gamma: 1.5 }));
  expect(softmaxFocalPosterior(x, { numClasses: 3 })).toEqual(softmaxFocalPosterior(x, { numClasses: 3, gamma: 1.5 }));
});

test('the top class of a row of any length is found in whatever part of it it is', () => {
  const classes = 700;
  // what a call before has left in the slots
  softmaxFocalPosterior(new Float32Array(3 * classes).fill(3), { numClasses: classes, gamma: 2 });
  new FocalLoss({ gamma: 1.7 }).gradHess(new Float32Array(400).fill(2), new Float32Array(400).fill(0.3));
  const logits = someLogits(classes).map((z) => z / 4);
  const posteriors = [3, 319, 320, 321, 639, 640, 699].map((top) => {
    const row = logits.slice();
    [row[0], row[top]] = [row[top], 9];
    const posterior = softmaxFocalPosterior(row, { numClasses: classes, gamma: 2 });
    return posterior[top];
  });
  for (const value of posteriors) expect(value).toBeGreaterThan(0.5);
  const alone = softmaxFocalPosterior([9, ...logits.subarray(1)], { numClasses: classes, gamma: 2 })[0];
  expect(alone).toBeGreaterThan(0.5);
});
