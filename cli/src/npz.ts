import type { Entry } from 'yauzl';
import { type Bytes, streamBytes } from './bytes.js';
import { DataError, list, printable } from './errors.js';

/** The arrays of a .npz file by name. Each is read through a stream of its own, so that they can be read side by side. */
export interface Archive {
  readonly names: readonly string[];
  open(name: string): Promise<Bytes>;
  close(): void;
}

// More names than that are no set of predictions, and a list of millions would fill the memory.
const MOST_ENTRIES = 10_000;

export async function openArchive(file: string, name: string): Promise<Archive> {
  const fail = (error: unknown) => new DataError(name, `not a readable .npz file: ${printable(messageOf(error), 200)}`);
  const { default: yauzl } = await import('yauzl');
  const zip = await yauzl.openPromise(file, { autoClose: false, lazyEntries: true }).catch((error) => {
    throw fail(error);
  });
  const entries = new Map<string, Entry>();
  try {
    if (zip.entryCount > MOST_ENTRIES) throw new Error(`it holds ${zip.entryCount} entries`);
    for await (const entry of zip.eachEntry()) {
      if (!entry.fileName.endsWith('.npy')) continue;
      const array = entry.fileName.slice(0, -'.npy'.length);
      if (entries.has(array)) throw new Error(`it holds two arrays called "${array}"`);
      entries.set(array, entry);
    }
    if (entries.size === 0) throw new Error('it holds no array');
  } catch (error) {
    zip.close();
    throw fail(error);
  }
  return {
    names: [...entries.keys()],
    async open(array) {
      const entry = entries.get(array);
      if (entry === undefined)
        throw new DataError(name, `expected an array "${array}", got ${list([...entries.keys()])}`);
      const stream = await zip.openReadStreamPromise(entry).catch((error) => {
        throw fail(error);
      });
      return streamBytes(stream, entry.uncompressedSize, `${name}[${printable(array)}]`);
    },
    close: () => zip.close(),
  };
}

function messageOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.replace(/^[A-Z0-9]+: ([^,]+).*/, '$1');
}
