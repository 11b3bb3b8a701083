import type { Worker } from 'node:worker_threads';
import { afterAll } from 'vitest';
import { FocalLoss, type FocalLossOptions, type Reduction } from '../../dist/index.js';
import { ParallelFocalLoss } from '../../dist/parallel/index.js';

/** Elements from which on a call is divided, where every array is shared and where one is not; a chunk of what is copied. */
export const DIVIDED = 1_048_576;
export const COPIED = 3_145_728;
export const CHUNK = 524_288;

const open: { close(): Promise<void> }[] = [];

/** A loss in one thread, and the same in two; closed behind the tests. */
export function pair<R extends Reduction = 'mean'>(options: FocalLossOptions<R>) {
  const one = new FocalLoss<R>(options);
  const two = new ParallelFocalLoss<R>({ ...options, threads: 2 });
  open.push(two);
  return { one, two };
}

afterAll(() => Promise.all(open.map((loss) => loss.close())));

export function shared<T extends Float32Array | Uint8Array>(source: T, offset = 0): T {
  const kind = source.constructor as { new (buffer: SharedArrayBuffer, offset: number, length: number): T };
  const bytes = source.BYTES_PER_ELEMENT;
  const copy = new kind(new SharedArrayBuffer((source.length + offset + 1) * bytes), offset * bytes, source.length);
  copy.set(source as never);
  return copy;
}

/** Whether a promise settles without anything from outside this thread: what was computed here does. */
export async function settlesHere(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  const settle = () => {
    settled = true;
  };
  promise.then(settle, settle);
  for (let k = 0; k < 20; k++) await undefined;
  return settled;
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
