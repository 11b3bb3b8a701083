import { focalPosterior } from 'focal-loss-wasm';
import type { Run } from './context.js';
import { printable, UsageError } from './errors.js';
import { type Evaluated, evaluate } from './evaluate.js';
import { checkFlags, warnOfNothing, warnOfSoft } from './flags.js';
import { lossOptions, takesProbabilities } from './losses.js';
import type { Model } from './model.js';
import { SIGMOID } from './model-scores.js';
import { openInput } from './open.js';
import { inputRequest, type ScoreFlags } from './options.js';
import { type OutputFile, openOutput, standardOutput } from './output.js';
import { evaluateShared, threadsFor } from './parallel.js';
import { skippedText } from './policy.js';
import { Progress } from './progress.js';
import { type Records, type RecordWriter, recordFormat, recordWriter } from './records.js';
import { type ModelResult, modelResult } from './result.js';
import { scoreText } from './score-text.js';
import { partOf, stateText } from './state.js';
import type { Id, Table } from './table.js';
import { json } from './text.js';
import { Hardest } from './topk.js';
import { VERSIONS } from './versions.js';

/** Runs `focal-loss score`, and gives its exit code. */
export async function score(sources: readonly string[], flags: ScoreFlags, run: Run): Promise<number> {
  checkFlags(flags);
  const options = lossOptions(flags);
  const elementwise = flags.out !== undefined || flags.top !== undefined;
  const request = inputRequest(sources, flags, 'needed', elementwise);
  const input = await openInput(request, run.scratch, run.signal);
  const files: OutputFile[] = [];
  const progress = new Progress(run.stderr);
  try {
    const { table } = input;
    const opened: string[] = [];
    const open = async (name: string, option: string) => {
      const file =
        name === '-'
          ? standardOutput(run.stdout)
          : await openOutput(name, { force: flags.force === true, inputs: input.files, outputs: [...opened], option });
      opened.push(name);
      files.push(file);
      return file;
    };
    const writer =
      flags.out === undefined
        ? undefined
        : await recordWriter(
            recordFormat(flags.out) ?? 'csv',
            await open(flags.out, '--out'),
            'loss',
            flags.where === undefined ? table.shape : undefined,
          );
    const state = flags.state === undefined ? undefined : await open(flags.state, '--state');
    if (table.models.length > 1 && recordFormat(flags.out ?? '') === 'npy')
      throw new UsageError('--out expected a .csv or .parquet file for several models; a .npy has room for one');
    if (elementwise && options.length > 1)
      run.warn(`warning: --top and --out are of gamma ${options[0].gamma}, the first`);
    const tops = table.models.map(() => new Hardest(flags.top ?? 0));
    let wrote = false;
    const task = {
      input: request,
      evaluation: {
        settings: { loss: flags.loss, options },
        rows: request.rows,
        ignoreIndex: flags.ignoreIndex,
        nulls: flags.null,
        nan: flags.nan,
        joined: flags.join,
        elementwise,
      },
    };
    const onProgress = (share: number) => progress.report(share);
    const threads = threadsFor(task, table, run);
    const evaluation =
      threads > 1
        ? await evaluateShared(task, threads, run, onProgress)
        : await evaluate({
            ...task.evaluation,
            table,
            signal: run.signal,
            onProgress,
            warn: run.warn,
            async onBlock(evaluated) {
              if (flags.top !== undefined) for (const [m, top] of tops.entries()) collectHardest(top, evaluated, m);
              if (writer !== undefined) await writeBlock(writer, evaluated, table.models, table.probabilities, flags);
              wrote = true;
            },
          });
    progress.stop();
    const { models, skipped, rows } = evaluation;
    warnOfProbabilities(models[0], table.name, run.warn);
    warnOfLabel(models[0], flags, run.warn);
    warnOfSoft(models[0], flags, run);
    const settings = {
      reduction: flags.reduction,
      thresholds: flags.thresholds,
      costs: costsOf(flags),
      trainedWith: flags.trainedWith,
    };
    const results = models.map((model, m) =>
      modelResult(model, settings, models.length > 1, flags.top === undefined ? undefined : tops[m].examples),
    );
    if (writer !== undefined && !wrote)
      await writeBlock(writer, nothingOf(table, request.rows), table.models, table.probabilities, flags);
    await writer?.end();
    if (rows === 0 && flags.shard === undefined) warnOfNothing(table.name, flags, run);
    const origin = {
      command: 'score',
      options: { loss: flags.loss, ...options[0] },
      sources: input.names,
      versions: VERSIONS,
      rows,
      skipped,
    };
    if (state !== undefined) {
      const sums = { ...origin, models: models.map((model) => model.toJSON()) };
      await state.write(Buffer.from(stateText({ ...sums, parts: [partOf(sums, flags.shard)] })));
    }
    for (const file of files) await file.commit();
    const summary = flags.out === '-' ? run.stderr : run.stdout;
    summary.write(
      flags.json
        ? json({ ...(results.length === 1 ? results[0] : { models: results }), ...origin })
        : scoreText(results, models[0].settings, skippedText(skipped), run.width),
    );
    return failed(results, flags.failAbove, run.warn);
  } finally {
    progress.stop();
    for (const file of files) await file.discard();
    await input.close();
  }
}

/** 3 where the loss of some model is above the limit, or is no number. */
export function failed(results: readonly ModelResult[], limit: number | undefined, warn: Run['warn']): number {
  if (limit === undefined) return 0;
  let code = 0;
  for (const { loss, mean, model } of results) {
    const value = loss ?? mean;
    if (value <= limit) continue;
    warn(`the loss${model === undefined ? '' : ` of ${printable(model)}`}, ${value}, is above --fail-above ${limit}`);
    code = 3;
  }
  return code;
}

export function costsOf({ costMiss, costAlarm }: Pick<ScoreFlags, 'costMiss' | 'costAlarm'>) {
  return costMiss === undefined || costAlarm === undefined ? undefined : { miss: costMiss, alarm: costAlarm };
}

/** Hands the rows of a block to those that keep the hardest. */
export function collectHardest(top: Hardest, { block, place, losses, width }: Evaluated, m: number): void {
  const scores = block.scores[m].values;
  const targets = block.targets?.values;
  const perRow = losses[m].length === block.rows && width > 1;
  const rowOf = (i: number) => (perRow || width === 1 ? i : Math.floor(i / width));
  const label = (i: number) => targets?.[rowOf(i)] ?? Number.NaN;
  const target = perRow || width === 1 ? label : (i: number) => Number(label(i) === i % width);
  const score = (i: number) => (perRow ? scores[i * width + (targets?.[i] ?? 0)] : scores[i]);
  const start = place(0);
  const ids = block.ids === undefined ? undefined : width === 1 || perRow ? block.ids : undefined;
  if (width === 1 || perRow)
    top.add(losses[m], start, score, target, ids, contiguous(block.rows, place) ? undefined : place);
  else top.add(losses[m], start * width, score, target);
}

function contiguous(rows: number, place: (row: number) => number): boolean {
  return rows === 0 || place(rows - 1) - place(0) === rows - 1;
}

/** What there is of no rows, for the names and types of its columns. */
function nothingOf(table: Table, rows: boolean): Evaluated {
  const none = new Float32Array(0);
  const each = table.models.length > 0 ? table.models.map(() => none) : [none];
  const values = { values: none, width: 1 };
  const block = { rows: 0, scores: each.map(() => values), targets: values, ...(table.ids === true && { ids: [] }) };
  return { block, place: () => 0, losses: each, scores: each, width: rows ? 2 : 1 };
}

async function writeBlock(
  writer: RecordWriter,
  evaluated: Evaluated,
  models: readonly string[],
  probabilities: boolean,
  flags: ScoreFlags,
): Promise<void> {
  const { block, place, losses, width } = evaluated;
  const rows = losses[0].length;
  const perRow = width > 1 && rows === block.rows;
  const rowOf = (i: number) => (width === 1 || perRow ? i : Math.floor(i / width));
  const targets = block.targets?.values;
  const names = ['index'];
  const columns: Records['columns'][number][] = [
    Float64Array.from({ length: rows }, (_, i) =>
      width === 1 || perRow ? place(i) : place(rowOf(i)) * width + (i % width),
    ),
  ];
  if (block.ids !== undefined) {
    const { ids } = block;
    names.push('id');
    columns.push(Array.from({ length: rows }, (_, i) => textOf(ids[rowOf(i)])));
  }
  const suffix = (name: string, m: number) => (models.length > 1 ? `${name}_${models[m]}` : name);
  for (const m of losses.keys()) {
    const { values } = block.scores[m];
    if (!perRow) {
      const scores = Float32Array.from(values);
      names.push(suffix('score', m), suffix('probability', m));
      columns.push(scores, probabilitiesOf(evaluated, m, probabilities, flags));
    }
  }
  names.push('target');
  columns.push(
    Float32Array.from({ length: rows }, (_, i) => {
      const label = targets?.[rowOf(i)] ?? Number.NaN;
      return width === 1 || perRow ? label : Number(label === i % width);
    }),
  );
  for (const m of losses.keys()) {
    names.push(suffix('loss', m));
    columns.push(losses[m]);
  }
  await writer.write({ names, columns, rows });
}

function textOf(id: Id): Id {
  return id;
}

function probabilitiesOf(
  { block, scores }: Evaluated,
  m: number,
  probabilities: boolean,
  flags: ScoreFlags,
): Float32Array {
  const read = Float32Array.from(block.scores[m].values);
  if (probabilities && flags.trainedWith === undefined) return read;
  const isLogit = !probabilities || !takesProbabilities(flags.loss);
  const logits = isLogit ? scores[m] : Float32Array.from(read, (p) => Math.log(p) - Math.log1p(-p));
  return focalPosterior(logits, { ...(flags.trainedWith ?? SIGMOID), out: new Float32Array(logits.length) });
}

function warnOfProbabilities({ settings, histogram }: Model, name: string, warn: (message: string) => void): void {
  if (settings.probabilities || histogram === undefined || histogram.count < 2) return;
  const buckets = histogram.buckets();
  if (buckets[0].low < 0 || buckets[buckets.length - 1].low > 1) return;
  warn(`warning: ${name}: every logit is in [0, 1]; are these probabilities? Then name the column by --probabilities`);
}

function warnOfLabel(model: Model, flags: ScoreFlags, warn: (message: string) => void): void {
  if (flags.positiveLabel === undefined) return;
  const { positives, count } = model.meters[0].compute();
  if (count > 0 && positives === 0)
    warn(`warning: no target is ${JSON.stringify(flags.positiveLabel)}, the --positive-label`);
}
