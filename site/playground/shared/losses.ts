// What the playground offers of each loss, from the registry: its options with the range of their sliders.
import {
  LOSSES as ELEMENTS,
  type LossEntry,
  type NumberOption as Range,
  ROW_LOSSES,
} from '../../../losses/registry.js';

/** A number on a slider. `off` says that null turns it off. */
export interface NumberOption {
  readonly kind: 'number';
  readonly name: string;
  readonly min: number;
  readonly max: number;
  readonly step: number;
  readonly value: number;
  readonly off: boolean;
}

export interface ChoiceOption {
  readonly kind: 'choice';
  readonly name: string;
  readonly choices: readonly string[];
  readonly value: string;
}

export type LossOption = NumberOption | ChoiceOption;
export type OptionValue = number | string | null;
export type OptionValues = Readonly<Record<string, OptionValue>>;

export interface LossKind {
  /** The name of the class that the package exports. */
  readonly id: string;
  readonly title: string;
  /**
   * What a target may be: any number in [0, 1], 0 or 1, whether the label of a row is the class of the curve, or nothing else
   * than that.
   */
  readonly targets: 'soft' | 'hard' | 'label' | 'row';
  readonly options: readonly LossOption[];
}

/** What options that are no numbers are where they are not given. */
const USUAL: Readonly<Record<string, string>> = { softTargets: 'linear' };

export const LOSSES: readonly LossKind[] = [
  ...Array.from(new Set(ELEMENTS.map(({ name }) => name)), (name) =>
    kindOf(ELEMENTS.filter((each) => each.name === name)),
  ),
  ...ROW_LOSSES.map(
    ({ name, title, options }): LossKind => ({
      id: name,
      title,
      targets: name === 'SoftmaxFocalLoss' ? 'row' : 'label',
      options: Object.entries(options).map(numberOf),
    }),
  ),
];

/** Entries of one class differ in options that are no numbers, which become a choice. */
function kindOf(entries: readonly LossEntry[]): LossKind {
  const [{ name, title, soft }] = entries;
  const numbers = Object.entries(Object.assign({}, ...entries.map(({ options }) => options)) as LossEntry['options']);
  const fixed = new Set(entries.flatMap(({ fixed }) => Object.keys(fixed ?? {})));
  const choices = Array.from(fixed, (key): ChoiceOption => {
    const value = USUAL[key];
    return { kind: 'choice', name: key, value, choices: entries.map((entry) => String(entry.fixed?.[key] ?? value)) };
  });
  return { id: name, title, targets: soft ? 'soft' : 'hard', options: [...numbers.map(numberOf), ...choices] };
}

function numberOf([name, { fallback, min, max, step, off }]: [string, Range]): NumberOption {
  return { kind: 'number', name, min, max, step, value: fallback, off: off ?? false };
}

export function lossOf(id: string): LossKind | undefined {
  return LOSSES.find((loss) => loss.id === id);
}

export function defaultsOf(loss: LossKind): OptionValues {
  return Object.fromEntries(loss.options.map(({ name, value }) => [name, value]));
}

/** Whether the option can have that value. */
export function takes(option: LossOption, value: OptionValue): boolean {
  if (option.kind === 'choice') return option.choices.includes(String(value));
  if (value === null) return option.off;
  return typeof value === 'number' && value >= option.min && value <= option.max;
}

/** Options of another loss that this one has as well, with the same meaning. */
export function sharedOptions(loss: LossKind, other: LossKind, values: OptionValues): OptionValues {
  const same = (a: LossOption, b: LossOption) => a.name === b.name && a.kind === b.kind && a.value === b.value;
  const shared = loss.options.filter((option) => other.options.some((each) => same(option, each)));
  const kept = shared.filter((option) => takes(option, values[option.name]));
  return Object.fromEntries(kept.map(({ name }) => [name, values[name]]));
}

/** The call that makes the loss, without the options that have their default. */
export function codeOf(loss: LossKind, values: OptionValues): string {
  const given = loss.options.filter(({ name, value }) => values[name] !== value || name === 'numClasses');
  const text = given.map(
    ({ name }) => `${name}: ${typeof values[name] === 'string' ? `'${values[name]}'` : values[name]}`,
  );
  return `new ${loss.id}(${text.length === 0 ? '' : `{ ${text.join(', ')} }`})`;
}
