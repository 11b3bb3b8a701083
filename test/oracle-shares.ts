// Softmax focal loss of rows whose targets are shares of the classes, in decimal arithmetic and from the definitions;
// derivatives are central differences of the loss.
import { Decimal as Base } from 'decimal.js';
import { exact } from './oracle.js';

const Decimal = Base.clone({ precision: 46, minE: -9e15, maxE: 9e15 });
type Decimal = Base;

export interface SharesOptions {
  gamma: number;
  meaning: 'linear' | 'split' | 'crossEntropy';
  alpha?: readonly number[] | null;
  labelSmoothing?: number;
  polyEpsilon?: number;
}

const ZERO = new Decimal(0);
const ONE = new Decimal(1);
const STEP = new Decimal('1e-10');

function lossAt(logits: readonly Decimal[], shares: readonly Decimal[], options: SharesOptions): Decimal {
  const { meaning, alpha = null } = options;
  const gamma = exact(options.gamma);
  const poly = exact(options.polyEpsilon ?? 0);
  const top = Decimal.max(...logits);
  const e = logits.map((z) => Decimal.exp(z.minus(top)));
  const sum = e.reduce((a, b) => a.plus(b));
  const rest = e.map((_, k) => e.reduce((a, b, j) => (j === k ? a : a.plus(b)), ZERO));
  const p = e.map((value) => value.div(sum));
  const q = rest.map((value) => value.div(sum));
  const l = logits.map((z) => Decimal.ln(sum).minus(z.minus(top)));
  const a = (k: number) => (alpha ? exact(alpha[k]) : ONE);
  const over = (term: (k: number) => Decimal) =>
    shares.reduce((total, y, k) => (y.isZero() ? total : total.plus(y.times(term(k)))), ZERO);
  if (meaning === 'split') {
    return over((k) =>
      a(k)
        .times(Decimal.pow(q[k], gamma))
        .times(l[k].plus(poly.times(q[k]))),
    );
  }
  const entropy = over((k) => l[k]);
  const wrong = p.reduce((total, value, k) => total.plus(ONE.minus(shares[k]).times(value)), ZERO);
  const modulation = meaning === 'linear' ? wrong : ONE.minus(Decimal.exp(entropy.neg()));
  const weight = alpha ? over(a) : ONE;
  return weight.times(Decimal.pow(modulation, gamma)).times(entropy.plus(poly.times(modulation)));
}

function smoothed(shares: readonly number[], s: number): Decimal[] {
  const kept = ONE.minus(exact(s));
  return shares.map((y) => kept.times(exact(y)).plus(exact(s).div(shares.length)));
}

export interface Truth {
  loss: number;
  grad: number[];
  hess: number[];
}

export function sharesLoss(logits: readonly number[], shares: readonly number[], options: SharesOptions): Truth {
  const z = logits.map((value) => new Decimal(exact(value)));
  const y = smoothed(shares, options.labelSmoothing ?? 0);
  const at = (j: number, by: Decimal) =>
    lossAt(
      z.map((value, k) => (k === j ? value.plus(by) : value)),
      y,
      options,
    );
  const loss = lossAt(z, y, options);
  const pairs = z.map((_, j) => [at(j, STEP), at(j, STEP.neg())]);
  return {
    loss: loss.toNumber(),
    grad: pairs.map(([above, below]) => above.minus(below).div(STEP.times(2)).toNumber()),
    hess: pairs.map(([above, below]) => above.plus(below).minus(loss.times(2)).div(STEP.times(STEP)).toNumber()),
  };
}
