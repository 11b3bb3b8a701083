import { availableParallelism } from 'node:os';
import { onlyKeys, threadCount } from '../checks.js';
import type { Evaluator, Request, Totals } from '../engine/evaluator.js';
import {
  type CallOptions,
  FocalLoss,
  type FocalLossAroundOptions,
  type FocalLossOptions,
  type Logits,
  type Reduction,
  type Targets,
  type Value,
  type ValueAndGrad,
} from '../index.js';
import { EVALUATOR, FOCAL_LOSS_KEYS } from '../internal.js';
import { Divider, type Results } from './divide.js';
import { closedError } from './errors.js';
import { isShared } from './staging.js';

interface ThreadOptions {
  /** An integer in [1, 256]; 1 works on the calling thread. Default: as many as the processor runs at once. */
  readonly threads?: number;
}

/** The options of `FocalLoss`, and `threads`. */
export interface ParallelFocalLossOptions<R extends Reduction = Reduction> extends FocalLossOptions<R>, ThreadOptions {}

/** The options of `FocalLoss` around a base loss, and `threads`. */
export interface ParallelFocalLossAroundOptions<R extends Reduction = Reduction>
  extends FocalLossAroundOptions<R>,
    ThreadOptions {}

/**
 * `FocalLoss` over several threads, with the same bits. Threads start with the loss and stay until it is closed; a call that
 * is too small for them is evaluated on the calling thread. Arrays on a SharedArrayBuffer are worked on where they are;
 * others are copied to shared memory and back in chunks. Arrays must be left alone until the call's promise is settled.
 *
 * @example
 * ```ts
 * import { ParallelFocalLoss } from 'focal-loss-wasm/parallel';
 *
 * const criterion = new ParallelFocalLoss({ gamma: 2, threads: 4 });
 * const loss = await criterion.forward(logits, targets);
 * await criterion.close(); // or declare it with `await using`
 * ```
 */
export class ParallelFocalLoss<R extends Reduction = 'mean'> {
  /** What becomes of the element losses, as given or as the base loss has it. */
  readonly reduction: R;
  /** How many threads it has. */
  readonly threads: number;
  readonly #criterion: FocalLoss<R>;
  readonly #evaluator: Evaluator;
  /** None where there is one thread. */
  readonly #divider: Divider | undefined;
  readonly #pending = new Set<Promise<unknown>>();
  #closed: Promise<void> | undefined;

  /**
   * @throws TypeError for an unknown key or a value of the wrong kind, RangeError for a value out of range: as `FocalLoss`
   * does.
   */
  constructor(options: ParallelFocalLossAroundOptions<R>);
  constructor(options?: ParallelFocalLossOptions<R>);
  constructor(options?: ParallelFocalLossOptions<R>) {
    const { threads = availableParallelism(), ...own } = onlyKeys('options', options, [
      ...FOCAL_LOSS_KEYS,
      'threads',
      'lossFcn',
    ]);
    this.#criterion = new FocalLoss<R>(own as FocalLossOptions<R>);
    this.#evaluator = this.#criterion[EVALUATOR] as unknown as Evaluator;
    this.reduction = this.#criterion.reduction;
    this.threads = threadCount(threads);
    if (this.threads > 1) this.#divider = new Divider(this.#evaluator, this.threads);
  }

  /**
   * The loss of `logits` against `targets`, as `FocalLoss` gives it.
   *
   * @returns a number, or for the reduction `'none'` a Float32Array: `out`, or a new one, which lies on a SharedArrayBuffer
   * if the logits do. Rejects as `FocalLoss` throws, and where a thread has failed.
   */
  forward(logits: Logits, targets: Targets, call?: CallOptions): Promise<Value<R>> {
    return this.#track(this.#forward(logits, targets, call));
  }

  /**
   * What `forward` returns, and its derivative with respect to each logit, as `FocalLoss` gives them.
   *
   * @returns `{ value, grad }`; a new array lies on a SharedArrayBuffer if the logits do. Rejects as `forward` does.
   */
  valueAndGrad(logits: Logits, targets: Targets, call?: CallOptions): Promise<ValueAndGrad<R>> {
    return this.#track(this.#valueAndGrad(logits, targets, call));
  }

  /**
   * Resolves when the threads have started, which takes some 30 ms. Calls need not wait for it: until then the calling
   * thread does the work. Rejects where a thread cannot start.
   */
  ready(): Promise<void> {
    return this.#track(this.#ready());
  }

  /** Ends the threads when the calls that were made are done. Later calls are rejected. */
  close(): Promise<void> {
    this.#closed ??= this.#end();
    return this.#closed;
  }

  /** `close`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #ready(): Promise<void> {
    this.#checkOpen();
    await this.#divider?.ready();
  }

  #checkOpen(): void {
    if (this.#closed !== undefined) throw closedError('ParallelFocalLoss');
  }

  async #end(): Promise<void> {
    await Promise.allSettled(this.#pending);
    await this.#divider?.close();
  }

  #track<T>(result: Promise<T>): Promise<T> {
    this.#pending.add(result);
    const remove = () => this.#pending.delete(result);
    result.then(remove, remove);
    return result;
  }

  async #forward(logits: Logits, targets: Targets, call: CallOptions | undefined): Promise<Value<R>> {
    const request = this.#request(logits, targets, call);
    const none = this.reduction === 'none';
    const out = request.out ?? (none ? newResults(request) : undefined);
    const totals = await this.#run(request, { out, grad: undefined, hess: undefined, scale: 1, sums: !none });
    return (none ? out : this.#evaluator.reduced(request.normalizer, totals)) as Value<R>;
  }

  async #valueAndGrad(logits: Logits, targets: Targets, call: CallOptions | undefined): Promise<ValueAndGrad<R>> {
    const request = this.#request(logits, targets, call);
    const none = this.reduction === 'none';
    const scale = this.#evaluator.gradScale(request);
    const grad = request.gradOut ?? newResults(request);
    const out = request.out ?? (none ? newResults(request) : undefined);
    const totals = await this.#run(request, { out, grad, hess: undefined, scale, sums: !none });
    return { value: none ? out : this.#evaluator.reduced(request.normalizer, totals), grad } as ValueAndGrad<R>;
  }

  #request(logits: Logits, targets: Targets, call: CallOptions | undefined): Request {
    this.#checkOpen();
    return this.#evaluator.request(logits, targets, call);
  }

  /** The totals of a call, over threads where it is worth that. */
  async #run(request: Request, results: Results): Promise<Totals> {
    const divider = this.#divider;
    if (divider?.isWorthDividing(request, [results.out, results.grad, results.hess])) {
      return divider.run({ request, ...results });
    }
    this.#evaluator.run(request, { ...results, metered: false });
    return { ...this.#evaluator.totals };
  }
}

/** A new array beside the logits, in shared memory if they are. */
function newResults({ x }: Request): Float32Array {
  return isShared(x.view) ? new Float32Array(new SharedArrayBuffer(4 * x.length)) : new Float32Array(x.length);
}
