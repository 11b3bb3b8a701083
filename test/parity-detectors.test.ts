// The rows of "Detectors and segmentation" in docs/options.md, under their names: what reads labels, planes and divisors.
import { describe, expect, test } from 'vitest';
import { FocalLoss, OneHotFocalLoss, SoftmaxFocalLoss, sigmoidFocalLoss } from '../src/index.js';
import { korniaBinary, korniaSoftmax, mean, mmcvSigmoid, oneHot, rowsOf, sum } from './counterparts.js';
import * as there from './counterparts-detectors.js';
import { random } from './support.js';

const CLASSES = 5;
const next = random(31);
const logitsOf = (length: number) => Float32Array.from({ length }, () => 12 * (next() - 0.5));

/** Two images of 6 anchors: classes, background (5) and one that is left out (-1). */
const anchors = logitsOf(2 * 6 * CLASSES);
const rows = rowsOf(anchors, CLASSES);
const labels = [2, 5, 5, 0, -1, 5, 5, 4, 5, -1, 2, 5];
const positives = labels.filter((label) => label >= 0 && label < CLASSES).length;

/** Two segmentation maps of 3 classes, 2 x 3 pixels, one of which is not labelled. */
const shape = { images: 2, classes: 3 };
const dims = [2, 3, 2, 3];
const planes = logitsOf(36);
const map = { data: planes, dims };
const pixels = [0, 2, 1, 1, 255, 0, 2, 2, 0, 1, 0, 255];
const known = pixels.map((label) => (label === 255 ? 1 : label));

/** To 3e-6 relative: float32 against float64. */
function same(here: number, there: number): void {
  expect(Math.abs(here - there), `${here}, not ${there}`).toBeLessThanOrEqual(3e-6 * Math.abs(there));
}

describe('labels', () => {
  test('detectron2 and fvcore', () => {
    const criterion = new OneHotFocalLoss({ numClasses: CLASSES, gamma: 2, ignoreIndex: -1 });
    let normalizer = 100;
    for (let step = 0; step < 3; step++) {
      normalizer = there.nextNormalizer(normalizer, positives);
      same(criterion.forward(anchors, labels, { normalizer }), there.detectron2(rows, labels, normalizer));
    }
  });

  test('torchvision RetinaNet', () => {
    const matched = labels.map((label) => (label === 5 ? -1 : label === -1 ? -2 : label));
    const images = [0, 6].map((from) => ({ rows: rows.slice(from, from + 6), labels: matched.slice(from, from + 6) }));
    const options = {
      numClasses: CLASSES,
      gamma: 2,
      background: -1,
      ignoreIndex: -2,
      normalizer: 'positives',
    } as const;
    const criterion = new OneHotFocalLoss(options);
    const losses = images.map((image) => criterion.forward(image.rows, image.labels));
    same(mean(losses), there.torchvisionRetinaNet(images));
    // an image without an object is divided by 1
    const empty = [{ rows: rows.slice(0, 2), labels: [-1, -2] }];
    same(criterion.forward(empty[0].rows, empty[0].labels), there.torchvisionRetinaNet(empty));
  });

  test('mmdetection, labels', () => {
    const all = labels.map((label) => (label === -1 ? 5 : label));
    const weight = all.map((_, k) => (k % 4 === 0 ? 0 : 0.5 + k / 8));
    const criterion = new OneHotFocalLoss({ numClasses: CLASSES, gamma: 2 });
    same(criterion.forward(anchors, all), there.mmdetLabels(rows, all));
    const weighted = criterion.forward(anchors, all, { weight, normalizer: positives });
    same(weighted, there.mmdetLabels(rows, all, { weight, avg_factor: positives }));
    const byPositives = new OneHotFocalLoss({ numClasses: CLASSES, gamma: 2, normalizer: 'positives' });
    same(byPositives.forward(anchors, all), there.mmdetLabels(rows, all, { avg_factor: positives }));
  });

  test('mmcv sigmoid, labels', () => {
    const all = labels.map((label) => (label === -1 ? 5 : label));
    const classWeight = [0.5, 1, 3, 2, 1, 0.25];
    const criterion = new OneHotFocalLoss({ numClasses: CLASSES, gamma: 2, normalizer: all.length });
    const expected = mmcvSigmoid(rows, all, { weight: classWeight });
    const weight = all.map((label) => classWeight[label]);
    same(criterion.forward(anchors, all, { weight }), sum(expected.map(({ loss }) => loss)) / all.length);
  });

  test('DETR in transformers', () => {
    const all = labels.map((label) => (label === -1 ? 5 : label));
    const criterion = new OneHotFocalLoss({ numClasses: CLASSES, gamma: 2 });
    const batch = [rows.slice(0, 6), rows.slice(6)];
    const expected = there.detr(batch, [all.slice(0, 6), all.slice(6)], positives);
    same(criterion.forward({ data: anchors, dims: [2, 6, CLASSES] }, all, { normalizer: positives }), expected);
    const masks = rowsOf(planes, 12);
    const targets = rowsOf(oneHot([3, 0, 7], 12), 12);
    const boxes = 2;
    const loss = new FocalLoss({ gamma: 2 }).forward(masks, targets, { normalizer: boxes * 12 });
    same(loss, there.detrMasks(masks, targets, boxes));
  });
});

describe('divisors', () => {
  const targets = oneHot(labels, CLASSES);

  test('ultralytics', () => {
    const criterion = new FocalLoss({ gamma: 1.5, alpha: 0.25, normalizer: CLASSES });
    same(criterion.forward(anchors, targets), there.ultralytics(rows, rowsOf(targets, CLASSES)));
  });

  test('Paddle', () => {
    same(sigmoidFocalLoss(anchors, targets, { gamma: 2, reduction: 'sum' }), there.paddle(anchors, targets));
    const divided = new FocalLoss({ gamma: 2 });
    const expected = there.paddle(anchors, targets, { normalizer: 7 });
    same(divided.forward(anchors, targets, { normalizer: 7 }), expected);
    const averaged = there.paddle(anchors, targets, { normalizer: 7, reduction: 'mean' });
    same(divided.forward(anchors, targets, { normalizer: 7 * anchors.length }), averaged);
  });

  test('TensorFlow Addons', () => {
    const p = Float32Array.from(anchors, (x) => 1 / (1 + Math.exp(-x)));
    const losses = new FocalLoss({ gamma: 2, fromLogits: false, reduction: 'none' }).forward(p, targets);
    const expected = there.tensorflowAddons(rowsOf(p, CLASSES), rowsOf(targets, CLASSES));
    rowsOf(losses, CLASSES).forEach((row, n) => {
      same(sum(row), expected[n]);
    });
  });
});

describe('planes', () => {
  test('MONAI sigmoid', () => {
    const options = { numClasses: 3, classAxis: 1, gamma: 2 } as const;
    same(new OneHotFocalLoss({ ...options, alpha: null }).forward(map, known), there.monai(planes, known, shape));
    const classWeight = [0.5, 1, 3];
    same(
      new OneHotFocalLoss({ ...options, alpha: 0.75, classWeight }).forward(map, known),
      there.monai(planes, known, shape, { alpha: 0.75, weight: classWeight }),
    );
    // the background's plane is neither added nor counted
    const without = new OneHotFocalLoss({ ...options, alpha: null, classWeight: [0, 1, 1], normalizer: 24 });
    same(without.forward(map, known), there.monai(planes, known, shape, { include_background: false }));
  });

  test('MONAI softmax', () => {
    const options = { numClasses: 3, classAxis: 1, gamma: 2, normalizer: planes.length };
    const expected = there.monai(planes, known, shape, { use_softmax: true });
    same(new SoftmaxFocalLoss(options).forward(map, known), expected);
    const weight = [0.5, 1, 3];
    const weighted = new SoftmaxFocalLoss({ ...options, alpha: [0.3, 0.7, 0.7], classWeight: weight });
    same(weighted.forward(map, known), there.monai(planes, known, shape, { use_softmax: true, alpha: 0.7, weight }));
  });

  test('segmentation_models', () => {
    const p = Float32Array.from(planes, (x) => 1 / (1 + Math.exp(-x)));
    const targets = there.toPlanes(rowsOf(oneHot(known, 3), 3), 2);
    const binary = new FocalLoss({ gamma: 2, fromLogits: false });
    same(binary.forward(p, targets), there.segmentationModelsBinary(p, targets));
    const probabilities = there.toRows(planes, 2, 3).map((row) => {
      const total = sum(row.map(Math.exp));
      return row.map((z) => Math.exp(z) / total);
    });
    const logs = probabilities.map((row) => row.map(Math.log));
    const categorical = new SoftmaxFocalLoss({ numClasses: 3, gamma: 2, alpha: 0.25, normalizer: planes.length });
    same(categorical.forward(logs, known), there.segmentationModelsCategorical(probabilities, known));
  });

  test('kornia with [B, C, H, W]', () => {
    const rowsOfPixels = there.toRows(planes, 2, 3);
    const some = pixels.map((label) => (label === 255 ? -100 : label));
    const options = { numClasses: 3, classAxis: 1, gamma: 2, ignoreIndex: -100, normalizer: planes.length };
    const expected = mean(korniaSoftmax(rowsOfPixels, some, { alpha: 0.3 }));
    same(new SoftmaxFocalLoss({ ...options, alpha: [0.7, 0.3, 0.3] }).forward(map, some), expected);
    const pos_weight = [1, 2, 5];
    const targets = rowsOf(oneHot(known, 3), 3);
    const binary = new FocalLoss({ numClasses: 3, classAxis: 1, gamma: 2, posWeight: pos_weight });
    const flat = rowsOfPixels.flat();
    const value = binary.forward(map, { data: there.toPlanes(targets, 2), dims });
    same(value, mean(korniaBinary(flat, targets.flat(), { alpha: 0.25, pos_weight })));
  });

  test('mmsegmentation', () => {
    const options = { numClasses: 3, classAxis: 1, gamma: 2, ignoreIndex: 255, normalizer: planes.length };
    same(new OneHotFocalLoss({ ...options, alpha: 0.5 }).forward(map, pixels), there.mmseg(planes, pixels, shape));
    const classWeight = [0.5, 1, 3];
    const alpha = [0.2, 0.5, 0.9];
    same(
      new OneHotFocalLoss({ ...options, alpha, classWeight }).forward(map, pixels),
      there.mmseg(planes, pixels, shape, { alpha, class_weight: classWeight }),
    );
  });
});
