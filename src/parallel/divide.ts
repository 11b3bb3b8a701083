// One call over several threads.

import type { FloatSource, TargetSource } from '../arrays.js';
import type { Evaluator, Sums } from '../criterion.js';
import { CHUNK, isShared, Staging, Stagings } from './staging.js';
import type { Threads } from './threads.js';

/** Elements that pay for a message to a thread and back: 0.2 to 0.3 ms, in which one thread evaluates as many. */
const PER_THREAD = 8 * 16_384;
/** With two threads on two cores a call took as long as in one thread at half of this, 0.7 of the time here. */
const SHARED_FROM = 8 * PER_THREAD;
/** The same for arrays that are copied, 0.9 to 1 of the time here. */
const COPIED_FROM = 24 * PER_THREAD;

/** Segments that a thread takes at a time where there are many: long enough a stretch to be read at full speed. */
const SHARE = 16;
/** Shares a thread where there are fewer, for threads that are not equally fast. */
const SHARES = 8;

/** What a call gives, after its checks. */
interface Inputs {
  readonly x: FloatSource;
  readonly y: TargetSource;
  readonly weight: Float32Array | undefined;
  readonly validate: boolean;
}

/** What is wanted of it. */
export interface Results {
  readonly out: Float32Array | undefined;
  readonly grad: Float32Array | undefined;
  /** Factor of the gradient. */
  readonly scale: number;
  readonly sums: boolean;
}

/** Whether threads are faster than the calling one alone. */
export function isWorthDividing(length: number, arrays: readonly unknown[]): boolean {
  return length >= (arrays.every(isShared) ? SHARED_FROM : COPIED_FROM);
}

/** Divides calls among threads. */
export class Divider {
  readonly #stagings: Stagings;

  constructor(
    private readonly evaluator: Evaluator<TargetSource>,
    private readonly threads: Threads,
  ) {
    this.#stagings = new Stagings(threads.count);
  }

  /** The sums are those of one thread: each segment's are added in the order of segments. */
  async run(call: Inputs & Results): Promise<Sums> {
    const { x, y, weight, out, grad } = call;
    const { step } = this.evaluator;
    const { length } = y;
    const sums = call.sums ? new Float64Array(new SharedArrayBuffer(24 * Math.ceil(length / step))) : undefined;
    let next = 0;
    let bad = length;
    let failed = false;
    /** Has `threads` threads at once work on chunks, one after the other, until none are left. */
    const work = async (staging: Staging, size: number, threads: number) => {
      while (next < length && bad === length && !failed) {
        const start = next;
        const end = Math.min(length, start + size);
        next = end;
        const outPart = staging.results('out', out, start, end);
        const gradPart = staging.results('grad', grad, start, end);
        const job = {
          logits: staging.logits(x, start, end),
          targets: staging.targets(y, start, end),
          weight: staging.weight(weight, start, end),
          out: outPart,
          grad: gradPart,
          sums: sums?.subarray(3 * (start / step)),
          offset: start,
          scale: call.scale,
          validate: call.validate,
          share: step * Math.min(SHARE, Math.ceil((end - start) / (step * threads * SHARES))),
          taken: new Int32Array(new SharedArrayBuffer(4)),
        };
        const found = await this.threads.run(job, threads);
        if (found >= 0) bad = Math.min(bad, start + found);
        else {
          takeBack(out, outPart, start);
          takeBack(grad, gradPart, start);
        }
      }
    };
    if ([x, y, weight, out, grad].every(isShared)) {
      const enough = Math.ceil(length / PER_THREAD);
      await work(new Staging(), length, Math.min(this.threads.count, enough));
    } else {
      const part = Math.max(PER_THREAD, length / (2 * this.threads.count));
      const size = Math.min(CHUNK, step * Math.ceil(part / step));
      const lane = async () => {
        const staging = await this.#stagings.take();
        try {
          await work(staging, size, 1);
        } catch (error) {
          failed = true;
          throw error;
        } finally {
          this.#stagings.giveBack(staging);
        }
      };
      // all of them, since each may still write
      const outcomes = await Promise.allSettled(Array.from({ length: this.#stagings.count }, lane));
      for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
    }
    if (bad < length) throw this.evaluator.badTarget(y, bad);
    return added(sums);
  }
}

function takeBack(target: Float32Array | undefined, part: Float32Array | undefined, start: number): void {
  if (target !== undefined && part !== undefined && !isShared(target)) target.set(part, start);
}

function added(sums: Float64Array = new Float64Array(0)): Sums {
  let sum = 0;
  let positives = 0;
  let negatives = 0;
  for (let k = 0; k < sums.length; k += 3) {
    sum += sums[k];
    positives += sums[k + 1];
    negatives += sums[k + 2];
  }
  return { sum, positives, negatives };
}
