import { availableParallelism } from 'node:os';
import type { DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { UsageError } from './errors.js';
import type { Scratch } from './scratch.js';

export interface DuckOptions {
  readonly memory: string;
  /** Whether extensions may come over the network, as a URL needs. */
  readonly remote: boolean;
  readonly scratch: Scratch;
  readonly signal?: AbortSignal;
}

/** What the engine may take beside this process for Parquet, so that the whole stays below 400 MB. */
export const PARQUET_MEMORY = '192MB';
/** For text, of which it holds a buffer of 32 MB for each thread and file that it looks at. */
export const TEXT_MEMORY = '512MB';

/** The engine that reads files, in memory; what does not fit goes to the run's private folder. */
export class Duck {
  private constructor(
    private readonly instance: DuckDBInstance,
    readonly connection: DuckDBConnection,
  ) {}

  static async open({ memory, remote, scratch, signal }: DuckOptions): Promise<Duck> {
    // Takes a third of a second: whoever reads arrays only does without.
    const { DuckDBInstance } = await import('@duckdb/node-api');
    const instance = await DuckDBInstance.create(':memory:', {
      autoinstall_known_extensions: String(remote),
      threads: String(Math.min(4, availableParallelism())),
    });
    const connection = await instance.connect();
    const duck = new Duck(instance, connection);
    signal?.addEventListener('abort', () => connection.interrupt(), { once: true });
    await connection.run(`SET temp_directory = ${literal(await scratch.folder())}`);
    try {
      await connection.run(`SET memory_limit = ${literal(memory)}`);
    } catch {
      throw new UsageError(`--memory expected a size such as 512MB, got ${memory}`);
    }
    return duck;
  }

  /** All rows of a small result. */
  async rows(sql: string): Promise<Record<string, unknown>[]> {
    return (await this.connection.runAndReadAll(sql)).getRowObjectsJS() as Record<string, unknown>[];
  }

  /** The same without names. */
  async values(sql: string): Promise<unknown[][]> {
    return (await this.connection.runAndReadAll(sql)).getRowsJS() as unknown[][];
  }

  /** The names and types of a query's columns. */
  async describe(query: string): Promise<Column[]> {
    const rows = await this.rows(`DESCRIBE ${query}`);
    return rows.map((row) => ({ name: String(row.column_name), type: String(row.column_type) }));
  }

  /** Throws the fault that has ended a streamed query, which the engine tells only of queries that are not. */
  async explain(query: string): Promise<never> {
    // every value of every row is made, and none is kept
    await this.connection.run(`SELECT max(hash(COLUMNS(*))) FROM (${query})`);
    throw new Error('Error: reading ended before the last row');
  }

  close(): void {
    this.connection.closeSync();
    this.instance.closeSync();
  }
}

export interface Column {
  readonly name: string;
  readonly type: string;
  /** What the file calls it, where another column of that name made it get another. */
  readonly header?: string;
  /** Whether it has whole numbers of more digits than a float64, where its type is a guess. */
  readonly long?: boolean;
}

/** The files that a pattern matches, in order. */
export async function glob(pattern: string): Promise<string[]> {
  const { DuckDBInstance } = await import('@duckdb/node-api');
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  try {
    const found = await connection.runAndReadAll(`SELECT file FROM glob(${literal(pattern)}) ORDER BY file`);
    return found.getRows().map(([file]) => String(file));
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

export function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A name that stands for one file only, whatever signs it has. */
export function filePattern(file: string): string {
  return literal(file.replace(/[*?[]/g, (sign) => `[${sign}]`));
}
