import type { DialectFlags } from './csv-dialect.js';
import { Cuts } from './cuts.js';
import { Duck, PARQUET_MEMORY, TEXT_MEMORY } from './duck.js';
import { duckTable } from './duck-table.js';
import { DataError, printable, UsageError } from './errors.js';
import { joined } from './join.js';
import { type ArrayRequest, isArrayTable, openNpy, openNpz, pairOfArrays } from './npy-table.js';
import { findScores, findTargets, planOf, type Wanted } from './query.js';
import { type Relation, relationOf, sqlRelation } from './relation.js';
import type { Scratch } from './scratch.js';
import { type Format, findSources, isRemote, type Source } from './sources.js';
import { sideBySide, type Table } from './table.js';
import { type FileRow, type Scan, type Shard, Units } from './units.js';

/** Where the input is, and what is wanted of it. */
export interface InputRequest extends Wanted {
  readonly sources: readonly string[];
  readonly sql?: string;
  readonly join?: string;
  readonly on?: string;
  readonly format?: Format;
  readonly dialect: DialectFlags;
  readonly memory?: string;
  readonly shard?: Shard;
}

export interface Input {
  readonly table: Table;
  /** The data set's files, as JSON lists them. */
  readonly names: readonly string[];
  /** All files that are read. */
  readonly files: readonly string[];
  close(): Promise<void>;
}

/** Opens all that a command reads: one table, whatever it consists of. */
export async function openInput(request: InputRequest, scratch: Scratch, signal?: AbortSignal): Promise<Input> {
  checkRequest(request);
  const sources = await findSources(request.sources, request.format, scratch);
  const opener = new Opener(request, scratch, signal);
  try {
    const table = await opener.open(sources);
    const names = request.sql === undefined ? sources.map(({ name }) => name) : [request.sql];
    const files = [...names, ...opener.others];
    return { table, names, files, close: () => table.close().finally(() => opener.close()) };
  } catch (error) {
    opener.close();
    throw error;
  }
}

function checkRequest({ sources, sql, join, on }: InputRequest): void {
  if (sql === undefined && sources.length === 0)
    throw new UsageError('SOURCE is missing: a file, a pattern, a folder, a URL, or -');
  if (sql !== undefined && sources.length > 0)
    throw new UsageError('--sql expected no SOURCE beside it; name files in the query');
  if ((join === undefined) !== (on === undefined))
    throw new UsageError(`--${join === undefined ? 'join' : 'on'} is needed: --join FILE --on ID go together`);
}

class Opener {
  private duck: Promise<Duck> | undefined;
  private readonly cuts: Cuts;
  /** Names of the files that are joined. */
  others: readonly string[] = [];

  constructor(
    private readonly request: InputRequest,
    private readonly scratch: Scratch,
    private readonly signal: AbortSignal | undefined,
  ) {
    this.cuts = new Cuts(request.shard);
  }

  async open(sources: readonly Source[]): Promise<Table> {
    const { request } = this;
    if (request.sql !== undefined) return this.tableOf(await sqlRelation(await this.engine(), request.sql), BOTH);
    if (request.join !== undefined) return this.openJoined(sources);
    const last = sources[sources.length - 1];
    if (sources.length > 1 && last.format === 'npy') return this.openPair(sources.slice(0, -1), [last]);
    if (sources[0].format === 'npy' && sources.length === 2) return this.openPair([sources[0]], [last]);
    if (sources[0].format === 'npy') return this.openArray(sources);
    if (sources[0].format === 'npz') return this.openArchive(sources);
    if (sources.length === 2 && (await this.arePair(sources))) return this.openPair([sources[0]], [sources[1]]);
    return this.tableOf(await this.relation(sources), BOTH);
  }

  close(): void {
    void this.duck?.then((duck) => duck.close()).catch(() => {});
  }

  private engine(): Promise<Duck> {
    const { sources, join, sql } = this.request;
    const isParquet = sql === undefined && join === undefined && sources.every((name) => /\.parquet$/i.test(name));
    const memory = this.request.memory ?? (isParquet ? PARQUET_MEMORY : TEXT_MEMORY);
    const remote = [...sources, join ?? ''].some(isRemote) || /:\/\//.test(sql ?? '');
    this.duck ??= Duck.open({ memory, remote, scratch: this.scratch, signal: this.signal });
    return this.duck;
  }

  private async relation(sources: readonly Source[]): Promise<Relation> {
    const formats = [...new Set(sources.map(({ format }) => format))];
    if (formats.length > 1 || formats[0] === 'npy' || formats[0] === 'npz') {
      throw new UsageError(
        `SOURCE expected files of one format, got ${formats.join(' and ')}; arrays are one or two files of their own`,
      );
    }
    return relationOf(await this.engine(), sources, this.request.dialect);
  }

  /** Two files of which the first has scores only, and the second targets. */
  private async arePair(sources: readonly Source[]): Promise<boolean> {
    if (sources.some(({ format }) => format === 'npy' || format === 'npz') || this.request.wanted === 'none')
      return false;
    const [first, second] = [await this.relation([sources[0]]), await this.relation([sources[1]])];
    const has = <T>(find: () => T | undefined, relation: Relation) => {
      try {
        const found = find() as
          | { expressions?: readonly string[]; found?: { expressions: readonly string[] }[] }
          | undefined;
        const sql = found?.expressions ?? found?.found?.flatMap(({ expressions }) => expressions) ?? [];
        return sql.length > 0 && sql.every((text) => isColumn(text, relation));
      } catch {
        return true;
      }
    };
    const { request } = this;
    const roles = (relation: Relation) => [
      has(() => findScores(relation, request), relation),
      has(() => findTargets(relation, request), relation),
    ];
    const [[scores, targets], [otherScores, otherTargets]] = [roles(first), roles(second)];
    return scores && !targets && !otherScores && otherTargets;
  }

  private async openPair(scores: readonly Source[], targets: readonly Source[]): Promise<Table> {
    if (this.request.wanted === 'none')
      throw new UsageError(`SOURCE expected scores only, got targets in ${targets[0].name}`);
    const left = await this.half(scores, 'scores');
    let right: Table | undefined;
    try {
      right = await this.half(targets, 'targets');
      this.checkLengths(left, right);
      if (isArrayTable(left) && isArrayTable(right)) return pairOfArrays(left, right, this.arrays());
      return sideBySide(left, right);
    } catch (error) {
      await left.close();
      await right?.close();
      throw error;
    }
  }

  private async half(sources: readonly Source[], role: 'scores' | 'targets'): Promise<Table> {
    if (sources[0].format !== 'npy') {
      const roles = { scores: role === 'scores', targets: role === 'targets' };
      return this.tableOf(await this.relation(sources), roles, role);
    }
    if (sources.length > 1) {
      throw new UsageError(
        `SOURCE expected one array of logits and one of targets, got ${sources.length + 1} .npy files; several parts go into .npz files or Parquet`,
      );
    }
    this.checkNoColumns(sources[0]);
    return openNpy(sources[0], role, this.arrays());
  }

  private checkLengths(left: Table, right: Table): void {
    const [a, b] = [left.shape, right.shape].map(trimmed);
    if (a === undefined || b === undefined || a.join() === b.join()) return;
    const length = (shape: readonly number[]) => `${shape[0]} element${shape[0] === 1 ? '' : 's'}`;
    const rows = !this.request.rows && a.length > 1 && a.slice(0, -1).join() === b.join();
    const hint = rows ? `; for ${a[a.length - 1]} classes with one label a row there is --loss softmax, or onehot` : '';
    const text =
      a.length === 1 && b.length === 1
        ? length
        : (shape: readonly number[]) => `shape (${shape.join(', ')}${shape.length === 1 ? ',' : ''})`;
    throw new DataError(right.name, `expected ${text(a)}, as in ${printable(left.name, 200)}, got ${text(b)}${hint}`);
  }

  private async openArray(sources: readonly Source[]): Promise<Table> {
    if (sources.length > 1)
      throw new UsageError(`TARGETS expected a .npy file, got ${sources[sources.length - 1].name}`);
    if (this.request.wanted === 'needed')
      throw new UsageError(`TARGETS is missing: ${printable(sources[0].name, 200)} holds one array`);
    this.checkNoColumns(sources[0]);
    return openNpy(sources[0], 'scores', this.arrays());
  }

  private async openArchive(sources: readonly Source[]): Promise<Table> {
    if (sources.length > 1) throw new UsageError('SOURCE expected one .npz file, got several');
    this.checkTabular();
    return openNpz(sources[0], this.arrays());
  }

  private checkNoColumns({ name }: Source): void {
    this.checkTabular();
    const { targets, weight, id, models } = this.request;
    const column = { logits: models[0], targets, weight, id };
    const used = Object.entries(column).find(([, value]) => value !== undefined && value !== '');
    if (used === undefined) return;
    throw new UsageError(
      `--${used[0]} expected a file with columns, got ${printable(name, 200)}, which holds one array`,
    );
  }

  private checkTabular(): void {
    const { by, where, classes, positiveLabel } = this.request;
    const flags = {
      by: by.length > 0,
      where: where !== undefined,
      classes: classes !== undefined,
      'positive-label': positiveLabel !== undefined,
    };
    const used = Object.entries(flags).find(([, isUsed]) => isUsed);
    if (used !== undefined)
      throw new UsageError(`--${used[0]} expected a file with columns, such as .csv or .parquet, got arrays`);
  }

  private arrays(): ArrayRequest {
    return { ...this.request, cuts: this.cuts };
  }

  private async openJoined(sources: readonly Source[]): Promise<Table> {
    const { join = '', on = '', dialect, format } = this.request;
    const others = await findSources([join], format, this.scratch);
    this.others = others.map(({ name }) => name);
    const duck = await this.engine();
    return this.tableOf(await joined(duck, await this.relation(sources), others, on, dialect), BOTH);
  }

  private async tableOf(relation: Relation, roles: Roles, half?: 'scores' | 'targets'): Promise<Table> {
    const { request, signal } = this;
    const duck = await this.engine();
    // an id on either side is what tells whether two files are in the same order
    const plan = await planOf(
      duck,
      relation,
      half === undefined
        ? request
        : {
            ...request,
            ids: true,
            weight: half === 'scores' ? request.weight : undefined,
            by: half === 'scores' ? request.by : [],
          },
      roles,
    );
    if (request.shard !== undefined && half !== undefined)
      throw new UsageError('--shard expected files that hold scores and targets both');
    const units = await Units.of(duck, relation);
    const scans = scansOf(relation, plan, request, units);
    const rows = request.where === undefined && request.shard === undefined ? units.rows : undefined;
    const { classes } = request;
    return duckTable({ duck, name: relation.name, plan, scans, units, classes, rows, signal });
  }
}

type Roles = { readonly scores: boolean; readonly targets: boolean };
const BOTH: Roles = { scores: true, targets: true };

function isColumn(expression: string, { columns }: Relation): boolean {
  return columns.some(({ name }) => `"${name.replaceAll('"', '""')}"` === expression);
}

function trimmed(shape: readonly number[] | undefined): readonly number[] | undefined {
  if (shape === undefined) return undefined;
  let length = shape.length;
  while (length > 1 && shape[length - 1] === 1) length--;
  return shape.slice(0, length);
}

function scansOf(
  relation: Relation,
  plan: Awaited<ReturnType<typeof planOf>>,
  { where, shard }: InputRequest,
  units: Units,
): Scan[] {
  const tracked = relation.files.length > 0 && units.several;
  const columns = [
    ...plan.scores,
    ...[plan.targets, plan.weight, plan.unmatched, plan.id, plan.slices].filter((sql) => sql !== undefined),
  ];
  // where every row comes, in order, it costs less to count them than to be told of each where it is from
  const counted = relation.format === 'parquet' && where === undefined;
  if (tracked && !counted)
    columns.push('CAST(file_index AS BIGINT)', relation.format === 'parquet' ? 'file_row_number' : '0::BIGINT');
  const select = `SELECT ${columns.join(', ')} FROM ${relation.from(plan.reading)}`;
  const order = relation.order === undefined ? '' : ` ORDER BY ${relation.order}`;
  const filter = where === undefined ? [] : [`(${where})`];
  const scan = (more: readonly string[], first?: number, begin: FileRow = { file: 0, row: 0 }): Scan => {
    const conditions = [...filter, ...more].join(' AND ');
    const sql = `${select}${conditions === '' ? '' : ` WHERE ${conditions}`}${order}`;
    return { sql, tracked: tracked ? (counted ? begin : 'columns') : undefined, first };
  };
  if (shard === undefined) return [scan([])];
  if (relation.files.length === 0)
    throw new UsageError('--shard expected files of one layout, without --join or --sql');
  if (!tracked) return shard.index === 1 ? [scan([])] : [];
  return units.share(shard).map(({ file, from, to }) => {
    const range = from === undefined ? [] : [`file_row_number >= ${from}`, `file_row_number < ${to}`];
    const first = where === undefined && relation.format === 'parquet' ? units.rowsBefore(file, from ?? 0) : undefined;
    return scan([`file_index = ${file}`, ...range], first, { file, row: from ?? 0 });
  });
}
