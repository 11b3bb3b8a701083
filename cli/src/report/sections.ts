import { optionsText } from '../losses.js';
import { type Metrics, reliability } from '../metrics.js';
import type { Model } from '../model.js';
import { type Probability, probabilityOf, SIGMOID, type TrainedWith } from '../model-scores.js';
import type { ModelResult } from '../result.js';
import { decimal, mean, percent, whole, within } from '../text.js';
import { type Costs, cheapest, thresholdResults } from '../thresholds.js';
import { byGamma, hardestShare, lossHistogram, lossParts, thinned } from './curves.js';
import type { Section } from './page.js';
import * as plots from './plots.js';

export interface ReportSettings {
  readonly costs?: Costs;
  /** What the model was trained with: the loss it is scored with, unless it is said. */
  readonly trainedWith: TrainedWith;
  readonly scoredWith?: TrainedWith;
}

/** The parts of the page, in their order. */
export function sectionsOf(
  models: readonly Model[],
  results: readonly ModelResult[],
  settings: ReportSettings,
): Section[] {
  const named = models.length > 1;
  const sections: Section[] = [totals(models, results)];
  const measured = metrics(models, results);
  if (measured !== undefined) sections.push(measured);
  for (const result of results) if (result.gammas !== undefined) sections.push(gammas(result));
  for (const result of results) if (result.slices !== undefined) sections.push(slices(result, named));
  sections.push(...pictures(models, settings));
  for (const result of results) if (result.thresholds !== undefined) sections.push(thresholds(result));
  for (const result of results) if (result.hardest !== undefined) sections.push(hardest(result, named));
  return sections;
}

function totals(models: readonly Model[], results: readonly ModelResult[]): Section {
  const { loss, options } = models[0].settings;
  const row = (name: string, of: (result: ModelResult) => string) => [name, ...results.map(of)];
  const rows = [
    row('mean', (each) => decimal(each.mean)),
    row('sum', (each) => decimal(each.sum)),
    row(loss === 'softmax' ? 'rows' : 'elements', (each) => whole(each.count)),
  ];
  if (loss !== 'softmax') {
    rows.push(
      row('positives', (each) => whole(each.positives)),
      row('their share', (each) => percent(each.positives / each.count)),
      row('their mean', (each) => mean(each.sumPositives, each.positives)),
      row('their share of the loss', (each) => percent(each.sumPositives / each.sum)),
      row('negatives', (each) => whole(each.negatives)),
      row('their mean', (each) => mean(each.sumNegatives, each.negatives)),
    );
  }
  const names = models.map(({ settings }) => settings.name);
  return { kind: 'table', title: 'Loss', text: optionsText(loss, options[0]), rows: [['', ...names], ...rows] };
}

function metrics(models: readonly Model[], results: readonly ModelResult[]): Section | undefined {
  const some = results.filter((result) => result.metrics !== undefined);
  if (some.length === 0) return undefined;
  const title = 'How good the predictions are';
  const names = models.map(({ settings }) => settings.name);
  if (some.some(({ metrics: each }) => each !== undefined && !('rocAuc' in each))) {
    const row = (key: 'accuracy' | 'logLoss' | 'brier' | 'ece') =>
      results.map((each) => decimal((each.metrics as unknown as Record<string, number>)?.[key] ?? Number.NaN));
    const rows = [
      ['accuracy', ...row('accuracy')],
      ['log loss', ...row('logLoss')],
      ['Brier score', ...row('brier')],
      ['ECE', ...row('ece')],
    ];
    return { kind: 'table', title, rows: [['', ...names], ...rows] };
  }
  const row = (key: keyof Metrics['error']) =>
    results.map(({ metrics: each }) =>
      each === undefined ? '-' : within((each as Metrics)[key], (each as Metrics).error[key]),
    );
  return {
    kind: 'table',
    title,
    rows: [
      ['', ...names],
      ['log loss', ...row('logLoss')],
      ['Brier score', ...row('brier')],
      ['calibration error (ECE)', ...row('ece')],
      ['ROC AUC', ...row('rocAuc')],
      ['average precision', ...row('averagePrecision')],
    ],
  };
}

function gammas({ gammas: each = [], model }: ModelResult): Section {
  return {
    kind: 'table',
    title: `Loss by gamma${model === undefined ? '' : `: ${model}`}`,
    rows: [
      ['gamma', 'mean loss', 'sum', 'share of positives'],
      ...each.map((one) => [
        String(one.gamma),
        decimal(one.mean),
        decimal(one.sum),
        percent(one.sumPositives / one.sum),
      ]),
    ],
  };
}

const MOST_ROWS = 200;

function slices({ slices: each = [], sum, model }: ModelResult, named: boolean): Section {
  return {
    kind: 'table',
    title: `Slices${named ? `: ${model}` : ''}`,
    text:
      each.length > MOST_ROWS
        ? `The ${MOST_ROWS} of ${each.length} that carry most of the loss.`
        : 'Those that carry most of the loss first.',
    rows: [
      ['slice', 'elements', 'positive', 'mean loss', 'share of loss'],
      ...each
        .slice(0, MOST_ROWS)
        .map((one) => [
          one.slice,
          whole(one.count),
          percent(one.positives / one.count),
          decimal(one.mean),
          percent(one.sum / sum),
        ]),
    ],
  };
}

function thresholds({ thresholds: each = [], model }: ModelResult): Section {
  const costs = each[0]?.cost !== undefined;
  return {
    kind: 'table',
    title: `Thresholds${model === undefined ? '' : `: ${model}`}`,
    rows: [
      ['threshold', 'precision', 'recall', 'F1', 'alarms', 'misses', ...(costs ? ['cost'] : [])],
      ...each.map((one) => [
        ...[one.threshold, one.precision, one.recall, one.f1].map((value) => String(Number(value.toPrecision(3)))),
        ...[whole(one.falsePositives), whole(one.falseNegatives), ...(costs ? [decimal(one.cost ?? Number.NaN)] : [])],
      ]),
    ],
  };
}

function hardest({ hardest: each = [], model }: ModelResult, named: boolean): Section {
  const ids = each.some(({ id }) => id !== undefined);
  return {
    kind: 'table',
    title: `Hardest${named ? `: ${model}` : ''}`,
    text: 'The elements of the largest loss: wrong labels are often among them.',
    rows: [
      ['index', ...(ids ? ['id'] : []), 'score', 'target', 'loss'],
      ...each.map((one) => [
        ...[String(one.index), ...(ids ? [String(one.id ?? '')] : [])],
        ...[decimal(one.score), decimal(one.target), decimal(one.loss)],
      ]),
    ],
  };
}

/** The plots, where scores are of two classes and targets are hard. */
function pictures(models: readonly Model[], { costs, trainedWith, scoredWith }: ReportSettings): Section[] {
  const some = models.filter((model) => !model.soft && (model.histogram?.count ?? 0) > 0);
  if (some.length === 0 || models[0].settings.classes !== undefined) return [];
  const { loss, options } = some[0].settings;
  const sets = some.map((model) => {
    const exact = model.histogram?.buckets() ?? [];
    return { name: model.settings.name, model, exact, few: thinned(exact), fromLogits: !model.settings.probabilities };
  });
  const each = <T>(of: (set: (typeof sets)[number]) => T) => sets.map((set) => ({ name: set.name, data: of(set) }));
  const parts = each(({ few, fromLogits }) => lossParts(few, loss, options[0], !fromLogits));
  const byClass = parts.flatMap(({ name, data }) =>
    [true, false].map((positive) => ({
      name: `${positive ? 'positive' : 'negative'}${sets.length > 1 ? `, ${name}` : ''}`,
      data: lossHistogram(data).filter((bin) => bin.positive === positive),
    })),
  );
  const several = some.length > 1;
  const suffix = (text: string, name: string) => (several ? `${text}, ${name}` : text);
  const before = sets.map(({ name, exact, fromLogits }) => ({
    name: suffix('score', name),
    data: reliability(exact, probabilityOf(SIGMOID, fromLogits)),
  }));
  const after = sets.map(({ name, exact, fromLogits }) => ({
    name: suffix('probability', name),
    data: reliability(exact, probabilityOf(trainedWith, fromLogits)),
  }));
  const at = Array.from({ length: 101 }, (_, i) => i / 100);
  const acting = (probability: (fromLogits: boolean) => Probability) =>
    each(({ few, fromLogits }) => thresholdResults(few, probability(fromLogits), at, costs));
  const curves = acting((fromLogits) => probabilityOf(scoredWith ?? SIGMOID, fromLogits));
  const { gamma, alpha, posWeight } = trainedWith;
  const training = `gamma ${gamma}, alpha ${alpha ?? 'none'}${posWeight === 1 ? '' : `, pos-weight ${posWeight}`}`;
  const sections: Section[] = [
    plot(
      'Losses by class',
      'How the losses of each class are spread; what is below the first bin is in it.',
      plots.lossPlot(byClass),
    ),
    plot(
      'What the hardest carry',
      'Which share of the loss comes from which share of the elements, the hardest first.',
      plots.sharePlot(each(({ name }) => hardestShare(parts.find((part) => part.name === name)?.data ?? []))),
    ),
    plot(
      'Reliability',
      `Scores, and the probabilities behind them if the model was trained with focal loss of ${training}.`,
      plots.reliabilityPlot([...before, ...after]),
    ),
    plot(
      'Precision and recall',
      'Acting on every element whose probability reaches the threshold.',
      plots.thresholdPlot(curves),
    ),
  ];
  if (costs !== undefined) {
    const best = sets.map(({ exact, fromLogits, name }) => {
      const one = cheapest(exact, probabilityOf(scoredWith ?? SIGMOID, fromLogits), costs);
      return `${suffix('cheapest', name)}: ${one.threshold === Infinity ? 'never act' : `from ${decimal(one.threshold)} on`}, ${decimal(one.cost ?? Number.NaN)}`;
    });
    sections.push(
      plot(
        'Cost',
        `A miss costs ${costs.miss}, a false alarm ${costs.alarm}; ${best.join('; ')}.`,
        plots.costPlot(curves),
      ),
    );
  }
  if ('gamma' in options[0] && loss === 'focal') {
    sections.push(
      plot(
        'Loss by gamma',
        'The mean loss of the same scores under another gamma.',
        plots.gammaPlot(each(({ few, fromLogits }) => byGamma(few, loss, options[0], !fromLogits))),
      ),
    );
  }
  return sections;
}

function plot(title: string, text: string, picture: plots.Picture): Section {
  return { kind: 'plot', title, text, picture };
}
