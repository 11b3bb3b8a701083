// What a loss is to the engine: its options, its export of the kernel, and what the frame is given.

import type { SoftTargets } from '../abi.js';
import type { HessianPolicy, Reduction } from '../types.js';

/** The options of a loss after their checks: plain values, which can be posted to a thread or written as JSON. */
export interface Settings {
  readonly reduction: Reduction;
  readonly ignoreIndex: number | null;
  readonly normalizer: number | 'positives' | undefined;
  readonly numClasses: number | undefined;
  readonly classAxis: number;
  readonly classWeight: readonly number[] | undefined;
  readonly hessian: HessianPolicy;
  readonly fromLogits: boolean;
  readonly labelSmoothing: number;
  readonly gamma: number;
  readonly alpha: number | readonly number[] | null;
  readonly posWeight: number | readonly number[];
  readonly softTargets: keyof typeof SoftTargets;
  readonly polyEpsilon: number;
  readonly background: number;
  readonly beta: number;
  readonly gammaPositive: number;
  readonly gammaNegative: number;
  readonly margin: number;
}

/** The numbers of a frame in which losses differ. */
export interface Parameters {
  readonly gamma: number;
  /** What a positive, and a negative, is multiplied by. */
  readonly positive: number;
  readonly negative: number;
  readonly beta?: number;
  readonly margin?: number;
  /** Targets above it are positive. Default 0.5. */
  readonly positiveAbove?: number;
}

/** What targets are: one number an element, one label a row of sigmoids, one label (or a row of shares) a row. */
export type Placement = 'elements' | 'labels' | 'rows';

export interface Definition {
  /** The name of the class. */
  readonly name: string;
  /** The export of the kernel that evaluates it. */
  readonly kernel: string;
  readonly placement: Placement;
  /** Whether targets may lie between 0 and 1. */
  readonly soft: boolean;
  readonly parameters: (settings: Settings) => Parameters;
}
