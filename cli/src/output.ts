import type { Stats } from 'node:fs';
import { type FileHandle, open, realpath, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { DataError, printable, systemError, UsageError } from './errors.js';

/** A file that appears under its name only when it is whole. */
export interface OutputFile {
  write(bytes: Uint8Array): Promise<void>;
  /** Writes over the start of what was written. */
  patch(bytes: Uint8Array): Promise<void>;
  commit(): Promise<void>;
  /** Removes what was written; does nothing after `commit`. */
  discard(): Promise<void>;
}

export interface OutputOptions {
  readonly force: boolean;
  /** Files that are read, which must not be replaced. */
  readonly inputs: readonly string[];
  /** Files that are written by other options. */
  readonly outputs?: readonly string[];
  /** What the option is called. */
  readonly option: string;
}

/** Standard output, as an output file; a reader that has seen enough is no failure. */
export function standardOutput(stream: NodeJS.WritableStream): OutputFile {
  return {
    async write(bytes) {
      // a copy, since the stream may keep it until later
      if (!stream.write(Uint8Array.from(bytes)) && (stream as { destroyed?: boolean }).destroyed !== true) {
        await new Promise<void>((resolve) => {
          const done = () => {
            for (const event of ['drain', 'close', 'error']) stream.removeListener(event, done);
            resolve();
          };
          for (const event of ['drain', 'close', 'error']) stream.once(event, done);
        });
      }
    },
    async patch() {},
    async commit() {},
    async discard() {},
  };
}

/**
 * Opens a file to write. A regular one is written beside its name and renamed at the end; a link is followed; a device or a
 * pipe is written to as it is.
 */
export async function openOutput(file: string, options: OutputOptions): Promise<OutputFile> {
  const found = await stat(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw systemError(file, error);
  });
  if (found?.isDirectory()) throw new DataError(file, 'expected the name of a file to write, got a directory');
  if (found !== undefined && !found.isFile()) return written(await opened(file, 'w'), file);
  await refuseTaken(file, options);
  if (found !== undefined && !options.force) {
    throw new UsageError(
      `${options.option} expected a new file, got ${printable(file, 200)}, which exists; --force replaces it`,
    );
  }
  return replaced(await followed(file), file, found);
}

async function refuseTaken(file: string, { inputs, outputs = [], option }: OutputOptions): Promise<void> {
  const target = await followed(file);
  const isTaken = async (name: string) => (await followed(name).catch(() => name)) === target;
  for (const input of inputs) {
    if (await isTaken(input))
      throw new UsageError(`${option} expected another file than the input ${printable(input, 200)}`);
  }
  for (const output of outputs) {
    if (await isTaken(output))
      throw new UsageError(`${option} expected another file than ${printable(output, 200)}, which is written as well`);
  }
}

/** The name that a link ends in, also where there is nothing yet. */
async function followed(file: string): Promise<string> {
  const real = await realpath(file).catch(() => undefined);
  if (real !== undefined) return real;
  const folder = await realpath(dirname(file)).catch((error) => {
    throw systemError(file, error);
  });
  return join(folder, basename(file));
}

async function opened(file: string, flags: string, mode?: number): Promise<FileHandle> {
  try {
    return await open(file, flags, mode);
  } catch (error) {
    throw systemError(file, error);
  }
}

async function writeAll(handle: FileHandle, file: string, bytes: Uint8Array, position: number | null): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const at = position === null ? null : position + done;
    try {
      done += (await handle.write(bytes, done, bytes.length - done, at)).bytesWritten;
    } catch (error) {
      throw systemError(file, error);
    }
  }
}

function written(handle: FileHandle, file: string): OutputFile {
  let isOpen = true;
  const close = async () => {
    if (isOpen) await handle.close();
    isOpen = false;
  };
  return {
    write: (bytes) => writeAll(handle, file, bytes, null),
    async patch() {},
    commit: close,
    discard: close,
  };
}

async function replaced(target: string, file: string, old: Stats | undefined): Promise<OutputFile> {
  const temporary = join(dirname(target), `.${basename(target).slice(0, 100)}.${crypto.randomUUID()}.tmp`);
  // what was private stays private, from the first byte on
  const mode = old === undefined ? 0o666 : old.mode & 0o7777;
  const handle = await opened(temporary, 'wx', mode).catch((error) => {
    throw error instanceof DataError ? new DataError(file, error.message.replace(/^.*?: /, '')) : error;
  });
  let left = true;
  async function discard(): Promise<void> {
    if (!left) return;
    left = false;
    await handle.close();
    await rm(temporary, { force: true });
  }
  return {
    write: (bytes) => writeAll(handle, file, bytes, null),
    patch: (bytes) => writeAll(handle, file, bytes, 0),
    async commit() {
      try {
        if (old !== undefined) await handle.chmod(mode);
        await handle.sync();
        await rename(temporary, target);
      } catch (error) {
        throw systemError(file, error);
      }
      left = false;
      await handle.close();
    },
    discard,
  };
}
