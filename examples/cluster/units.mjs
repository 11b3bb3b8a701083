// What a run consists of, and how a unit of it is scored. A unit is a file, or a share of its row groups: what one job scores,
// wherever it runs, by `focal-loss score`.
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { FocalLoss, LossMeter } from 'focal-loss-wasm';

const run = promisify(execFile);

/** An error of the data: trying again would not help. */
export class DataError extends Error {}

/** The units of a folder, in the same order on every machine. */
export async function unitsOf(directory, shards) {
  const names = (await readdir(directory)).filter((name) =>
    /\.(parquet|csv|tsv|jsonl|ndjson)(\.gz|\.zst)?$/.test(name),
  );
  if (names.length === 0) throw new Error(`${directory}: expected files of predictions, such as .parquet, found none`);
  const units = [];
  for (const file of names.sort().map((name) => join(directory, name))) {
    const version = await versionOf(file);
    for (let shard = 1; shard <= shards; shard++) units.push({ file, version, shard: `${shard}/${shards}` });
  }
  return units;
}

/** The exact state of a unit: the same bits whoever makes it, and however often. */
export async function scoreUnit({ file, version, shard }, { gamma, alpha }) {
  await checkVersion(file, version);
  const scratch = await mkdtemp(join(tmpdir(), 'focal-unit-'));
  try {
    const state = join(scratch, 'state.json');
    await run(
      'focal-loss',
      ['score', file, '--gamma', gamma, '--alpha', alpha, '--shard', shard, '--state', state].map(String),
    );
    const { models } = JSON.parse(await readFile(state, 'utf8'));
    await checkVersion(file, version);
    // of what the file holds beside it, metrics need more room than a queue should have
    return models[0].meters[0];
  } catch (error) {
    // 1 is a fault in the file, and 2 one in the command
    if (error.code === 1 || error.code === 2) throw new DataError(error.stderr.trim(), { cause: error });
    throw error;
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** The state of all units, merged exactly: the order does not matter. */
export function mergeStates(states, options) {
  const criterion = new FocalLoss(options);
  const total = new LossMeter(criterion);
  for (const state of states) total.merge(LossMeter.fromJSON(criterion, state));
  return total.toJSON();
}

export function totalsOf(state, options) {
  return LossMeter.fromJSON(new FocalLoss(options), state).compute();
}

async function checkVersion(file, version) {
  if ((await versionOf(file)) !== version) throw new DataError(`${file} changed after the run was submitted`);
}

async function versionOf(file) {
  const { size, mtimeMs } = await stat(file);
  return `${size} bytes of ${new Date(1000 * Math.floor(mtimeMs / 1000)).toISOString()}`;
}
