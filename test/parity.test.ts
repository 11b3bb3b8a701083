// Each row of the counterparts in docs/options.md, under its name: the same number where an option gives it, and another
// where none does.
import { describe, expect, test } from 'vitest';
import {
  BCEWithLogitsLoss,
  FocalLoss,
  type FocalLossOptions,
  HeatmapFocalLoss,
  QualityFocalLoss,
  SoftmaxFocalLoss,
  sigmoidFocalLoss,
  VarifocalLoss,
} from '../src/index.js';
import * as there from './counterparts.js';
import { mean, oneHot, rowsOf, sum } from './counterparts.js';

const logits = Float32Array.of(-9, 8.5, 0, 1.25, -0.5, 3, -2.75, 0.125, 6, -4, 2.5, -1);
const hard = Float32Array.of(1, 0, 1, 1, 0, 1, 0, 0, 1, 0, 1, 1);
const soft = Float32Array.of(0.1, 0.9, 0.5, 0.7, 0, 1, 0.3, 0.6, 0.95, 0.2, 0.05, 0.4);
const weights = Float32Array.of(1, 2, 0.5, 0, 3, 1, 1, 0.25, 4, 1, 2, 1);
const probabilities = Float32Array.of(0.5, 0.001, 0.25, 0.9, 0.999, 0.1, 0.75, 0.4, 1e-6, 0.6, 0.33, 0.05);
const rows = rowsOf(logits, 3);
const labels = [2, 0, 1, 1];

type Options = Omit<FocalLossOptions, 'lossFcn' | 'reduction'>;

const elements = (options: Options, x: Float32Array = logits, y: Float32Array = hard, weight?: Float32Array) =>
  sigmoidFocalLoss(x, y, { ...options, reduction: 'none' }, { weight });
const gradients = (options: Options, x: Float32Array, y: Float32Array) =>
  new FocalLoss({ ...options, reduction: 'none' }).valueAndGrad(x, y).grad;

/** Numbers or arrays of them, to 2e-6 relative and `absolute` beside it. */
function same(here: ArrayLike<number> | number, there: ArrayLike<number> | number, absolute = 0): void {
  const [got, expected] = [here, there].map((given) => (typeof given === 'number' ? [given] : given));
  expect(got.length).toBe(expected.length);
  for (let k = 0; k < got.length; k++) {
    const bound = 2e-6 * Math.abs(expected[k]) + absolute;
    expect(Math.abs(got[k] - expected[k]), `${got[k]}, not ${expected[k]}, at ${k}`).toBeLessThanOrEqual(bound);
  }
}

/** By at least a thousandth. */
function differ(here: number, there: number): void {
  expect(Math.abs(here / there - 1)).toBeGreaterThan(1e-3);
}

/** The two are not in proportion, so that no weight, alpha or normalizer of the whole makes them equal. */
function disproportionate(here: ArrayLike<number>, there: ArrayLike<number>): void {
  const ratios = Array.from(there, (value, k) => here[k] / value);
  expect(Math.max(...ratios) - Math.min(...ratios)).toBeGreaterThan(0.01 * Math.max(...ratios.map(Math.abs)));
}

/** dL/dx_k of a sum of losses. */
function differences(loss: (x: number[]) => number, x: ArrayLike<number>): number[] {
  const h = 1e-5;
  const moved = (k: number, by: number) => Array.from(x, (value, j) => (j === k ? value + by : value));
  return Array.from(x, (_, k) => (loss(moved(k, h)) - loss(moved(k, -h))) / (2 * h));
}

describe('the same number', () => {
  test('torchvision', () => {
    for (const y of [hard, soft]) {
      same(elements({ gamma: 2 }, logits, y), there.torchvision(logits, y));
      same(elements({ gamma: 2, alpha: null }, logits, y), there.torchvision(logits, y, { alpha: -1 }));
      same(gradients({ gamma: 2 }, logits, y), there.torchvisionGradient(logits, y), 1e-7);
      same(
        gradients({ gamma: 1.7, alpha: null }, logits, y),
        there.torchvisionGradient(logits, y, { alpha: -1, gamma: 1.7 }),
        1e-7,
      );
      same(new FocalLoss({ gamma: 2 }).forward(logits, y), mean(there.torchvision(logits, y)));
      same(sigmoidFocalLoss(logits, y, { gamma: 2, reduction: 'sum' }), sum(there.torchvision(logits, y)));
    }
  });

  test('Keras binary', () => {
    for (const y of [hard, soft]) {
      same(
        elements({ gamma: 2, alpha: null, fromLogits: false }, probabilities, y),
        there.kerasBinary(probabilities, y),
      );
      const balanced = { apply_class_balancing: true, from_logits: true, label_smoothing: 0.1 };
      const losses = there.kerasBinary(logits, y, balanced);
      const options = { gamma: 2, labelSmoothing: 0.1 };
      same(elements(options, logits, y), losses);
      same(new FocalLoss(options).forward(logits, y), mean(rowsOf(losses, 3).map(mean)));
    }
  });

  test('Keras categorical', () => {
    for (const alpha of [0.25, [0.5, 1, 2]]) {
      const here = typeof alpha === 'number' ? [alpha, alpha, alpha] : alpha;
      const criterion = new SoftmaxFocalLoss({ numClasses: 3, gamma: 2, alpha: here });
      same(criterion.forward(logits, labels), mean(there.kerasCategorical(rows, labels, { alpha })));
    }
  });

  test('Keras categorical with label_smoothing', () => {
    // without the first row, where the clip acts
    const [x, some, truth] = [logits.subarray(3), rows.slice(1), labels.slice(1)];
    for (const gamma of [0, 2]) {
      const options = { numClasses: 3, gamma, alpha: 0.25, labelSmoothing: 0.2, reduction: 'none' } as const;
      const losses = there.kerasCategorical(some, truth, { gamma, label_smoothing: 0.2 });
      same(new SoftmaxFocalLoss({ ...options, softTargets: 'split' }).forward(x, truth), losses);
      if (gamma > 0) disproportionate(new SoftmaxFocalLoss(options).forward(x, truth), losses);
    }
  });

  test('kornia binary', () => {
    const losses = there.korniaBinary(logits, hard, { alpha: 0.25 });
    same(elements({ gamma: 2 }), losses);
    same(elements({ gamma: 2, alpha: null }), there.korniaBinary(logits, hard, { alpha: null }));
    const byClass = { alpha: 0.75, pos_weight: [1, 2, 5], weight: [0.5, 1, 3] };
    const weight = Float32Array.from(logits, (_, k) => byClass.weight[k % 3]);
    const options = { gamma: 2, alpha: 0.75, numClasses: 3, posWeight: byClass.pos_weight };
    same(elements(options, logits, hard, weight), there.korniaBinary(logits, hard, byClass));
  });

  test('kornia binary with ignore_index', () => {
    const some = hard.map((y, k) => (k % 5 === 0 ? -100 : y));
    const options = { gamma: 2, ignoreIndex: -100, normalizer: logits.length };
    same(new FocalLoss(options).forward(logits, some), mean(there.korniaBinary(logits, some, { alpha: 0.25 })));
  });

  test('kornia binary, soft targets', () => {
    for (const alpha of [0.25, null]) {
      const losses = there.korniaBinary(logits, soft, { alpha });
      same(elements({ gamma: 2, alpha, softTargets: 'split' }, logits, soft), losses);
      disproportionate(elements({ gamma: 2, alpha }, logits, soft), losses);
    }
  });

  test('kornia softmax', () => {
    const some = [2, -100, 1, 0];
    const weight = [0.5, 1, 3];
    const losses = there.korniaSoftmax(rows, some, { alpha: 0.3, weight });
    const options = { numClasses: 3, gamma: 2, alpha: [0.7 * 0.5, 0.3 * 1, 0.3 * 3], ignoreIndex: -100 };
    same(new SoftmaxFocalLoss({ ...options, reduction: 'none' }).forward(logits, some), rowsOf(losses, 3).map(sum));
    same(new SoftmaxFocalLoss({ ...options, normalizer: 4 * 3 }).forward(logits, some), mean(losses));
  });

  test('smp binary and multilabel', () => {
    same(elements({ gamma: 2, alpha: null }), there.smp(logits, hard));
    same(elements({ gamma: 2, alpha: 0.25 }), there.smp(logits, hard, { alpha: 0.25 }));
    const some = hard.map((y, k) => (k % 5 === 0 ? 255 : y));
    const kept = [...logits.keys()].filter((k) => some[k] !== 255);
    const losses = there.smp(
      kept.map((k) => logits[k]),
      kept.map((k) => hard[k]),
    );
    same(new FocalLoss({ gamma: 2, alpha: null, ignoreIndex: 255 }).forward(logits, some), mean(losses));
  });

  test('smp, soft targets', () => {
    for (const alpha of [0.25, null]) {
      const losses = there.smp(logits, soft, { alpha });
      same(elements({ gamma: 2, alpha, softTargets: 'crossEntropy' }, logits, soft), losses);
      disproportionate(elements({ gamma: 2, alpha }, logits, soft), losses);
    }
  });

  test('smp multiclass', () => {
    const some = [2, 255, 1, 0];
    const criterion = new FocalLoss({ gamma: 2, alpha: null, ignoreIndex: 255, normalizer: 3 });
    const targets = oneHot(some, 3).map((y, k) => (some[Math.floor(k / 3)] === 255 ? 255 : y));
    same(criterion.forward(logits, targets), there.smpMulticlass(rows, some, 255));
    // which is no softmax
    const softmax = new SoftmaxFocalLoss({ numClasses: 3, gamma: 2, ignoreIndex: 255 }).forward(logits, some);
    differ(softmax, there.smpMulticlass(rows, some, 255));
  });

  test('mmdetection', () => {
    for (const y of [hard, soft]) {
      same(new FocalLoss({ gamma: 2 }).forward(logits, y), there.mmdet(logits, y));
      const call = { weight: weights };
      const weighted = new FocalLoss({ gamma: 2, normalizer: 5 }).forward(logits, y, call);
      same(weighted, there.mmdet(logits, y, {}, { weight: weights, avg_factor: 5 }));
    }
    const positives = sum([...hard]);
    const byPositives = new FocalLoss({ gamma: 2, normalizer: 'positives' }).forward(logits, hard);
    same(byPositives, there.mmdet(logits, hard, {}, { avg_factor: positives }));
    const tripled = new FocalLoss({ gamma: 2, normalizer: 5 / 3 }).forward(logits, hard);
    same(tripled, there.mmdet(logits, hard, { loss_weight: 3 }, { avg_factor: 5 }));
  });

  test('mmdetection, activated', () => {
    for (const y of [hard, soft]) {
      const criterion = new FocalLoss({ gamma: 2, fromLogits: false });
      same(criterion.forward(probabilities, y), there.mmdet(probabilities, y, { activated: true }));
    }
  });

  test('mmcv sigmoid', () => {
    // the last row is background
    const some = [2, 0, 1, 3];
    const weight = [0.5, 1, 3, 2];
    const each = there.mmcvSigmoid(rows, some, { weight });
    const call = { weight: Float32Array.from(logits, (_, k) => weight[some[Math.floor(k / 3)]]) };
    const { value, grad } = new FocalLoss({ gamma: 2, normalizer: 4 }).valueAndGrad(logits, oneHot(some, 3), call);
    same(value, sum(each.map(({ loss }) => loss)) / 4);
    same(
      grad,
      each.map((element) => element.grad / 4),
      1e-7,
    );
  });

  test('mmcv softmax', () => {
    const some = [2, -1, 1, 0];
    const weight = [0.5, 1, 3];
    const options = { numClasses: 3, gamma: 2, alpha: weight.map((w) => 0.25 * w), ignoreIndex: -1, normalizer: 4 };
    same(new SoftmaxFocalLoss(options).forward(logits, some), mean(there.mmcvSoftmax(rows, some, { weight })));
  });

  test('optax', () => {
    for (const y of [hard, soft]) {
      same(elements({ gamma: 2, alpha: null }, logits, y), there.optax(logits, y));
      same(elements({ gamma: 0.5, alpha: 0.3 }, logits, y), there.optax(logits, y, { gamma: 0.5, alpha: 0.3 }));
    }
  });

  test('PyTorch CrossEntropyLoss', () => {
    const weight = [0.5, 1, 3];
    const some = [2, -100, 1, 0];
    for (const given of [{ weight }, { label_smoothing: 0.2 }, {}]) {
      const { losses, divisor } = there.torchCrossEntropy(rows, some, given);
      const options = { numClasses: 3, gamma: 0, ignoreIndex: -100, labelSmoothing: given.label_smoothing };
      const criterion = new SoftmaxFocalLoss({ ...options, alpha: given.weight, normalizer: given.weight && divisor });
      const { value, grad } = criterion.valueAndGrad(logits, some);
      same(value, sum(losses) / divisor);
      const total = (x: number[]) => sum(there.torchCrossEntropy(rowsOf(x, 3), some, given).losses) / divisor;
      same(grad, differences(total, logits), 1e-7);
    }
  });

  test('PyTorch CrossEntropyLoss with weight and label_smoothing', () => {
    const weight = [0.5, 1, 3];
    const options = { numClasses: 3, gamma: 0, alpha: weight, labelSmoothing: 0.2, reduction: 'none' } as const;
    const { losses } = there.torchCrossEntropy(rows, labels, { weight, label_smoothing: 0.2 });
    same(new SoftmaxFocalLoss({ ...options, softTargets: 'split' }).forward(logits, labels), losses);
    disproportionate(new SoftmaxFocalLoss(options).forward(logits, labels), losses);
  });

  test('PyTorch CrossEntropyLoss of class probabilities', () => {
    const shares = rowsOf(soft, 3).map((row) => row.map((y) => y / sum(row)));
    const weight = [0.5, 1, 3];
    const options = { numClasses: 3, gamma: 0, alpha: weight, softTargets: 'split' } as const;
    const expected = mean(there.torchCrossEntropyOfShares(rows, shares, weight));
    same(new SoftmaxFocalLoss(options).forward(logits, shares), expected);
  });

  test('PyTorch BCEWithLogitsLoss', () => {
    for (const y of [hard, soft]) {
      const call = { weight: weights };
      const losses = there.torchBCEWithLogits(logits, y, { weight: weights, pos_weight: [3] });
      const { value, grad } = new BCEWithLogitsLoss({ posWeight: 3 }).valueAndGrad(logits, y, call);
      same(value, mean(losses));
      const total = (x: number[]) => mean(there.torchBCEWithLogits(x, y, { weight: weights, pos_weight: [3] }));
      same(grad, differences(total, logits), 1e-7);
      const byClass = { gamma: 0, alpha: null, numClasses: 3, posWeight: [1, 2, 5] };
      same(elements(byClass, logits, y), there.torchBCEWithLogits(logits, y, { pos_weight: [1, 2, 5] }));
    }
  });

  test('PyTorch BCELoss', () => {
    const p = Float32Array.of(...probabilities, 0, 1, 1e-30);
    const y = Float32Array.of(...soft, 1, 0, 1);
    const options = { gamma: 0, alpha: null, fromLogits: false };
    same(elements(options, p, y), there.torchBCE(p, y));
    same(gradients(options, p, y), there.torchBCEGradient(p, y), 1e-7);
  });
});

test.each([
  ['linear', new FocalLoss({ gamma: 2, alpha: null })],
  ['from the cross entropy', new FocalLoss({ gamma: 2, alpha: null, softTargets: 'crossEntropy' })],
  ['split', new FocalLoss({ gamma: 2, alpha: null, softTargets: 'split' })],
  ['quality', new QualityFocalLoss()],
  ['varifocal', new VarifocalLoss()],
  ['heatmap', new HeatmapFocalLoss()],
])('the meaning of soft targets that is called %s', (name, criterion) => {
  same(criterion.forward([3], [0.7]), there.softTargets[name](3, Math.fround(0.7)));
});

describe('no option', () => {
  test('Keras beyond the clip', () => {
    const x = Float32Array.of(-20, -50);
    const y = Float32Array.of(1, 1);
    const [near, far] = there.kerasBinary(x, y, { from_logits: true });
    expect(near / far).toBeCloseTo(1, 7);
    const here = elements({ gamma: 2, alpha: null }, x, y);
    differ(here[0], near);
    differ(here[1], far);
    const slopes = differences((logit) => sum(there.kerasBinary(logit, y, { from_logits: true })), x);
    expect(Math.max(...slopes.map(Math.abs))).toBeLessThan(1e-6);
    same(gradients({ gamma: 2, alpha: null }, x, y), [-1, -1]);
    expect(elements({ alpha: null, gamma: 2, fromLogits: false }, Float32Array.of(0), Float32Array.of(1))[0]).toBe(100);
    expect(there.kerasBinary([0], [1])[0]).toBeCloseTo(16.118, 3);
  });

  test('kornia softmax, as coded', () => {
    const easy = [[20, 0, 0]];
    const coded = sum(there.korniaSoftmax(easy, [0], { alpha: null }, 1e-6));
    expect(coded).toBeCloseTo(4.0e-5, 7);
    expect(new SoftmaxFocalLoss({ numClasses: 3, gamma: 2 }).forward(easy[0], [0])).toBeLessThan(1e-25);
    // elsewhere the difference is what the others add
    const options = { alpha: 0.3, weight: [0.5, 1, 3] };
    const [documented, found] = [0, 1e-6].map((others) => sum(there.korniaSoftmax(rows, labels, options, others)));
    expect(found - documented).toBeGreaterThan(1e-6);
    expect(found - documented).toBeLessThan(1e-4);
  });

  test('smp normalized', () => {
    const value = sum(there.smp(logits, hard, { normalized: true }));
    for (const options of [{ reduction: 'sum' }, { reduction: 'mean' }, { normalizer: 'positives' }] as const) {
      differ(new FocalLoss({ gamma: 2, alpha: null, ...options }).forward(logits, hard), value);
    }
    // the divisor has a derivative there, so that not even the directions agree
    const slopes = differences((x) => sum(there.smp(x, hard, { normalized: true })), logits);
    disproportionate(gradients({ gamma: 2, alpha: null }, logits, hard), slopes);
  });

  test('smp reduced_threshold', () => {
    disproportionate(elements({ gamma: 2, alpha: null }), there.smp(logits, hard, { reduced_threshold: 0.5 }));
  });

  test('PyTorch BCELoss, gradient at a right 0 or 1', () => {
    const p = Float32Array.of(0, 1);
    expect(there.torchBCEGradient(p, p)).toEqual([0, 0]);
    expect([...gradients({ gamma: 0, alpha: null, fromLogits: false }, p, p)]).toEqual([1, -1]);
  });

  test.each(['linear', 'split', 'crossEntropy'] as const)('soft targets of a signed logit: not %s', (softTargets) => {
    const [here] = elements({ gamma: 2, alpha: null, softTargets }, Float32Array.of(3), Float32Array.of(0.7));
    differ(here, there.softTargets['signed logit'](3, 0.7));
  });
});
