// Softmax focal loss in decimal arithmetic, from the definition over a distribution y of the row's target:
// L = a_t (1 - p_t)^gamma CE, with p_t, a_t and CE linear in y.
import { Decimal, exact } from './oracle.js';

export interface SoftmaxOptions {
  gamma: number;
  alpha?: readonly number[] | null;
  labelSmoothing?: number;
}

const ZERO = new Decimal(0);
const ONE = new Decimal(1);
const STEP = new Decimal('1e-20');

/** log of the sum of e^term, whatever the terms' size. */
function logSumExp(terms: readonly Decimal[]): Decimal {
  const top = Decimal.max(...terms);
  const sum = terms.reduce((total, term) => total.plus(Decimal.exp(term.minus(top))), ZERO);
  return top.plus(Decimal.ln(sum));
}

/** -log p_k, exact also where p_k is nearly 1: log1p of the others' odds as a series. */
function surprise(logits: readonly Decimal[], k: number): Decimal {
  const odds = logits.reduce((sum, z, j) => (j === k ? sum : sum.plus(Decimal.exp(z.minus(logits[k])))), ZERO);
  if (odds.gt('1e-4')) return logSumExp(logits).minus(logits[k]);
  let sum = odds;
  let power = odds;
  for (let n = 2; n < 40; n++) {
    power = power.times(odds).neg();
    sum = sum.plus(power.div(n));
  }
  return sum;
}

function distribution(classes: number, target: number, labelSmoothing: number): Decimal[] {
  const s = exact(labelSmoothing);
  return Array.from({ length: classes }, (_, k) => (k === target ? ONE.minus(s) : ZERO).plus(s.div(classes)));
}

interface Row {
  p: Decimal[];
  y: Decimal[];
  c: Decimal;
  crossEntropy: Decimal;
  alpha: Decimal;
}

function rowAt(logits: readonly Decimal[], target: number, options: SoftmaxOptions): Row {
  const total = logSumExp(logits);
  const p = logits.map((z) => Decimal.exp(z.minus(total)));
  const y = distribution(logits.length, target, options.labelSmoothing ?? 0);
  let c = ZERO;
  let crossEntropy = ZERO;
  let alpha = ZERO;
  y.forEach((yk, k) => {
    if (yk.isZero()) return;
    // 1 - p_k as the sum of the other probabilities
    for (let j = 0; j < p.length; j++) if (j !== k) c = c.plus(yk.times(p[j]));
    crossEntropy = crossEntropy.plus(yk.times(surprise(logits, k)));
    alpha = alpha.plus(options.alpha ? yk.times(exact(options.alpha[k])) : yk);
  });
  return { p, y, c, crossEntropy, alpha };
}

function lossAt(logits: readonly Decimal[], target: number, options: SoftmaxOptions): Decimal {
  const { c, crossEntropy, alpha } = rowAt(logits, target, options);
  return alpha.times(Decimal.pow(c, exact(options.gamma))).times(crossEntropy);
}

function shifted(logits: readonly Decimal[], j: number, by: Decimal): Decimal[] {
  return logits.map((z, k) => (k === j ? z.plus(by) : z));
}

export function softmaxFocalLoss(logits: readonly number[], target: number, options: SoftmaxOptions): Decimal {
  return lossAt(logits.map(exact), target, options);
}

/** dL/dz_j of the whole row by the chain rule; a test holds it against `softmaxDifference`. */
export function softmaxGradient(logits: readonly number[], target: number, options: SoftmaxOptions): Decimal[] {
  const { p, y, c, crossEntropy, alpha } = rowAt(logits.map(exact), target, options);
  const g = exact(options.gamma);
  const modulation = Decimal.pow(c, g);
  const pt = y.reduce((sum, yk, k) => sum.plus(yk.times(p[k])), ZERO);
  const slope = c.isZero() ? ZERO : g.times(modulation).div(c).times(crossEntropy);
  return p.map((pj, j) => {
    const cSlope = pj.times(pt.minus(y[j]));
    return alpha.times(slope.times(cSlope).plus(modulation.times(pj.minus(y[j]))));
  });
}

/** dL/dz_j by central difference. */
export function softmaxDifference(logits: readonly number[], t: number, j: number, options: SoftmaxOptions): Decimal {
  const z = logits.map(exact);
  return lossAt(shifted(z, j, STEP), t, options)
    .minus(lossAt(shifted(z, j, STEP.neg()), t, options))
    .div(STEP.times(2));
}

/** d2L/dz_j2 by central difference. */
export function softmaxHessian(logits: readonly number[], t: number, j: number, options: SoftmaxOptions): Decimal {
  const z = logits.map(exact);
  return lossAt(shifted(z, j, STEP), t, options)
    .minus(lossAt(z, t, options).times(2))
    .plus(lossAt(shifted(z, j, STEP.neg()), t, options))
    .div(STEP.times(STEP));
}

/** The distribution over classes at which every expected derivative is 0: in proportion to p_k (1 - p_k) / |dL_k/dz_k|. */
export function softmaxPosterior(logits: readonly number[], options: SoftmaxOptions): Decimal[] {
  const z = logits.map(exact);
  const total = logSumExp(z);
  const p = z.map((zk) => Decimal.exp(zk.minus(total)));
  const shares = p.map((pk, k) => {
    const others = p.reduce((sum, pj, j) => (j === k ? sum : sum.plus(pj)), ZERO);
    return pk.times(others).div(softmaxGradient(logits, k, options)[k].abs());
  });
  const sum = shares.reduce((a, b) => a.plus(b), ZERO);
  return shares.map((share) => share.div(sum));
}
