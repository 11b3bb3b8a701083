// Losses of detectors and segmenters in float64, written from what their libraries document (counterparts.ts has the others):
// arrays are flat, in C order, and a shape says where the classes lie.
import { balance, bceWithLogits, clip, mean, oneHot, rowsOf, sigmoid, softmax, sum } from './counterparts.js';

type Rows = readonly (readonly number[])[];

/** The sigmoid focal loss that all of these share: of hard targets, without a clip. */
function sigmoidFocal(x: number, y: number, alpha: number | null, gamma: number): number {
  const p = sigmoid(x);
  return (alpha === null ? 1 : balance(alpha, y)) * (y * (1 - p) + (1 - y) * p) ** gamma * bceWithLogits(x, y);
}

/** Rows of pixels out of [N, C, pixels], and back. */
export function toRows(planes: ArrayLike<number>, images: number, classes: number): number[][] {
  const pixels = planes.length / images / classes;
  return Array.from({ length: images * pixels }, (_, row) => {
    const [image, pixel] = [Math.floor(row / pixels), row % pixels];
    return Array.from({ length: classes }, (_, k) => planes[(image * classes + k) * pixels + pixel]);
  });
}

export function toPlanes(rows: Rows, images: number): number[] {
  const classes = rows[0].length;
  const pixels = rows.length / images;
  return Array.from({ length: rows.length * classes }, (_, at) => {
    const [image, k, pixel] = [Math.floor(at / pixels / classes), Math.floor(at / pixels) % classes, at % pixels];
    return rows[image * pixels + pixel][k];
  });
}

/** detectron2's RetinaNet: fvcore's loss of the anchors whose label is not -1, num_classes being background. */
export function detectron2(rows: Rows, labels: readonly number[], loss_normalizer: number) {
  const valid = labels.map((label, n) => ({ label, row: rows[n] })).filter(({ label }) => label >= 0);
  const losses = valid.flatMap(({ label, row }) => row.map((x, k) => sigmoidFocal(x, k === label ? 1 : 0, 0.25, 2)));
  return sum(losses) / loss_normalizer;
}

/** Its moving average of the number of positives, by which the loss is divided. */
export function nextNormalizer(before: number, positives: number) {
  return 0.9 * before + 0.1 * Math.max(positives, 1);
}

/** torchvision.models.detection.RetinaNet's classification loss: of matches, -1 is background and -2 is left out. */
export function torchvisionRetinaNet(images: readonly { rows: Rows; labels: readonly number[] }[]) {
  const losses = images.map(({ rows, labels }) => {
    const valid = labels.map((label, n) => ({ label, row: rows[n] })).filter(({ label }) => label !== -2);
    const all = valid.flatMap(({ label, row }) => row.map((x, k) => sigmoidFocal(x, k === label ? 1 : 0, 0.25, 2)));
    return sum(all) / Math.max(1, labels.filter((label) => label >= 0).length);
  });
  return sum(losses) / Math.max(1, images.length);
}

/** mmdet.models.losses.FocalLoss of labels, num_classes being background; weight has one number a row. */
export function mmdetLabels(
  rows: Rows,
  labels: readonly number[],
  { weight = labels.map(() => 1) as readonly number[], avg_factor = undefined as number | undefined } = {},
) {
  const losses = rows.flatMap((row, n) =>
    row.map((x, k) => weight[n] * sigmoidFocal(x, k === labels[n] ? 1 : 0, 0.25, 2)),
  );
  return avg_factor === undefined ? mean(losses) : sum(losses) / avg_factor;
}

/** The class loss of Conditional and Deformable DETR in transformers: queries are averaged, then counted again. */
export function detr(batch: readonly Rows[], labels: readonly (readonly number[])[], num_boxes: number) {
  const queries = batch[0].length;
  const classes = batch[0][0].length;
  const byImage = batch.map((rows, image) =>
    Array.from({ length: classes }, (_, k) =>
      mean(rows.map((row, n) => sigmoidFocal(row[k], labels[image][n] === k ? 1 : 0, 0.25, 2))),
    ),
  );
  return (sum(byImage.map(sum)) / num_boxes) * queries;
}

/** The mask loss there: the mean over a mask's pixels, added up over masks. */
export function detrMasks(masks: Rows, targets: Rows, num_boxes: number) {
  return sum(masks.map((mask, n) => mean(mask.map((x, k) => sigmoidFocal(x, targets[n][k], 0.25, 2))))) / num_boxes;
}

/** ultralytics.utils.loss.FocalLoss: the mean over the second axis, added up over the first. */
export function ultralytics(rows: Rows, targets: Rows, { gamma = 1.5, alpha = 0.25 } = {}) {
  return sum(rows.map((row, n) => mean(row.map((x, k) => sigmoidFocal(x, targets[n][k], alpha, gamma)))));
}

/** paddle.nn.functional.sigmoid_focal_loss */
export function paddle(
  x: ArrayLike<number>,
  y: ArrayLike<number>,
  { normalizer = 1, alpha = 0.25, gamma = 2, reduction = 'sum' as 'sum' | 'mean' } = {},
) {
  const losses = Array.from(x, (logit, k) => sigmoidFocal(logit, y[k], alpha, gamma) / normalizer);
  return reduction === 'sum' ? sum(losses) : mean(losses);
}

/** tfa.losses.SigmoidFocalCrossEntropy as coded: probabilities are clipped, and a row's last axis is added up. */
export function tensorflowAddons(rows: Rows, targets: Rows, { alpha = 0.25, gamma = 2 } = {}) {
  return rows.map((row, n) =>
    sum(
      row.map((p, k) => {
        const y = targets[n][k];
        const crossEntropy = -(y * Math.log(clip(p)) + (1 - y) * Math.log(1 - clip(p)));
        return balance(alpha, y) * (1 - (y * p + (1 - y) * (1 - p))) ** gamma * crossEntropy;
      }),
    ),
  );
}

/** monai.losses.FocalLoss of [B, C, pixels] under 'mean', with to_onehot_y: labels become targets. */
export function monai(
  planes: ArrayLike<number>,
  labels: readonly number[],
  shape: { images: number; classes: number },
  {
    include_background = true,
    gamma = 2,
    alpha = null as number | null,
    weight = undefined as readonly number[] | undefined,
    use_softmax = false,
  } = {},
) {
  const losses = toRows(planes, shape.images, shape.classes).flatMap((whole, n) => {
    const first = include_background ? 0 : 1;
    const row = whole.slice(first);
    const probabilities = softmax(row);
    return row.map((x, k) => {
      const y = labels[n] === k + first ? 1 : 0;
      const factor = weight?.[k] ?? 1;
      if (!use_softmax) return factor * sigmoidFocal(x, y, alpha, gamma);
      const classAlpha = alpha === null ? 1 : k + first === 0 ? 1 - alpha : alpha;
      return -factor * classAlpha * y * (1 - probabilities[k]) ** gamma * Math.log(probabilities[k]);
    });
  });
  return mean(losses);
}

/** segmentation_models.losses.BinaryFocalLoss of probabilities */
export function segmentationModelsBinary(p: ArrayLike<number>, y: ArrayLike<number>, { alpha = 0.25, gamma = 2 } = {}) {
  return mean(
    Array.from(p, (probability, k) => {
      const c = clip(probability);
      const positive = -y[k] * alpha * (1 - c) ** gamma * Math.log(c);
      return positive - (1 - y[k]) * (1 - alpha) * c ** gamma * Math.log(1 - c);
    }),
  );
}

/** segmentation_models.losses.CategoricalFocalLoss of rows of probabilities: the mean is over all of them. */
export function segmentationModelsCategorical(rows: Rows, labels: readonly number[], { alpha = 0.25, gamma = 2 } = {}) {
  const losses = rows.flatMap((row, n) =>
    row.map((p, k) => (k === labels[n] ? -alpha * (1 - clip(p)) ** gamma * Math.log(clip(p)) : 0)),
  );
  return mean(losses);
}

/** mmseg.models.losses.FocalLoss of [N, C, pixels]: the mean is over all logits, those of ignored pixels too. */
export function mmseg(
  planes: ArrayLike<number>,
  labels: readonly number[],
  shape: { images: number; classes: number },
  {
    gamma = 2,
    alpha = 0.5 as number | readonly number[],
    class_weight = undefined as readonly number[] | undefined,
    ignore_index = 255,
  } = {},
) {
  const targets = rowsOf(oneHot(labels, shape.classes), shape.classes);
  const losses = toRows(planes, shape.images, shape.classes).flatMap((row, n) =>
    row.map((x, k) => {
      if (labels[n] === ignore_index) return 0;
      const factor = class_weight?.[k] ?? 1;
      return factor * sigmoidFocal(x, targets[n][k], typeof alpha === 'number' ? alpha : alpha[k], gamma);
    }),
  );
  return mean(losses);
}
