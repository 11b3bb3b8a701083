// Every option of every loss, once: what may be given with its documentation, and its default and check.

import {
  boolean,
  classCount,
  coefficient,
  exponent,
  factor,
  fraction,
  ignoredIndex,
  normalizerOf,
  oneOf,
  onlyKeys,
  partOfOne,
  perClass,
  reductionOf,
  wholeIndex,
  wrongKind,
  wrongValue,
} from '../checks.js';
import type { Settings } from '../engine/definition.js';
import type { HessianPolicy, Reduction, SoftTargets } from '../types.js';

export const HESSIANS: readonly HessianPolicy[] = ['exact', 'clip', 'gaussNewton', 'absGrad'];
const SOFT_TARGETS: readonly SoftTargets[] = ['linear', 'split', 'crossEntropy'];

// Types and documentation, an interface for each option: editors show no documentation through a mapped type.

export interface FromLogitsOption {
  /**
   * `false`: the first argument is probabilities in [0, 1], each log is clamped at -100 as PyTorch's BCELoss does, and
   * derivatives are in p. Default true.
   */
  readonly fromLogits?: boolean;
}

export interface IgnoreIndexOption {
  /**
   * Targets equal to it give loss, gradient and Hessian 0 and are not counted; compared before smoothing and before targets
   * are checked; a finite number. Default null: none.
   */
  readonly ignoreIndex?: number | null;
}

export interface BackgroundOption {
  /** The label of a row without a class, all of whose targets are 0; an integer, other than `ignoreIndex`. Default `numClasses`. */
  readonly background?: number;
}

export interface LabelSmoothingOption {
  /** s: a target y becomes y (1 - s) + s / 2, for all that follows; a number in [0, 1). Default 0. */
  readonly labelSmoothing?: number;
}

export interface NumClassesOption {
  /**
   * Elements of the class axis: says which class and row an element has, for what is given by class or by row; an integer >= 1
   * that divides the length. Default: none.
   */
  readonly numClasses?: number;
}

export interface ClassAxisOption {
  /**
   * The axis of the logits along which the classes lie, counted from the end where it is negative; other axes than the last
   * need logits that are a tensor with dims, such as `[N, C, H, W]` with `classAxis: 1`. Default -1, the last.
   */
  readonly classAxis?: number;
}

export interface SoftTargetsOption {
  /**
   * What targets between 0 and 1 mean. `'linear'`: p_t, alpha_t and the cross entropy are interpolated, as the focal loss
   * of YOLO has it. `'split'`: each class has a focal term of its own. `'crossEntropy'`: the factor is
   * (1 - exp(-CE))^gamma, CE without posWeight. Default `'linear'`.
   */
  readonly softTargets?: SoftTargets;
}

export interface PosWeightOption {
  /** Multiplies the positive part of the cross entropy, and not p_t; a finite number >= 0, one for all or one for each class. Default 1. */
  readonly posWeight?: number | ArrayLike<number>;
}

export interface GammaOption {
  /** Exponent of the modulating factor (1 - p_t)^gamma; a number in [0, 64]. Default 1.5. */
  readonly gamma?: number;
}

export interface PolyEpsilonOption {
  /** Epsilon of Poly-1, which adds alpha_t epsilon (1 - p_t)^(gamma + 1); a finite number. Default 0. */
  readonly polyEpsilon?: number;
}

export interface BetaOption {
  /** Exponent of the factor abs(p - y)^beta; a number in [0, 64]. Default 2. */
  readonly beta?: number;
}

export interface GammaPositiveOption {
  /** Exponent of the factor of positives; a number in [0, 64]. Default 1. */
  readonly gammaPositive?: number;
}

export interface GammaNegativeOption {
  /** Exponent of the factor of negatives; a number in [0, 64]. Default 4. */
  readonly gammaNegative?: number;
}

export interface MarginOption {
  /** Taken off the probability of negatives, which cost nothing below it, called clip elsewhere; a number in [0, 1). Default 0.05. */
  readonly margin?: number;
}

export interface AlphaOption {
  /**
   * Multiplies positives, and 1 - alpha negatives; a number in [0, 1], one for all or one for each class. `null` turns it off,
   * and 0 does not: positives then weigh nothing. Default 0.25.
   */
  readonly alpha?: number | ArrayLike<number> | null;
}

export interface ClassWeightOption {
  /** Multiplies every element (row, of a softmax) of a class; a finite number >= 0 for each class. Default: none. */
  readonly classWeight?: ArrayLike<number>;
}

export interface ReductionOption<R extends Reduction = Reduction> {
  /**
   * What becomes of the losses: `'none'` gives each; `'sum'`; `'mean'` is the sum over what is not ignored by its number,
   * whatever its weight. Default `'mean'`.
   */
  readonly reduction?: R;
}

export interface NormalizerOption {
  /**
   * What `'mean'` divides the sum by: a positive number, or `'positives'` for max(1, number of targets above 0.5).
   * Default: the number of elements that are not ignored. `'none'`, `'sum'` and `gradHess` do not use it.
   */
  readonly normalizer?: number | 'positives';
}

export interface HessianOption {
  /**
   * What `gradHess` returns as `hess`: `'exact'`; `'clip'`, at least 1e-16; `'gaussNewton'`, the factor times the second
   * derivative of the cross entropy, which is never negative; `'absGrad'`, the size of the gradient. Default `'exact'`.
   */
  readonly hessian?: HessianPolicy;
}

/** What every loss of the family has beside its own options. In the order in which they act. */
export interface FamilyOptions<R extends Reduction = Reduction>
  extends IgnoreIndexOption,
    NumClassesOption,
    ClassAxisOption,
    ClassWeightOption,
    ReductionOption<R>,
    NormalizerOption,
    HessianOption {}

/** @internal */
export const FAMILY_KEYS: readonly OptionKey[] = [
  'reduction',
  'ignoreIndex',
  'numClasses',
  'classAxis',
  'classWeight',
  'normalizer',
  'hessian',
];

type Check<T> = (name: string, value: unknown, numClasses: number | undefined) => T;

interface Option<T> {
  readonly fallback: T;
  readonly check: Check<T>;
}

function option<T>(fallback: T, check: Check<T>): Option<T> {
  return { fallback, check };
}

/** A single value, or one for each class. */
function oneOrPerClass(check: (name: string, value: unknown) => number): Check<number | readonly number[]> {
  return (name, value, numClasses) => perClass(name, value, numClasses, check) ?? check(name, value);
}

const classWeights: Check<readonly number[] | undefined> = (name, value, numClasses) => {
  const weights = perClass(name, value, numClasses, factor);
  if (weights === undefined) throw wrongKind(name, 'an array with a number for each class', value);
  return weights;
};

/** Default and check of each option. */
const OPTIONS: { readonly [P in keyof Settings]: Option<Settings[P]> } = {
  fromLogits: option(true, boolean),
  ignoreIndex: option<number | null>(null, ignoredIndex),
  background: option(Number.NaN, wholeIndex),
  labelSmoothing: option(0, partOfOne),
  numClasses: option<number | undefined>(undefined, classCount),
  classAxis: option(-1, wholeIndex),
  softTargets: option<SoftTargets>('linear', (name, value) => oneOf(name, value, SOFT_TARGETS)),
  posWeight: option<number | readonly number[]>(1, oneOrPerClass(factor)),
  gamma: option(1.5, exponent),
  polyEpsilon: option(0, coefficient),
  beta: option(2, exponent),
  gammaPositive: option(1, exponent),
  gammaNegative: option(4, exponent),
  margin: option(0.05, partOfOne),
  alpha: option<number | readonly number[] | null>(0.25, (name, value, numClasses) =>
    value === null ? null : oneOrPerClass(fraction)(name, value, numClasses),
  ),
  classWeight: option<readonly number[] | undefined>(undefined, classWeights),
  reduction: option<Reduction>('mean', reductionOf),
  normalizer: option<number | 'positives' | undefined>(undefined, normalizerOf),
  hessian: option<HessianPolicy>('exact', (name, value) => oneOf(name, value, HESSIANS)),
};

/** What an option is where a loss does not have it. */
const NEUTRAL: Settings = {
  ...(Object.fromEntries(Object.entries(OPTIONS).map(([key, { fallback }]) => [key, fallback])) as unknown as Settings),
  alpha: null,
};

/** @internal */
export type OptionKey = keyof Settings;

/**
 * How a loss differs in an option: another default, or another check.
 *
 * @internal
 */
export type Overrides = { readonly [P in OptionKey]?: Partial<Option<Settings[P]>> };

/**
 * The settings of a loss from what its constructor was given, with the options among `keys` that it has.
 *
 * @internal
 */
export function settingsOf(
  given: object | undefined,
  keys: readonly OptionKey[],
  overrides: Overrides = {},
  others: readonly string[] = [],
): Settings {
  const options = onlyKeys('options', given as Record<string, unknown> | undefined, [...keys, ...others]);
  const settings: Record<string, unknown> = { ...NEUTRAL };
  const resolve = (key: OptionKey) => {
    const { fallback, check } = { ...OPTIONS[key], ...overrides[key] } as Option<unknown>;
    const value = options[key];
    settings[key] = value === undefined ? fallback : check(key, value, settings.numClasses as number | undefined);
  };
  // the others may have a value for each class
  if (keys.includes('numClasses')) resolve('numClasses');
  for (const key of keys) if (key !== 'numClasses') resolve(key);
  if (settings.numClasses === undefined && settings.classAxis !== -1) {
    throw wrongKind('numClasses', 'an integer >= 1 beside "classAxis"', undefined);
  }
  return settings as unknown as Settings;
}

/**
 * Refuses meanings of soft targets that probabilities do not have.
 *
 * @internal
 */
export function checkProbabilityOptions({ fromLogits, softTargets }: Settings): void {
  if (!fromLogits && softTargets !== 'linear') {
    const remedy = 'other meanings of soft targets need logits';
    throw wrongValue('softTargets', '\'linear\' beside "fromLogits": false', softTargets, remedy);
  }
}

/**
 * numClasses of a loss that cannot do without.
 *
 * @internal
 */
export function requireClasses({ numClasses }: { readonly numClasses: number | undefined }): number {
  if (numClasses === undefined) throw wrongKind('numClasses', 'an integer >= 1', undefined);
  return numClasses;
}

/**
 * alpha of a softmax: a weight for all classes, or one for each.
 *
 * @internal
 */
export const classAlpha: Check<number | readonly number[] | null> = (name, value, numClasses) => {
  if (value === null || typeof value === 'number') return value === null ? null : factor(name, value);
  const weights = perClass(name, value, numClasses, factor);
  if (weights === undefined) throw wrongKind(name, 'a number, an array with one for each class, or null', value);
  return weights;
};

/**
 * Refuses a background that cannot be told from the rows that are left out.
 *
 * @internal
 */
export function checkBackground({ background, ignoreIndex }: Settings): void {
  if (background === ignoreIndex) {
    throw wrongValue('background', 'another label than "ignoreIndex"', background, 'a row is one or the other');
  }
}

/**
 * numClasses and classAxis of a function that is no loss.
 *
 * @internal
 */
export function classCountOf(value: unknown): number {
  return classCount('numClasses', value);
}

export function classAxisOf(value: unknown): number {
  return value === undefined ? -1 : wholeIndex('classAxis', value);
}
