// The losses of the registry in decimal arithmetic, by their titles there, with derivatives by central difference: what double
// precision is held to. The numbers of a formula are the doubles that are given.
import { Decimal as Base } from 'decimal.js';
import type { Numbers } from '../losses/registry.js';
import { exact as exactly } from './oracle.js';

/** 60 digits, of which a first difference leaves 45, and a second 30. */
const Decimal = Base.clone({ precision: 60, minE: -9e15, maxE: 9e15 });
type Decimal = Base;

/** Of a target y and 1 - y. */
type Formula = (x: Decimal, y: Decimal, z: Decimal, o: Numbers) => Decimal;

const ZERO = new Decimal(0);
const ONE = new Decimal(1);
const STEP = new Decimal('1e-15');

const exact = (value: number) => new Decimal(exactly(value));
const power = (base: Decimal, exponent: number) => Decimal.pow(base, exact(exponent));

function sigmoid(x: Decimal): Decimal {
  return ONE.div(ONE.plus(Decimal.exp(x.neg())));
}

/** log(1 + e^x) */
function softplus(x: Decimal): Decimal {
  const e = Decimal.exp(x.abs().neg());
  const log = e.gt('1e-4') ? Decimal.ln(ONE.plus(e)) : series(e, (k) => ONE.div(k % 2 === 1 ? k : -k));
  return Decimal.max(x, ZERO).plus(log);
}

/** 1 - e^-b */
function rise(b: Decimal): Decimal {
  if (b.gt('1e-4')) return ONE.minus(Decimal.exp(b.neg()));
  let coefficient = ONE.neg();
  return series(b, (k) => {
    coefficient = coefficient.div(-k);
    return coefficient;
  });
}

/** The sum of coefficients times the powers of a small number. */
function series(x: Decimal, coefficient: (k: number) => Decimal): Decimal {
  let sum = ZERO;
  let term = ONE;
  for (let k = 1; k < 16; k++) {
    term = term.times(x);
    sum = sum.plus(term.times(coefficient(k)));
  }
  return sum;
}

const positive = (x: Decimal, y: Decimal) => (y.isZero() ? ZERO : y.times(softplus(x.neg())));
const negative = (x: Decimal, z: Decimal) => (z.isZero() ? ZERO : z.times(softplus(x)));
const entropy = (x: Decimal, y: Decimal, z: Decimal, w = 1) => positive(x, y).times(exact(w)).plus(negative(x, z));
// 1 - a is a double in the kernel
const alphaOf = (y: Decimal, z: Decimal, a: number) =>
  exact(a)
    .times(y)
    .plus(exact(1 - a).times(z));

export const FORMULAS: Readonly<Record<string, Formula>> = {
  'Binary cross entropy': (x, y, z, o) => entropy(x, y, z, o.posWeight),
  Focal: (x, y, z, o) => {
    const c = y.times(sigmoid(x.neg())).plus(z.times(sigmoid(x)));
    const whole = entropy(x, y, z, o.posWeight).plus(exact(o.polyEpsilon).times(c));
    return alphaOf(y, z, o.alpha).times(power(c, o.gamma)).times(whole);
  },
  'Focal, split': (x, y, z, o) => {
    const ofPositive = power(sigmoid(x.neg()), o.gamma).times(positive(x, y)).times(exact(o.posWeight));
    const ofNegative = power(sigmoid(x), o.gamma).times(negative(x, z));
    return exact(o.alpha)
      .times(ofPositive)
      .plus(exact(1 - o.alpha).times(ofNegative));
  },
  'Focal, of the cross entropy': (x, y, z, o) =>
    alphaOf(y, z, o.alpha)
      .times(power(rise(entropy(x, y, z)), o.gamma))
      .times(entropy(x, y, z, o.posWeight)),
  'Quality focal': (x, y, z, o) =>
    power(z.isZero() ? sigmoid(x.neg()) : sigmoid(x).minus(y).abs(), o.beta).times(entropy(x, y, z)),
  Varifocal: (x, y, z, o) => {
    if (y.gt(0)) return y.times(entropy(x, y, z));
    return exact(o.alpha)
      .times(power(sigmoid(x), o.gamma))
      .times(softplus(x));
  },
  Asymmetric: (x, y, _, o) => {
    if (!y.isZero()) return power(sigmoid(x.neg()), o.gammaPositive).times(softplus(x.neg()));
    const d = sigmoid(x).minus(exact(o.margin));
    if (d.lte(0)) return ZERO;
    return power(d, o.gammaNegative).times(o.margin === 0 ? softplus(x) : Decimal.ln(ONE.minus(d)).neg());
  },
  'Heatmap focal': (x, _, z, o) => {
    if (z.isZero()) return power(sigmoid(x.neg()), o.alpha).times(softplus(x.neg()));
    return power(z, o.beta)
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
export function truthOf(title: string, x: number, target: number, options: Numbers): Truth {
  const at = exact(x);
  const s = exact(options.labelSmoothing ?? 0);
  const y = exact(target).times(ONE.minus(s)).plus(s.div(2));
  const [below, value, above] = [at.minus(STEP), at, at.plus(STEP)].map((logit) =>
    FORMULAS[title](logit, y, ONE.minus(y), options),
  );
  return {
    value,
    grad: above.minus(below).div(STEP.times(2)),
    hess: above.minus(value.times(2)).plus(below).div(STEP.times(STEP)),
  };
}

/** How far a double is from the truth, in parts of 2^-53 of it and of an absolute number. */
export function errorOf(actual: number, truth: Decimal, absolute = 0): number {
  const size = truth.abs().plus(absolute);
  return size.isZero() && actual === 0
    ? 0
    : exact(actual)
        .minus(truth)
        .abs()
        .div(size)
        .times(2 ** 53)
        .toNumber();
}
