import { focalPosterior } from 'focal-loss-wasm';
import type { Run } from './context.js';
import { DataError, UsageError } from './errors.js';
import { checkFlags, warnOfNothing } from './flags.js';
import { ScoreHistogram } from './histogram.js';
import { checked } from './losses.js';
import { type Metrics, metricsOf, type ReliabilityBin, reliability } from './metrics.js';
import { firstOutside, float32Of, logitsOf, probabilityOf, SIGMOID, type TrainedWith } from './model-scores.js';
import { openInput } from './open.js';
import { type InputFlags, inputRequest, type OutFlags } from './options.js';
import { type OutputFile, openOutput, standardOutput } from './output.js';
import { Policy, skippedText } from './policy.js';
import { Progress } from './progress.js';
import { type Records, recordFormat, recordWriter } from './records.js';
import { binaryTargets, checkTargets } from './targets.js';
import { decimal, json, percent, table as textTable, whole } from './text.js';
import { VERSIONS } from './versions.js';

export interface CalibrateFlags extends InputFlags, OutFlags {
  readonly gamma: number;
  readonly alpha: number | 'none';
  readonly posWeight: number;
  readonly ignoreIndex?: number;
}

interface Quality {
  readonly metrics: Metrics;
  readonly reliability: readonly ReliabilityBin[];
}

/** What `--json` prints. A score is the sigmoid of a logit, a probability what the score stands for. */
export interface Calibration {
  readonly count: number;
  readonly meanScore: number;
  readonly meanProbability: number;
  /** How many scores, and how many probabilities, are above one half. */
  readonly scoresAboveHalf: number;
  readonly probabilitiesAboveHalf: number;
  readonly before?: Quality;
  readonly after?: Quality;
}

/** Runs `focal-loss calibrate`, and gives its exit code. */
export async function calibrate(sources: readonly string[], flags: CalibrateFlags, run: Run): Promise<number> {
  const trained: TrainedWith = {
    gamma: flags.gamma,
    alpha: flags.alpha === 'none' ? null : flags.alpha,
    posWeight: flags.posWeight,
  };
  checkFlags({ ...flags, loss: 'focal' });
  if ((flags.logits ?? flags.probabilities ?? []).length > 1)
    throw new UsageError('--logits expected one column; calibrate turns the scores of one model into probabilities');
  const curve = checked(() => calibrationCurve(trained));
  const input = await openInput(
    inputRequest(sources, flags, 'optional', flags.out !== undefined),
    run.scratch,
    run.signal,
  );
  const progress = new Progress(run.stderr);
  let file: OutputFile | undefined;
  try {
    const { table } = input;
    if (flags.out !== undefined) {
      file =
        flags.out === '-'
          ? standardOutput(run.stdout)
          : await openOutput(flags.out, { force: flags.force === true, inputs: input.files, option: '--out' });
    }
    const writer =
      file && (await recordWriter(recordFormat(flags.out ?? '') ?? 'csv', file, 'probability', table.shape));
    const policy = new Policy(table, flags.null, flags.nan, flags.join);
    const [scores, probabilities] = [new Tally(), new Tally()];
    let histogram: ScoreHistogram | undefined;
    // of targets between 0 and 1 there are no metrics, and none of some of the rows
    let soft = false;
    let rows = 0;
    for await (const block of table.blocks()) {
      run.signal?.throwIfAborted();
      const fit = policy.apply(block, rows);
      rows += block.rows;
      const { values } = fit.block.scores[0];
      const place = (row: number) => table.place(fit.rows?.[row] ?? fit.start + row);
      const outside = table.probabilities ? firstOutside(values) : -1;
      if (outside >= 0)
        throw new DataError(table.name, `expected a probability in [0, 1], got ${values[outside]}`, place(outside));
      const logits = table.probabilities ? logitsOf(values) : float32Of(values);
      const score = focalPosterior(logits, { ...SIGMOID, out: new Float32Array(logits.length) });
      const probability = focalPosterior(logits, { ...trained, out: new Float32Array(logits.length) });
      scores.add(score);
      probabilities.add(probability);
      if (Number.isNaN(scores.sum)) policy.refuse(fit.block, fit.start);
      if (fit.block.targets !== undefined) {
        const targets = fit.block.targets.values;
        checkTargets(targets, flags.ignoreIndex, table, place);
        const { hard } = binaryTargets(targets, flags.ignoreIndex);
        histogram ??= new ScoreHistogram();
        if (hard === undefined) soft = true;
        else histogram.add(logits, hard, fit.block.weight?.values);
      }
      if (writer !== undefined)
        await writer.write(recordsOf(fit.block.ids, fit.rows, fit.start, values, score, probability));
      progress.report(table.progress());
    }
    progress.stop();
    if (scores.count === 0 && writer !== undefined) {
      const none = new Float32Array(0);
      await writer.write(recordsOf(table.ids === true ? [] : undefined, undefined, 0, none, none, none));
    }
    await writer?.end();
    if (rows === 0) warnOfNothing(table.name, flags, run);
    await file?.commit();
    const result: Calibration = {
      count: scores.count,
      meanScore: scores.sum / scores.count,
      meanProbability: probabilities.sum / probabilities.count,
      scoresAboveHalf: scores.aboveHalf,
      probabilitiesAboveHalf: probabilities.aboveHalf,
      ...(!soft && histogram && histogram.count > 0 && qualities(histogram, trained)),
    };
    const origin = {
      command: 'calibrate',
      options: trained,
      sources: input.names,
      versions: VERSIONS,
      rows,
      skipped: policy.skipped,
    };
    const summary = flags.out === '-' ? run.stderr : run.stdout;
    const left = skippedText(policy.skipped);
    summary.write(
      flags.json
        ? json({ ...result, ...origin })
        : calibrationText(result, curve, trained, run.width) + (left && `\nleft out: ${left}\n`),
    );
    return 0;
  } finally {
    progress.stop();
    await file?.discard();
    await input.close();
  }
}

function recordsOf(
  ids: Records['columns'][number] | undefined,
  rows: Float64Array | undefined,
  start: number,
  values: ArrayLike<number>,
  score: Float32Array,
  probability: Float32Array,
): Records {
  const index = rows ?? Float64Array.from(score, (_, i) => start + i);
  void score;
  const names = ['index', ...(ids === undefined ? [] : ['id']), 'score', 'probability'];
  return {
    names,
    columns: [index, ...(ids === undefined ? [] : [ids]), Float32Array.from(values), probability],
    rows: score.length,
  };
}

/** How good the scores were as probabilities, and how good what they stand for is. */
function qualities(histogram: ScoreHistogram, trained: TrainedWith): { before: Quality; after: Quality } {
  const buckets = histogram.buckets();
  const of = (trainedWith: TrainedWith): Quality => {
    const probability = probabilityOf(trainedWith, true);
    return { metrics: metricsOf(buckets, probability), reliability: reliability(buckets, probability) };
  };
  return { before: of(SIGMOID), after: of(trained) };
}

class Tally {
  count = 0;
  sum = 0;
  aboveHalf = 0;

  add(values: Float32Array): void {
    this.count += values.length;
    for (const value of values) {
      this.sum += value;
      if (value > 0.5) this.aboveHalf++;
    }
  }
}

/** What a few scores stand for, for the summary. */
function calibrationCurve(options: TrainedWith): { readonly score: number; readonly probability: number }[] {
  const scores = [0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95];
  const logits = scores.map((score) => Math.log(score / (1 - score)));
  const probabilities = focalPosterior(logits, options);
  return scores.map((score, i) => ({ score, probability: probabilities[i] }));
}

function calibrationText(
  calibration: Calibration,
  curve: ReturnType<typeof calibrationCurve>,
  trained: TrainedWith,
  width: number,
): string {
  const { count, meanScore, meanProbability, scoresAboveHalf, probabilitiesAboveHalf, before, after } = calibration;
  const settings = `gamma ${trained.gamma}, alpha ${trained.alpha ?? 'none'}${trained.posWeight === 1 ? '' : `, pos-weight ${trained.posWeight}`}`;
  const sections = [
    `probabilities of ${whole(count)} ${count === 1 ? 'element' : 'elements'}, trained with ${settings}`,
    textTable(
      [
        ['', 'mean', 'above 0.5', 'share'],
        ['score, sigmoid(logit)', decimal(meanScore), whole(scoresAboveHalf), percent(scoresAboveHalf / count)],
        [
          'probability',
          decimal(meanProbability),
          whole(probabilitiesAboveHalf),
          percent(probabilitiesAboveHalf / count),
        ],
      ],
      width,
    ),
  ];
  if (before !== undefined && after !== undefined) {
    const row = (name: string, { metrics }: Quality) => [
      name,
      decimal(metrics.logLoss),
      decimal(metrics.brier),
      decimal(metrics.ece),
    ];
    sections.push(
      textTable([['', 'log loss', 'Brier score', 'ECE'], row('score', before), row('probability', after)], width),
    );
  }
  sections.push(
    textTable(
      [['score', 'probability'], ...curve.map(({ score, probability }) => [String(score), probability.toFixed(4)])],
      width,
    ),
  );
  return `${sections.join('\n\n')}\n`;
}
