// The rows of "Counterparts of the family" in docs/options.md, under their names: the same number, or where none is to be had that.
import { describe, expect, test } from 'vitest';
import {
  AsymmetricLoss,
  BCEWithLogitsLoss,
  FocalLoss,
  HeatmapFocalLoss,
  OneHotFocalLoss,
  QualityFocalLoss,
  SoftmaxFocalLoss,
  VarifocalLoss,
} from '../src/index.js';
import { mean, oneHot, rowsOf, sum } from './counterparts.js';
import * as there from './counterparts-family.js';
import { random } from './support.js';

const CLASSES = 4;
const ROWS = 7;
const next = random(97);
/** Far from where the clamps of others act: |x| < 6, but for what says otherwise. */
const logits = Float32Array.from({ length: ROWS * CLASSES }, () => 12 * (next() - 0.5));
const rows = rowsOf(logits, CLASSES);
/** 4 is background. */
const labels = [2, 4, 0, 3, 4, 2, 1];
const scores = labels.map((label) => (label === CLASSES ? 0 : Math.fround(0.05 + 0.9 * next())));
/** The label's column holds the score. */
const quality = Float32Array.from(oneHot(labels, CLASSES), (y, k) => y * scores[Math.floor(k / CLASSES)]);
const qualityRows = rowsOf(quality, CLASSES);
const hard = Uint8Array.from(oneHot(labels, CLASSES));
const hardRows = rowsOf(hard, CLASSES);
const boxes = labels.filter((label) => label < CLASSES).length;
/** Two peaks, and a slope around each. */
const heat = Float32Array.from({ length: 28 }, (_, k) => Math.exp(-((k % 14) ** 2) / 8));
const heatRows = rowsOf(heat, 14);
const heatLogits = rowsOf(logits, 14);

/** To 4e-6 relative: float32 against float64. */
function same(here: number | ArrayLike<number>, expected: number | ArrayLike<number>, absolute = 0): void {
  const [got, wanted] = [here, expected].map((given) => (typeof given === 'number' ? [given] : given));
  expect(got.length).toBe(wanted.length);
  for (let k = 0; k < got.length; k++) {
    const bound = 4e-6 * Math.abs(wanted[k]) + absolute;
    expect(Math.abs(got[k] - wanted[k]), `${got[k]}, not ${wanted[k]}, at ${k}`).toBeLessThanOrEqual(bound);
  }
}

/** The derivative of a function of rows, against the gradient of a loss. */
function sameGradient(grad: ArrayLike<number>, loss: (x: number[][]) => number, x: number[][] = rows): void {
  const h = 1e-5;
  const columns = x[0].length;
  const moved = (at: number, by: number) =>
    x.map((row, n) => row.map((value, k) => (n * columns + k === at ? value + by : value)));
  const slopes = Array.from(grad, (_, k) => (loss(moved(k, h)) - loss(moved(k, -h))) / (2 * h));
  same(grad, slopes, 1e-6);
}

/** No weight of the whole makes them equal. */
function disproportionate(here: ArrayLike<number>, expected: ArrayLike<number>): void {
  const ratios = Array.from(expected, (value, k) => here[k] / value).filter(Number.isFinite);
  expect(Math.max(...ratios) - Math.min(...ratios)).toBeGreaterThan(0.01 * Math.max(...ratios.map(Math.abs)));
}

describe('scores for targets', () => {
  test('mmdetection QualityFocalLoss', () => {
    const { value, grad } = new QualityFocalLoss({ normalizer: ROWS }).valueAndGrad(logits, quality);
    same(value, there.mmdetQuality(rows, labels, scores));
    sameGradient(grad, (x) => there.mmdetQuality(x, labels, scores));
    const weight = labels.map((_, n) => 0.25 * n);
    const weighted = new QualityFocalLoss({ numClasses: CLASSES, beta: 1.5 });
    same(
      weighted.forward(logits, quality, { weight, normalizer: boxes / 2 }),
      there.mmdetQuality(rows, labels, scores, { beta: 1.5, loss_weight: 2 }, { weight, avg_factor: boxes }),
    );
  });

  test('mmdetection VarifocalLoss', () => {
    const { value, grad } = new VarifocalLoss().valueAndGrad(logits, quality);
    const loss = (x: number[][]) => mean(there.mmdetVarifocal(x, qualityRows).flat());
    same(value, loss(rows));
    sameGradient(grad, loss);
    const other = there.mmdetVarifocal(rows, qualityRows, { alpha: 0.5, gamma: 1.5 }).flat();
    same(new VarifocalLoss({ alpha: 0.5, gamma: 1.5 }).forward(logits, quality, { normalizer: 9 }), sum(other) / 9);
  });

  test('mmdetection VarifocalLoss, iou_weighted=False', () => {
    const weight = quality.map((q) => (q > 0 ? 1 / q : 1));
    const expected = mean(there.mmdetVarifocal(rows, qualityRows, { iou_weighted: false }).flat());
    same(new VarifocalLoss().forward(logits, quality, { weight }), expected);
  });

  test('ultralytics VarifocalLoss', () => {
    const { value, grad } = new VarifocalLoss({ normalizer: CLASSES }).valueAndGrad(logits, quality);
    same(value, there.ultralyticsVarifocal(rows, qualityRows, hardRows));
    sameGradient(grad, (x) => there.ultralyticsVarifocal(x, qualityRows, hardRows));
    // a label without a score costs nothing there, and is a negative here
    const unscored = qualityRows.map((row) => row.map((q, k) => (k === 2 ? 0 : q)));
    const weight = hard.map((y, k) => (y === 1 && k % CLASSES === 2 ? 0 : 1));
    const criterion = new VarifocalLoss({ normalizer: CLASSES });
    const expected = there.ultralyticsVarifocal(rows, unscored, hardRows);
    same(criterion.forward(logits, unscored, { weight: Float32Array.from(weight) }), expected);
    expect(criterion.forward(logits, unscored)).toBeGreaterThan(1.01 * expected);
  });

  test('PP-YOLOE', () => {
    const criterion = new VarifocalLoss();
    same(
      criterion.forward(logits, quality, { normalizer: Math.max(1, sum(scores)) }),
      there.ppYoloe(rows, qualityRows),
    );
  });

  test('RT-DETR in transformers', () => {
    const value = new VarifocalLoss().forward(logits, quality, { normalizer: boxes });
    same(value, there.rtDetr(rows, qualityRows, boxes).value);
  });

  test('RT-DETR, gradient', () => {
    const expected = there.rtDetr(rows, qualityRows, boxes);
    disproportionate(new VarifocalLoss().gradHess(logits, quality).grad, expected.grad.flat());
    const weight = expected.factor.flat();
    const { value, grad } = new BCEWithLogitsLoss().valueAndGrad(logits, quality, { weight, normalizer: boxes });
    same(value, expected.value);
    same(grad, expected.grad.flat(), 1e-7);
  });
});

describe('heatmaps', () => {
  test('CenterNet and CornerNet', () => {
    const { value, grad } = new HeatmapFocalLoss().valueAndGrad(logits, heat);
    same(value, there.centerNet(heatLogits, heatRows));
    sameGradient(grad, (x) => there.centerNet(x, heatRows), heatLogits);
    // without a peak the sum is divided by nothing there, by 1 here
    const flat = heat.map((y) => y / 2);
    same(new HeatmapFocalLoss().forward(logits, flat), there.centerNet(heatLogits, rowsOf(flat, 14)));
  });

  test('CenterNet beyond its clamp', () => {
    const [near, far] = [-10, -30].map((x) => there.centerNet([[x]], [[1]]));
    expect(near).toBe(far);
    expect(near).toBeCloseTo(9.21, 2);
    same(new HeatmapFocalLoss().forward([-30], [1]), 30, 1e-5);
  });

  test('mmdetection GaussianFocalLoss', () => {
    const p = heatLogits.map((row) => row.map((x) => 1 / (1 + Math.exp(-x))));
    const losses = there.mmdetGaussian(p, heatRows).flat();
    same(new HeatmapFocalLoss({ normalizer: losses.length }).forward(logits, heat), mean(losses));
    same(new HeatmapFocalLoss().forward(logits, heat), sum(losses) / 2);
    const steep = there.mmdetGaussian(p, heatRows, { alpha: 1, gamma: 2 }).flat();
    same(new HeatmapFocalLoss({ alpha: 1, beta: 2, normalizer: 5 }).forward(logits, heat), sum(steep) / 5);
  });
});

describe('asymmetric', () => {
  const batchMean = (x: number[][]) => sum(there.asymmetric(x, hardRows).flat()) / ROWS;

  test('timm AsymmetricLossMultiLabel', () => {
    const { value, grad } = new AsymmetricLoss({ normalizer: ROWS }).valueAndGrad(logits, hard);
    same(value, batchMean(rows));
    sameGradient(grad, batchMean);
    const options = { gammaPositive: 0, gammaNegative: 2, margin: 0.2, reduction: 'none' } as const;
    const other = there.asymmetric(rows, hardRows, { gamma_pos: 0, gamma_neg: 2, clip: 0.2 });
    same(new AsymmetricLoss(options).forward(logits, hard), other.flat(), 1e-7);
  });

  test('ASL of its authors', () => {
    const expected = sum(there.asymmetric(rows, hardRows).flat());
    same(new AsymmetricLoss({ reduction: 'sum' }).forward(logits, hard), expected);
  });

  test('timm and ASL without the factor in the gradient', () => {
    const detached = there.asymmetricDetached(rows, hardRows).flat();
    disproportionate(new AsymmetricLoss().gradHess(logits, hard).grad, detached);
    // without a margin what is left is the cross entropy, weighed
    const weight = Array.from(logits, (x, k) => {
      const p = 1 / (1 + Math.exp(-x));
      return hard[k] === 1 ? 1 - p : p ** 4;
    });
    const { value, grad } = new BCEWithLogitsLoss({ reduction: 'sum' }).valueAndGrad(logits, hard, { weight });
    same(value, sum(there.asymmetric(rows, hardRows, { clip: 0 }).flat()));
    same(grad, there.asymmetricDetached(rows, hardRows, { clip: 0 }).flat(), 1e-7);
  });

  test('timm and ASL beyond eps', () => {
    const [near, far] = [-19, -40].map((x) => there.asymmetric([[x]], [[1]])[0][0]);
    expect(near).toBeCloseTo(18.42, 2);
    expect(far).toBeCloseTo(near, 6);
    same(new AsymmetricLoss().forward([-40], [1]), 40);
  });

  test('timm with soft targets', () => {
    expect(() => new AsymmetricLoss().forward(logits, quality)).toThrow('"targets" expected 0 or 1');
  });
});

describe('Poly-1', () => {
  test('PolyLoss, cross entropy', () => {
    const known = labels.map((label) => label % CLASSES);
    const criterion = new SoftmaxFocalLoss({ numClasses: CLASSES, gamma: 0, polyEpsilon: 1 });
    const loss = (x: number[][]) => mean(there.polyCrossEntropy(x, known));
    const { value, grad } = criterion.valueAndGrad(logits, known);
    same(value, loss(rows));
    sameGradient(grad, loss);
    const smooth = { numClasses: CLASSES, gamma: 0, polyEpsilon: 2, labelSmoothing: 0.1 };
    const expected = there.polyCrossEntropy(rows, known, { epsilon: 2, label_smoothing: 0.1 });
    same(new SoftmaxFocalLoss({ ...smooth, reduction: 'none' }).forward(logits, known), expected);
  });

  test('PolyLoss, focal', () => {
    const { value, grad } = new FocalLoss({ gamma: 2, alpha: null, polyEpsilon: 1 }).valueAndGrad(logits, quality);
    const loss = (x: number[][]) => mean(there.polyFocal(x, qualityRows).flat());
    same(value, loss(rows));
    sameGradient(grad, loss);
    const criterion = new OneHotFocalLoss({ numClasses: CLASSES, gamma: 2, alpha: null, polyEpsilon: -1 });
    same(criterion.forward(logits, labels), mean(there.polyFocal(rows, hardRows, { epsilon: -1 }).flat()));
  });

  test('polyloss-pytorch', () => {
    const expected = there.polyFocal(rows, hardRows, { alpha: 0.25 }).flat();
    const options = { numClasses: CLASSES, gamma: 2, reduction: 'none', polyEpsilon: 1 } as const;
    disproportionate(new OneHotFocalLoss({ ...options, alpha: 0.25 }).forward(logits, labels), expected);
    const even = there.polyFocal(rows, hardRows, { alpha: 0.5, epsilon: 0.7 }).flat();
    same(new OneHotFocalLoss({ ...options, alpha: 0.5, polyEpsilon: 1.4 }).forward(logits, labels), even, 1e-7);
  });
});
