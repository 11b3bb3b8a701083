import { basename } from 'node:path';
import { type ArrayInput, openArray } from './array.js';
import { fileBytes } from './bytes.js';
import type { Cuts } from './cuts.js';
import { DataError, list, UsageError } from './errors.js';
import { openArchive } from './npz.js';
import type { Source } from './sources.js';
import { type Block, count, type Rows, type Table, tuple, type Values } from './table.js';

/** What is wanted of arrays. */
export interface ArrayRequest {
  /** Whether the last axis of the scores holds classes; else every element is by itself. */
  readonly rows: boolean;
  readonly models: readonly string[];
  readonly probabilities: boolean;
  /** The name of the targets; none is looked for where they are not wanted. */
  readonly targets?: string;
  readonly wanted: 'needed' | 'optional' | 'none';
  readonly weight?: string;
  readonly id?: string;
  readonly cuts: Cuts;
}

export interface Part {
  readonly role: 'scores' | 'targets' | 'weight' | 'ids';
  readonly array: ArrayInput;
  readonly width: number;
}

/** A table of arrays that are read together. */
export interface ArrayTable extends Table {
  readonly parts: readonly Part[];
}

export async function openNpy(source: Source, role: 'scores' | 'targets', request: ArrayRequest): Promise<ArrayTable> {
  const array = await openArray(await fileBytes(source.file, source.name));
  const wide = role === 'scores' && request.rows;
  return arrayTable(source.name, [{ role, array, width: wide ? classes(array) : 1 }], [basename(source.name)], request);
}

const USUAL = {
  logits: ['logits', 'logit'],
  probabilities: ['probabilities', 'probability', 'probs', 'prob', 'proba', 'y_prob', 'y_proba'],
  targets: ['targets', 'target', 'labels', 'label', 'y_true', 'y'],
};

export async function openNpz(source: Source, request: ArrayRequest): Promise<Table> {
  const archive = await openArchive(source.file, source.name);
  const parts: Part[] = [];
  try {
    const usual = (kind: keyof typeof USUAL) =>
      archive.names.filter((name) => USUAL[kind].includes(name.toLowerCase()));
    const only = (flag: string, candidates: string[]): string => {
      if (candidates.length === 1) return candidates[0];
      throw new UsageError(`--${flag} is needed: ${source.name} has the arrays ${list(archive.names)}`);
    };
    let { models, probabilities } = request;
    if (models.length === 0) {
      const candidates = [...usual('logits'), ...usual('probabilities')];
      models = [only('logits', candidates)];
      probabilities = usual('probabilities').includes(models[0]);
    }
    const open = async (name: string) => openArray(await archive.open(name));
    for (const name of models) {
      const array = await open(name);
      parts.push({ role: 'scores', array, width: request.rows ? classes(array) : 1 });
    }
    const found = request.targets === undefined ? usual('targets') : [request.targets];
    if (request.wanted === 'needed' || (request.wanted === 'optional' && found.length > 0)) {
      parts.push({ role: 'targets', array: await open(only('targets', found)), width: 1 });
    }
    if (request.weight !== undefined) parts.push({ role: 'weight', array: await open(request.weight), width: 1 });
    if (request.id !== undefined) parts.push({ role: 'ids', array: await open(request.id), width: 1 });
    for (const part of parts) checkShapes(parts[0], part);
    const table = arrayTable(source.name, parts, models, { ...request, probabilities });
    return { ...table, close: () => table.close().then(() => archive.close()) };
  } catch (error) {
    for (const { array } of parts) await array.close();
    archive.close();
    throw error;
  }
}

function classes(array: ArrayInput): number {
  if (array.shape.length < 2) {
    throw new DataError(
      array.name,
      `expected rows of classes, as in shape (${count(array.count, 'row')}, classes), got shape ${tuple(array.shape)}`,
    );
  }
  return array.shape[array.shape.length - 1];
}

/** Refuses arrays that cannot match, before anything is computed. */
export function checkShapes(
  scores: { array: ArrayInput; width: number },
  other: { array: ArrayInput; width: number },
): void {
  const expected = trimmed(scores.width === 1 ? scores.array.shape : scores.array.shape.slice(0, -1));
  const got = trimmed(other.width === 1 ? other.array.shape : other.array.shape.slice(0, -1));
  if (expected.length === got.length && expected.every((size, i) => size === got[i])) return;
  const { shape } = scores.array;
  const rows = scores.width === 1 && shape.length > 1 && trimmed(shape.slice(0, -1)).join() === got.join();
  const hint = rows
    ? `; for ${shape[shape.length - 1]} classes with one label a row there is --loss softmax, or onehot`
    : '';
  throw new DataError(
    other.array.name,
    expected.length === 1 && got.length === 1
      ? `expected ${count(expected[0], 'element')}, as in ${scores.array.name}, got ${count(got[0], 'element')}`
      : `expected shape ${tuple(expected)}, as in ${scores.array.name}, got ${tuple(other.array.shape)}${hint}`,
  );
}

/** (n, 1) holds the same elements in the same order as (n). */
function trimmed(shape: readonly number[]): readonly number[] {
  let length = shape.length;
  while (length > 1 && shape[length - 1] === 1) length--;
  return shape.slice(0, length);
}

/** Two arrays of as many rows as one table: that takes less than to have two of them wait for each other. */
export function pairOfArrays(scores: ArrayTable, targets: ArrayTable, request: ArrayRequest): Table {
  const parts = [...scores.parts, ...targets.parts];
  return { ...arrayTable(scores.name, parts, scores.models, request), targetsName: targets.name };
}

export function isArrayTable(table: Table): table is ArrayTable {
  return 'parts' in table;
}

function arrayTable(
  name: string,
  parts: readonly Part[],
  models: readonly string[],
  request: ArrayRequest,
): ArrayTable {
  const first = parts[0];
  const rows = first.array.count / first.width;
  const { shape } = first.array;
  const { cuts } = request;
  for (const { width } of parts) cuts.fit(width);
  let done = 0;
  return {
    name,
    parts,
    shape: first.width === 1 ? shape : shape.slice(0, -1),
    models: first.role === 'scores' ? models : [],
    probabilities: request.probabilities,
    async *blocks() {
      for (const { from, to } of cuts.shares(rows)) {
        if (from > done) for (const { array, width } of parts) await array.skip((from - done) * width);
        done = from;
        while (done < to) {
          const length = Math.min(cuts.blockRows, to - done);
          const block = await readBlock(parts, length);
          if (cuts.several) block.first = done;
          done += length;
          yield block;
        }
      }
    },
    place: (row) => place(first.width === 1 ? shape : shape.slice(0, -1), row),
    progress: () => done / rows,
    async close() {
      for (const { array } of parts) await array.close();
    },
  };
}

async function readBlock(parts: readonly Part[], rows: number): Promise<Block> {
  const block: Block = { rows, scores: [] };
  for (const { role, array, width } of parts) {
    const values: Rows = { values: await array.read(rows * width), width };
    if (role === 'scores') block.scores.push(values);
    else if (role === 'targets') block.targets = values;
    else if (role === 'weight') block.weight = values;
    else block.ids = Array.from(values.values as Values);
  }
  return block;
}

/** Rows are counted from 0, as in the array. */
function place(shape: readonly number[], element: number): string {
  const indices: number[] = [];
  for (let axis = shape.length - 1; axis > 0; axis--) {
    indices.unshift(element % shape[axis]);
    element = Math.floor(element / shape[axis]);
  }
  const row = `row ${element}`;
  if (indices.every((_, i) => shape[i + 1] === 1)) return row;
  return indices.length === 1 ? `${row}, column ${indices[0]}` : `${row}, position (${indices.join(', ')})`;
}
