import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { Run } from './context.js';
import { DataError, UsageError } from './errors.js';
import { type EvaluateRequest, type Evaluation, evaluate } from './evaluate.js';
import { Model, type ModelJSON } from './model.js';
import { type InputRequest, openInput } from './open.js';
import type { Skipped } from './policy.js';
import { formatOf } from './sources.js';
import type { Table } from './table.js';

/** What a thread is told: the whole of a command's work, but for what only the main thread can do. */
export interface Task {
  readonly input: InputRequest;
  readonly evaluation: Omit<EvaluateRequest, 'table' | 'signal' | 'onBlock' | 'onProgress' | 'warn'>;
}

/** What a thread tells. */
export type Told =
  | { readonly kind: 'warning'; readonly message: string }
  | { readonly kind: 'error'; readonly usage: boolean; readonly message: string }
  | { readonly kind: 'done'; readonly models: readonly ModelJSON[]; readonly skipped: Skipped; readonly rows: number };

// Below that the start of a thread takes longer than the work.
const LEAST_ELEMENTS = 1 << 23;
// What each thread takes of memory keeps the whole below 150 MB.
const MOST_THREADS = 3;

/** How many threads are worth it: arrays in files can be read from several places at once. */
export function threadsFor({ input, evaluation }: Task, table: Table, run: Run): number {
  const elements = table.shape?.reduce((product, length) => product * length, 1) ?? 0;
  const arrays = input.sources.length === 2 && input.sources.every((name) => formatOf(name) === 'npy');
  if (run.worker === undefined || !arrays || evaluation.elementwise || input.shard !== undefined) return 1;
  return elements < LEAST_ELEMENTS ? 1 : Math.min(MOST_THREADS, availableParallelism());
}

/** Shares the input out, and adds up what each thread has seen: sums are exact, so the bits are those of one thread. */
export async function evaluateShared(
  task: Task,
  threads: number,
  run: Run,
  onProgress: (share: number) => void,
): Promise<Evaluation> {
  // the metrics of a softmax are no exact sums: they depend on who has seen which rows
  const taken = task.evaluation.settings.loss === 'softmax' ? undefined : new SharedArrayBuffer(4);
  const shard = (index: number): Task => ({
    ...task,
    input: { ...task.input, shard: { index, count: threads, taken } },
  });
  let warned = false;
  const warn = (message: string) => {
    if (!warned) run.warn(message);
    warned = true;
  };
  const workers: Worker[] = [];
  const failure = new AbortController();
  const signal = run.signal === undefined ? failure.signal : AbortSignal.any([run.signal, failure.signal]);
  let own: Promise<Evaluation> | undefined;
  let done = false;
  try {
    const others = Array.from({ length: threads - 1 }, (_, i) => inThread(shard(i + 2), run, workers, warn));
    own = inThisThread(shard(1), { ...run, signal }, onProgress, warn);
    const [first, ...rest] = await Promise.all([own, ...others]);
    for (const part of rest) {
      for (const [i, model] of part.models.entries()) first.models[i].merge(model);
      for (const key of Object.keys(first.skipped) as (keyof Skipped)[]) first.skipped[key] += part.skipped[key];
    }
    done = true;
    return { ...first, rows: [first, ...rest].reduce((sum, part) => sum + part.rows, 0) };
  } finally {
    // threads that are done end by themselves
    if (!done) {
      failure.abort();
      await Promise.allSettled([own, ...workers.map((worker) => worker.terminate())]);
    }
  }
}

async function inThisThread(
  { input, evaluation }: Task,
  run: Run,
  onProgress: (share: number) => void,
  warn: (message: string) => void,
): Promise<Evaluation> {
  const opened = await openInput(input, run.scratch, run.signal);
  try {
    return await evaluate({ ...evaluation, table: opened.table, signal: run.signal, onProgress, warn });
  } finally {
    await opened.close();
  }
}

function inThread(task: Task, run: Run, workers: Worker[], warn: (message: string) => void): Promise<Evaluation> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(run.worker as URL, { workerData: task });
    workers.push(worker);
    const stop = () => reject(new Error('stopped'));
    run.signal?.addEventListener('abort', stop, { once: true });
    worker.on('error', reject);
    worker.on('message', (told: Told) => {
      if (told.kind === 'warning') warn(told.message);
      else if (told.kind === 'error') reject(told.usage ? new UsageError(told.message) : new Reported(told.message));
      else
        resolve({ models: told.models.map((model) => Model.fromJSON(model)), skipped: told.skipped, rows: told.rows });
    });
  });
}

/** A fault that a thread has put into words. */
class Reported extends DataError {
  constructor(message: string) {
    super('', '');
    this.message = message;
  }
}
