// The options that this entry has: numbers that are the same for all elements. losses/options.ts has all of them.

import {
  exponent,
  factor,
  fraction,
  ignoredIndex,
  normalizerOf,
  onlyKeys,
  partOfOne,
  reductionOf,
  wrongKind,
} from '../checks.js';
import { lengthOf } from '../kinds.js';
import type { GammaOption, IgnoreIndexOption, LabelSmoothingOption, NormalizerOption } from '../losses/options.js';
import type { Reduction } from '../types.js';

/** The options of a loss after their checks. */
export interface Settings {
  readonly ignoreIndex: number | null;
  readonly labelSmoothing: number;
  readonly posWeight: number;
  readonly gamma: number;
  readonly alpha: number | null;
  readonly normalizer: number | 'positives' | undefined;
  readonly reduction: Reduction;
}

/** Options with one value for all elements. In the order in which they act. */
export interface ScalarOptions extends IgnoreIndexOption, LabelSmoothingOption, GammaOption, NormalizerOption {
  /** Multiplies the positive part of the cross entropy; finite, >= 0. Default 1. */
  readonly posWeight?: number;
  /** Multiplies positives, and 1 - alpha negatives; in [0, 1]. `null` turns it off. Default 0.25. */
  readonly alpha?: number | null;
}

type Check = (name: string, value: unknown) => unknown;

/** Default and check of each; test/lite.test.ts holds them to those of the whole library. */
const OPTIONS: { readonly [P in keyof Settings]: readonly [Settings[P], Check] } = {
  ignoreIndex: [null, ignoredIndex],
  labelSmoothing: [0, partOfOne],
  posWeight: [1, single(factor)],
  gamma: [1.5, exponent],
  alpha: [0.25, (name, value) => (value === null ? null : single(fraction)(name, value))],
  normalizer: [undefined, normalizerOf],
  reduction: ['mean', reductionOf],
};

export type OptionKey = keyof Settings;
export const KEYS = Object.keys(OPTIONS) as readonly OptionKey[];

/** What to do where something is asked for that this entry leaves out. */
const REMEDY = "'focal-loss-wasm' has more";

/** The keys of an object of options, whose remedy for others is where they may be. */
export function keysOf<T extends object>(name: string, given: T | undefined, keys: readonly string[]): Partial<T> {
  return onlyKeys(name, given, keys, REMEDY);
}

/** Refuses a value for each class. */
function single(check: Check): Check {
  return (name, value) => {
    if (lengthOf(value) === undefined) return check(name, value);
    throw wrongKind(name, 'a number for all elements', value, REMEDY);
  };
}

/** The settings of a loss from the options that it was given; `base` has those that are not the loss's own. */
export function settingsOf(options: Readonly<Record<string, unknown>>, base: Partial<Settings>): Settings {
  const settings: Record<string, unknown> = {};
  for (const [key, [fallback, check]] of Object.entries(OPTIONS)) {
    settings[key] = options[key] === undefined ? fallback : check(key, options[key]);
  }
  return { ...settings, ...base } as Settings;
}
