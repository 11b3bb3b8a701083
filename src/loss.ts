import type { Evaluator } from './criterion.js';
import { EVALUATOR } from './internal.js';
import type {
  CallOptions,
  Criterion,
  GradHess,
  Labels,
  Logits,
  Reduction,
  Targets,
  Value,
  ValueAndGrad,
} from './types.js';

let evaluatorIn: (loss: object) => Evaluator | undefined;

/** The methods of every loss; targets are of the type `T`. */
export class Loss<R extends Reduction, T extends Targets | Labels> implements Criterion<R> {
  /** What becomes of the element losses, as given or as the base loss has it. */
  readonly reduction: R;
  readonly #evaluator: Evaluator;

  static {
    evaluatorIn = (loss) => (#evaluator in loss ? loss.#evaluator : undefined);
  }

  /** @internal */
  constructor(evaluator: Evaluator) {
    this.reduction = evaluator.settings.reduction as R;
    this.#evaluator = evaluator;
  }

  /** @internal */
  get [EVALUATOR](): Evaluator {
    return this.#evaluator;
  }

  /**
   * The loss of `logits` against `targets`, one target a logit (one a row for a softmax).
   *
   * @returns a number, or for the reduction `'none'` a Float32Array with one loss a target. Of no elements the sum is 0
   * and the mean NaN.
   * @throws TypeError for an array of a kind that is not accepted, RangeError for lengths that do not agree and for a
   * target out of range, which it names with its index.
   * @example
   * ```ts
   * const criterion = new FocalLoss({ gamma: 2, reduction: 'none' });
   * criterion.forward([0.5, -1], [1, 0]); // Float32Array
   * ```
   */
  forward(logits: Logits, targets: T, call?: CallOptions): Value<R> {
    return this.#evaluator.forward(logits, targets, call, false) as Value<R>;
  }

  /**
   * What `forward` returns, and its derivative with respect to each logit: of each element's own loss for `'none'`, and
   * divided by the same number as the value for `'mean'`.
   *
   * @returns `{ value, grad }`, where `grad` has the length of `logits`.
   * @throws as `forward` does.
   * @example
   * ```ts
   * const { value, grad } = new FocalLoss({ gamma: 2 }).valueAndGrad([0.5, -1], [1, 0]);
   * ```
   */
  valueAndGrad(logits: Logits, targets: T, call?: CallOptions): ValueAndGrad<R> {
    return this.#evaluator.valueAndGrad(logits, targets, call) as ValueAndGrad<R>;
  }

  /**
   * First and second derivative of each element's own loss, whatever the reduction: what gradient boosting asks of an
   * objective. A softmax gives the diagonal of its rows' Hessians.
   *
   * @returns `{ grad, hess }`, each of the length of `logits`.
   * @throws as `forward` does.
   * @example
   * ```ts
   * const { grad, hess } = new FocalLoss({ gamma: 2, hessian: 'clip' }).gradHess([0.5, -1], [1, 0]);
   * ```
   */
  gradHess(logits: Logits, targets: T, call?: CallOptions): GradHess {
    return this.#evaluator.gradHess(logits, targets, call);
  }
}

/**
 * The evaluator behind a loss; undefined for anything else.
 *
 * @internal
 */
export function evaluatorOf(value: unknown): Evaluator | undefined {
  return typeof value === 'object' && value !== null ? evaluatorIn(value) : undefined;
}
