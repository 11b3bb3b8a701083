import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { DataError, printable, systemError } from './errors.js';
import { Model, type ModelJSON } from './model.js';
import type { Skipped } from './policy.js';
import type { Shard } from './units.js';

/** What `--state` writes and `merge` reads: all that was added up, and where it came from. */
export interface State {
  readonly options: Readonly<Record<string, unknown>>;
  readonly sources: readonly string[];
  readonly rows: number;
  readonly skipped: Skipped;
  readonly models: readonly ModelJSON[];
  /** What was added up to it, one for each run that has read files. */
  readonly parts?: readonly Part[];
}

export interface Part {
  /** The same for the same rows with the same result; undefined where there were no rows. */
  readonly id?: string;
  readonly shard?: { readonly index: number; readonly count: number; readonly of: string };
}

/** What a run is to those that merge its state. */
export function partOf({ sources, models, rows }: Omit<State, 'parts'>, shard?: Shard): Part {
  const of = (value: unknown) => createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 16);
  const { index, count } = shard ?? {};
  return {
    ...(rows > 0 && { id: of([sources, index, count, models]) }),
    ...(shard && { shard: { index: shard.index, count: shard.count, of: of([sources, shard.count]) } }),
  };
}

/** In words, the shards that are not among the parts though others of theirs are. */
export function missingShards(parts: readonly Part[]): string[] {
  const sets = new Map<string, { count: number; there: Set<number> }>();
  for (const { shard } of parts) {
    if (shard === undefined) continue;
    const set = sets.get(shard.of) ?? { count: shard.count, there: new Set() };
    sets.set(shard.of, set);
    set.there.add(shard.index);
  }
  return [...sets.values()]
    .filter(({ count, there }) => there.size < count)
    .map(({ count, there }) => {
      const all = Array.from({ length: Math.min(count, there.size + 5) }, (_, i) => i + 1);
      const missing = all.filter((index) => !there.has(index)).slice(0, 5);
      const more = count - there.size > missing.length ? ', ...' : '';
      return `${missing.join(', ')}${more} of ${count}`;
    });
}

const FORMAT = 'focal-loss-cli state';
const VERSION = 1;

export function stateText(state: State & Readonly<Record<string, unknown>>): string {
  // what is not finite is kept by its name, as the meters keep it
  return `${JSON.stringify({ format: FORMAT, version: VERSION, ...state })}\n`;
}

export async function readState(file: string): Promise<{ state: State; models: Model[] }> {
  const text = await readFile(file, 'utf8').catch((error) => {
    throw systemError(file, error);
  });
  let json: State & { format?: unknown; version?: unknown };
  try {
    json = JSON.parse(text);
  } catch {
    throw new DataError(file, 'expected a state that --state wrote, got text that is no JSON');
  }
  if (json?.format !== FORMAT) throw new DataError(file, 'expected a state that --state wrote, got other JSON');
  if (json.version !== VERSION) {
    throw new DataError(
      file,
      `expected a state of version ${VERSION}, got ${printable(String(json.version))}; use the version that wrote it`,
    );
  }
  try {
    const { parts = [] } = json;
    if (!Array.isArray(parts) || parts.some((part) => part === null || typeof part !== 'object'))
      throw new RangeError('"parts" expected a list of what was added up');
    return { state: json, models: json.models.map((model) => Model.fromJSON(model)) };
  } catch (error) {
    throw new DataError(
      file,
      `the state is damaged: ${printable(error instanceof Error ? error.message : String(error), 200)}`,
    );
  }
}
