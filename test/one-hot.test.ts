// One label a row of sigmoids: what FocalLoss gives for the one-hot targets that are never made.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SEGMENT } from '../src/abi.js';
import { FocalLoss, LossMeter, OneHotFocalLoss, oneHotFocalLoss, SoftmaxFocalLoss, Workspace } from '../src/index.js';
import { errorOf, firstDifference, random, someLogits } from './support.js';

interface Case {
  readonly classes: number;
  readonly images: number;
  readonly pixels: number;
}

/** Labels of which some are background and some left out, and the one-hot targets in the layout of the logits. */
function example({ classes, images, pixels }: Case, ignore: number | null, seed = 1) {
  const next = random(seed);
  const rows = images * pixels;
  const labels = Int32Array.from({ length: rows }, () => {
    const draw = next();
    if (draw < 0.1 && ignore !== null) return ignore;
    return draw < 0.5 ? classes : Math.floor(next() * classes);
  });
  const targets = new Float32Array(rows * classes);
  const kept = new Uint8Array(rows * classes);
  for (let n = 0; n < images; n++) {
    for (let c = 0; c < classes; c++) {
      for (let p = 0; p < pixels; p++) {
        const at = (n * classes + c) * pixels + p;
        const label = labels[n * pixels + p];
        targets[at] = label === c ? 1 : 0;
        kept[at] = label === ignore ? 0 : 1;
      }
    }
  }
  return { rows, labels, targets, kept, logits: someLogits(rows * classes, seed) };
}

const dimsOf = ({ classes, images, pixels }: Case) => [images, classes, pixels];

describe('OneHotFocalLoss', () => {
  const shapes = fc.record({
    classes: fc.constantFrom(1, 2, 3, 7, 80),
    images: fc.integer({ min: 1, max: 3 }),
    pixels: fc.constantFrom(1, 2, 5, 33, 600),
  });
  const options = fc.record(
    {
      gamma: fc.constantFrom(0, 1.5, 2, 2.2),
      alpha: fc.constantFrom(null, 0.25),
      posWeight: fc.constantFrom(1, 3),
      labelSmoothing: fc.constantFrom(0, 0.1),
    },
    { requiredKeys: [] },
  );

  test('has the bits of FocalLoss on bytes, in value, gradient and Hessian, whatever the shape', () => {
    fc.assert(
      fc.property(shapes, options, fc.integer({ min: 1, max: 99 }), (shape, given, seed) => {
        const { classes } = shape;
        const { logits, labels, targets } = example(shape, null, seed);
        const bytes = Uint8Array.from(targets);
        const tensor = { data: logits, dims: dimsOf(shape) };
        const own = new OneHotFocalLoss({ ...given, numClasses: classes, classAxis: 1, reduction: 'none' });
        const plain = new FocalLoss({ ...given, reduction: 'none' });
        const [a, b] = [own.valueAndGrad(tensor, labels), plain.valueAndGrad(logits, bytes)];
        expect(firstDifference(a.value, b.value)).toBe(-1);
        expect(firstDifference(a.grad, b.grad)).toBe(-1);
        expect(firstDifference(own.gradHess(tensor, labels).hess, plain.gradHess(logits, bytes).hess)).toBe(-1);
      }),
      { numRuns: 80 },
    );
  });

  test.each([
    { classes: 3, images: 2, pixels: SEGMENT + 5 },
    { classes: 80, images: 700, pixels: 1 },
    { classes: 1, images: 1, pixels: 2 * SEGMENT + 9 },
    { classes: 5, images: 3, pixels: SEGMENT / 2 },
    // as many labels as a segment can refer to, and planes of one pixel more, which end segments
    { classes: 2, images: 9, pixels: SEGMENT / 4 },
    { classes: 2, images: 5, pixels: SEGMENT / 4 + 1 },
    { classes: 2, images: 1, pixels: 4 * SEGMENT + 9 },
  ])('crosses borders of segments: %o', (shape) => {
    const ignore = -2;
    const { logits, labels, targets, kept } = example(shape, ignore);
    const own = new OneHotFocalLoss({
      numClasses: shape.classes,
      classAxis: 1,
      ignoreIndex: ignore,
      reduction: 'none',
    });
    const tensor = { data: logits, dims: dimsOf(shape) };
    const marked = targets.map((y, k) => (kept[k] === 1 ? y : ignore));
    const plain = new FocalLoss({ ignoreIndex: ignore, reduction: 'none' }).forward(logits, Int8Array.from(marked));
    expect(firstDifference(own.forward(tensor, labels), plain)).toBe(-1);
    const smoothed = { labelSmoothing: 0.1, ignoreIndex: ignore } as const;
    const { grad } = new OneHotFocalLoss({ ...smoothed, numClasses: shape.classes, classAxis: 1 }).valueAndGrad(
      tensor,
      labels,
    );
    const expected = new FocalLoss(smoothed).valueAndGrad(logits, Int8Array.from(marked)).grad;
    expect(firstDifference(grad, expected)).toBe(-1);
    for (const same of [
      BigInt64Array.from(labels, BigInt),
      [...labels],
      Float64Array.from(labels),
      Int16Array.from(labels),
    ]) {
      expect(firstDifference(own.forward(tensor, same), plain)).toBe(-1);
    }
    const workspace = new Workspace(4 * logits.length);
    const inside = workspace.float32(logits.length);
    inside.set(logits);
    expect(firstDifference(own.forward({ data: inside, dims: tensor.dims }, labels), plain)).toBe(-1);
    // a weight of each row is staged beside the labels
    const { classes, pixels } = shape;
    const weight = Float32Array.from(labels, (_, row) => 2 ** (row % 3));
    const row = (k: number) => Math.floor(k / (classes * pixels)) * pixels + (k % pixels);
    const weighed = plain.map((loss, k) => loss * weight[row(k)]);
    expect(firstDifference(own.forward(tensor, labels, { weight }), weighed)).toBe(-1);
  });

  test('adds up in the order of FocalLoss', () => {
    for (const shape of [
      { classes: 80, images: 700, pixels: 1 },
      // more labels than a segment, and segments that start within a plane of an image's first class
      { classes: 2, images: 20, pixels: 1000 },
    ]) {
      const { logits, labels, targets } = example(shape, null);
      const own = new OneHotFocalLoss({ numClasses: shape.classes, classAxis: 1, reduction: 'sum' });
      const plain = new FocalLoss({ reduction: 'sum' });
      expect(own.forward({ data: logits, dims: dimsOf(shape) }, labels)).toBe(
        plain.forward(logits, Uint8Array.from(targets)),
      );
    }
  });

  test('int32 labels are left out by -1 where that is what is ignored, and only there', () => {
    const shape = { classes: 3, images: 20_000, pixels: 1 };
    const { logits, labels } = example(shape, -1);
    const own = new OneHotFocalLoss({ numClasses: 3, ignoreIndex: -1, reduction: 'sum' });
    const other = new OneHotFocalLoss({ numClasses: 3, ignoreIndex: 99, reduction: 'sum' });
    const marked = labels.map((label) => (label === -1 ? 99 : label));
    expect(own.forward(logits, labels)).toBe(other.forward(logits, marked));
    const strict = new OneHotFocalLoss({ numClasses: 3, reduction: 'sum' });
    const row = labels.indexOf(-1, 17_000);
    const good = labels.map((label, k) => (label === -1 && k < row ? 3 : label));
    expect(errorOf(() => strict.forward(logits, good))).toMatchObject({ argument: 'targets', index: row });
    // unchecked, a wrong label is left out
    expect(strict.forward(logits, labels, { validate: false })).toBe(own.forward(logits, labels));
  });

  test('counts what it keeps: means, positives, meters', () => {
    const shape = { classes: 80, images: 1000, pixels: 1 };
    const { logits, labels, kept } = example(shape, -1);
    const given = { numClasses: 80, ignoreIndex: -1 } as const;
    const sum = new OneHotFocalLoss({ ...given, reduction: 'sum' }).forward(logits, labels);
    const elements = kept.reduce((a, b) => a + b, 0);
    const labelled = labels.filter((label) => label >= 0 && label < 80).length;
    expect(new OneHotFocalLoss(given).forward(logits, labels)).toBe(sum / elements);
    const byPositives = new OneHotFocalLoss({ ...given, normalizer: 'positives' });
    expect(byPositives.forward(logits, labels)).toBe(sum / labelled);
    const { grad } = byPositives.valueAndGrad(logits, labels);
    const whole = new OneHotFocalLoss({ ...given, reduction: 'sum' }).valueAndGrad(logits, labels).grad;
    for (const k of [0, 81, 40_000])
      expect(Math.abs(grad[k] * labelled - whole[k])).toBeLessThanOrEqual(3e-7 * Math.abs(whole[k]));
    const meter = new LossMeter(byPositives);
    meter.update(logits, labels);
    expect(meter.compute()).toMatchObject({ count: elements, positives: labelled, negatives: elements - labelled });
    expect(meter.compute().mean).toBeCloseTo(sum / labelled, 5);
    expect(oneHotFocalLoss(logits.subarray(0, 160), [3, 80], { numClasses: 80 })).toBeGreaterThan(0);
  });

  test('takes a weight a row or a logit, and weights of classes', () => {
    // a segment ends within a plane
    const shape = { classes: 7, images: 50, pixels: 50 };
    const { logits, labels, targets, rows } = example(shape, null);
    const tensor = { data: logits, dims: dimsOf(shape) };
    const weight = someLogits(rows, 3);
    const expanded = logits.map((_, k) => weight[Math.floor(k / 350) * 50 + (k % 50)]);
    const own = new OneHotFocalLoss({ numClasses: 7, classAxis: 1, reduction: 'none' });
    const plain = new FocalLoss({ reduction: 'none' });
    const expected = plain.forward(logits, Uint8Array.from(targets), { weight: expanded });
    expect(firstDifference(own.forward(tensor, labels, { weight }), expected)).toBe(-1);
    expect(firstDifference(own.forward(tensor, labels, { weight: expanded }), expected)).toBe(-1);
    const classWeight = [2, 4, 1, 8, 0.5, 16, 0.25];
    const byClass = new OneHotFocalLoss({ numClasses: 7, classAxis: 1, classWeight, reduction: 'none' });
    const multiplied = (losses: Float32Array) => losses.map((loss, k) => loss * classWeight[Math.floor(k / 50) % 7]);
    expect(firstDifference(byClass.forward(tensor, labels, { weight }), multiplied(expected))).toBe(-1);
    expect(firstDifference(byClass.forward(tensor, labels), multiplied(own.forward(tensor, labels)))).toBe(-1);
  });

  test('weights of rows are written to their own place alone, which rows end within', () => {
    const shape = { classes: 30_000, images: 2, pixels: 1 };
    const { logits, labels, rows } = example(shape, null);
    const x = new Workspace(4 * logits.length).float32(logits.length);
    x.set(logits);
    const own = new OneHotFocalLoss({ numClasses: shape.classes, reduction: 'sum' });
    expect(own.forward(x, labels, { weight: new Float32Array(rows).fill(2) })).toBe(2 * own.forward(logits, labels));
    expect(firstDifference(x, logits)).toBe(-1);
  });

  test('an element whose loss is NaN is counted where its one-hot target is', () => {
    for (const shape of [
      { classes: 3, images: 4, pixels: 5 },
      { classes: 3, images: 7, pixels: 1 },
    ]) {
      const { logits, labels, targets } = example(shape, null);
      for (let k = 0; k < logits.length; k += 4) logits[k] = Number.NaN;
      for (const nan of ['propagate', 'skip'] as const) {
        const own = new LossMeter(new OneHotFocalLoss({ numClasses: 3, classAxis: 1 }), { nan });
        const plain = new LossMeter(new FocalLoss(), { nan });
        own.update({ data: logits, dims: dimsOf(shape) }, labels);
        plain.update(logits, Uint8Array.from(targets));
        expect(own.compute()).toEqual(plain.compute());
      }
    }
  });

  test('the gradient of a mean is that of the sum by the elements that are kept', () => {
    const shape = { classes: 5, images: 40, pixels: 1 };
    const { logits, labels, kept } = example(shape, -1);
    const given = { numClasses: 5, ignoreIndex: -1 } as const;
    const [mean, sum] = (['mean', 'sum'] as const).map(
      (reduction) => new OneHotFocalLoss({ ...given, reduction }).valueAndGrad(logits, labels).grad,
    );
    const elements = kept.reduce((a, b) => a + b, 0);
    expect(elements).toBeLessThan(logits.length);
    mean.forEach((value, k) => {
      expect(Math.abs(value * elements - sum[k])).toBeLessThanOrEqual(3e-7 * Math.abs(sum[k]));
    });
  });

  test('unchecked, a label that is none counts for neither value nor gradient of a mean', () => {
    const z = someLogits(12);
    for (const Type of [OneHotFocalLoss, SoftmaxFocalLoss]) {
      const of = (reduction: 'mean' | 'sum') =>
        new Type({ numClasses: 3, ignoreIndex: -1, reduction }).valueAndGrad(z, [0, 7, -1, 2], { validate: false });
      const [mean, sum] = [of('mean'), of('sum')];
      const kept = Type === OneHotFocalLoss ? 6 : 2;
      expect(mean.value * kept).toBeCloseTo(sum.value, 6);
      sum.grad.forEach((value, k) => {
        expect(Math.abs(mean.grad[k] * kept - value)).toBeLessThanOrEqual(3e-7 * Math.abs(value));
      });
    }
  });

  test('labels and weights of rows have the dims of the logits without the class axis', () => {
    const own = new OneHotFocalLoss({ numClasses: 3, classAxis: 1 });
    const logits = { data: someLogits(24), dims: [2, 3, 4] };
    const labels = { data: Int32Array.of(0, 1, 2, 3, 2, 1, 0, 0), dims: [2, 4] };
    const weight = { data: someLogits(8), dims: [2, 4] };
    const expected = own.forward(logits, labels.data, { weight: weight.data });
    expect(own.forward(logits, labels, { weight })).toBe(expected);
    const all = { data: someLogits(24), dims: [2, 3, 4] };
    expect(own.forward(logits, labels, { weight: all })).toBe(own.forward(logits, labels, { weight: all.data }));
    const message = (run: () => unknown) => errorOf(run).message;
    expect(message(() => own.forward(logits, { ...labels, dims: [4, 2] }))).toBe(
      '"targets" expected dims [2, 4] (those of "logits" without the class axis), got [4, 2]',
    );
    expect(message(() => own.forward(logits, labels, { weight: { ...weight, dims: [8] } }))).toBe(
      '"weight" expected dims [2, 4] (those of "logits" without the class axis), got [8]',
    );
    expect(message(() => own.forward(logits, labels, { weight: { ...all, dims: [2, 4, 3] } }))).toBe(
      '"weight" expected dims [2, 3, 4] (those of "logits"), got [2, 4, 3]',
    );
    expect(message(() => own.forward(logits, labels, { weight: [1, 2, 3] }))).toBe(
      '"weight" expected length 24 (the length of "logits") or 8 (its rows), got 3',
    );
  });

  test('has a background of its own choice', () => {
    const { logits, labels } = example({ classes: 4, images: 50, pixels: 1 }, null);
    const moved = labels.map((label) => (label === 4 ? -1 : label));
    const own = new OneHotFocalLoss({ numClasses: 4, background: -1 }).forward(logits, moved);
    expect(own).toBe(new OneHotFocalLoss({ numClasses: 4 }).forward(logits, labels));
  });

  test('takes labels, and neither booleans nor half floats', () => {
    const criterion = new OneHotFocalLoss({ numClasses: 3 });
    const message = (labels: unknown) => errorOf(() => criterion.forward(someLogits(6), labels as number[])).message;
    expect(message([true, false])).toBe('"targets" expected a number or bigint at index 0, got true');
    // whose bits might be a class
    const half = { data: new Uint16Array(2), dims: [2], type: 'float16' };
    expect(message(half)).toMatch(/^"targets.data" .*, got a Uint16Array of length 2; its type is float16$/);
    const integers = { ...half, type: 'uint16' };
    expect(criterion.forward(someLogits(6), integers)).toBe(criterion.forward(someLogits(6), [0, 0]));
  });

  test('refuses a label that is none, with its row', () => {
    const criterion = new OneHotFocalLoss({ numClasses: 3 });
    const logits = new Float32Array(3 * 20_000);
    for (const bad of [4, -1, 2.5, Number.NaN]) {
      const labels = new Float32Array(20_000);
      labels[17_001] = bad;
      const error = errorOf(() => criterion.forward(logits, labels));
      expect(error.message).toMatch(
        /^"targets" expected a class index in \[0, 3\) or 3 \(background\) at row 17001, got /,
      );
      expect(error).toMatchObject({ index: 17_001 });
      expect(Number.isFinite(criterion.forward(logits, labels, { validate: false }))).toBe(true);
    }
    // as well where others are left out
    for (const ignoreIndex of [-1, 99]) {
      const skipping = new OneHotFocalLoss({ numClasses: 3, ignoreIndex });
      for (const labels of [[1, 7, ignoreIndex], Int32Array.of(1, 7, ignoreIndex), Int8Array.of(1, 7, ignoreIndex)]) {
        const error = errorOf(() => skipping.forward(new Float32Array(9), labels));
        expect(error.message).toBe('"targets" expected a class index in [0, 3) or 3 (background) at row 1, got 7');
      }
    }
    // next to the labels there are, as int32, which are copied where they can be
    for (const ignoreIndex of [null, -1, 99]) {
      const softmax = new SoftmaxFocalLoss({ numClasses: 3, ignoreIndex });
      const moved = new OneHotFocalLoss({ numClasses: 3, ignoreIndex, background: 7 });
      for (const [run, bad] of [
        [(labels: Int32Array) => softmax.forward(new Float32Array(6), labels), [-2, -1, 3, 7]],
        [(labels: Int32Array) => moved.forward(new Float32Array(6), labels), [-2, -1, 3, 8]],
      ] as const) {
        for (const label of bad) {
          if (label !== ignoreIndex) expect(errorOf(() => run(Int32Array.of(0, label)))).toHaveProperty('index', 1);
        }
        expect(run(Int32Array.of(0, 2))).toBeGreaterThan(0);
      }
    }
    // a label of a class may be the one that is left out, or the background
    const labels = [0, 1, 2, 1, 0, 2];
    const z = someLogits(18);
    for (const [ignoreIndex, background] of [
      [1, 3],
      [null, 0],
      [2, 1],
      [3, -1],
    ] as const) {
      const given = { numClasses: 3, ignoreIndex, reduction: 'none' } as const;
      const own = new OneHotFocalLoss({ ...given, background });
      expect(own.forward(z, Int32Array.from(labels))).toEqual(own.forward(z, labels));
      const left = labels.map((label) => (label === ignoreIndex ? 0 : 1));
      expect(own.forward(z, labels).map((loss, k) => (loss > 0 ? 1 : 0) - left[Math.floor(k / 3)])).toEqual(
        new Float32Array(18),
      );
      const rows = new SoftmaxFocalLoss(given);
      expect(rows.forward(z, Int32Array.from(labels))).toEqual(rows.forward(z, labels));
      expect([...rows.forward(z, labels)].map((loss) => (loss > 0 ? 1 : 0))).toEqual(left);
    }
    const ints = new Int32Array(20_000);
    ints[19_999] = 2 ** 31 - 1;
    expect(errorOf(() => criterion.forward(logits, ints))).toMatchObject({ index: 19_999 });
    errorOf(() => criterion.forward(logits, new Int32Array(19_999)));
  });
});
