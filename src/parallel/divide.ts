// One call over several threads.

import type { FloatSource, TargetSource } from '../arrays.js';
import type { Evaluator, Totals } from '../criterion.js';
import { CHUNK, isShared, Staging, Stagings } from './staging.js';
import type { Threads } from './threads.js';

/**
 * Elements that pay for waking a thread: waking costs about a tenth of a millisecond, in which one thread evaluates some
 * 60,000 elements.
 */
export const ELEMENTS_PER_THREAD = 16 * 4096;

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

/** Divides calls among threads. */
export class Divider {
  readonly #stagings = new Stagings();

  constructor(
    private readonly evaluator: Evaluator<TargetSource>,
    private readonly threads: Threads,
  ) {}

  /** The sums are those of one thread: each segment's are added in the order of segments. */
  async run(call: Inputs & Results): Promise<Totals> {
    const { x, y, weight, out, grad } = call;
    const { step } = this.evaluator;
    const { length } = y;
    const sums = call.sums ? new Float64Array(new SharedArrayBuffer(32 * Math.ceil(length / step))) : undefined;
    let next = 0;
    let bad = length;
    let failed = false;
    const chunks = async (size: number, staging: Staging) => {
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
          sums: sums?.subarray(4 * (start / step)),
          offset: start,
          scale: call.scale,
          validate: call.validate,
          taken: new Int32Array(new SharedArrayBuffer(4)),
        };
        const found = await this.threads.run(job, Math.ceil((end - start) / ELEMENTS_PER_THREAD));
        if (found >= 0) bad = Math.min(bad, start + found);
        else {
          takeBack(out, outPart, start);
          takeBack(grad, gradPart, start);
        }
      }
    };
    if ([x, y, weight, out, grad].every(isShared)) await chunks(length, new Staging());
    else {
      const lane = async () => {
        const staging = await this.#stagings.take();
        try {
          await chunks(CHUNK, staging);
        } catch (error) {
          failed = true;
          throw error;
        } finally {
          this.#stagings.giveBack(staging);
        }
      };
      // both, since the other still writes
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

function added(sums: Float64Array = new Float64Array(0)): Totals {
  const totals = { sumPositives: 0, sumNegatives: 0, positives: 0, negatives: 0 };
  for (let k = 0; k < sums.length; k += 4) {
    totals.sumPositives += sums[k];
    totals.sumNegatives += sums[k + 1];
    totals.positives += sums[k + 2];
    totals.negatives += sums[k + 3];
  }
  return totals;
}
