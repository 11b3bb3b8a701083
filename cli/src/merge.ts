import type { Run } from './context.js';
import { DataError, printable } from './errors.js';
import { checkThresholds, warnOfSoft } from './flags.js';
import type { Model } from './model.js';
import type { ScoreFlags } from './options.js';
import { openOutput } from './output.js';
import { type Skipped, skippedText } from './policy.js';
import { modelResult } from './result.js';
import { costsOf, failed } from './score.js';
import { scoreText } from './score-text.js';
import { missingShards, type Part, readState, type State, stateText } from './state.js';
import { json } from './text.js';
import { VERSIONS } from './versions.js';

export type MergeFlags = Pick<
  ScoreFlags,
  'reduction' | 'thresholds' | 'costMiss' | 'costAlarm' | 'trainedWith' | 'failAbove' | 'state' | 'force' | 'json'
>;

/** Runs `focal-loss merge`: one summary of what shards have added up. */
export async function merge(files: readonly string[], flags: MergeFlags, run: Run): Promise<number> {
  const first = await readState(files[0]);
  const { models } = first;
  checkThresholds(models[0].settings.loss, flags);
  const sources = [...first.state.sources];
  const skipped: Skipped = { ...first.state.skipped };
  let { rows } = first.state;
  const parts = [...(first.state.parts ?? [])];
  for (const file of files.slice(1)) {
    run.signal?.throwIfAborted();
    const next = await readState(file);
    checkAlike(file, next.state, files[0], first.state);
    checkNew(file, next.state, parts);
    parts.push(...(next.state.parts ?? []));
    for (const [i, model] of next.models.entries()) models[i].merge(model);
    sources.push(...next.state.sources.filter((source) => !sources.includes(source)));
    for (const key of Object.keys(skipped) as (keyof Skipped)[]) skipped[key] += next.state.skipped[key];
    rows += next.state.rows;
  }
  for (const missing of missingShards(parts)) run.warn(`warning: no state is of the shards ${missing}`);
  const settings = {
    reduction: flags.reduction,
    thresholds: flags.thresholds,
    costs: costsOf(flags),
    trainedWith: flags.trainedWith,
  };
  warnOfSoft(models[0], flags, run);
  const results = models.map((model) => modelResult(model, settings, models.length > 1));
  const origin = { command: 'merge', options: first.state.options, sources, versions: VERSIONS, rows, skipped };
  if (flags.state !== undefined)
    await writeState(
      flags,
      stateText({ ...origin, parts, models: models.map((model: Model) => model.toJSON()) }),
      files,
    );
  run.stdout.write(
    flags.json
      ? json({ ...(results.length === 1 ? results[0] : { models: results }), ...origin })
      : scoreText(results, models[0].settings, skippedText(skipped), run.width),
  );
  return failed(results, flags.failAbove, run.warn);
}

async function writeState(flags: MergeFlags, text: string, inputs: readonly string[]): Promise<void> {
  const file = await openOutput(flags.state ?? '', { force: flags.force === true, inputs, option: '--state' });
  try {
    await file.write(Buffer.from(text));
    await file.commit();
  } finally {
    await file.discard();
  }
}

/** What is in a sum already is not added again. */
function checkNew(file: string, { parts = [] }: State, known: readonly Part[]): void {
  const ids = new Set(known.map(({ id }) => id));
  const again = parts.find(({ id }) => id !== undefined && ids.has(id));
  if (again === undefined) return;
  const shard = again.shard === undefined ? '' : `, shard ${again.shard.index}/${again.shard.count},`;
  throw new DataError(file, `expected what is in no other state, got the same rows${shard} again`);
}

/** Sums of different losses do not add up. */
function checkAlike(file: string, state: State, otherFile: string, other: State): void {
  const settings = ({ models }: State) =>
    models.map(({ name, loss, options, probabilities, classes }) => ({ name, loss, options, probabilities, classes }));
  const [a, b] = [settings(state), settings(other)];
  if (a.length !== b.length)
    throw new DataError(file, `expected ${b.length} models, as in ${otherFile}, got ${a.length}`);
  for (const [i, mine] of a.entries()) {
    for (const key of ['loss', 'options', 'probabilities', 'classes'] as const) {
      const [got, expected] = [JSON.stringify(mine[key]), JSON.stringify(b[i][key])];
      if (got !== expected)
        throw new DataError(
          file,
          `expected ${key} ${expected}, as in ${printable(otherFile, 200)}, got ${printable(got, 300)}`,
        );
    }
  }
}
