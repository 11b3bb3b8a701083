import { realpath } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { ColumnRequest, Role } from './columns.js';
import { UsageError } from './errors.js';
import { formatOf } from './files.js';
import type { Table } from './table.js';

/** Refuses a name whose format is not known, or a column of a file that has none. */
function checkInput(argument: string, file: string, requests: readonly ColumnRequest[]): void {
  const format = formatOf(file);
  if (format === undefined) throw new UsageError(`${argument} expected a .npy, .csv or .parquet file, got ${file}`);
  const named = requests.find(({ column }) => column !== undefined);
  if (format === 'npy' && named !== undefined) {
    throw new UsageError(`--${named.role}-column expected a .csv or .parquet file, got ${file}, which has no columns`);
  }
}

async function openTable(file: string, requests: readonly ColumnRequest[]): Promise<Table> {
  // Loaded when needed: a run on .npy files starts sooner.
  switch (formatOf(file)) {
    case 'npy':
      return (await import('./npy.js')).openNpy(file);
    case 'csv':
      return (await import('./csv.js')).openCsv(file, requests);
    default:
      return (await import('./parquet.js')).openParquet(file, requests);
  }
}

export async function openLogits(file: string, column: string | undefined): Promise<Table> {
  const requests = [{ role: 'logits' as Role, column }];
  checkInput('LOGITS', file, requests);
  return openTable(file, requests);
}

/** One table for each file: a single one where both columns are in the first file. */
export async function openPair(
  logitsFile: string,
  targetsFile: string | undefined,
  columns: { readonly logitsColumn?: string; readonly targetsColumn?: string },
): Promise<Table[]> {
  const logits = { role: 'logits' as Role, column: columns.logitsColumn };
  const targets = { role: 'targets' as Role, column: columns.targetsColumn };
  checkInput('LOGITS', logitsFile, [logits]);
  if (targetsFile === undefined && formatOf(logitsFile) === 'npy') {
    throw new UsageError(`TARGETS is missing: ${logitsFile} holds one array`);
  }
  if (targetsFile === undefined || (targetsFile === logitsFile && formatOf(logitsFile) !== 'npy')) {
    return [await openTable(logitsFile, [logits, targets])];
  }
  checkInput('TARGETS', targetsFile, [targets]);
  const first = await openTable(logitsFile, [logits]);
  try {
    return [first, await openTable(targetsFile, [targets])];
  } catch (error) {
    await first.close();
    throw error;
  }
}

/** Refuses to replace an input, which is still being read, by the output. */
export async function checkOutput(out: string, inputs: readonly Table[]): Promise<void> {
  const directory = await realpath(dirname(out)).catch(() => dirname(out));
  const target = join(directory, basename(out));
  for (const { file } of inputs) {
    if ((await realpath(file)) === target) throw new UsageError(`--out expected another file than the input ${file}`);
  }
}
