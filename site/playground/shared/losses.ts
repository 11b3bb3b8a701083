// What the playground offers of each loss: its options with the range of their sliders, in the order in which they act.

/** A number on a slider. `off` says that null turns it off. */
export interface NumberOption {
  readonly kind: 'number';
  readonly name: string;
  readonly min: number;
  readonly max: number;
  readonly step: number;
  readonly value: number;
  readonly off?: boolean;
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
  /** What a target may be: any number in [0, 1], 0 or 1, or the class of a row, which the curve then shows. */
  readonly targets: 'soft' | 'hard' | 'row';
  readonly options: readonly LossOption[];
}

const number = (name: string, value: number, min: number, max: number, step: number, off = false): NumberOption => ({
  kind: 'number',
  name,
  value,
  min,
  max,
  step,
  off,
});

const gamma = (value: number, name = 'gamma') => number(name, value, 0, 8, 0.1);
const posWeight = number('posWeight', 1, 0, 10, 0.1);
const labelSmoothing = number('labelSmoothing', 0, 0, 0.5, 0.01);
const polyEpsilon = number('polyEpsilon', 0, -1, 5, 0.1);
const softTargets: ChoiceOption = {
  kind: 'choice',
  name: 'softTargets',
  choices: ['linear', 'split', 'crossEntropy'],
  value: 'linear',
};

export const LOSSES: readonly LossKind[] = [
  {
    id: 'FocalLoss',
    title: 'Focal loss',
    targets: 'soft',
    options: [gamma(1.5), number('alpha', 0.25, 0, 1, 0.01, true), posWeight, labelSmoothing, polyEpsilon, softTargets],
  },
  { id: 'BCEWithLogitsLoss', title: 'Binary cross entropy', targets: 'soft', options: [posWeight] },
  {
    id: 'SoftmaxFocalLoss',
    title: 'Softmax focal loss',
    targets: 'row',
    options: [number('numClasses', 10, 2, 100, 1), gamma(1.5), labelSmoothing, polyEpsilon],
  },
  { id: 'QualityFocalLoss', title: 'Quality focal loss', targets: 'soft', options: [gamma(2, 'beta')] },
  {
    id: 'VarifocalLoss',
    title: 'Varifocal loss',
    targets: 'soft',
    options: [gamma(2), number('alpha', 0.75, 0, 1, 0.01)],
  },
  {
    id: 'AsymmetricLoss',
    title: 'Asymmetric loss',
    targets: 'hard',
    options: [gamma(1, 'gammaPositive'), gamma(4, 'gammaNegative'), number('margin', 0.05, 0, 0.5, 0.01)],
  },
  {
    id: 'HeatmapFocalLoss',
    title: 'Heatmap focal loss',
    targets: 'soft',
    options: [gamma(2, 'alpha'), gamma(4, 'beta')],
  },
];

export function lossOf(id: string, among: readonly LossKind[] = LOSSES): LossKind | undefined {
  return among.find((loss) => loss.id === id);
}

export function defaultsOf(loss: LossKind): OptionValues {
  return Object.fromEntries(loss.options.map(({ name, value }) => [name, value]));
}

/** The call that makes the loss, without the options that have their default. */
export function codeOf(loss: LossKind, values: OptionValues): string {
  const given = loss.options.filter(({ name, value }) => values[name] !== value || name === 'numClasses');
  const text = given.map(
    ({ name }) => `${name}: ${typeof values[name] === 'string' ? `'${values[name]}'` : values[name]}`,
  );
  return `new ${loss.id}(${text.length === 0 ? '' : `{ ${text.join(', ')} }`})`;
}
