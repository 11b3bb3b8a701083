import type { Criterion } from 'focal-loss-wasm';
import * as library from 'focal-loss-wasm';
import { UsageError } from './errors.js';

export const LOSS_NAMES = [
  'focal',
  'bce',
  'softmax',
  'onehot',
  'quality',
  'varifocal',
  'asymmetric',
  'heatmap',
] as const;
export type LossName = (typeof LOSS_NAMES)[number];

/** The options of losses as they are typed, by the names that the library has for them. */
export interface LossFlags {
  readonly loss: LossName;
  readonly gamma?: readonly number[];
  readonly alpha?: number | 'none';
  readonly posWeight?: number;
  readonly labelSmoothing?: number;
  readonly softTargets?: 'linear' | 'split' | 'crossEntropy';
  readonly polyEpsilon?: number;
  readonly beta?: number;
  readonly gammaPositive?: number;
  readonly gammaNegative?: number;
  readonly margin?: number;
  readonly background?: number;
  readonly ignoreIndex?: number;
}

type Option = Exclude<keyof LossFlags, 'loss' | 'ignoreIndex'>;
export type LossOptions = Readonly<Record<string, number | string | boolean | null>>;

interface Kind {
  readonly export: string;
  /** Whether a row of scores has one for each class. */
  readonly rows: boolean;
  readonly options: readonly Option[];
  /** What the loss is made with unless it is said otherwise, and what is always so. */
  readonly defaults: LossOptions;
  /** Whether it takes probabilities itself. */
  readonly fromProbabilities: boolean;
}

const COMMON = ['posWeight', 'labelSmoothing'] as const;
const KINDS: Readonly<Record<LossName, Kind>> = {
  focal: {
    export: 'FocalLoss',
    rows: false,
    options: ['gamma', 'alpha', ...COMMON, 'softTargets', 'polyEpsilon'],
    defaults: { gamma: 1.5, alpha: 0.25 },
    fromProbabilities: true,
  },
  // the same as BCEWithLogitsLoss, with the options of the family
  bce: {
    export: 'FocalLoss',
    rows: false,
    options: [...COMMON],
    defaults: { gamma: 0, alpha: null },
    fromProbabilities: true,
  },
  softmax: {
    export: 'SoftmaxFocalLoss',
    rows: true,
    options: ['gamma', 'alpha', 'labelSmoothing', 'softTargets', 'polyEpsilon'],
    defaults: { gamma: 1.5, alpha: null },
    fromProbabilities: false,
  },
  onehot: {
    export: 'OneHotFocalLoss',
    rows: true,
    options: ['gamma', 'alpha', ...COMMON, 'background'],
    defaults: { gamma: 1.5, alpha: 0.25 },
    fromProbabilities: false,
  },
  quality: {
    export: 'QualityFocalLoss',
    rows: false,
    options: ['beta'],
    defaults: { beta: 2 },
    fromProbabilities: false,
  },
  varifocal: {
    export: 'VarifocalLoss',
    rows: false,
    options: ['gamma', 'alpha'],
    defaults: { gamma: 2, alpha: 0.75 },
    fromProbabilities: false,
  },
  asymmetric: {
    export: 'AsymmetricLoss',
    rows: false,
    options: ['gammaPositive', 'gammaNegative', 'margin'],
    defaults: { gammaPositive: 1, gammaNegative: 4, margin: 0.05 },
    fromProbabilities: false,
  },
  heatmap: {
    export: 'HeatmapFocalLoss',
    rows: false,
    options: ['alpha', 'beta'],
    defaults: { alpha: 2, beta: 4 },
    fromProbabilities: false,
  },
};

export function isRows(loss: LossName): boolean {
  return KINDS[loss].rows;
}

/** Whether the loss is given probabilities as they are, rather than as the logits that stand for them. */
export function takesProbabilities(loss: LossName): boolean {
  return KINDS[loss].fromProbabilities;
}

/** The options of each loss that is asked for: one for each gamma. */
export function lossOptions(flags: LossFlags): LossOptions[] {
  const { loss, ignoreIndex, gamma, ...others } = flags;
  const kind = KINDS[loss];
  const given: Record<string, number | string | null> = {};
  for (const [name, value] of Object.entries(others)) {
    if (value === undefined || !isOption(name)) continue;
    checkOption(loss, kind, name);
    given[name] = value === 'none' ? null : (value as number | string);
  }
  if (gamma !== undefined) checkOption(loss, kind, 'gamma');
  if (ignoreIndex !== undefined) given.ignoreIndex = ignoreIndex;
  const base = { ...kind.defaults, ...given };
  return gamma === undefined ? [base] : gamma.map((value) => ({ ...base, gamma: value }));
}

const OPTIONS = new Set<string>(Object.values(KINDS).flatMap(({ options }) => options));

function isOption(name: string): name is Option {
  return OPTIONS.has(name);
}

function checkOption(loss: LossName, kind: Kind, name: Option): void {
  if (kind.options.includes(name)) return;
  throw new UsageError(
    `${flagOf(name)} expected another --loss than ${loss}, which has ${kind.options.map(flagOf).join(', ')}`,
  );
}

/** As the option is typed. */
export function flagOf(name: string): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

export interface MadeLoss {
  /** One sum or mean for a block. */
  readonly total: Criterion<'mean'>;
  /** The same loss, one for each element. */
  readonly each: Criterion<'none'>;
}

/** Makes the losses; the library checks the options' values, and its complaints name the option as typed. */
export function makeLoss(
  loss: LossName,
  options: LossOptions,
  input: { readonly probabilities: boolean; readonly classes?: number },
): MadeLoss {
  const kind = KINDS[loss];
  const Loss = (library as unknown as Record<string, new (options: object) => unknown>)[kind.export];
  if (Loss === undefined) throw new UsageError(`--loss ${loss} needs a newer focal-loss-wasm`);
  const all = {
    ...options,
    ...(input.classes === undefined ? {} : { numClasses: input.classes }),
    ...(input.probabilities && kind.fromProbabilities ? { fromLogits: false } : {}),
  };
  return checked(() => ({
    total: new Loss({ ...all, reduction: 'mean', ...(loss === 'heatmap' ? {} : {}) }) as Criterion<'mean'>,
    each: new Loss({ ...all, reduction: 'none' }) as Criterion<'none'>,
  }));
}

/** Has the library's complaints about options name them as they are typed. */
export function checked<T>(make: () => T): T {
  try {
    return make();
  } catch (error) {
    const found = error instanceof Error ? /^"([A-Za-z]+)" (.*)/s.exec(error.message) : null;
    if (found === null || !(OPTIONS.has(found[1]) || found[1] === 'ignoreIndex')) throw error;
    throw new UsageError(`${flagOf(found[1])} ${found[2].replaceAll('null', 'none')}`);
  }
}

/** Options in one line, as they are typed. */
export function optionsText(loss: LossName, options: LossOptions): string {
  const parts = Object.entries(options)
    .filter(([name]) => loss !== 'bce' || !['gamma', 'alpha'].includes(name))
    .map(([name, value]) => `${flagOf(name).slice(2)} ${value ?? 'none'}`);
  return [...(loss === 'focal' ? [] : [`loss ${loss}`]), ...parts].join(', ');
}
