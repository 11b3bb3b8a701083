import { syncBuiltinESMExports } from 'node:module';
import timers from 'node:timers';
import type { Worker } from 'node:worker_threads';
import { FocalLoss, type FocalLossOptions, type Reduction } from '../../dist/index.js';
import { ParallelFocalLoss } from '../../dist/parallel/index.js';
import { SEGMENT } from '../support.js';

/** Elements from which on a call is divided, and those of a slot of what is copied. */
export const DIVIDED = 16 * SEGMENT;
export const SLOT = 4 * SEGMENT;

const open: ParallelFocalLoss<Reduction>[] = [];

/** A loss in one thread, and the same in two; closed behind the tests. */
export function pair<R extends Reduction = 'mean'>(options: FocalLossOptions<R>) {
  const one = new FocalLoss<R>(options);
  const two = new ParallelFocalLoss<R>({ ...options, threads: 2 });
  open.push(two as never);
  return { one, two };
}

/** Resolves when the threads have started: until then the calling thread would do all by itself. */
export const started = () => Promise.all(open.map((loss) => loss.ready()));

/** For the end of a file: its module is loaded once for all of them. */
export const closeAll = () => Promise.all(open.splice(0).map((loss) => loss.close()));

/**
 * Runs `work` while the calling thread gives way after each share that it takes, and for some milliseconds: other threads do
 * most of a call, however busy the machine is, and the caller waits for the last of them by message.
 */
export async function whereOthersWork<T>(work: () => Promise<T>): Promise<T> {
  const { now } = performance;
  const { setImmediate: own } = timers;
  let passed = 0;
  performance.now = () => {
    passed += 10;
    return now.call(performance) + passed;
  };
  timers.setImmediate = ((run: () => void) => setTimeout(run, 3)) as unknown as typeof own;
  syncBuiltinESMExports();
  try {
    return await work();
  } finally {
    performance.now = now;
    timers.setImmediate = own;
    syncBuiltinESMExports();
  }
}

export function shared<T extends Float32Array | Uint8Array>(source: T, offset = 0): T {
  const kind = source.constructor as { new (buffer: SharedArrayBuffer, offset: number, length: number): T };
  const bytes = source.BYTES_PER_ELEMENT;
  const copy = new kind(new SharedArrayBuffer((source.length + offset + 1) * bytes), offset * bytes, source.length);
  copy.set(source as never);
  return copy;
}

/** The threads that `start` starts: not yet running, as a process hears of a thread at the end of its turn. */
export async function threadsOf<T>(start: () => T): Promise<{ result: T; threads: Worker[] }> {
  const threads: Worker[] = [];
  const add = (thread: Worker) => threads.push(thread);
  process.on('worker', add);
  const result = start();
  await new Promise((resolve) => process.nextTick(resolve));
  process.off('worker', add);
  return { result, threads };
}
