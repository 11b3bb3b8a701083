import type { Criterion } from 'focal-loss-wasm';
import * as library from 'focal-loss-wasm';
import { UsageError } from './errors.js';
import { OPTION_HELP } from './option-help.js';

/** How the command line calls a loss: "heatmap" for HeatmapFocalLoss. */
export type LossName = string;
export type LossOptions = Readonly<Record<string, number | string | boolean | null>>;

/** An option that has a flag. */
type Option = keyof typeof OPTION_HELP;

/** What is typed of a loss, its options by the names that the library has for them. */
export interface LossFlags extends Partial<Readonly<Record<Option, unknown>>> {
  readonly loss: LossName;
  readonly gamma?: readonly number[];
  readonly alpha?: number | 'none';
  readonly posWeight?: number;
  readonly ignoreIndex?: number;
}

type LossClass = new (options?: object) => { readonly options: Readonly<Record<string, unknown>> };

interface Kind {
  readonly Loss: LossClass;
  /** Whether a row of scores has one for each class. */
  readonly rows: boolean;
  readonly options: readonly Option[];
  /** What is told of a loss even where it is not given, and what is always so. */
  readonly defaults: LossOptions;
  /** Whether it takes probabilities itself. */
  readonly fromProbabilities: boolean;
}

/** Options at which nothing happens unless they are given, or which go by the classes: not told of a loss. */
const SILENT: readonly string[] = [
  'posWeight',
  'labelSmoothing',
  'polyEpsilon',
  'softTargets',
  'background',
  'ignoreIndex',
];

const KINDS = new Map<LossName, Kind>([
  ['focal', kindOf(library.FocalLoss)],
  // the same as BCEWithLogitsLoss, with other options of FocalLoss
  [
    'bce',
    { ...kindOf(library.FocalLoss), options: ['posWeight', 'labelSmoothing'], defaults: { gamma: 0, alpha: null } },
  ],
]);
for (const [name, Loss] of Object.entries(library)) {
  const found = /^(\w+?)(?:Focal)?Loss$/.exec(name);
  if (found !== null && /^[A-Z]/.test(name) && !['FocalLoss', 'BCEWithLogitsLoss'].includes(name)) {
    KINDS.set(found[1].toLowerCase(), kindOf(Loss));
  }
}

/** Every loss of the library. */
export const LOSS_NAMES: readonly LossName[] = [...KINDS.keys()];

/** What the command line needs to know of a loss, by the loss's own options. */
function kindOf(Loss: unknown): Kind {
  const { options, rows } = optionsOf(Loss as LossClass);
  const own = Object.keys(options).filter((key): key is Option => isOption(key) && key !== 'ignoreIndex');
  const told = own.filter((key) => !SILENT.includes(key)).map((key) => [key, options[key]]);
  return {
    Loss: Loss as LossClass,
    rows,
    options: own,
    defaults: Object.fromEntries(told),
    fromProbabilities: 'fromLogits' in options,
  };
}

/** The options of a loss with its defaults, and whether it goes by rows: it must be told its classes then. */
function optionsOf(Loss: LossClass): { readonly options: Readonly<Record<string, unknown>>; readonly rows: boolean } {
  try {
    return { options: new Loss().options, rows: false };
  } catch {
    return { options: new Loss({ numClasses: 2 }).options, rows: true };
  }
}

function find(loss: LossName): Kind {
  return KINDS.get(loss) as Kind;
}

export function isRows(loss: LossName): boolean {
  return find(loss).rows;
}

/** Whether the loss is given probabilities as they are, rather than as the logits that stand for them. */
export function takesProbabilities(loss: LossName): boolean {
  return find(loss).fromProbabilities;
}

/** The defaults of an option, by the losses that have it. */
export function defaultsOf(option: string): [LossName, unknown][] {
  const kinds = [...KINDS].filter(([, { options }]) => options.includes(option as Option));
  return kinds.map(([name, { Loss }]) => [name, optionsOf(Loss).options[option]]);
}

/** The options of each loss that is asked for: one for each gamma. */
export function lossOptions(flags: LossFlags): LossOptions[] {
  const { loss, ignoreIndex, gamma, ...others } = flags;
  const kind = find(loss);
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

function isOption(name: string): name is Option {
  return Object.hasOwn(OPTION_HELP, name);
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
  const { Loss, fromProbabilities } = find(loss);
  const all = {
    ...options,
    ...(input.classes === undefined ? {} : { numClasses: input.classes }),
    ...(input.probabilities && fromProbabilities ? { fromLogits: false } : {}),
  };
  return checked(() => ({
    total: new Loss({ ...all, reduction: 'mean' }) as unknown as Criterion<'mean'>,
    each: new Loss({ ...all, reduction: 'none' }) as unknown as Criterion<'none'>,
  }));
}

/** Has the library's complaints about options name them as they are typed. */
export function checked<T>(make: () => T): T {
  try {
    return make();
  } catch (error) {
    const found = error instanceof Error ? /^"([A-Za-z]+)" (.*)/s.exec(error.message) : null;
    if (found === null || !isOption(found[1])) throw error;
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
