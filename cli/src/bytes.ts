import { readSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { DataError, systemError } from './errors.js';

/** Bytes of a known number, read from the first to the last. */
export interface Bytes {
  readonly name: string;
  readonly size: number;
  /** Fills all of `into` with what comes next; an end before that is an error. */
  read(into: Uint8Array): Promise<void>;
  /** Leaves `count` bytes out, where that costs nothing. */
  skip?(count: number): void;
  close(): Promise<void>;
}

export async function fileBytes(file: string, name: string): Promise<Bytes> {
  let handle: FileHandle;
  try {
    handle = await open(file, 'r');
  } catch (error) {
    throw systemError(name, error);
  }
  const { size } = await handle.stat();
  let position = 0;
  // signals and other work have their turn between reads
  let paused = performance.now();
  return {
    name,
    size,
    async read(into) {
      // from a file at hand, a read in this thread takes less than a message to another and back
      if (performance.now() - paused > 20) {
        await setImmediate();
        paused = performance.now();
      }
      for (let filled = 0; filled < into.length; ) {
        let count: number;
        try {
          count = readSync(handle.fd, into, filled, into.length - filled, position);
        } catch (error) {
          throw systemError(name, error);
        }
        if (count === 0) throw new DataError(name, `the file is truncated: it ends at byte ${position}`);
        filled += count;
        position += count;
      }
    },
    skip(count) {
      position += count;
    },
    close: () => handle.close(),
  };
}

/** The bytes of a stream, which gives them in pieces of its own size. */
export function streamBytes(stream: Readable, size: number, name: string): Bytes {
  const pieces = stream[Symbol.asyncIterator]();
  let piece: Uint8Array = new Uint8Array(0);
  let used = 0;
  return {
    name,
    size,
    async read(into) {
      for (let filled = 0; filled < into.length; ) {
        if (used === piece.length) {
          const next = await pieces.next().catch((error) => {
            throw new DataError(name, `the archive is damaged: ${(error as Error).message}`);
          });
          if (next.done) throw new DataError(name, 'the array is truncated');
          [piece, used] = [next.value, 0];
        }
        const count = Math.min(into.length - filled, piece.length - used);
        into.set(piece.subarray(used, used + count), filled);
        used += count;
        filled += count;
      }
    },
    async close() {
      stream.destroy();
    },
  };
}
