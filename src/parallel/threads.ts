import { fileURLToPath } from 'node:url';
import { Piscina } from 'piscina';
import type { CommonSettings } from '../criterion.js';
import type { Job } from './job.js';

/** The threads of one loss, for as long as it is open. */
export class Threads {
  readonly #pool: Piscina;
  /** Why no thread can be had any more. */
  #failure: unknown;

  constructor(
    readonly count: number,
    settings: CommonSettings,
  ) {
    this.#pool = new Piscina({
      filename: fileURLToPath(new URL('./worker.js', import.meta.url)),
      workerData: settings,
      minThreads: count,
      maxThreads: count,
      idleTimeout: Number.POSITIVE_INFINITY,
      recordTiming: false,
    });
    // A thread that cannot start ends its replacements as well, and the pool would keep what waits for one.
    this.#pool.on('error', (error: unknown) => this.#fail(error));
    this.#pool.on('workerDestroy', () => {
      queueMicrotask(() => {
        if (this.#pool.threads.length === 0) this.#fail(new Error('no thread is left'));
      });
    });
  }

  /** Has `threads` threads at once work on a job; returns where the first bad target is, -1 for nowhere. */
  async run(job: Job, threads: number): Promise<number> {
    if (this.#failure !== undefined) throw lost(this.#failure);
    const tasks = Array.from({ length: threads }, () => this.#pool.run(job) as Promise<number>);
    // all of them, since the others still write
    const outcomes = await Promise.allSettled(tasks);
    let first = -1;
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') throw lost(this.#failure ?? outcome.reason);
      if (outcome.value >= 0 && (first < 0 || outcome.value < first)) first = outcome.value;
    }
    return first;
  }

  close(): Promise<void> {
    return this.#pool.destroy();
  }

  #fail(error: unknown): void {
    this.#failure ??= error;
    // rejects what waits
    void this.#pool.destroy();
  }
}

function lost(cause: unknown): Error {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new Error(`a thread of ParallelFocalLoss has failed: ${reason}`, { cause });
}
