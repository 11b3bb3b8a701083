// The losses of the registry in decimal arithmetic, by their titles there, with derivatives by central difference: what double
// precision is held to. A formula's own numbers are the doubles that are given.
import type { Numbers } from '../losses/registry.js';
import { Decimal, exact, sigmoid, softplus } from './oracle.js';

type Formula = (x: Decimal, y: number, o: Numbers) => Decimal;

const ZERO = new Decimal(0);
const ONE = new Decimal(1);
const STEP = new Decimal('1e-20');

const power = (base: Decimal, exponent: number) => Decimal.pow(base, exact(exponent));
const rest = (y: number) => ONE.minus(exact(y));

/** y -log p, and (1 - y) -log(1 - p), each 0 where there is nothing of it. */
const positive = (x: Decimal, y: number) => (y === 0 ? ZERO : exact(y).times(softplus(x.neg())));
const negative = (x: Decimal, y: number) => (y === 1 ? ZERO : rest(y).times(softplus(x)));
const entropy = (x: Decimal, y: number, w = 1) => positive(x, y).times(exact(w)).plus(negative(x, y));
const missing = (x: Decimal, y: number) =>
  exact(y)
    .times(sigmoid(x.neg()))
    .plus(rest(y).times(sigmoid(x)));
// 1 - a is what a double is in the kernel
const alphaOf = (y: number, a: number) =>
  exact(a)
    .times(exact(y))
    .plus(exact(1 - a).times(rest(y)));

/** 1 - e^-b */
function rise(b: Decimal): Decimal {
  if (b.gt('1e-4')) return ONE.minus(Decimal.exp(b.neg()));
  let sum = b;
  let term = b;
  for (let k = 2; k < 40; k++) {
    term = term.times(b).div(-k);
    sum = sum.plus(term);
  }
  return sum;
}

export const FORMULAS: Readonly<Record<string, Formula>> = {
  'Binary cross entropy': (x, y, o) => entropy(x, y, o.posWeight),
  Focal: (x, y, o) => {
    const c = missing(x, y);
    const ofEntropy = power(c, o.gamma).times(entropy(x, y, o.posWeight));
    return alphaOf(y, o.alpha).times(ofEntropy.plus(exact(o.polyEpsilon).times(power(c, o.gamma).times(c))));
  },
  'Focal, split': (x, y, o) => {
    const ofPositive = power(sigmoid(x.neg()), o.gamma).times(positive(x, y)).times(exact(o.posWeight));
    const ofNegative = power(sigmoid(x), o.gamma).times(negative(x, y));
    return exact(o.alpha)
      .times(ofPositive)
      .plus(exact(1 - o.alpha).times(ofNegative));
  },
  'Focal, of the cross entropy': (x, y, o) =>
    alphaOf(y, o.alpha)
      .times(power(rise(entropy(x, y)), o.gamma))
      .times(entropy(x, y, o.posWeight)),
  'Quality focal': (x, y, o) => {
    const distance = y === 1 ? sigmoid(x.neg()) : sigmoid(x).minus(exact(y)).abs();
    return power(distance, o.beta).times(entropy(x, y));
  },
  Varifocal: (x, y, o) => {
    if (y > 0) return exact(y).times(entropy(x, y));
    return exact(o.alpha)
      .times(power(sigmoid(x), o.gamma))
      .times(softplus(x));
  },
  Asymmetric: (x, y, o) => {
    if (y === 1) return power(sigmoid(x.neg()), o.gammaPositive).times(softplus(x.neg()));
    const d = sigmoid(x).minus(exact(o.margin));
    if (d.lte(0)) return ZERO;
    const surprise = o.margin === 0 ? softplus(x) : Decimal.ln(ONE.minus(d)).neg();
    return power(d, o.gammaNegative).times(surprise);
  },
  'Heatmap focal': (x, y, o) => {
    if (y === 1) return power(sigmoid(x.neg()), o.alpha).times(softplus(x.neg()));
    return power(rest(y), o.beta)
      .times(power(sigmoid(x), o.alpha))
      .times(softplus(x));
  },
};

export interface Truth {
  value: Decimal;
  grad: Decimal;
  hess: Decimal;
}

/** A loss and its derivatives at a finite logit. */
export function truthOf(title: string, x: number, y: number, options: Numbers): Truth {
  const at = exact(x);
  const [below, value, above] = [at.minus(STEP), at, at.plus(STEP)].map((z) => FORMULAS[title](z, y, options));
  return {
    value,
    grad: above.minus(below).div(STEP.times(2)),
    hess: above.minus(value.times(2)).plus(below).div(STEP.times(STEP)),
  };
}
