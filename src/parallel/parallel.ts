import { availableParallelism } from 'node:os';
import { onlyKeys, threadCount, wrongKind } from '../checks.js';
import type { Evaluator, Request, Totals } from '../engine/evaluator.js';
import type { CallOptions, GradHess, Labels, Logits, Reduction, Targets } from '../index.js';
import { EVALUATOR } from '../internal.js';
import { Divider } from './divide.js';
import { closedError } from './errors.js';
import type { Results } from './job.js';
import { isShared } from './staging.js';

/** The options of a call, for results of the type `F`. */
export interface ParallelCall<F> extends Omit<CallOptions, 'out' | 'gradOut' | 'hessOut'> {
  readonly out?: ParallelBuffer<F>;
  readonly gradOut?: ParallelBuffer<F>;
  readonly hessOut?: ParallelBuffer<F>;
}

/** What results of the type `F` may be written to, on shared memory as well. */
export type ParallelBuffer<F> = F extends Float64Array ? Float64Array : Float32Array;

/** What `forward` gives. */
export type ParallelValue<R extends Reduction, F> = R extends 'none' ? F : number;

/** A loss of any entry of this package: its results are of the type `F`, which is Float64Array in focal-loss-wasm/float64. */
export interface ParallelCriterion<R extends Reduction, T, F> {
  readonly reduction: R;
  readonly options: Readonly<Record<string, unknown>>;
  forward(logits: Logits, targets: T, call?: ParallelCall<F>): ParallelValue<R, F>;
  valueAndGrad(logits: Logits, targets: T, call?: ParallelCall<F>): { value: ParallelValue<R, F>; grad: F };
  gradHess(logits: Logits, targets: T, call?: ParallelCall<F>): { grad: F; hess: F };
}

export interface ParallelOptions {
  /**
   * How many threads work, the calling one among them; an integer in [1, 256]. Default: as many as the processor runs at
   * once.
   */
  readonly threads?: number;
}

/**
 * Any loss of this package over several threads, with the bits of one. Threads start with it and stay until it is closed. The
 * calling thread works with them, for 2 ms at a time; a call that is too small to divide, or that is made before they have
 * started, it does alone. Arrays on a SharedArrayBuffer are worked on where they are, and cost a later call nothing; others
 * are copied to shared memory and back, a few segments at a time. Leave arrays alone until the call's promise is settled.
 * Calls are done one after the other, in the order in which they are made.
 *
 * @example
 * ```ts
 * import { SoftmaxFocalLoss } from 'focal-loss-wasm';
 * import { Parallel } from 'focal-loss-wasm/parallel';
 *
 * const criterion = new Parallel(new SoftmaxFocalLoss({ numClasses: 10 }), { threads: 4 });
 * const { value, grad } = await criterion.valueAndGrad(logits, labels);
 * await criterion.close(); // or declare it with `await using`
 * ```
 */
export class Parallel<R extends Reduction = Reduction, T = Targets & Labels, F = GradHess['grad']> {
  /** The loss that is evaluated: what a `LossMeter` is given. */
  readonly criterion: ParallelCriterion<R, T, F>;
  /** What becomes of the element losses. */
  readonly reduction: R;
  /** How many threads work, the calling one among them. */
  readonly threads: number;
  readonly #evaluator: Evaluator;
  /** None where there is one thread. */
  readonly #divider: Divider | undefined;
  readonly #pending = new Set<Promise<unknown>>();
  #closed: Promise<void> | undefined;

  /**
   * @param criterion a loss of this package, of any of its entries.
   * @throws TypeError for anything but a loss, an unknown key or a value of the wrong kind, RangeError for one out of range.
   */
  constructor(criterion: ParallelCriterion<R, T, F>, options?: ParallelOptions) {
    this.#evaluator = evaluatorOf(criterion);
    const { threads = availableParallelism() } = onlyKeys('options', options, ['threads']);
    this.threads = threadCount(threads);
    this.criterion = criterion;
    this.reduction = criterion.reduction;
    if (this.threads > 1) this.#divider = new Divider(this.#evaluator, this.threads);
  }

  /**
   * The loss of `logits` against `targets`, as the criterion gives it.
   *
   * @returns a number, or for the reduction `'none'` an array: `out`, or a new one, which lies on a SharedArrayBuffer if the
   * logits do. Rejects as the criterion throws, and with the code `'FOCAL_LOSS_THREAD'` where a thread has failed; results in
   * the caller's buffers are then unspecified.
   */
  forward(logits: Logits, targets: T, call?: ParallelCall<F>): Promise<ParallelValue<R, F>> {
    return this.#track(this.#forward(logits, targets, call));
  }

  /**
   * What `forward` returns, and its derivative with respect to each logit, as the criterion gives them.
   *
   * @returns `{ value, grad }`; new arrays lie on a SharedArrayBuffer if the logits do. Rejects as `forward` does.
   */
  valueAndGrad(logits: Logits, targets: T, call?: ParallelCall<F>): Promise<{ value: ParallelValue<R, F>; grad: F }> {
    return this.#track(this.#valueAndGrad(logits, targets, call));
  }

  /**
   * First and second derivative of each element's own loss, as the criterion gives them.
   *
   * @returns `{ grad, hess }`; new arrays lie on a SharedArrayBuffer if the logits do. Rejects as `forward` does.
   */
  gradHess(logits: Logits, targets: T, call?: ParallelCall<F>): Promise<{ grad: F; hess: F }> {
    return this.#track(this.#gradHess(logits, targets, call));
  }

  /**
   * Resolves when the threads have started, which takes some 30 ms; calls need not wait for it. Rejects where a thread cannot
   * start.
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
    if (this.#closed !== undefined) throw closedError();
  }

  async #end(): Promise<void> {
    await Promise.allSettled(this.#pending);
    await this.#divider?.close();
  }

  #track<V>(result: Promise<V>): Promise<V> {
    this.#pending.add(result);
    const remove = () => this.#pending.delete(result);
    result.then(remove, remove);
    return result;
  }

  async #forward(logits: Logits, targets: T, call: ParallelCall<F> | undefined): Promise<ParallelValue<R, F>> {
    const request = this.#request(logits, targets, call);
    const none = this.reduction === 'none';
    const out = request.out ?? (none ? this.#floats(request, request.length) : undefined);
    const totals = await this.#run(request, { out, grad: undefined, hess: undefined, scale: 1, sums: !none });
    return (none ? out : this.#evaluator.reduced(request.normalizer, totals)) as ParallelValue<R, F>;
  }

  async #valueAndGrad(logits: Logits, targets: T, call: ParallelCall<F> | undefined) {
    const request = this.#request(logits, targets, call);
    const none = this.reduction === 'none';
    const scale = this.#evaluator.gradScale(request);
    const grad = request.gradOut ?? this.#floats(request, request.x.length);
    const out = request.out ?? (none ? this.#floats(request, request.length) : undefined);
    const totals = await this.#run(request, { out, grad, hess: undefined, scale, sums: !none });
    const value = (none ? out : this.#evaluator.reduced(request.normalizer, totals)) as ParallelValue<R, F>;
    return { value, grad: grad as F };
  }

  async #gradHess(logits: Logits, targets: T, call: ParallelCall<F> | undefined) {
    const request = this.#request(logits, targets, call);
    const grad = request.gradOut ?? this.#floats(request, request.x.length);
    const hess = request.hessOut ?? this.#floats(request, request.x.length);
    await this.#run(request, { out: request.out, grad, hess, scale: 1, sums: false });
    return { grad: grad as F, hess: hess as F };
  }

  #request(logits: Logits, targets: T, call: ParallelCall<F> | undefined): Request {
    this.#checkOpen();
    return this.#evaluator.request(logits, targets, call as CallOptions | undefined);
  }

  /** A new array of what the kernel computes with, in shared memory if the logits are. */
  #floats({ x }: Request, length: number): Float32Array {
    const Floats = (this.#evaluator.binary.float64 ? Float64Array : Float32Array) as Float32ArrayConstructor;
    if (!isShared(x.view)) return new Floats(length);
    return new Floats(new SharedArrayBuffer(Floats.BYTES_PER_ELEMENT * length));
  }

  /** The totals of a call, over threads where it is worth that. */
  async #run(request: Request, results: Results): Promise<Totals> {
    if (this.#divider?.isWorthDividing(request)) return this.#divider.run({ request, ...results });
    this.#evaluator.run(request, { ...results, metered: false });
    return { ...this.#evaluator.totals };
  }
}

/** What a loss of any entry of this package is evaluated by. */
function evaluatorOf(criterion: unknown): Evaluator {
  const isObject = typeof criterion === 'object' && criterion !== null;
  const evaluator = isObject ? (criterion as { [EVALUATOR]?: Evaluator })[EVALUATOR] : undefined;
  // a loss of the lite entry has its settings there
  if (typeof evaluator?.request === 'function') return evaluator;
  const ofLite =
    evaluator === undefined ? undefined : 'losses of focal-loss-wasm/lite do not divide: take those of focal-loss-wasm';
  const remedy = criterion instanceof Parallel ? 'give its "criterion"' : ofLite;
  throw wrongKind('criterion', 'a loss, such as a FocalLoss', criterion, remedy);
}
