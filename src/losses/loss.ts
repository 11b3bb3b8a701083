import { OTHER_COPY, wrongKind } from '../checks.js';
import type { Definition, Parameters, Settings } from '../engine/definition.js';
import { ElementEvaluator } from '../engine/elements.js';
import type { Evaluator } from '../engine/evaluator.js';
import { RowEvaluator } from '../engine/rows.js';
import { DEFINITION, EVALUATOR } from '../internal.js';
import { isObject, kindOf } from '../kinds.js';
import type { CallOptions, Criterion, GradHess, Logits, LossJSON, Reduction, Value, ValueAndGrad } from '../types.js';
import type { OptionKey } from './options.js';

let evaluatorIn: (loss: object) => Evaluator | undefined;

/** The methods of every loss; targets are of the type `T`. */
export abstract class Loss<R extends Reduction, T> implements Criterion<R, T> {
  /** What becomes of the element losses, as given or as the base loss has it. */
  readonly reduction: R;
  /** The options, defaults included: what the loss shows when it is printed. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly #evaluator: Evaluator;

  static {
    evaluatorIn = (loss) => (#evaluator in loss ? loss.#evaluator : undefined);
  }

  /** @internal */
  constructor(settings: Settings, keys: readonly OptionKey[]) {
    this.reduction = settings.reduction as R;
    const shown = keys.filter((key) => key !== 'reduction' && settings[key] !== undefined);
    this.options = Object.freeze(Object.fromEntries(shown.map((key) => [key, settings[key]])));
    this.#evaluator = createEvaluator(this[DEFINITION], settings);
  }

  /**
   * What the loss is to the engine, of the class rather than of a loss: threads know it by its name alone.
   *
   * @internal
   */
  abstract get [DEFINITION](): Definition;

  /** @internal */
  get [EVALUATOR](): Evaluator {
    return this.#evaluator;
  }

  /**
   * The loss of `logits` against `targets`.
   *
   * @returns a number, or for the reduction `'none'` a Float32Array with one loss a target (one a logit where a label stands
   * for a row of sigmoids). Of no elements the sum is 0 and the mean NaN.
   * @throws TypeError for an array of a kind that is not accepted, RangeError for shapes that do not agree and for a
   * target out of range, which it names with its index. Errors carry `code`, `argument` and `index`.
   * @example
   * ```ts
   * const criterion = new FocalLoss({ gamma: 2, reduction: 'none' });
   * criterion.forward([0.5, -1], [1, 0]); // Float32Array
   * ```
   */
  forward(logits: Logits, targets: T, call?: CallOptions): Value<R> {
    return evaluatorFor(this).forward(logits, targets, call, false) as Value<R>;
  }

  /**
   * What `forward` returns, and its derivative with respect to each logit: of each element's own loss for `'none'`, and
   * divided by the same number as the value for `'mean'`.
   *
   * @returns `{ value, grad }`, where `grad` has the length and layout of `logits`.
   * @throws as `forward` does.
   * @example
   * ```ts
   * const { value, grad } = new FocalLoss({ gamma: 2 }).valueAndGrad([0.5, -1], [1, 0]);
   * ```
   */
  valueAndGrad(logits: Logits, targets: T, call?: CallOptions): ValueAndGrad<R> {
    return evaluatorFor(this).valueAndGrad(logits, targets, call) as unknown as ValueAndGrad<R>;
  }

  /**
   * First and second derivative of each element's own loss, whatever the reduction: what gradient boosting asks of an
   * objective. A softmax gives the diagonal of its rows' Hessians.
   *
   * @returns `{ grad, hess }`, each of the length and layout of `logits`.
   * @throws as `forward` does.
   * @example
   * ```ts
   * const { grad, hess } = new FocalLoss({ gamma: 2, hessian: 'clip' }).gradHess([0.5, -1], [1, 0]);
   * ```
   */
  gradHess(logits: Logits, targets: T, call?: CallOptions): GradHess {
    return evaluatorFor(this).gradHess(logits, targets, call);
  }

  /** The loss's name and options, as JSON has them. */
  toJSON(): LossJSON {
    const { definition } = evaluatorFor(this);
    return { name: definition.name, options: { ...this.options, reduction: this.reduction } };
  }
}

/**
 * The numbers of a focal loss, whose alpha weighs both classes.
 *
 * @internal
 */
export function focalParameters({ gamma, alpha }: Settings): Parameters {
  const isOne = typeof alpha === 'number';
  return { gamma, positive: isOne ? alpha : 1, negative: isOne ? 1 - alpha : 1 };
}

/**
 * An evaluator of a loss with settings that have been checked.
 *
 * @internal
 */
export function createEvaluator(definition: Definition, settings: Settings): Evaluator {
  const Type = definition.placement === 'rows' ? RowEvaluator : ElementEvaluator;
  return new Type(definition, settings);
}

/** The evaluator of the loss that a method was called on. */
function evaluatorFor(loss: unknown): Evaluator {
  const evaluator = evaluatorOf(loss);
  if (evaluator === undefined)
    throw wrongKind('this', 'a loss', loss, 'call the method on its loss: loss.forward(...)');
  return evaluator;
}

/**
 * The evaluator behind a loss; undefined for anything else.
 *
 * @internal
 */
export function evaluatorOf(value: unknown): Evaluator | undefined {
  return typeof value === 'object' && value !== null ? evaluatorIn(value) : undefined;
}

/**
 * The evaluator behind an argument that must be a loss, which another copy or entry of this package does not have.
 *
 * @internal
 */
export function requireEvaluator(name: string, value: unknown, rule: string): Evaluator {
  const evaluator = evaluatorOf(value);
  if (evaluator !== undefined) return evaluator;
  throw wrongKind(name, rule, value, foreignRemedy(value));
}

/**
 * What to do with a loss that is none of this copy's.
 *
 * @internal
 */
export function foreignRemedy(value: unknown): string | undefined {
  if (!isObject(value) || kindOf(value) !== undefined) return undefined;
  try {
    if (evaluatorOf(value.criterion) !== undefined) return 'give its "criterion"';
    if (evaluatorOf(value) === undefined && value[EVALUATOR as unknown as string] !== undefined) return OTHER_COPY;
  } catch {
    // an object that does not want to be asked
  }
  return undefined;
}
