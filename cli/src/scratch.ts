import { createReadStream, createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { systemError } from './errors.js';

/** A private folder for what must be on disk during one run; it is made when first needed, and `clear` removes it. */
export class Scratch {
  private made: Promise<string> | undefined;
  private spooled = 0;

  constructor(private readonly signal?: AbortSignal) {}

  folder(): Promise<string> {
    this.made ??= mkdtemp(join(tmpdir(), 'focal-loss-'));
    return this.made;
  }

  /** Copies what can be read only once, such as a pipe, to a file that can be read again. */
  async spool(file: string, name: string): Promise<string> {
    const copy = join(await this.folder(), `input-${this.spooled++}`);
    try {
      // '-' is read through the process's own stream: /dev/stdin is not everywhere
      const source = file === '-' ? process.stdin : createReadStream(file);
      await pipeline(source, createWriteStream(copy, { flags: 'wx', mode: 0o600 }), { signal: this.signal });
    } catch (error) {
      this.signal?.throwIfAborted();
      throw systemError(name, error);
    }
    return copy;
  }

  async clear(): Promise<void> {
    if (this.made !== undefined) await rm(await this.made, { recursive: true, force: true });
    this.made = undefined;
  }
}
