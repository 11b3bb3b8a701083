// What runs in each thread: an evaluator with the settings of the caller's, over whatever shares are still to be taken.

import { workerData } from 'node:worker_threads';
import type { TargetSource } from '../arrays.js';
import { BinaryEvaluator, type BinarySettings } from '../binary-evaluator.js';
import { Double, type Instance, SEGMENT } from '../memory.js';
import type { Job } from './job.js';

/** More shares than there are. */
const ALL_TAKEN = 2 ** 30;

class BadTarget extends Error {
  constructor(readonly start: number) {
    super();
  }
}

/** Keeps the sums of each segment apart, so that the caller adds them in the order in which one thread does. */
class PartEvaluator extends BinaryEvaluator {
  #sums: Float64Array | undefined;
  #next = 0;
  #offset = 0;

  part({ logits, targets, weight, out, grad, sums, offset, scale, validate }: Job, start: number, end: number): void {
    this.#sums = sums;
    this.#next = 3 * (start / SEGMENT);
    this.#offset = offset + start;
    const call = { weight: weight?.subarray(start, end), validate };
    this.run(
      (logits as Float32Array).subarray(start, end),
      (targets as Float32Array).subarray(start, end),
      call,
      out?.subarray(start, end),
      grad?.subarray(start, end),
      undefined,
      scale,
      sums !== undefined,
    );
  }

  protected override classAt(index: number): number {
    return super.classAt(this.#offset + index);
  }

  protected override evaluate(instance: Instance): void {
    super.evaluate(instance);
    const sums = this.#sums;
    if (sums === undefined) return;
    const { doubles } = instance;
    sums[this.#next++] = doubles[Double.sum];
    sums[this.#next++] = doubles[Double.positives];
    sums[this.#next++] = doubles[Double.negatives];
  }

  override badTarget(_targets: TargetSource, start: number): Error {
    return new BadTarget(start);
  }
}

const evaluator = new PartEvaluator(workerData as BinarySettings);

/**
 * Takes shares until none are left.
 *
 * @returns the start of a segment with a bad target, -1 where there is none. Shares are taken in order and finished, so that
 * the least start which any thread returns is the first there is.
 */
export default function work(job: Job): number {
  const { targets, share, taken } = job;
  const { length } = targets;
  for (;;) {
    const start = share * Atomics.add(taken, 0, 1);
    if (start >= length) return -1;
    try {
      evaluator.part(job, start, Math.min(start + share, length));
    } catch (error) {
      if (!(error instanceof BadTarget)) throw error;
      Atomics.store(taken, 0, ALL_TAKEN);
      return start + error.start;
    }
  }
}
