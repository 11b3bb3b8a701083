// The inputs of the golden vectors and what the oracle makes of them. `node test/vectors/generate.mjs` writes the files.
import {
  type BinaryOptions,
  type Decimal,
  float32Bits,
  focalLoss,
  gradient,
  type HessianPolicy,
  hessian,
  hessianPolicy,
  posterior,
} from '../oracle.js';
import { type SoftmaxOptions, softmaxFocalLoss, softmaxGradient, softmaxPosterior } from '../oracle-softmax.js';

/** Logit (or probability) as float32 bits, target, loss, gradient, Hessian. */
export type BinaryRow = [bits: string, y: number, loss: string, grad: string | null, hess: string | null];
export interface BinaryGroup {
  options: BinaryOptions & { hessian?: HessianPolicy };
  rows: BinaryRow[];
}
/** A row's logits as float32 bits run together, label, loss, gradient of every logit. */
export type SoftmaxRow = [bits: string, label: number, loss: string, grad: string[]];
export interface SoftmaxGroup {
  options: SoftmaxOptions;
  classes: number;
  rows: SoftmaxRow[];
}
export interface PosteriorGroup {
  options: { gamma: number; alpha: number | readonly number[] | null; posWeight?: number };
  classes: number;
  rows: [bits: string, posterior: string | string[]][];
}
/** A group whose rows are still to be computed. */
export type Lazy<G extends { rows: unknown[] }> = Omit<G, 'rows'> & { rows: (() => G['rows'][number])[] };

export const GAMMAS = [0, 0.5, 1, 1.5, 2, 2.5, 3, 4, 5, 0.25, 1.7, 7.3, 10];
const ALPHAS = [null, 0.25, 0.75, 0, 1];
const SIZES = [0, 2 ** -149, 1e-38, 1e-10, 1e-3, 0.5, 1, 2.3, 4, 7.5, 10, 15, 16.7, 17, 30];
const FAR = [87, 88, 89, 103, 104, 1e30, 3.4028234663852886e38, Number.POSITIVE_INFINITY];
const LOGITS = [...SIZES, ...FAR].flatMap((x) => [Math.fround(x), -Math.fround(x)]);
const SOFT = [0.7, 0.5, 0.3, 0.05, 1e-6, 0.9999].map(Math.fround);
const PROBABILITIES = [0, 2 ** -149, 1e-44, 1e-30, 1e-8, 1e-3, 0.1, 0.3, 0.5, 0.7, 0.9, 0.999, 1 - 2 ** -24, 1];

export function hex(value: number): string {
  return float32Bits(value).toString(16).padStart(8, '0');
}

/** 25 significant digits; what is under every subnormal number is 0. */
export function digits(value: Decimal): string {
  if (!value.isFinite()) return value.toString();
  return value.abs().lt('1e-50') ? '0' : value.toSignificantDigits(25).toString();
}

function binaryRow(x: number, y: number, options: BinaryGroup['options']): () => BinaryRow {
  return () => {
    const policy = options.hessian ?? 'exact';
    const second = policy === 'exact' ? hessian(x, y, options) : hessianPolicy(policy, x, y, options);
    return [hex(x), y, digits(focalLoss(x, y, options)), digits(gradient(x, y, options)), digits(second)];
  };
}

/** Near 0 and 1, where the clamp at -100 and PyTorch's floor of 1e-12 under the divisor act, only the loss is pinned. */
function probabilityRow(p: number, y: number, options: BinaryOptions): () => BinaryRow {
  const open = p > 1e-11 && p < 1;
  return () => [
    hex(p),
    y,
    digits(focalLoss(p, y, options)),
    open ? digits(gradient(p, y, options)) : null,
    open ? digits(hessian(p, y, options)) : null,
  ];
}

export function binary(): Lazy<BinaryGroup>[] {
  const groups: Lazy<BinaryGroup>[] = [];
  const add = (options: BinaryGroup['options'], pairs: [number, number][]) =>
    groups.push({ options, rows: pairs.map(([x, y]) => binaryRow(x, y, options)) });

  for (const gamma of GAMMAS) {
    add(
      { gamma, alpha: null },
      LOGITS.flatMap((x) => [[x, 1] as [number, number], [x, 0] as [number, number]]),
    );
  }
  // options: each group walks on through the logits, so that together they cross many of them
  const walk = [-30, -7.5, -1, 0.5, 2.3, 10, 17, 87].map(Math.fround);
  let turn = 0;
  for (const gamma of [0, 0.5, 1.5, 2, 5, 1.7]) {
    for (const alpha of ALPHAS.slice(1)) {
      for (const posWeight of [1, 3, 0.5]) {
        add(
          { gamma, alpha, posWeight },
          [1, 0, 1, 0].map((y, k) => [walk[(turn + 3 * k) % walk.length], y]),
        );
        turn++;
      }
    }
  }
  const soft = [-87, -17, -2.3, 0, 1, 7.5, 30, 1e30, Number.POSITIVE_INFINITY].map(Math.fround);
  for (const [index, gamma] of GAMMAS.entries()) {
    add(
      { gamma, alpha: ALPHAS[index % 5], posWeight: [1, 3, 0.5][index % 3] },
      SOFT.flatMap((y, k) => [0, 3, 5].map((step) => [soft[(index + k + step) % soft.length], y] as [number, number])),
    );
  }
  const few: [number, number][] = [-16, -2.25, 0, 3, 12].flatMap((x) => [[x, 1] as [number, number], [x, 0]]);
  for (const labelSmoothing of [0.1, 0.5]) add({ gamma: 2, alpha: 0.25, labelSmoothing }, few);
  add({ gamma: 1.5, alpha: 0.75, weight: 2.5 }, few);
  for (const policy of ['clip', 'gaussNewton', 'absGrad'] as const) {
    for (const gamma of [0, 2]) add({ gamma, alpha: 0.25, hessian: policy }, few);
  }
  for (const gamma of [0, 0.5, 2, 1.7]) {
    const options = { gamma, alpha: 0.25, fromLogits: false };
    groups.push({
      options,
      rows: PROBABILITIES.map(Math.fround).flatMap((p) => [1, 0, 0.75].map((y) => probabilityRow(p, y, options))),
    });
  }
  return groups;
}

/** A fixed spread of logits, as float32. */
export function spread(count: number, scale: number, phase: number): number[] {
  return Array.from({ length: count }, (_, k) => Math.fround(scale * Math.sin(phase + 1.7 * k + 0.3 * k * k)));
}

export function softmax(): Lazy<SoftmaxGroup>[] {
  const groups: Lazy<SoftmaxGroup>[] = [];
  const row = (logits: number[], label: number, options: SoftmaxOptions) => (): SoftmaxRow => [
    logits.map(hex).join(''),
    label,
    digits(softmaxFocalLoss(logits, label, options)),
    softmaxGradient(logits, label, options).map(digits),
  ];
  const add = (classes: number, options: SoftmaxOptions, rows: [number[], number][]) =>
    groups.push({ options, classes, rows: rows.map(([logits, label]) => row(logits, label, options)) });

  for (const [index, gamma] of [0, 0.5, 1, 1.5, 2, 5, 0.25, 1.7].entries()) {
    for (const classes of [2, 3, 8, 10]) {
      const alpha = index % 2 === 0 ? null : Array.from({ length: classes }, (_, k) => 0.25 * (1 + (k % 5)));
      add(
        classes,
        { gamma, alpha },
        [0.5, 4, 14].map((scale, k) => [spread(classes, scale, index + k), (index + 3 * k) % classes]),
      );
    }
  }
  for (const gamma of [0, 2]) {
    add(80, { gamma }, [[spread(80, 6, gamma), 79]]);
    add(8, { gamma, labelSmoothing: 0.1 }, [
      [spread(8, 3, 2), 5],
      [spread(8, 8, 3), 0],
    ]);
    // certain, hopeless, all equal
    add(3, { gamma }, [
      [[40, 0, -40], 0],
      [[40, 0, -40], 2],
      [[200, -200, 0], 1],
      [[7, 7, 7], 1],
    ]);
  }
  return groups;
}

export function posteriors(): Lazy<PosteriorGroup>[] {
  const groups: Lazy<PosteriorGroup>[] = [];
  const logits = [-60, -17, -8, -2.5, -1, 0, 0.3, 2, 5, 12, 17, 60].map(Math.fround);
  for (const [index, gamma] of GAMMAS.entries()) {
    for (const options of [
      { gamma, alpha: [null, 0.25, 0.75][index % 3] },
      { gamma, alpha: 0.25, posWeight: 3 },
    ]) {
      groups.push({ options, classes: 1, rows: logits.map((x) => () => [hex(x), digits(posterior(x, options))]) });
    }
  }
  for (const [index, gamma] of [0, 0.5, 1.5, 2, 1.7, 5].entries()) {
    for (const classes of [2, 3, 8, 10, 80]) {
      if (classes === 80 && gamma !== 2) continue;
      const alpha = index % 2 === 0 ? null : Array.from({ length: classes }, (_, k) => 0.25 * (1 + (k % 5)));
      const scales = classes === 80 ? [5] : [1, 6];
      groups.push({
        options: { gamma, alpha },
        classes,
        rows: scales.map((scale, k) => () => {
          const row = spread(classes, scale, index + k);
          return [row.map(hex).join(''), softmaxPosterior(row, { gamma, alpha }).map(digits)];
        }),
      });
    }
  }
  return groups;
}

export const FILES = { binary, softmax, posteriors };
