import { type FileHandle, open } from 'node:fs/promises';
import { DataError, systemError } from './errors.js';

/** A regular file that is not empty, open for reading. */
export interface InputFile {
  readonly file: string;
  readonly handle: FileHandle;
  readonly size: number;
}

export async function openInput(file: string): Promise<InputFile> {
  let handle: FileHandle;
  try {
    handle = await open(file, 'r');
  } catch (error) {
    throw systemError(file, error);
  }
  const stat = await handle.stat();
  if (stat.isFile() && stat.size > 0) return { file, handle, size: stat.size };
  await handle.close();
  throw new DataError(file, stat.isFile() ? 'the file is empty' : 'not a regular file');
}

/** Fills all of `bytes` from `position` on; a file that ends earlier is an error. */
export async function readExactly(input: InputFile, bytes: Uint8Array, position: number): Promise<void> {
  for (let filled = 0; filled < bytes.length; ) {
    let count: number;
    try {
      ({ bytesRead: count } = await input.handle.read(bytes, filled, bytes.length - filled, position + filled));
    } catch (error) {
      throw systemError(input.file, error);
    }
    if (count === 0) throw new DataError(input.file, `the file is truncated: it ends at byte ${position + filled}`);
    filled += count;
  }
}

export type Format = 'npy' | 'csv' | 'parquet';

/** The format that the name's extension tells; undefined for any other. */
export function formatOf(file: string): Format | undefined {
  const extension = /\.(npy|csv|parquet)$/i.exec(file);
  return extension === null ? undefined : (extension[1].toLowerCase() as Format);
}
