import type { Calibration } from './calibrate.js';
import type { LossOptions } from './options.js';
import type { Score } from './score.js';

export function scoreText(score: Score, options: LossOptions): string {
  const { count, positives, negatives, sum, sumPositives, sumNegatives } = score;
  const classes = table([
    ['class', 'count', 'share', 'mean loss', 'share of loss'],
    [
      'positive',
      whole(positives),
      percent(positives / count),
      mean(sumPositives, positives),
      percent(sumPositives / sum),
    ],
    [
      'negative',
      whole(negatives),
      percent(negatives / count),
      mean(sumNegatives, negatives),
      percent(sumNegatives / sum),
    ],
  ]);
  const sections = [
    `${lossLine(score)}\nof ${whole(count)} ${count === 1 ? 'element' : 'elements'}, ${settings(options)}`,
  ];
  sections.push(classes);
  if (score.hardest !== undefined) {
    const rows = score.hardest.map(({ index, logit, target, loss }) => [
      String(index),
      decimal(logit),
      decimal(target),
      decimal(loss),
    ]);
    sections.push(`hardest\n${table([['index', 'logit', 'target', 'loss'], ...rows])}`);
  }
  return `${sections.join('\n\n')}\n`;
}

function lossLine({ loss, reduction, mean, sum }: Score): string {
  return loss === null ? `mean ${decimal(mean)}, sum ${decimal(sum)}` : `loss ${decimal(loss)} (${reduction})`;
}

export function calibrationText(
  calibration: Calibration,
  curve: readonly { readonly score: number; readonly probability: number }[],
  options: LossOptions,
): string {
  const { count, meanScore, meanProbability, scoresAboveHalf, probabilitiesAboveHalf } = calibration;
  const summary = table([
    ['', 'mean', 'above 0.5', 'share'],
    ['score, sigmoid(logit)', decimal(meanScore), whole(scoresAboveHalf), percent(scoresAboveHalf / count)],
    ['probability', decimal(meanProbability), whole(probabilitiesAboveHalf), percent(probabilitiesAboveHalf / count)],
  ]);
  const rows = curve.map(({ score, probability }) => [String(score), probability.toFixed(4)]);
  const head = `probabilities of ${whole(count)} ${count === 1 ? 'element' : 'elements'}, trained with ${settings(options)}`;
  return `${[head, summary, table([['score', 'probability'], ...rows])].join('\n\n')}\n`;
}

/** One line; numbers that JSON has no name for are null. */
export function json(value: Score | Calibration): string {
  return `${JSON.stringify(value)}\n`;
}

function settings({ gamma, alpha, posWeight }: LossOptions): string {
  return `gamma ${gamma}, alpha ${alpha ?? 'none'}${posWeight === 1 ? '' : `, pos-weight ${posWeight}`}`;
}

/** Columns as wide as their widest cell; text on the left, numbers on the right. */
function table(rows: readonly (readonly string[])[]): string {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  const text = rows[1] !== undefined && rows.slice(1).every(([cell]) => !/^[\d-]/.test(cell));
  return rows
    .map((row) =>
      row
        .map((cell, column) => (column === 0 && text ? cell.padEnd(widths[0]) : cell.padStart(widths[column])))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function whole(value: number): string {
  return value.toLocaleString('en-US');
}

/** Six significant digits, as many as a float32 can be trusted for. */
function decimal(value: number): string {
  return String(Number(value.toPrecision(6)));
}

function mean(sum: number, count: number): string {
  return count === 0 ? '-' : decimal(sum / count);
}

function percent(share: number): string {
  return Number.isFinite(share) ? `${(100 * share).toFixed(2)} %` : '-';
}
