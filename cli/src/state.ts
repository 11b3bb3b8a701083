import { readFile } from 'node:fs/promises';
import { DataError, printable, systemError } from './errors.js';
import { Model, type ModelJSON } from './model.js';
import type { Skipped } from './policy.js';

/** What `--state` writes and `merge` reads: all that was added up, and where it came from. */
export interface State {
  readonly options: Readonly<Record<string, unknown>>;
  readonly sources: readonly string[];
  readonly rows: number;
  readonly skipped: Skipped;
  readonly models: readonly ModelJSON[];
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
    return { state: json, models: json.models.map((model) => Model.fromJSON(model)) };
  } catch (error) {
    throw new DataError(
      file,
      `the state is damaged: ${printable(error instanceof Error ? error.message : String(error), 200)}`,
    );
  }
}
