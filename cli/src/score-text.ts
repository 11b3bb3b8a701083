import { optionsText } from './losses.js';
import type { Metrics } from './metrics.js';
import type { ModelSettings } from './model.js';
import type { MulticlassMetrics } from './multiclass.js';
import type { ModelResult, Totals } from './result.js';
import { decimal, mean, percent, table, whole, within } from './text.js';
import type { ThresholdResult } from './thresholds.js';
import type { Example } from './topk.js';

/** The summary that a person reads. */
export function scoreText(
  results: readonly ModelResult[],
  settings: Omit<ModelSettings, 'name'>,
  skipped: string,
  width: number,
): string {
  const sections = results.map((result) => modelText(result, settings, width));
  if (results.length > 1) sections.unshift(comparison(results, width));
  if (skipped !== '') sections.push(`left out: ${skipped}`);
  return `${sections.join('\n\n')}\n`;
}

function modelText(result: ModelResult, settings: Omit<ModelSettings, 'name'>, width: number): string {
  const { count } = result;
  const what = settings.loss === 'softmax' ? 'row' : 'element';
  const head = `${result.model === undefined ? '' : `${result.model}\n`}${lossLine(result)}
of ${whole(count)} ${what}${count === 1 ? '' : 's'}, ${optionsText(settings.loss, settings.options[0])}`;
  const sections = [head];
  if (settings.loss !== 'softmax') sections.push(classTable(result, width));
  if (result.gammas !== undefined) sections.push(gammaTable(result.gammas, width));
  if (result.metrics !== undefined) sections.push(metricsTable(result.metrics));
  if (result.thresholds !== undefined) sections.push(thresholdTable(result.thresholds, width));
  if (result.cheapest !== undefined) sections.push(cheapestText(result.cheapest, width));
  if (result.slices !== undefined) sections.push(sliceTable(result.slices, result.sum, width));
  if (result.hardest !== undefined) sections.push(`hardest\n${hardestTable(result.hardest, width)}`);
  return sections.join('\n\n');
}

function lossLine({ loss, reduction, mean: average, sum }: ModelResult): string {
  return loss === null ? `mean ${decimal(average)}, sum ${decimal(sum)}` : `loss ${decimal(loss)} (${reduction})`;
}

function comparison(results: readonly ModelResult[], width: number): string {
  const best = Math.min(...results.map((result) => result.mean));
  return table(
    [
      ['model', 'mean loss', 'to the best'],
      ...results.map((result) => [result.model ?? '', decimal(result.mean), `+${percent(result.mean / best - 1)}`]),
    ],
    width,
  );
}

function classTable({ count, positives, negatives, sum, sumPositives, sumNegatives }: Totals, width: number): string {
  const row = (name: string, n: number, part: number) => [
    name,
    whole(n),
    percent(n / count),
    mean(part, n),
    percent(part / sum),
  ];
  return table(
    [
      ['class', 'count', 'share', 'mean loss', 'share of loss'],
      row('positive', positives, sumPositives),
      row('negative', negatives, sumNegatives),
    ],
    width,
  );
}

function gammaTable(gammas: readonly (Totals & { readonly gamma: number })[], width: number): string {
  const share = ({ sumPositives, sum }: Totals) => percent(sumPositives / sum);
  return table(
    [
      ['gamma', 'mean loss', 'sum', 'share of positives'],
      ...gammas.map((each) => [String(each.gamma), decimal(each.mean), decimal(each.sum), share(each)]),
    ],
    width,
  );
}

const isBinary = (metrics: Metrics | MulticlassMetrics): metrics is Metrics => 'rocAuc' in metrics;

function metricsTable(metrics: Metrics | MulticlassMetrics): string {
  if (!isBinary(metrics)) {
    const { accuracy, logLoss, brier, ece } = metrics;
    return named([
      ['accuracy', decimal(accuracy)],
      ['log loss', decimal(logLoss)],
      ['Brier score', decimal(brier)],
      ['ECE', decimal(ece)],
    ]);
  }
  const { logLoss, brier, ece, rocAuc, averagePrecision, error } = metrics;
  return named([
    ['log loss', within(logLoss, error.logLoss)],
    ['Brier score', within(brier, error.brier)],
    ['ECE', within(ece, error.ece)],
    ['ROC AUC', within(rocAuc, error.rocAuc)],
    ['average precision', within(averagePrecision, error.averagePrecision)],
  ]);
}

function named(rows: readonly (readonly [string, string])[]): string {
  const longest = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, value]) => `${name.padEnd(longest)}  ${value}`).join('\n');
}

function thresholdTable(thresholds: readonly ThresholdResult[], width: number): string {
  const costs = thresholds[0]?.cost !== undefined;
  return table(
    [
      ['threshold', 'precision', 'recall', 'F1', 'alarms', 'misses', ...(costs ? ['cost'] : [])],
      ...thresholds.map((each) => [
        decimal(each.threshold),
        decimal(each.precision),
        decimal(each.recall),
        decimal(each.f1),
        whole(each.falsePositives),
        whole(each.falseNegatives),
        ...(costs ? [decimal(each.cost ?? Number.NaN)] : []),
      ]),
    ],
    width,
  );
}

function cheapestText(each: ThresholdResult, width: number): string {
  if (each.threshold === Infinity) return `cheapest: never act, which costs ${decimal(each.cost ?? Number.NaN)}`;
  return `cheapest threshold\n${thresholdTable([each], width)}`;
}

const SHOWN_SLICES = 50;

function sliceTable(slices: NonNullable<ModelResult['slices']>, sum: number, width: number): string {
  const rows = slices
    .slice(0, SHOWN_SLICES)
    .map((each) => [
      each.slice,
      whole(each.count),
      percent(each.positives / each.count),
      decimal(each.mean),
      percent(each.sum / sum),
    ]);
  const more = slices.length > SHOWN_SLICES ? `\nand ${slices.length - SHOWN_SLICES} more slices; --json has all` : '';
  return table([['slice', 'count', 'positive', 'mean loss', 'share of loss'], ...rows], width) + more;
}

function hardestTable(hardest: readonly Example[], width: number): string {
  const ids = hardest.some(({ id }) => id !== undefined);
  const name = ids ? ['index', 'id'] : ['index'];
  return table(
    [
      [...name, 'score', 'target', 'loss'],
      ...hardest.map(({ index, id, score, target, loss }) => [
        String(index),
        ...(ids ? [String(id ?? '')] : []),
        decimal(score),
        decimal(target),
        decimal(loss),
      ]),
    ],
    width,
  );
}
