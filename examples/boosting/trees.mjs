// Regression trees for Newton boosting, on features binned to bytes: what XGBoost and LightGBM do, at its shortest.

const BINS = 32;
// as XGBoost's reg_lambda and min_child_weight
const LAMBDA = 1;
const MIN_HESSIAN = 1;

/** Features `[columns][rows]` as bytes below 32, from row-major values between `low` and `high`. */
export function binned(values, columns, low, high) {
  return Array.from({ length: columns }, (_, column) =>
    Uint8Array.from({ length: values.length / columns }, (_, row) => {
      const share = (values[row * columns + column] - low) / (high - low);
      return Math.min(BINS - 1, share * BINS);
    }),
  );
}

/** A tree over the rows: a leaf's value, or a feature, the last bin that goes left, and the two trees below. */
export function grow(features, grad, hess, depth, rows = Uint32Array.from(grad.keys())) {
  const total = { g: 0, h: 0 };
  for (const row of rows) {
    total.g += grad[row];
    total.h += hess[row];
  }
  const split = depth > 0 ? bestSplit(features, grad, hess, rows, total) : undefined;
  // a Newton step needs curvature: where there is too little, or it is negative, the leaf stands still
  if (split === undefined) return { value: total.h < MIN_HESSIAN ? 0 : -total.g / (total.h + LAMBDA) };
  const left = rows.filter((row) => features[split.feature][row] <= split.bin);
  const right = rows.filter((row) => features[split.feature][row] > split.bin);
  return {
    ...split,
    left: grow(features, grad, hess, depth - 1, left),
    right: grow(features, grad, hess, depth - 1, right),
  };
}

/** Adds `rate` times the tree's value to every row's logit. */
export function addTo(logits, tree, features, rate) {
  for (let row = 0; row < logits.length; row++) {
    let node = tree;
    while (node.value === undefined) node = features[node.feature][row] <= node.bin ? node.left : node.right;
    logits[row] += rate * node.value;
  }
}

function bestSplit(features, grad, hess, rows, total) {
  let found;
  let most = score(total.g, total.h) + 1e-6;
  const g = new Float64Array(BINS);
  const h = new Float64Array(BINS);
  features.forEach((bins, feature) => {
    g.fill(0);
    h.fill(0);
    for (const row of rows) {
      g[bins[row]] += grad[row];
      h[bins[row]] += hess[row];
    }
    let leftG = 0;
    let leftH = 0;
    for (let bin = 0; bin + 1 < BINS; bin++) {
      leftG += g[bin];
      leftH += h[bin];
      if (leftH < MIN_HESSIAN || total.h - leftH < MIN_HESSIAN) continue;
      const gain = score(leftG, leftH) + score(total.g - leftG, total.h - leftH);
      if (gain <= most) continue;
      most = gain;
      found = { feature, bin };
    }
  });
  return found;
}

/** Twice what the Newton step of a leaf takes off the loss. */
function score(g, h) {
  return h < MIN_HESSIAN ? 0 : g ** 2 / (h + LAMBDA);
}
