// Other libraries' losses in float64, written from what they document: plain, with their names and defaults, and nothing
// taken from this package. Binary ones give one loss an element, of rows one a row, unless they say otherwise.

type Numbers = ArrayLike<number>;

export const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
export const mean = (values: readonly number[]) => sum(values) / values.length;
export const rowsOf = (values: Numbers, columns: number) =>
  Array.from({ length: values.length / columns }, (_, row) =>
    Array.from({ length: columns }, (_, k) => values[row * columns + k]),
  );
/** A label outside the columns gives a row of zeros. */
export const oneHot = (labels: readonly number[], columns: number) =>
  labels.flatMap((label) => Array.from({ length: columns }, (_, k) => (k === label ? 1 : 0)));

export const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
export const bceWithLogits = (x: number, y: number) => Math.max(x, 0) - x * y + Math.log1p(Math.exp(-Math.abs(x)));
export const balance = (alpha: number, y: number) => alpha * y + (1 - alpha) * (1 - y);
export const clip = (p: number, epsilon = 1e-7) => Math.min(Math.max(p, epsilon), 1 - epsilon);
export const softmax = (row: readonly number[]) => {
  const total = sum(row.map(Math.exp));
  return row.map((z) => Math.exp(z) / total);
};
const each = (x: Numbers, y: Numbers, loss: (x: number, y: number) => number) =>
  Array.from({ length: x.length }, (_, k) => loss(x[k], y[k]));

/** torchvision.ops.sigmoid_focal_loss */
export function torchvision(x: Numbers, y: Numbers, { alpha = 0.25, gamma = 2 } = {}) {
  return each(x, y, (x, y) => {
    const p = sigmoid(x);
    const pt = p * y + (1 - p) * (1 - y);
    return (alpha >= 0 ? balance(alpha, y) : 1) * (1 - pt) ** gamma * bceWithLogits(x, y);
  });
}

/** Its derivative, by the chain rule as autograd applies it. */
export function torchvisionGradient(x: Numbers, y: Numbers, { alpha = 0.25, gamma = 2 } = {}) {
  return each(x, y, (x, y) => {
    const p = sigmoid(x);
    const slope = (2 * y - 1) * p * (1 - p);
    const c = 1 - (p * y + (1 - p) * (1 - y));
    const inner = c ** gamma * (p - y) - gamma * c ** (gamma - 1) * slope * bceWithLogits(x, y);
    return (alpha >= 0 ? balance(alpha, y) : 1) * inner;
  });
}

/** keras.losses.BinaryFocalCrossentropy of the JAX and PyTorch backends */
export function kerasBinary(
  predictions: Numbers,
  targets: Numbers,
  { apply_class_balancing = false, alpha = 0.25, gamma = 2, from_logits = false, label_smoothing = 0 } = {},
) {
  return each(predictions, targets, (prediction, target) => {
    const y = target * (1 - label_smoothing) + 0.5 * label_smoothing;
    const p = from_logits ? sigmoid(prediction) : prediction;
    const crossEntropy = -(y * Math.log(clip(p)) + (1 - y) * Math.log(1 - clip(p)));
    const pt = y * p + (1 - y) * (1 - p);
    return (apply_class_balancing ? balance(alpha, y) : 1) * (1 - pt) ** gamma * crossEntropy;
  });
}

/** keras.losses.CategoricalFocalCrossentropy of logits */
export function kerasCategorical(
  rows: readonly number[][],
  labels: readonly number[],
  { alpha = 0.25 as number | readonly number[], gamma = 2, label_smoothing = 0 } = {},
) {
  return rows.map((row, n) => {
    const terms = softmax(row).map((p, k) => {
      const y = (k === labels[n] ? 1 - label_smoothing : 0) + label_smoothing / row.length;
      const weight = typeof alpha === 'number' ? alpha : alpha[k];
      return -weight * (1 - clip(p)) ** gamma * y * Math.log(clip(p));
    });
    return sum(terms);
  });
}

interface Kornia {
  alpha: number | null;
  gamma?: number;
  pos_weight?: readonly number[];
  weight?: readonly number[];
  ignore_index?: number;
}

/** kornia.losses.BinaryFocalLossWithLogits; the class weights go along the last axis here */
export function korniaBinary(x: Numbers, y: Numbers, { alpha, gamma = 2, ignore_index = -100, ...weights }: Kornia) {
  const [a, b] = alpha === null ? [1, 1] : [alpha, 1 - alpha];
  const { pos_weight = [1], weight = [1] } = weights;
  return Array.from({ length: x.length }, (_, k) => {
    if (y[k] === ignore_index) return 0;
    const p = sigmoid(x[k]);
    const positive = -a * (1 - p) ** gamma * y[k] * Math.log(p) * pos_weight[k % pos_weight.length];
    const negative = -b * p ** gamma * (1 - y[k]) * Math.log(1 - p);
    return weight[k % weight.length] * (positive + negative);
  });
}

/** kornia.losses.FocalLoss: a loss for each logit, 0 for all but the target's. Its code makes `others` 1e-6. */
export function korniaSoftmax(
  rows: readonly number[][],
  labels: readonly number[],
  { alpha, gamma = 2, weight, ignore_index = -100 }: Kornia,
  others = 0,
) {
  return rows.flatMap((row, n) => {
    const logTotal = Math.log(sum(row.map(Math.exp)));
    return softmax(row).map((p, k) => {
      const y = labels[n] === ignore_index ? 0 : k === labels[n] ? 1 : others;
      if (y === 0) return 0;
      const factor = alpha === null ? 1 : k === 0 ? 1 - alpha : alpha;
      return -y * (weight?.[k] ?? 1) * factor * (1 - p) ** gamma * (row[k] - logTotal);
    });
  });
}

/** segmentation_models_pytorch.losses.FocalLoss, modes 'binary' and 'multilabel', after the ignored are taken out */
export function smp(
  x: Numbers,
  y: Numbers,
  { alpha = null as number | null, gamma = 2, normalized = false, reduced_threshold = null as number | null } = {},
) {
  const factors = each(x, y, (x, y) => {
    const pt = Math.exp(-bceWithLogits(x, y));
    if (reduced_threshold === null) return (1 - pt) ** gamma;
    return pt < reduced_threshold ? 1 : ((1 - pt) / reduced_threshold) ** gamma;
  });
  const divisor = normalized ? Math.max(sum(factors), 1e-6) : 1;
  return factors.map(
    (factor, k) => (factor * bceWithLogits(x[k], y[k]) * (alpha === null ? 1 : balance(alpha, y[k]))) / divisor,
  );
}

/** Its mode 'multiclass' under 'mean': the mean of each class's binary loss, added up. */
export function smpMulticlass(rows: readonly number[][], labels: readonly number[], ignore_index: number) {
  const kept = labels.flatMap((label, n) => (label === ignore_index ? [] : [n]));
  const binary = rows[0].map((_, k) =>
    smp(
      kept.map((n) => rows[n][k]),
      kept.map((n) => (labels[n] === k ? 1 : 0)),
    ),
  );
  return sum(binary.map(mean));
}

/** mmdet.models.losses.FocalLoss under 'mean' */
export function mmdet(
  x: Numbers,
  y: Numbers,
  { gamma = 2, alpha = 0.25, loss_weight = 1, activated = false } = {},
  { weight = [1] as Numbers, avg_factor = undefined as number | undefined } = {},
) {
  const losses = each(x, y, (x, y) => {
    const p = activated ? x : sigmoid(x);
    const crossEntropy = activated ? torchBCE([x], [y])[0] : bceWithLogits(x, y);
    return balance(alpha, y) * ((1 - p) * y + p * (1 - y)) ** gamma * crossEntropy;
  }).map((loss, k) => loss * weight[k % weight.length]);
  return (loss_weight * sum(losses)) / (avg_factor ?? losses.length);
}

/** mmcv.ops.sigmoid_focal_loss of rows: one loss a logit, and its derivative */
export function mmcvSigmoid(
  rows: readonly number[][],
  labels: readonly number[],
  { gamma = 2, alpha = 0.25, weight = undefined as readonly number[] | undefined } = {},
) {
  const floor = 2 ** -126;
  return rows.flatMap((row, n) =>
    row.map((x, k) => {
      const p = sigmoid(x);
      const q = 1 - p;
      const [logP, logQ] = [Math.log(Math.max(p, floor)), Math.log(Math.max(q, floor))];
      const factor = weight?.[labels[n]] ?? 1;
      return labels[n] === k
        ? { loss: -factor * alpha * q ** gamma * logP, grad: -factor * alpha * q ** gamma * (q - gamma * p * logP) }
        : {
            loss: -factor * (1 - alpha) * p ** gamma * logQ,
            grad: -factor * (1 - alpha) * p ** gamma * (gamma * q * logQ - p),
          };
    }),
  );
}

/** mmcv.ops.softmax_focal_loss: 0 for a negative label */
export function mmcvSoftmax(
  rows: readonly number[][],
  labels: readonly number[],
  { gamma = 2, alpha = 0.25, weight = undefined as readonly number[] | undefined } = {},
) {
  return rows.map((row, n) => {
    if (labels[n] < 0) return 0;
    const p = softmax(row)[labels[n]];
    return -(weight?.[labels[n]] ?? 1) * alpha * (1 - p) ** gamma * Math.log(p);
  });
}

/** optax.sigmoid_focal_loss */
export function optax(x: Numbers, y: Numbers, { alpha = null as number | null, gamma = 2 } = {}) {
  return each(x, y, (x, y) => {
    const logC = Math.log((1 - y) * sigmoid(x) + y * sigmoid(-x));
    return (alpha === null ? 1 : balance(alpha, y)) * Math.exp(gamma * logC) * bceWithLogits(x, y);
  });
}

/** torch.nn.BCEWithLogitsLoss with pos_weight along the last axis */
export function torchBCEWithLogits(x: Numbers, y: Numbers, { weight = [1] as Numbers, pos_weight = [1] } = {}) {
  return Array.from({ length: x.length }, (_, k) => {
    const positive = -pos_weight[k % pos_weight.length] * y[k] * Math.log(sigmoid(x[k]));
    return weight[k % weight.length] * (positive - (1 - y[k]) * Math.log(sigmoid(-x[k])));
  });
}

/** torch.nn.BCELoss */
export function torchBCE(p: Numbers, y: Numbers) {
  return each(p, y, (p, y) => -(y * Math.max(Math.log(p), -100) + (1 - y) * Math.max(Math.log1p(-p), -100)));
}

export function torchBCEGradient(p: Numbers, y: Numbers) {
  return each(p, y, (p, y) => (p - y) / Math.max((1 - p) * p, 1e-12));
}

/** torch.nn.CrossEntropyLoss of class indices: the losses, and what 'mean' divides them by */
export function torchCrossEntropy(
  rows: readonly number[][],
  labels: readonly number[],
  { weight = undefined as readonly number[] | undefined, ignore_index = -100, label_smoothing = 0 } = {},
) {
  const losses = rows.map((row, n) => {
    if (labels[n] === ignore_index) return 0;
    const terms = softmax(row).map((p, k) => {
      const y = (k === labels[n] ? 1 - label_smoothing : 0) + label_smoothing / row.length;
      return -(weight?.[k] ?? 1) * y * Math.log(p);
    });
    return sum(terms);
  });
  const divisor = sum(labels.map((label) => (label === ignore_index ? 0 : (weight?.[label] ?? 1))));
  return { losses, divisor };
}

/** torch.nn.CrossEntropyLoss of rows of class probabilities, which 'mean' divides by their number */
export function torchCrossEntropyOfShares(
  rows: readonly number[][],
  shares: readonly number[][],
  weight: readonly number[],
) {
  return rows.map((row, n) => sum(softmax(row).map((p, k) => -weight[k] * shares[n][k] * Math.log(p))));
}

/** What becomes of a target between 0 and 1, by the names that docs/options.md gives them; without alpha. */
export const softTargets: Record<string, (x: number, y: number) => number> = {
  linear: (x, y) => (y * sigmoid(-x) + (1 - y) * sigmoid(x)) ** 2 * bceWithLogits(x, y),
  'from the cross entropy': (x, y) => (1 - Math.exp(-bceWithLogits(x, y))) ** 2 * bceWithLogits(x, y),
  'signed logit': (x, y) => sigmoid(-x * (2 * y - 1)) ** 2 * bceWithLogits(x, y),
  split: (x, y) => -y * sigmoid(-x) ** 2 * Math.log(sigmoid(x)) - (1 - y) * sigmoid(x) ** 2 * Math.log(sigmoid(-x)),
  quality: (x, y) => Math.abs(y - sigmoid(x)) ** 2 * bceWithLogits(x, y),
  varifocal: (x, y) => (y > 0 ? y : 0.75 * sigmoid(x) ** 2) * bceWithLogits(x, y),
  heatmap: (x, y) =>
    y === 1 ? -(sigmoid(-x) ** 2) * Math.log(sigmoid(x)) : -((1 - y) ** 4) * sigmoid(x) ** 2 * Math.log(sigmoid(-x)),
};
