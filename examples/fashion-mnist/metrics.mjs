// How good scores are at finding a rare class. Each function takes scores and targets of 0 or 1, one a row.

/**
 * Precision and recall at every threshold: the points of the curve, from the highest score down, ties as one point.
 * @returns {{ threshold: number, precision: number, recall: number }[]}
 */
function curve(scores, targets) {
  const order = Array.from(scores.keys()).sort((a, b) => scores[b] - scores[a] || a - b);
  const positives = targets.reduce((sum, target) => sum + target, 0);
  const points = [];
  let hits = 0;
  order.forEach((row, i) => {
    hits += targets[row];
    if (i + 1 < order.length && scores[order[i + 1]] === scores[row]) return;
    points.push({ threshold: scores[row], precision: hits / (i + 1), recall: hits / positives });
  });
  return points;
}

/** Area under the curve of precision over recall, as a step function. */
export function averagePrecision(scores, targets) {
  let before = 0;
  let area = 0;
  for (const { precision, recall } of curve(scores, targets)) {
    area += precision * (recall - before);
    before = recall;
  }
  return area;
}

/** The largest recall at which precision is at least `floor`. */
export function recallAtPrecision(scores, targets, floor) {
  return Math.max(
    0,
    ...curve(scores, targets).flatMap(({ precision, recall }) => (precision >= floor ? [recall] : [])),
  );
}

/** Precision, recall and their harmonic mean F1, where a score of at least `threshold` counts as found. */
export function atThreshold(scores, targets, threshold) {
  let hits = 0;
  let found = 0;
  let positives = 0;
  for (let i = 0; i < scores.length; i++) {
    const chosen = scores[i] >= threshold ? 1 : 0;
    hits += chosen * targets[i];
    found += chosen;
    positives += targets[i];
  }
  return { precision: hits / found, recall: hits / positives, f1: (2 * hits) / (found + positives) };
}

/** The largest F1 over all thresholds. */
export function bestF1(scores, targets) {
  const values = curve(scores, targets).map(
    ({ precision, recall }) => (2 * precision * recall) / (precision + recall || 1),
  );
  return Math.max(...values);
}

/**
 * Probabilities in bins of equal width; a bin without rows is left out.
 * @returns {{ count: number, predicted: number, observed: number }[]} mean probability and share of positives of each
 */
export function reliability(probabilities, targets, bins = 10) {
  const sums = Array.from({ length: bins }, () => ({ count: 0, predicted: 0, observed: 0 }));
  for (let i = 0; i < probabilities.length; i++) {
    const bin = sums[Math.min(bins - 1, Math.floor(probabilities[i] * bins))];
    bin.count++;
    bin.predicted += probabilities[i];
    bin.observed += targets[i];
  }
  return sums
    .filter(({ count }) => count > 0)
    .map(({ count, predicted, observed }) => ({ count, predicted: predicted / count, observed: observed / count }));
}

/** Expected calibration error: the mean distance between predicted and observed, each bin by its rows. */
export function calibrationError(probabilities, targets, bins = 10) {
  const distances = reliability(probabilities, targets, bins).map(
    ({ count, predicted, observed }) => count * Math.abs(predicted - observed),
  );
  return distances.reduce((sum, distance) => sum + distance, 0) / probabilities.length;
}
