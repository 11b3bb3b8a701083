// Float64 focal loss without alpha, good to 1e-12 relative: fast enough to sweep millions of logits.

/** u is the logit with its sign turned so that positive is right: x for target 1, -x for target 0. */
export function focalLoss64(u: number, gamma: number): number {
  const e = Math.exp(-Math.abs(u));
  const surprise = (u < 0 ? -u : 0) + Math.log1p(e);
  return ((u < 0 ? 1 : e) / (1 + e)) ** gamma * surprise;
}

/** The loss of a logit x and a soft target y strictly between 0 and 1. */
export function softFocalLoss64(x: number, y: number, gamma: number): number {
  const e = Math.exp(-Math.abs(x));
  const tail = Math.log1p(e);
  const p = (x < 0 ? e : 1) / (1 + e);
  const q = (x < 0 ? 1 : e) / (1 + e);
  const crossEntropy = y * (Math.max(-x, 0) + tail) + (1 - y) * (Math.max(x, 0) + tail);
  return (y * q + (1 - y) * p) ** gamma * crossEntropy;
}

/** Derivatives in u, for finite u. */
export function derivatives64(u: number, gamma: number): { grad: number; hess: number } {
  const e = Math.exp(-Math.abs(u));
  const surprise = (u < 0 ? -u : 0) + Math.log1p(e);
  const q = (u < 0 ? 1 : e) / (1 + e);
  const p = (u < 0 ? e : 1) / (1 + e);
  const modulation = q ** gamma;
  const pl = p * surprise;
  return {
    grad: -modulation * (gamma * pl + q),
    hess: modulation * (p * (1 + 2 * gamma) * q - gamma * pl * (q - gamma * p)),
  };
}

/** The posterior of one row of finite logits, by the formula as it stands, scaled by the top class's power. */
export function softmaxPosterior64(row: ArrayLike<number>, gamma: number, alpha?: readonly number[]): number[] {
  const logits = Array.from(row);
  const largest = Math.max(...logits);
  const exponentials = logits.map((logit) => Math.exp(logit - largest));
  const sum = exponentials.reduce((total, e) => total + e, 0);
  const top = logits.indexOf(largest);
  const rest = exponentials.reduce((total, e, k) => (k === top ? total : total + e), 0);
  const others = exponentials.map((e, k) => (k === top ? rest : sum - e) / sum);
  const least = Math.min(...others);
  const values = exponentials.map((e, k) => {
    const v = e / sum;
    const surprise = v > 0.5 ? -Math.log1p(-others[k]) : Math.log(sum) - (logits[k] - largest);
    const turn = others[k] === 0 ? 1 : (v * surprise) / others[k];
    const power = others[k] === least ? 1 : (least / others[k]) ** gamma;
    return (power * v) / (1 + gamma * turn) / (alpha?.[k] ?? 1);
  });
  const total = values.reduce((all, value) => all + value, 0);
  return values.map((value) => value / total);
}

const view = new DataView(new ArrayBuffer(8));

/** Distance in float32 units in the last place around a finite `truth`. */
export function ulps(actual: number, truth: number): number {
  view.setFloat64(0, truth);
  const exponent = Math.max((view.getUint32(0) >>> 20) & 0x7ff, 897) - 1023;
  return Math.abs(actual - truth) / 2 ** (exponent - 23);
}

export interface Terms {
  loss: number;
  grad: number;
  hess: number;
}

/** A loss with its derivatives in the logit: for hard and soft targets, with all that multiplies it. */
export function binary64(
  x: number,
  y: number,
  { gamma, alpha = null, posWeight = 1 }: { gamma: number; alpha?: number | null; posWeight?: number },
): Terms {
  const e = Math.exp(-Math.abs(x));
  const tail = Math.log1p(e);
  const p = (x < 0 ? e : 1) / (1 + e);
  const q = (x < 0 ? 1 : e) / (1 + e);
  const crossEntropy = posWeight * y * (Math.max(-x, 0) + tail) + (1 - y) * (Math.max(x, 0) + tail);
  const first = (1 - y) * p - posWeight * y * q;
  const second = (posWeight * y + 1 - y) * p * q;
  const c = y * q + (1 - y) * p;
  const r = ((1 - 2 * y) * p * q) / c;
  const factor = (alpha === null ? 1 : alpha * y + (1 - alpha) * (1 - y)) * c ** gamma;
  return {
    loss: factor * crossEntropy,
    grad: factor * (first + gamma * r * crossEntropy),
    hess: factor * (second + 2 * gamma * r * first + gamma * crossEntropy * ((gamma - 1) * r * r + r * (q - p))),
  };
}

/** A row's loss with its derivatives in each logit, the second ones along the diagonal. */
export function softmax64(
  logits: readonly number[],
  label: number,
  {
    gamma,
    alpha = null,
    labelSmoothing = 0,
  }: { gamma: number; alpha?: readonly number[] | null; labelSmoothing?: number },
): { loss: number; grad: number[]; hess: number[]; alpha: number } {
  const classes = logits.length;
  const largest = Math.max(...logits);
  const e = logits.map((z) => Math.exp(z - largest));
  const rest = e.map((_, k) => e.reduce((sum, value, j) => (j === k ? sum : sum + value), 0));
  const total = e[0] + rest[0];
  const surprise = (k: number) =>
    e[k] >= rest[k] ? Math.log1p(rest[k] / e[k]) : Math.log(total) + largest - logits[k];
  const y = logits.map((_, k) => (k === label ? 1 - labelSmoothing : 0) + labelSmoothing / classes);
  const over = (value: (k: number) => number) => y.reduce((sum, yk, k) => (yk === 0 ? sum : sum + yk * value(k)), 0);
  const c = over((k) => rest[k] / total);
  const crossEntropy = over(surprise);
  const weight = over((k) => alpha?.[k] ?? 1);
  const factor = weight * c ** gamma;
  const slopes = e.map((value, j) => {
    const [p, q] = [value / total, rest[j] / total];
    // p_t - y_j, without cancellation where one class has all of the target
    const lead =
      labelSmoothing > 0 ? over((k) => e[k] / total) - y[j] : j === label ? -rest[j] / total : e[label] / total;
    const r = (p * lead) / c;
    const first = labelSmoothing > 0 ? p - y[j] : j === label ? -q : p;
    const bend = (p * (q - p) * lead) / c;
    return {
      grad: factor * (first + gamma * r * crossEntropy),
      hess: factor * (p * q + 2 * gamma * r * first + gamma * crossEntropy * ((gamma - 1) * r * r + bend)),
    };
  });
  return {
    loss: factor * crossEntropy,
    grad: slopes.map(({ grad }) => grad),
    hess: slopes.map(({ hess }) => hess),
    alpha: weight,
  };
}
