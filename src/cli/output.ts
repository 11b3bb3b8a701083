import { randomUUID } from 'node:crypto';
import { type FileHandle, open, rename, rm, stat } from 'node:fs/promises';
import { DataError, systemError } from './errors.js';
import { npyHeader } from './npy.js';

/** A file of one float32 per element, which appears under its name only when it is whole. */
export interface Output {
  write(values: Float32Array): Promise<void>;
  /** Ends the file, which holds `count` elements. */
  commit(count: number): Promise<void>;
  /** Removes what was written; does nothing after `commit`. */
  discard(): Promise<void>;
}

/**
 * Writes beside `file`, so that the last step is a rename: the name never shows half a result.
 *
 * @param column heads a .csv
 * @param shape that of a .npy; where it is not known in advance, the array will have one dimension
 */
export async function createOutput(file: string, column: string, shape?: readonly number[]): Promise<Output> {
  const temporary = `${file}.${randomUUID()}.tmp`;
  const attempt = async <T>(step: () => Promise<T>): Promise<T> => {
    try {
      return await step();
    } catch (error) {
      throw systemError(file, error);
    }
  };
  if (await isDirectory(file)) throw new DataError(file, 'expected the name of a file to write, got a directory');
  const handle = await attempt(() => open(temporary, 'wx'));
  const npy = /\.npy$/i.test(file);
  let left = true;

  const write = (bytes: Uint8Array, position: number | null) => attempt(() => writeAll(handle, bytes, position));
  await write(npy ? npyHeader(shape ?? [0]) : Buffer.from(`${column}\n`), null).catch(async (error) => {
    await discard();
    throw error;
  });

  async function discard(): Promise<void> {
    if (!left) return;
    left = false;
    await handle.close();
    await rm(temporary, { force: true });
  }
  return {
    write: (values) => write(npy ? bytesOf(values) : Buffer.from(csvLines(values)), null),
    async commit(count) {
      if (npy && shape === undefined) await write(npyHeader([count]), 0);
      await attempt(() => handle.sync());
      await attempt(() => rename(temporary, file));
      left = false;
      await handle.close();
    },
    discard,
  };
}

async function isDirectory(file: string): Promise<boolean> {
  return stat(file).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

async function writeAll(handle: FileHandle, bytes: Uint8Array, position: number | null): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const at = position === null ? null : position + done;
    done += (await handle.write(bytes, done, bytes.length - done, at)).bytesWritten;
  }
}

function bytesOf(values: Float32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

function csvLines(values: Float32Array): string {
  let text = '';
  for (const value of values) text += `${shortest(value)}\n`;
  return text;
}

/** The shortest decimal, from six digits on, that reads back as the same float32. */
export function shortest(value: number): string {
  for (let digits = 6; digits < 9; digits++) {
    const rounded = Number(value.toPrecision(digits));
    if (Math.fround(rounded) === value) return String(rounded);
  }
  return Number.isFinite(value) ? String(Number(value.toPrecision(9))) : String(value);
}
