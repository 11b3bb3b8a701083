import { type Remote, wrap } from 'comlink';
import type { Engine } from '../engine/engine.worker.js';

let started: Remote<Engine> | undefined;

/** The worker, which lives as long as the page and keeps the file that was opened last. */
export function engine(): Remote<Engine> {
  started ??= wrap<Engine>(new Worker(new URL('../engine/engine.worker.ts', import.meta.url), { type: 'module' }));
  return started;
}

/**
 * Runs `work` with the newest argument whenever the last run is done: while a slider moves, runs that would be overtaken are
 * left out.
 */
export function latest<T>(work: (argument: T) => Promise<void>): (argument: T) => void {
  let waiting: { argument: T } | undefined;
  let busy = false;
  return async (argument) => {
    waiting = { argument };
    if (busy) return;
    busy = true;
    try {
      while (waiting !== undefined) {
        const next: { argument: T } = waiting;
        waiting = undefined;
        await work(next.argument);
      }
    } finally {
      busy = false;
    }
  };
}
