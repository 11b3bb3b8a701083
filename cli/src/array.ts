import type { Bytes } from './bytes.js';
import { DTYPES } from './dtypes.js';
import { DataError } from './errors.js';
import { LONGEST_HEADER, type NpyHeader, parseNpyHeader } from './npy.js';
import type { Values } from './table.js';

/** An open .npy array, read from its first element to its last. */
export interface ArrayInput {
  readonly name: string;
  readonly shape: readonly number[];
  readonly count: number;
  /** The next `count` elements, in an array that is valid until the next call. */
  read(count: number): Promise<Values>;
  skip(count: number): Promise<void>;
  close(): Promise<void>;
}

export async function openArray(bytes: Bytes): Promise<ArrayInput> {
  try {
    const { header, rest } = await readHeader(bytes);
    return arrayInput(bytes, header, rest);
  } catch (error) {
    await bytes.close();
    throw error;
  }
}

/** The header, and what was read of the data with it. */
async function readHeader(bytes: Bytes): Promise<{ header: NpyHeader; rest: Uint8Array }> {
  const start = new Uint8Array(Math.min(bytes.size, LONGEST_HEADER + 12));
  await bytes.read(start);
  const header = parseNpyHeader(start, bytes.size, bytes.name);
  return { header, rest: start.subarray(header.offset) };
}

function arrayInput(bytes: Bytes, header: NpyHeader, rest: Uint8Array): ArrayInput {
  const { bytes: size, decode } = DTYPES[header.dtype];
  let buffer = new ArrayBuffer(0);
  let done = 0;
  return {
    name: bytes.name,
    shape: header.shape,
    count: header.count,
    async read(count) {
      if (count > header.count - done) throw new DataError(bytes.name, 'the array ends too early');
      if (buffer.byteLength < count * size) buffer = new ArrayBuffer(count * size);
      const into = new Uint8Array(buffer, 0, count * size);
      const ready = rest.subarray(0, into.length);
      into.set(ready);
      rest = rest.subarray(ready.length);
      await bytes.read(into.subarray(ready.length));
      done += count;
      return decode(buffer, count);
    },
    async skip(count) {
      if (bytes.skip === undefined) {
        for (let left = count; left > 0; left -= 1 << 16) await this.read(Math.min(left, 1 << 16));
        return;
      }
      const ready = Math.min(rest.length, count * size);
      rest = rest.subarray(ready);
      bytes.skip(count * size - ready);
      done += count;
    },
    close: () => bytes.close(),
  };
}
