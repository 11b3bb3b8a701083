// What a run consists of, and how a unit of it is scored. A unit is a range of rows of a pair of files, NAME.logits.npy and
// NAME.targets.npy: what one job scores, wherever it runs.
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { FocalLoss, LossMeter } from 'focal-loss-wasm';
import { readRows, rowsOf } from './npy.mjs';

/** An error of the data: trying again would not help. */
export class DataError extends Error {}

/** Rows that are given to the kernel at once: a batch gives one number for each class, so it is the same for everyone. */
const BATCH = 2 ** 18;

/** The units of a directory, in the same order on every machine. */
export async function unitsOf(directory, rowsPerUnit) {
  const names = (await readdir(directory)).filter((name) => name.endsWith('.logits.npy')).sort();
  if (names.length === 0)
    throw new Error(`${directory}: expected files NAME.logits.npy and NAME.targets.npy, found none`);
  const units = [];
  for (const name of names) {
    const logits = join(directory, name);
    const targets = logits.replace(/logits\.npy$/, 'targets.npy');
    const rows = await rowsOf(logits);
    if ((await rowsOf(targets)) !== rows) throw new Error(`${targets}: expected ${rows} rows, as ${name} has`);
    const versions = await Promise.all([logits, targets].map(versionOf));
    for (let from = 0; from < rows; from += rowsPerUnit) {
      units.push({ logits, targets, from, to: Math.min(rows, from + rowsPerUnit), versions });
    }
  }
  return units;
}

/** The exact state of a unit: the same bits whoever makes it, and however often. */
export async function scoreUnit(unit, options) {
  await checkVersions(unit);
  const meter = new LossMeter(new FocalLoss(options));
  for (let from = unit.from; from < unit.to; from += BATCH) {
    const to = Math.min(unit.to, from + BATCH);
    const [logits, targets] = [await readRows(unit.logits, from, to), await readRows(unit.targets, from, to)];
    try {
      meter.update(logits, targets);
    } catch (error) {
      throw new DataError(`${unit.logits}, rows from ${from}: ${error.message}`, { cause: error });
    }
  }
  await checkVersions(unit);
  return meter.toJSON();
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

async function checkVersions({ logits, targets, versions }) {
  const now = await Promise.all([logits, targets].map(versionOf));
  if (now.join() !== versions.join())
    throw new DataError(`${logits} or its targets changed after the run was submitted`);
}

async function versionOf(path) {
  const { size, mtimeMs } = await stat(path);
  return `${size} bytes of ${new Date(1000 * Math.floor(mtimeMs / 1000)).toISOString()}`;
}
