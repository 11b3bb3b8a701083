// What each loss is, once, in double precision and plain words: what tests, benchmarks, documents and the
// playground go by. A formula here is written from its paper and knows nothing of the kernel.

/** A number that an option can be, for sliders and sweeps. */
export interface NumberOption {
  readonly fallback: number;
  readonly min: number;
  readonly max: number;
  readonly step: number;
  /** Whether null, which turns the option off, may be given as well. */
  readonly off?: true;
}

export type Numbers = Readonly<Record<string, number>>;

export interface LossEntry {
  /** The class; its function has the same name in lower camel case, or the one named. */
  readonly name: string;
  readonly fn: string;
  readonly title: string;
  /** In TeX, of p = sigmoid(x) and the target y. */
  readonly formula: string;
  readonly paper: string;
  /** Whether targets may lie between 0 and 1. */
  readonly soft: boolean;
  readonly options: Readonly<Record<string, NumberOption>>;
  /** Options that are not numbers, and always given. */
  readonly fixed?: Readonly<Record<string, unknown>>;
  /** The loss of a logit against a target. */
  readonly value: (x: number, y: number, options: Numbers) => number;
  /** Errors that are allowed: relative, and absolute, of the value and of the gradient. */
  readonly bound: { readonly relative: number; readonly absolute: number; readonly gradient: number };
  /** Logits where the formula has a kink or a zero that a central difference must stay away from. */
  readonly kinks?: (y: number, options: Numbers) => readonly number[];
}

/** log(1 + e^x) */
export function softplus(x: number): number {
  return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
}

export function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}

const exponent = (fallback: number): NumberOption => ({ fallback, min: 0, max: 5, step: 0.1 });
const fraction = (fallback: number): NumberOption => ({ fallback, min: 0, max: 1, step: 0.01 });

/** y -log p + (1 - y) -log(1 - p), with the positive part multiplied by w. */
function entropy(x: number, y: number, w = 1): number {
  return (y > 0 ? w * y * softplus(-x) : 0) + (y < 1 ? (1 - y) * softplus(x) : 0);
}

/** 1 - p_t, a sum. */
function missing(x: number, y: number): number {
  return y * sigmoid(-x) + (1 - y) * sigmoid(x);
}

function focal(x: number, y: number, o: Numbers): number {
  const alphaT = o.alpha * y + (1 - o.alpha) * (1 - y);
  const c = missing(x, y);
  return alphaT * (c ** o.gamma * entropy(x, y, o.posWeight) + o.polyEpsilon * c ** (o.gamma + 1));
}

function split(x: number, y: number, o: Numbers): number {
  const positive = y > 0 ? o.alpha * o.posWeight * y * sigmoid(-x) ** o.gamma * softplus(-x) : 0;
  const negative = y < 1 ? (1 - o.alpha) * (1 - y) * sigmoid(x) ** o.gamma * softplus(x) : 0;
  return positive + negative;
}

function byEntropy(x: number, y: number, o: Numbers): number {
  const alphaT = o.alpha * y + (1 - o.alpha) * (1 - y);
  return alphaT * (-Math.expm1(-entropy(x, y))) ** o.gamma * entropy(x, y, o.posWeight);
}

/** p - y without cancellation, where y is what a float32 holds. */
function distance(x: number, y: number): number {
  return x < 0 ? ((1 - y) * Math.exp(x) - y) / (1 + Math.exp(x)) : (1 - y - y * Math.exp(-x)) / (1 + Math.exp(-x));
}

function asymmetric(x: number, y: number, o: Numbers): number {
  if (y === 1) return sigmoid(-x) ** o.gammaPositive * softplus(-x);
  const p = sigmoid(x);
  return p <= o.margin ? 0 : (p - o.margin) ** o.gammaNegative * -Math.log(sigmoid(-x) + o.margin);
}

function logit(p: number): number {
  return Math.log(p / (1 - p));
}

const USUAL = { relative: 4e-6, absolute: 1e-7, gradient: 4e-6 };
const NEAR_ZERO = { relative: 8e-6, absolute: 1e-7, gradient: 8e-6 };

/** The options of focal terms, with what all of them do to a target first. */
const FOCAL_OPTIONS = {
  gamma: exponent(1.5),
  alpha: { ...fraction(0.25), off: true },
  posWeight: { fallback: 1, min: 0, max: 10, step: 0.1 },
  labelSmoothing: { fallback: 0, min: 0, max: 0.5, step: 0.01 },
} as const;
const POLY_EPSILON = { fallback: 0, min: -1, max: 5, step: 0.1 };

type Value = LossEntry['value'];

const smoothed =
  (value: Value): Value =>
  (x, y, o) =>
    value(x, y * (1 - o.labelSmoothing) + o.labelSmoothing / 2, o);

export const LOSSES: readonly LossEntry[] = [
  {
    name: 'BCEWithLogitsLoss',
    fn: 'BCEWithLogitsLoss',
    title: 'Binary cross entropy',
    formula: String.raw`-w\,y\log p-(1-y)\log(1-p)`,
    paper: '',
    soft: true,
    options: { posWeight: FOCAL_OPTIONS.posWeight },
    value: (x, y, o) => entropy(x, y, o.posWeight),
    bound: USUAL,
  },
  {
    name: 'FocalLoss',
    fn: 'sigmoidFocalLoss',
    title: 'Focal',
    formula: String.raw`\alpha_t\,(1-p_t)^{\gamma}\,\mathrm{CE}+\alpha_t\,\varepsilon\,(1-p_t)^{\gamma+1}`,
    paper: 'https://arxiv.org/abs/1708.02002',
    soft: true,
    options: { ...FOCAL_OPTIONS, polyEpsilon: POLY_EPSILON },
    value: smoothed(focal),
    bound: USUAL,
  },
  {
    name: 'FocalLoss',
    fn: 'sigmoidFocalLoss',
    title: 'Focal, split',
    formula: String.raw`-\alpha\,w\,y\,(1-p)^{\gamma}\log p-(1-\alpha)(1-y)\,p^{\gamma}\log(1-p)`,
    paper: 'https://arxiv.org/abs/1708.02002',
    soft: true,
    options: FOCAL_OPTIONS,
    fixed: { softTargets: 'split' },
    value: smoothed(split),
    bound: USUAL,
  },
  {
    name: 'FocalLoss',
    fn: 'sigmoidFocalLoss',
    title: 'Focal, of the cross entropy',
    formula: String.raw`\alpha_t\,(1-e^{-\mathrm{BCE}})^{\gamma}\,\mathrm{CE}`,
    paper: 'https://arxiv.org/abs/1708.02002',
    soft: true,
    options: FOCAL_OPTIONS,
    fixed: { softTargets: 'crossEntropy' },
    value: smoothed(byEntropy),
    bound: USUAL,
  },
  {
    name: 'QualityFocalLoss',
    fn: 'qualityFocalLoss',
    title: 'Quality focal',
    formula: String.raw`|p-y|^{\beta}\,\mathrm{BCE}(p,y)`,
    paper: 'https://arxiv.org/abs/2006.04388',
    soft: true,
    options: { beta: exponent(2) },
    value: (x, y, o) => Math.abs(distance(x, y)) ** o.beta * entropy(x, y),
    bound: NEAR_ZERO,
    kinks: (y) => (y > 0 && y < 1 ? [logit(y)] : []),
  },
  {
    name: 'VarifocalLoss',
    fn: 'varifocalLoss',
    title: 'Varifocal',
    formula: String.raw`y\,\mathrm{BCE}(p,y)\ (y>0),\qquad -\alpha\,p^{\gamma}\log(1-p)\ (y=0)`,
    paper: 'https://arxiv.org/abs/2008.13367',
    soft: true,
    options: { gamma: exponent(2), alpha: fraction(0.75) },
    value: (x, y, o) => (y > 0 ? y * entropy(x, y) : o.alpha * sigmoid(x) ** o.gamma * softplus(x)),
    bound: USUAL,
  },
  {
    name: 'AsymmetricLoss',
    fn: 'asymmetricLoss',
    title: 'Asymmetric',
    formula: String.raw`-(1-p)^{\gamma_+}\log p\ (y=1),\qquad -p_m^{\gamma_-}\log(1-p_m),\ p_m=\max(p-m,0)\ (y=0)`,
    paper: 'https://arxiv.org/abs/2009.14119',
    soft: false,
    options: {
      gammaPositive: exponent(1),
      gammaNegative: exponent(4),
      margin: { fallback: 0.05, min: 0, max: 0.5, step: 0.01 },
    },
    value: asymmetric,
    bound: NEAR_ZERO,
    kinks: (y, o) => (y === 0 && o.margin > 0 ? [logit(o.margin)] : []),
  },
  {
    name: 'HeatmapFocalLoss',
    fn: 'heatmapFocalLoss',
    title: 'Heatmap focal',
    formula: String.raw`-(1-p)^{\alpha}\log p\ (y=1),\qquad -(1-y)^{\beta}p^{\alpha}\log(1-p)\ (y<1)`,
    paper: 'https://arxiv.org/abs/1808.01244',
    soft: true,
    options: { alpha: exponent(2), beta: exponent(4) },
    value: (x, y, o) =>
      y === 1 ? sigmoid(-x) ** o.alpha * softplus(-x) : (1 - y) ** o.beta * sigmoid(x) ** o.alpha * softplus(x),
    bound: USUAL,
  },
];

/** A loss of rows of classes against the label of each. */
export interface RowLossEntry
  extends Pick<LossEntry, 'name' | 'fn' | 'title' | 'formula' | 'paper' | 'options' | 'bound'> {
  /** What a row costs: one number, or one for each of its classes. */
  readonly values: (logits: readonly number[], label: number, options: Numbers) => readonly number[];
}

/** log(1 + the sum of e^(z - own)), which is -log p of a class. */
function surprise(logits: readonly number[], own: number): number {
  const largest = Math.max(...logits);
  const sum = logits.reduce((total, z) => total + Math.exp(z - largest), 0);
  return largest - own + Math.log(sum);
}

function softmaxFocal(logits: readonly number[], label: number, o: Numbers): readonly number[] {
  const losses = logits.map((z) => surprise(logits, z));
  const shares = logits.map((_, k) => (k === label ? 1 - o.labelSmoothing : 0) + o.labelSmoothing / logits.length);
  const sum = (term: (k: number) => number) => logits.reduce((total, _, k) => total + term(k), 0);
  const c = sum((k) => (1 - shares[k]) * Math.exp(-losses[k]));
  return [o.alpha * c ** o.gamma * (sum((k) => shares[k] * losses[k]) + o.polyEpsilon * c)];
}

export const ROW_LOSSES: readonly RowLossEntry[] = [
  {
    name: 'SoftmaxFocalLoss',
    fn: 'softmaxFocalLoss',
    title: 'Softmax focal',
    formula: String.raw`-\alpha_t\,(1-p_t)^{\gamma}\log p_t+\alpha_t\,\varepsilon\,(1-p_t)^{\gamma+1},\quad p=\mathrm{softmax}(x)`,
    paper: 'https://arxiv.org/abs/1708.02002',
    options: {
      numClasses: { fallback: 10, min: 2, max: 100, step: 1 },
      gamma: FOCAL_OPTIONS.gamma,
      alpha: fraction(1),
      labelSmoothing: FOCAL_OPTIONS.labelSmoothing,
      polyEpsilon: POLY_EPSILON,
    },
    bound: USUAL,
    values: softmaxFocal,
  },
  {
    name: 'OneHotFocalLoss',
    fn: 'oneHotFocalLoss',
    title: 'One-hot focal',
    formula: String.raw`\alpha_t\,(1-p_t)^{\gamma}\,\mathrm{CE}+\alpha_t\,\varepsilon\,(1-p_t)^{\gamma+1}\ \text{of each class},\quad y_k=[k=\text{label}]`,
    paper: 'https://arxiv.org/abs/1708.02002',
    options: { numClasses: { fallback: 10, min: 2, max: 100, step: 1 }, ...FOCAL_OPTIONS, polyEpsilon: POLY_EPSILON },
    bound: USUAL,
    values: (logits, label, o) => logits.map((x, k) => smoothed(focal)(x, k === label ? 1 : 0, o)),
  },
];

/** The options of a loss at their defaults. */
export function defaultsOf({ options }: Pick<LossEntry, 'options'>): Numbers {
  return Object.fromEntries(Object.entries(options).map(([key, { fallback }]) => [key, fallback]));
}
