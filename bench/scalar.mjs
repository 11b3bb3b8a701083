// The base of every ratio: the loops that a careful person writes by hand, in double precision, without WebAssembly.
// gamma is 2, so that its power is a product. 1 - p_t is computed, never subtracted, and no exponential overflows.

/** Sum of the losses of hard targets. */
export function focalSum(logits, targets, alpha) {
  let positives = 0;
  let negatives = 0;
  for (let k = 0; k < logits.length; k++) {
    const y = targets[k];
    const w = (1 - 2 * y) * logits[k];
    const e = Math.exp(-Math.abs(w));
    const q = (w > 0 ? 1 : e) / (1 + e);
    const loss = q * q * (Math.max(w, 0) + Math.log1p(e));
    positives += y * loss;
    negatives += (1 - y) * loss;
  }
  return alpha * positives + (1 - alpha) * negatives;
}

/** The losses of hard targets, one by one. */
export function focalLosses(logits, targets, alpha, out) {
  for (let k = 0; k < logits.length; k++) {
    const y = targets[k];
    const w = (1 - 2 * y) * logits[k];
    const e = Math.exp(-Math.abs(w));
    const q = (w > 0 ? 1 : e) / (1 + e);
    out[k] = (alpha * y + (1 - alpha) * (1 - y)) * q * q * (Math.max(w, 0) + Math.log1p(e));
  }
  return out;
}

/** Sum of the losses of targets in [0, 1], to which p_t, alpha_t and the cross entropy are linear. */
export function focalSumSoft(logits, targets, alpha) {
  let sum = 0;
  for (let k = 0; k < logits.length; k++) {
    const x = logits[k];
    const y = targets[k];
    const e = Math.exp(-Math.abs(x));
    const log = Math.log1p(e);
    const large = 1 / (1 + e);
    const small = e * large;
    const p = x > 0 ? large : small;
    const q = x > 0 ? small : large;
    const c = y * q + (1 - y) * p;
    const entropy = y * (Math.max(-x, 0) + log) + (1 - y) * (Math.max(x, 0) + log);
    sum += (alpha * y + (1 - alpha) * (1 - y)) * c * c * entropy;
  }
  return sum;
}

/** Sum of the losses of hard targets, and the derivative of each. */
export function focalGrad(logits, targets, alpha, grad) {
  let sum = 0;
  for (let k = 0; k < logits.length; k++) {
    const y = targets[k];
    const sign = 1 - 2 * y;
    const w = sign * logits[k];
    const e = Math.exp(-Math.abs(w));
    const large = 1 / (1 + e);
    const small = e * large;
    const q = w > 0 ? large : small;
    const p = w > 0 ? small : large;
    const entropy = Math.max(w, 0) + Math.log1p(e);
    const factor = (alpha * y + (1 - alpha) * (1 - y)) * q * q;
    sum += factor * entropy;
    grad[k] = sign * factor * (2 * p * entropy + q);
  }
  return sum;
}

/** First and second derivative of each loss of hard targets. */
export function focalGradHess(logits, targets, alpha, grad, hess) {
  for (let k = 0; k < logits.length; k++) {
    const y = targets[k];
    const sign = 1 - 2 * y;
    const w = sign * logits[k];
    const e = Math.exp(-Math.abs(w));
    const large = 1 / (1 + e);
    const small = e * large;
    const q = w > 0 ? large : small;
    const p = w > 0 ? small : large;
    const entropy = Math.max(w, 0) + Math.log1p(e);
    const factor = (alpha * y + (1 - alpha) * (1 - y)) * q * q;
    grad[k] = sign * factor * (2 * p * entropy + q);
    hess[k] = factor * p * (5 * q - 2 * entropy * (q - 2 * p));
  }
}

/** The class probability behind each logit. */
export function focalPosterior(logits, alpha, out) {
  for (let k = 0; k < logits.length; k++) {
    const x = logits[k];
    const e = Math.exp(-Math.abs(x));
    const log = Math.log1p(e);
    const large = 1 / (1 + e);
    const small = e * large;
    const p = x > 0 ? large : small;
    const q = x > 0 ? small : large;
    const a = alpha * q * q * (q + 2 * p * (Math.max(-x, 0) + log));
    const c = (1 - alpha) * p * p * (p + 2 * q * (Math.max(x, 0) + log));
    out[k] = c / (a + c);
  }
  return out;
}

/** Sum of the losses of rows of `classes` logits, whose targets are class indices. */
export function softmaxFocalSum(logits, labels, classes) {
  let sum = 0;
  for (let row = 0; row < labels.length; row++) {
    const start = row * classes;
    const target = start + labels[row];
    let top = logits[start];
    for (let k = start + 1; k < start + classes; k++) top = Math.max(top, logits[k]);
    const own = Math.exp(logits[target] - top);
    let others = 0;
    for (let k = start; k < target; k++) others += Math.exp(logits[k] - top);
    for (let k = target + 1; k < start + classes; k++) others += Math.exp(logits[k] - top);
    const q = others / (own + others);
    sum += q * q * rowEntropy(q, logits[target] - top, own + others);
  }
  return sum;
}

/** The same, and the derivative with respect to every logit. */
export function softmaxFocalGrad(logits, labels, classes, grad) {
  let sum = 0;
  for (let row = 0; row < labels.length; row++) {
    const start = row * classes;
    const end = start + classes;
    const target = start + labels[row];
    let top = logits[start];
    for (let k = start + 1; k < end; k++) top = Math.max(top, logits[k]);
    let others = 0;
    for (let k = start; k < end; k++) {
      const e = Math.exp(logits[k] - top);
      grad[k] = e;
      if (k !== target) others += e;
    }
    const total = Math.exp(logits[target] - top) + others;
    const q = others / total;
    const p = 1 - q;
    const entropy = rowEntropy(q, logits[target] - top, total);
    sum += q * q * entropy;
    // -dL/dl, l = log p_t
    const slope = q * q + 2 * q * p * entropy;
    const scale = slope / total;
    for (let k = start; k < end; k++) grad[k] *= scale;
    grad[target] = -slope * q;
  }
  return sum;
}

/** The class probabilities behind rows of logits. */
export function softmaxFocalPosterior(logits, classes, out) {
  for (let start = 0; start < logits.length; start += classes) {
    const end = start + classes;
    let top = start;
    for (let k = start + 1; k < end; k++) if (logits[k] > logits[top]) top = k;
    let others = 0;
    for (let k = start; k < end; k++) {
      const e = Math.exp(logits[k] - logits[top]);
      out[k] = e;
      if (k !== top) others += e;
    }
    const log = Math.log1p(others);
    let sum = 0;
    for (let k = start; k < end; k++) {
      const v = out[k] / (1 + others);
      const rest = k === top ? others / (1 + others) : 1 - v;
      // rest is 0 only where v is 1, whose share is then all
      const share = v / (rest * (rest + 2 * v * (log + logits[top] - logits[k])) || Number.MIN_VALUE);
      out[k] = share;
      sum += share;
    }
    for (let k = start; k < end; k++) out[k] /= sum;
  }
  return out;
}

/** -log p_t, exact where p_t is near 1 as well. */
function rowEntropy(q, gap, total) {
  return q < 0.5 ? -Math.log1p(-q) : Math.log(total) - gap;
}
