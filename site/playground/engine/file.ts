// Of the file that was opened last: what its columns hold, and what a loss, a posterior and a threshold make of them.

import { FocalLoss, focalPosterior, hardest, LossMeter, type LossTotals } from 'focal-loss-wasm';
import { CalibrationMeter, type CalibrationTotals } from 'focal-loss-wasm/metrics';
import type { Training } from './posterior.js';
import { type Cell, type Header, openFiles, type Source, type Values } from './sources.js';
import { type LossHistogram, lossHistogram, sweep, type Threshold } from './statistics.js';

export type Scores = 'logits' | 'probabilities';

export interface Opened {
  readonly rows: number;
  readonly columns: readonly string[];
  /** What the columns seem to be; undefined where none has a usual name. */
  readonly scoreColumn: string;
  readonly targetColumn: string;
}

export interface Selection {
  readonly scoreColumn: string;
  readonly targetColumn: string;
  /** Undefined: as the numbers are, within [0, 1] or not. */
  readonly scores?: Scores;
  /** The label that counts as 1, for targets that are not numbers in [0, 1]. */
  readonly positive?: string;
  /** What becomes of a row that lacks its score or its target. */
  readonly missing: 'error' | 'skip';
}

export interface Selected {
  readonly scores: Scores;
  readonly kept: number;
  readonly skipped: number;
  /** The labels to choose from, where there is something to choose. */
  readonly labels: readonly string[];
  readonly positive?: string;
}

export interface Settings {
  readonly loss: Training;
  readonly training: Training;
  readonly costMiss: number;
  readonly costAlarm: number;
}

export interface HardRow {
  /** From 0, in the file. */
  readonly row: number;
  readonly score: number;
  readonly probability: number;
  readonly target: number;
  readonly loss: number;
}

export interface Report {
  readonly totals: LossTotals;
  readonly histogram: LossHistogram;
  readonly hardest: readonly HardRow[];
  readonly before: CalibrationTotals;
  readonly after: CalibrationTotals;
  readonly thresholds: readonly Threshold[];
  readonly cheapest: number;
}

const SCORE_NAMES = [
  'logit',
  'logits',
  'score',
  'scores',
  'y_score',
  'probability',
  'proba',
  'prob',
  'y_prob',
  'y_pred',
  'prediction',
  'pred',
];
const TARGET_NAMES = ['target', 'targets', 'label', 'labels', 'y_true', 'y', 'truth', 'class'];
const MOST_LABELS = 50;
const SHOWN_ROWS = 20;
const BINS = 15;

interface Prepared {
  readonly scores: Scores;
  /** As the file has them. */
  readonly given: Float64Array;
  /** The logit of each score. */
  readonly logits: Float32Array;
  /** Bytes where all are 0 or 1, which is what makes the bits of a sum those of labels. */
  readonly targets: Float32Array | Uint8Array;
  /** The row in the file. */
  readonly rows: Uint32Array;
}

let source: Source | undefined;
let prepared: Prepared | undefined;

export async function openTable(files: readonly File[], header: Header): Promise<Opened> {
  source = undefined;
  prepared = undefined;
  const opened = await openFiles(files, header);
  const { rows, columns } = opened;
  if (rows === 0) throw new RangeError(`"${files[0].name}" expected at least one row, got none`);
  source = opened;
  const named = (names: readonly string[]) => columns.find((column) => names.includes(column.toLowerCase()));
  const targetColumn = named(TARGET_NAMES) ?? columns[columns.length - 1];
  const scoreColumn = named(SCORE_NAMES) ?? columns.find((column) => column !== targetColumn) ?? columns[0];
  return { rows, columns, scoreColumn, targetColumn };
}

export async function selectColumns(selection: Selection): Promise<Selected> {
  prepared = undefined;
  const { scoreColumn, targetColumn, missing } = selection;
  if (source === undefined) throw new Error('no file is open');
  if (scoreColumn === targetColumn)
    throw new TypeError(`"targets" expected another column than the scores, got "${targetColumn}"`);
  const [scores, targets] = [await source.read(scoreColumn), await source.read(targetColumn)];
  const kept = keptRows(scores, targets);
  if (kept.length === 0) throw new RangeError(`"rows" expected at least one with a score and a target, got none`);
  const skipped = scores.length - kept.length;
  if (skipped > 0 && missing === 'error') {
    const row = firstMissing(scores, targets);
    throw new TypeError(`"row ${row}" expected a score and a target, got a missing cell; leave rows without one out`);
  }
  const given = Float64Array.from(kept, (row) => numberIn(scoreColumn, row, scores[row]));
  const within = given.every((score) => score >= 0 && score <= 1);
  const kind = selection.scores ?? (within ? 'probabilities' : 'logits');
  if (kind === 'probabilities' && !within) {
    const at = given.findIndex((score) => !(score >= 0 && score <= 1));
    throw new RangeError(`"${scoreColumn}" expected probabilities in [0, 1], got ${given[at]} in row ${kept[at]}`);
  }
  const labels = labelsOf(targets, kept);
  const ready = labels.every((label) => Number(label) >= 0 && Number(label) <= 1);
  const choice = ready ? [] : labels;
  if (choice.length > MOST_LABELS)
    throw new RangeError(`"${targetColumn}" expected targets in [0, 1] or at most ${MOST_LABELS} labels, got more`);
  const positive = ready ? undefined : (selection.positive ?? choice[choice.length - 1]);
  prepared = {
    scores: kind,
    given,
    logits:
      kind === 'logits' ? Float32Array.from(given) : Float32Array.from(given, (p) => Math.log(p) - Math.log1p(-p)),
    targets: compact(kept.map((row) => (ready ? Number(targets[row]) : String(targets[row]) === positive ? 1 : 0))),
    rows: Uint32Array.from(kept),
  };
  return { scores: kind, kept: kept.length, skipped, labels: choice, positive };
}

export function makeReport({ loss, training, costMiss, costAlarm }: Settings): Report {
  if (prepared === undefined) throw new Error('no columns are chosen');
  const { scores, given, logits, targets, rows } = prepared;
  const fromLogits = scores === 'logits';
  const inputs = fromLogits ? logits : Float32Array.from(given);
  const criterion = new FocalLoss({ ...loss, fromLogits, reduction: 'none' });
  const losses = criterion.forward(inputs, targets);
  const meter = new LossMeter(criterion);
  meter.update(inputs, targets);
  const sigmoid = focalPosterior(logits, { gamma: 0, alpha: null });
  const posterior = focalPosterior(logits, training);
  const thresholds = sweep(posterior, targets, costMiss, costAlarm);
  return {
    totals: meter.compute(),
    histogram: lossHistogram(losses, targets),
    hardest: Array.from(hardest(losses, Math.min(SHOWN_ROWS, losses.length)), (k) => ({
      row: rows[k],
      score: given[k],
      probability: posterior[k],
      target: targets[k],
      loss: losses[k],
    })),
    before: calibration(sigmoid, targets),
    after: calibration(posterior, targets),
    thresholds,
    cheapest: thresholds.reduce((best, { cost }, index) => (cost < thresholds[best].cost ? index : best), 0),
  };
}

/** Without the bins in which nothing is. */
function calibration(probabilities: Float32Array, targets: Float32Array | Uint8Array): CalibrationTotals {
  const meter = new CalibrationMeter({ bins: BINS });
  meter.update(probabilities, targets);
  const { bins, ...totals } = meter.compute();
  return { ...totals, bins: bins.filter(({ count }) => count > 0) };
}

function keptRows(scores: Values, targets: Values): number[] {
  const kept: number[] = [];
  for (let row = 0; row < scores.length; row++) if (!isMissing(scores[row]) && !isMissing(targets[row])) kept.push(row);
  return kept;
}

const compact = (targets: readonly number[]) =>
  targets.every((target) => target === 0 || target === 1) ? Uint8Array.from(targets) : Float32Array.from(targets);

const isMissing = (cell: Cell) => cell === null || (typeof cell === 'number' && Number.isNaN(cell));

function firstMissing(scores: Values, targets: Values): number {
  let row = 0;
  while (!isMissing(scores[row]) && !isMissing(targets[row])) row++;
  return row;
}

function numberIn(column: string, row: number, cell: Cell): number {
  if (typeof cell === 'number') return cell;
  throw new TypeError(`"${column}" expected numbers, got ${JSON.stringify(cell)?.slice(0, 40)} in row ${row}`);
}

/** In their order as numbers or as words. No more than can be chosen from, and one. */
function labelsOf(targets: Values, rows: readonly number[]): string[] {
  const words: Readonly<Record<string, string>> = { true: '1', false: '0' };
  const labels = new Set<string>();
  let soft = true;
  for (const row of rows) {
    const cell = targets[row];
    soft &&= typeof cell === 'number' && cell >= 0 && cell <= 1;
    if (soft && labels.size > MOST_LABELS) continue;
    labels.add(String(cell));
    if (!soft && labels.size > MOST_LABELS) break;
  }
  return [...labels].sort((a, b) => Number(words[a] ?? a) - Number(words[b] ?? b) || a.localeCompare(b, 'en'));
}
