import { type Remote, wrap } from 'comlink';
import { type Ref, ref } from 'vue';
import type { Engine } from '../engine/engine.worker.js';

let started: Remote<Engine> | undefined;

/** The worker, which lives as long as the page and keeps the file that was opened last. */
export function engine(): Remote<Engine> {
  started ??= wrap<Engine>(new Worker(new URL('../engine/engine.worker.ts', import.meta.url), { type: 'module' }));
  return started;
}

/**
 * Runs `work` with the newest argument whenever the last run is done: while a slider moves, runs that would be overtaken are
 * left out. `busy` says whether one is under way or waits.
 */
export function latest<T>(work: (argument: T) => Promise<void>): {
  readonly run: (argument: T) => Promise<void>;
  readonly busy: Readonly<Ref<boolean>>;
} {
  let waiting: { argument: T } | undefined;
  const busy = ref(false);
  const run = async (argument: T) => {
    waiting = { argument };
    if (busy.value) return;
    busy.value = true;
    try {
      while (waiting !== undefined) {
        const next: { argument: T } = waiting;
        waiting = undefined;
        await work(next.argument);
      }
    } finally {
      busy.value = false;
    }
  };
  return { run, busy };
}
