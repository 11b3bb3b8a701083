import type { LossEntry } from '../losses/registry.js';

export interface LossOption {
  readonly key: string;
  readonly text: string;
  readonly told: string;
  readonly accepts: string;
  readonly rule: string;
  readonly fallback: unknown;
}
export interface DescribedLoss {
  readonly name: string;
  readonly needsClasses: boolean;
  readonly options: readonly LossOption[];
}
export function lossOptions(library: object): readonly DescribedLoss[];
export function optionSections(losses: readonly DescribedLoss[]): Readonly<Record<string, readonly string[]>>;
export function optionHelp(losses: readonly DescribedLoss[]): string;
export function formulaSection(entries: readonly LossEntry[]): readonly string[];
