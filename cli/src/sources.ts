import { type Stats, statSync } from 'node:fs';
import { open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { DataError, printable, systemError, UsageError } from './errors.js';
import type { Scratch } from './scratch.js';

export const FORMATS = ['npy', 'npz', 'csv', 'json', 'parquet'] as const;
export type Format = (typeof FORMATS)[number];

/** One file of the input. */
export interface Source {
  /** Where to read it: the file as typed, or the copy of a pipe. */
  readonly file: string;
  /** What messages call it. */
  readonly name: string;
  readonly format: Format;
  readonly remote: boolean;
}

const EXTENSIONS: Readonly<Record<string, Format>> = {
  npy: 'npy',
  npz: 'npz',
  csv: 'csv',
  tsv: 'csv',
  txt: 'csv',
  psv: 'csv',
  json: 'json',
  jsonl: 'json',
  ndjson: 'json',
  parquet: 'parquet',
  pq: 'parquet',
};

/** The format that a name's extension tells; undefined for any other. */
export function formatOf(name: string): Format | undefined {
  const parts = name.toLowerCase().split('.');
  let extension = parts.pop() ?? '';
  if (parts.length > 1 && (extension === 'gz' || extension === 'zst')) extension = parts.pop() ?? '';
  return parts.length > 0 && Object.hasOwn(EXTENSIONS, extension) ? EXTENSIONS[extension] : undefined;
}

export function isRemote(name: string): boolean {
  return /^[a-z][a-z0-9+.-]{1,15}:\/\//i.test(name);
}

/** The files that the arguments stand for, in order: files, folders, patterns, pipes, URLs. */
export async function findSources(
  names: readonly string[],
  format: Format | undefined,
  scratch: Scratch,
): Promise<Source[]> {
  const found: Source[] = [];
  for (const name of names) found.push(...(await sourcesOf(name, format, scratch)));
  return found;
}

async function sourcesOf(name: string, format: Format | undefined, scratch: Scratch): Promise<Source[]> {
  if (name === '-') return [await piped('-', 'standard input', format, scratch)];
  if (isRemote(name)) return [{ file: name, name, format: format ?? known(name), remote: true }];
  const stats = await stat(name).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' && hasPattern(name)) return undefined;
    throw systemError(name, error);
  });
  if (stats === undefined) return matching(name, format);
  if (stats.isDirectory()) return inFolder(name, format);
  if (stats.isFile()) return [await regular(name, stats, format)];
  return [await piped(name, name, format, scratch)];
}

async function regular(name: string, stats: Stats, format: Format | undefined): Promise<Source> {
  if (stats.size === 0) throw new DataError(name, 'the file is empty');
  const wanted = format ?? formatOf(name) ?? (await formatOfContent(name)) ?? known(name);
  return { file: name, name, format: wanted, remote: false };
}

/** A pipe, a device: its content decides where neither --format nor a name does. */
async function piped(file: string, name: string, format: Format | undefined, scratch: Scratch): Promise<Source> {
  if (file === '-' && format === undefined) {
    throw new UsageError('--format is needed for standard input: npy, npz, csv, json or parquet');
  }
  const copy = await scratch.spool(file, name);
  if (statSync(copy).size === 0) throw new DataError(name, 'there is nothing to read');
  const wanted = format ?? formatOf(name) ?? (await formatOfContent(copy)) ?? 'csv';
  return { file: copy, name, format: wanted, remote: false };
}

async function formatOfContent(file: string): Promise<Format | undefined> {
  const handle = await open(file).catch((error) => {
    throw systemError(file, error);
  });
  try {
    const { buffer, bytesRead } = await handle.read(new Uint8Array(6), 0, 6, 0);
    const start = Buffer.from(buffer.subarray(0, bytesRead)).toString('latin1');
    if (start === '\x93NUMPY') return 'npy';
    if (start.startsWith('PK\x03\x04')) return 'npz';
    if (start.startsWith('PAR1')) return 'parquet';
    return undefined;
  } finally {
    await handle.close();
  }
}

function known(name: string): Format {
  const format = formatOf(name);
  if (format !== undefined) return format;
  const kinds = '.npy, .npz, .csv, .tsv, .json, .jsonl or .parquet file (text also as .gz or .zst)';
  throw new UsageError(`SOURCE expected a ${kinds}, got ${printable(name, 200)}; --format says what it holds`);
}

async function inFolder(folder: string, format: Format | undefined): Promise<Source[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch((error) => {
    throw systemError(folder, error);
  });
  const names = entries
    .filter((entry) => entry.isFile() && !entry.name.startsWith('.') && !entry.name.startsWith('_'))
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .filter((name) => format !== undefined || formatOf(name) !== undefined)
    .sort();
  return alike(folder, names, format, 'the folder holds no file of predictions');
}

async function matching(pattern: string, format: Format | undefined): Promise<Source[]> {
  const { glob } = await import('./duck.js');
  const names = await glob(pattern);
  return alike(pattern, names, format, 'no file matches');
}

async function alike(name: string, files: string[], format: Format | undefined, nothing: string): Promise<Source[]> {
  const sources: Source[] = [];
  for (const file of files) {
    const stats = await stat(file);
    if (stats.size > 0) sources.push(await regular(file, stats, format));
  }
  if (sources.length === 0) throw new DataError(name, nothing);
  const formats = [...new Set(sources.map((source) => source.format))];
  if (formats.length > 1) {
    throw new DataError(
      name,
      `expected files of one format, got ${formats.join(' and ')}; name a pattern, as in '*.csv'`,
    );
  }
  if (formats[0] === 'npy' && sources.length > 1) {
    throw new UsageError(
      `SOURCE expected a name for each array, got ${printable(name, 200)}, which stands for ${sources.length} .npy files; name the logits, then the targets`,
    );
  }
  return sources;
}

export function hasPattern(name: string): boolean {
  return /[*?[]/.test(name);
}
