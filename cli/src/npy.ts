import { DTYPES } from './dtypes.js';
import { DataError, quote } from './errors.js';
import { tuple } from './table.js';

/** The layout of a .npy file: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html */
export interface NpyHeader {
  readonly dtype: string;
  readonly shape: readonly number[];
  /** Elements in all. */
  readonly count: number;
  /** Where the data starts. */
  readonly offset: number;
}

const MAGIC = '\x93NUMPY';
// NumPy itself refuses to load a header of more than 10,000 bytes.
export const LONGEST_HEADER = 10_000;

/** Reads the header from the start of a file of `size` bytes; whatever is not exactly as it should be is an error. */
export function parseNpyHeader(start: Uint8Array, size: number, file: string): NpyHeader {
  const fail = (problem: string): never => {
    throw new DataError(file, problem);
  };
  if (latin1(start.subarray(0, MAGIC.length)) !== MAGIC) fail('not a .npy file: it does not start with "\\x93NUMPY"');
  if (start.length < 12) fail('the file is truncated: it ends within the header');
  const view = new DataView(start.buffer, start.byteOffset, start.byteLength);
  const [major, minor] = [view.getUint8(6), view.getUint8(7)];
  if (major < 1 || major > 3 || minor !== 0) fail(`expected .npy version 1.0, 2.0 or 3.0, got ${major}.${minor}`);
  const textStart = major === 1 ? 10 : 12;
  const length = major === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  if (textStart + length > size) fail('the file is truncated: it ends within the header');
  if (length > LONGEST_HEADER) fail(`expected a header of at most ${LONGEST_HEADER} bytes, got ${length}`);
  const offset = textStart + length;
  const text = latin1(start.subarray(textStart, offset));

  const entries = parseDict(text) ?? fail(`the header is malformed: ${quote(text.trimEnd())}`);
  const { dtype, bytes } = checkDtype(entries.descr, fail);
  if (entries.fortran_order && entries.shape.filter((length) => length !== 1).length > 1) {
    fail('expected C order, got Fortran order; save numpy.ascontiguousarray(array)');
  }
  const shape = entries.shape;
  if (shape.length === 0) fail('expected an array of at least one dimension, got a scalar');
  const count = shape.reduce((product, length) => product * length, 1);
  if (count === 0) fail(`the array is empty: its shape is ${tuple(shape)}`);
  // Beyond 2^53 the product is rounded, but it is then larger than any file as well.
  const end = offset + count * bytes;
  if (end > size) fail(`the file is truncated: expected ${end} bytes for shape ${tuple(shape)}, got ${size}`);
  if (end < size) fail(`expected the file to end after its array, got ${size - end} more bytes`);
  return { dtype, shape, count, offset };
}

function checkDtype(descr: string | null, fail: (problem: string) => never): { dtype: string; bytes: number } {
  if (descr === null) fail('expected a plain dtype, got a structured one; save each field on its own');
  const [order, dtype] = [descr.charAt(0), descr.slice(1)];
  const known = Object.hasOwn(DTYPES, dtype);
  if (known && order === '>') {
    fail(`expected little-endian data, got dtype ${quote(descr)}; save array.astype("<${dtype}")`);
  }
  if (!known || (order !== '<' && order !== '|')) {
    fail(
      `expected float16, float32, float64, bool or an integer dtype, got ${quote(descr)}; save array.astype("float32")`,
    );
  }
  return { dtype, bytes: DTYPES[dtype].bytes };
}

interface Entries {
  /** Null for a list, which is how a structured dtype is written. */
  descr: string | null;
  fortran_order: boolean;
  shape: number[];
}

// One key and its value, of the literal of a Python dict. A dimension may end with the L of Python 2's long.
const ENTRY =
  /\s*(?:(['"])descr\1\s*:\s*(?:(['"])([^'"\\]*)\2|(\[[^\]]*\]))|(['"])fortran_order\5\s*:\s*(True|False)|(['"])shape\7\s*:\s*\(([\dL, ]*)\))\s*/y;

function parseDict(text: string): Entries | undefined {
  const entries: Partial<Entries> = {};
  let at = /^\s*\{/.exec(text)?.[0].length ?? -1;
  if (at < 0) return undefined;
  for (let separated = true; separated; ) {
    ENTRY.lastIndex = at;
    const entry = ENTRY.exec(text);
    if (entry === null) break;
    const [, , , descr, list, , order, , shape] = entry;
    const key = order !== undefined ? 'fortran_order' : shape !== undefined ? 'shape' : 'descr';
    if (key in entries) return undefined;
    if (key === 'descr') entries.descr = list === undefined ? descr : null;
    else if (key === 'fortran_order') entries.fortran_order = order === 'True';
    else entries.shape = parseTuple(shape);
    at = ENTRY.lastIndex;
    separated = text[at] === ',';
    if (separated) at++;
  }
  const complete = entries.descr !== undefined && entries.fortran_order !== undefined && entries.shape !== undefined;
  return complete && /^\s*\}\s*$/.test(text.slice(at)) ? (entries as Entries) : undefined;
}

/** The dimensions in "3, 4" or "3,"; undefined for anything else, "3" included, which is no tuple. */
function parseTuple(text: string): number[] | undefined {
  if (text.trim() === '') return [];
  const items = text.split(',').map((item) => item.trim());
  if (items.length < 2) return undefined;
  if (items.at(-1) === '') items.pop();
  return items.every((item) => /^\d+L?$/.test(item)) ? items.map((item) => Number.parseInt(item, 10)) : undefined;
}

/** The header of a little-endian float32 array; its length is the same for every shape of one dimension. */
export function npyHeader(shape: readonly number[]): Uint8Array {
  const dict = `{'descr': '<f4', 'fortran_order': False, 'shape': ${tuple(shape)}, }`;
  const length = Math.ceil((10 + dict.length + 1) / 128) * 128;
  const text = `${MAGIC}\x01\x00${String.fromCharCode((length - 10) & 255, (length - 10) >> 8)}${dict}`;
  return Uint8Array.from(`${text.padEnd(length - 1)}\n`, (character) => character.charCodeAt(0));
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}
