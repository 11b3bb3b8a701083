// The losses beside the focal loss as other libraries have them, in float64, written from their formulas (counterparts.ts
// has those of the focal loss itself): logits and targets are rows, and a result is one loss an element unless it says otherwise.
import { balance, bceWithLogits, mean, sigmoid, softmax, sum } from './counterparts.js';

type Rows = readonly (readonly number[])[];

const each = (x: Rows, y: Rows, loss: (x: number, y: number, row: number, k: number) => number) =>
  x.map((row, n) => row.map((logit, k) => loss(logit, y[n][k], n, k)));
const total = (losses: Rows) => sum(losses.flat());

/** mmdet.models.losses.QualityFocalLoss of labels and their scores: one loss a row, then a weighted mean or a quotient. */
export function mmdetQuality(
  x: Rows,
  labels: readonly number[],
  scores: readonly number[],
  { beta = 2, loss_weight = 1 } = {},
  { weight = labels.map(() => 1) as readonly number[], avg_factor = labels.length } = {},
) {
  const losses = x.map((row, n) => {
    const terms = row.map((logit, k) => {
      const y = k === labels[n] ? scores[n] : 0;
      return bceWithLogits(logit, y) * Math.abs(sigmoid(logit) - y) ** beta;
    });
    return weight[n] * sum(terms);
  });
  return (loss_weight * sum(losses)) / avg_factor;
}

/** mmdet.models.losses.VarifocalLoss */
export function mmdetVarifocal(x: Rows, y: Rows, { alpha = 0.75, gamma = 2, iou_weighted = true } = {}) {
  return each(x, y, (x, y) => {
    const factor = y > 0 ? (iou_weighted ? y : 1) : alpha * Math.abs(sigmoid(x) - y) ** gamma;
    return factor * bceWithLogits(x, y);
  });
}

/** mmdet.models.losses.GaussianFocalLoss of probabilities, with what it adds to them before the logarithm */
export function mmdetGaussian(p: Rows, y: Rows, { alpha = 2, gamma = 4 } = {}) {
  const epsilon = 1e-12;
  return each(p, y, (p, y) => {
    const positive = y === 1 ? -Math.log(p + epsilon) * (1 - p) ** alpha : 0;
    return positive - Math.log(1 - p + epsilon) * p ** alpha * (1 - y) ** gamma;
  });
}

/** CenterNet's loss of a heatmap, of logits that its sigmoid keeps 1e-4 away from 0 and 1: by the peaks, if there are any */
export function centerNet(x: Rows, y: Rows) {
  const losses = each(x, y, (x, y) => {
    const p = Math.min(Math.max(sigmoid(x), 1e-4), 1 - 1e-4);
    return y === 1 ? -Math.log(p) * (1 - p) ** 2 : -Math.log(1 - p) * p ** 2 * (1 - y) ** 4;
  });
  return total(losses) / Math.max(1, y.flat().filter((target) => target === 1).length);
}

/** ultralytics.utils.loss.VarifocalLoss: labels of 0 or 1 beside the scores; the mean over the second axis, added up */
export function ultralyticsVarifocal(x: Rows, score: Rows, label: Rows, { alpha = 0.75, gamma = 2 } = {}) {
  const losses = each(x, score, (x, q, n, k) => {
    const weight = alpha * sigmoid(x) ** gamma * (1 - label[n][k]) + q * label[n][k];
    return weight * bceWithLogits(x, q);
  });
  return sum(losses.map(mean));
}

/**
 * The varifocal loss of RT-DETR in transformers, with its gradient: the factor is a constant to autograd. The mean over
 * queries is multiplied by their number again.
 */
export function rtDetr(x: Rows, score: Rows, num_boxes: number, { alpha = 0.75, gamma = 2 } = {}) {
  const factor = each(x, score, (x, q) => (q > 0 ? q : alpha * sigmoid(x) ** gamma));
  return {
    value: total(each(x, score, (x, q, n, k) => factor[n][k] * bceWithLogits(x, q))) / num_boxes,
    grad: each(x, score, (x, q, n, k) => (factor[n][k] * (sigmoid(x) - q)) / num_boxes),
    factor,
  };
}

/** PaddleDetection's PP-YOLOE: scores of probabilities, over the sum of the assigned scores, at least 1 */
export function ppYoloe(x: Rows, score: Rows, { alpha = 0.75, gamma = 2 } = {}) {
  const losses = each(x, score, (x, q) => {
    const p = sigmoid(x);
    const weight = q > 0 ? q : alpha * p ** gamma;
    return weight * -(q * Math.log(p) + (1 - q) * Math.log(1 - p));
  });
  return total(losses) / Math.max(1, sum(score.flat()));
}

interface Asymmetric {
  gamma_neg?: number;
  gamma_pos?: number;
  clip?: number;
  eps?: number;
}

/** timm's AsymmetricLossMultiLabel and the loss of its authors, element by element, soft targets as coded there */
export function asymmetric(
  x: Rows,
  y: Rows,
  { gamma_neg = 4, gamma_pos = 1, clip = 0.05, eps = 1e-8 }: Asymmetric = {},
) {
  return each(x, y, (x, y) => {
    const p = sigmoid(x);
    const q = Math.min(1 - p + clip, 1);
    const logs = y * Math.log(Math.max(p, eps)) + (1 - y) * Math.log(Math.max(q, eps));
    return -logs * (1 - (p * y + q * (1 - y))) ** (gamma_pos * y + gamma_neg * (1 - y));
  });
}

/** Its gradient with disable_torch_grad_focal_loss, of hard targets: of the logarithm alone. */
export function asymmetricDetached(x: Rows, y: Rows, { gamma_neg = 4, gamma_pos = 1, clip = 0.05 }: Asymmetric = {}) {
  return each(x, y, (x, y) => {
    const p = sigmoid(x);
    if (y === 1) return -((1 - p) ** gamma_pos) * (1 - p);
    return p <= clip ? 0 : ((p - clip) ** gamma_neg * p * (1 - p)) / (1 - p + clip);
  });
}

/** Poly-1 of the cross entropy, of its paper: one loss a row; smoothing is over the classes. */
export function polyCrossEntropy(x: Rows, labels: readonly number[], { epsilon = 1, label_smoothing = 0 } = {}) {
  return x.map((row, n) => {
    const terms = softmax(row).map((p, k) => {
      const y = (k === labels[n] ? 1 - label_smoothing : 0) + label_smoothing / row.length;
      return y * (epsilon * (1 - p) - Math.log(p));
    });
    return sum(terms);
  });
}

/** Poly-1 of the sigmoid focal loss: its paper has no alpha (-1), polyloss-pytorch gives it to the focal loss alone. */
export function polyFocal(x: Rows, y: Rows, { epsilon = 1, gamma = 2, alpha = -1 } = {}) {
  return each(x, y, (x, y) => {
    const c = y * sigmoid(-x) + (1 - y) * sigmoid(x);
    const focal = c ** gamma * bceWithLogits(x, y);
    return (alpha < 0 ? 1 : balance(alpha, y)) * focal + epsilon * c ** (gamma + 1);
  });
}
