import { factor, wrongKind } from '../checks.js';
import type { Floats } from '../engine/arena.js';
import { EVALUATOR } from '../internal.js';
import { isObject } from '../kinds.js';
import type { BCEWithLogitsLossOptions } from '../losses/bce-with-logits-loss.js';
import type { ForwardOptions, Logits, LossJSON, Reduction, Targets, Value } from '../types.js';
import { forward } from './forward.js';
import { KEYS, keysOf, type ScalarOptions, type Settings, settingsOf } from './options.js';

/** What the losses of this entry can do. */
export abstract class ForwardLoss<R extends Reduction> {
  /** What becomes of the element losses, as given or as the base loss has it. */
  readonly reduction: R;
  /** The options, defaults included: what the loss shows when it is printed. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly #settings: Settings;

  /** @internal */
  constructor(settings: Settings, keys: readonly string[]) {
    this.reduction = settings.reduction as R;
    const shown = Object.entries(settings).filter(
      ([key, value]) => keys.includes(key) && key !== 'reduction' && value !== undefined,
    );
    this.options = Object.freeze(Object.fromEntries(shown));
    this.#settings = settings;
  }

  /**
   * By which other copies and entries know a loss of this package.
   *
   * @internal
   */
  get [EVALUATOR](): Settings {
    return this.#settings;
  }

  /**
   * The loss of `logits` against `targets`.
   *
   * @returns a number, or for the reduction `'none'` a Float32Array with one loss a target. Of no elements the sum is 0 and the
   * mean NaN.
   * @throws TypeError for an array of a kind that is not accepted, RangeError for shapes that do not agree and for a
   * target out of range, which it names with its index. Errors carry `code`, `argument` and `index`.
   */
  forward(logits: Logits, targets: Targets, call?: ForwardOptions): Value<R> {
    if (!isObject(this) || !(#settings in this)) {
      throw wrongKind('this', 'a loss', this, 'call the method on its loss: loss.forward(...)');
    }
    return forward(this.#settings, logits, targets, call) as Value<R>;
  }

  /** The loss's name and options, as JSON has them. */
  toJSON(): LossJSON {
    return { name: this.constructor.name, options: { ...this.options, reduction: this.reduction } };
  }
}

const BASE_KEYS = ['posWeight', 'reduction'];

/**
 * Binary cross entropy of logits, -posWeight y log p - (1 - y) log(1 - p) with p = sigmoid(logit): a focal loss at gamma 0
 * without alpha. Also what a `FocalLoss` is put around with its option `lossFcn`.
 *
 * @example
 * ```ts
 * import { BCEWithLogitsLoss } from 'focal-loss-wasm/lite';
 *
 * const loss = new BCEWithLogitsLoss({ posWeight: 3 }).forward([2, -1, 0.5], [1, 0, 1]);
 * ```
 */
export class BCEWithLogitsLoss<R extends Reduction = 'mean'> extends ForwardLoss<R> {
  /** As given, or 1. */
  readonly posWeight: number;

  /**
   * @throws TypeError for an unknown key or a value of the wrong kind, RangeError for one out of range.
   */
  constructor(options?: BCEWithLogitsLossOptions<R>) {
    const given: Record<string, unknown> = keysOf('options', options, BASE_KEYS);
    if (given.posWeight !== undefined) factor('posWeight', given.posWeight);
    const settings = settingsOf(given, { gamma: 0, alpha: null });
    super(settings, BASE_KEYS);
    this.posWeight = settings.posWeight;
  }
}

/** Every key is optional, unknown keys are refused: those of focal-loss-wasm that this entry leaves out, too. */
export interface FocalLossOptions<R extends Reduction = Reduction> extends ScalarOptions {
  /** Default `'mean'`. */
  readonly reduction?: R;
  /** A base loss, which gives `posWeight` and `reduction`: naming either again is an error. */
  readonly lossFcn?: BCEWithLogitsLoss<Reduction>;
}

/** The options around a base loss, whose reduction is that of the whole. */
export interface FocalLossAroundOptions<R extends Reduction = Reduction>
  extends Omit<FocalLossOptions, 'lossFcn' | 'posWeight' | 'reduction'> {
  readonly lossFcn: BCEWithLogitsLoss<R>;
  readonly posWeight?: undefined;
  readonly reduction?: undefined;
}

/**
 * Binary focal loss, alpha_t (1 - p_t)^gamma CE, of logits against targets in [0, 1], with the bits of that of
 * focal-loss-wasm: its value, for options that are the same for all elements. Lin et al. 2017, https://arxiv.org/abs/1708.02002;
 * RetinaNet and torchvision use gamma 2.
 *
 * @example
 * ```ts
 * import { BCEWithLogitsLoss, FocalLoss } from 'focal-loss-wasm/lite';
 *
 * const criterion = new FocalLoss({ gamma: 2, alpha: 0.75 });
 * const loss = criterion.forward(Float32Array.of(2, -1, 0.5), Uint8Array.of(1, 0, 1)); // number
 *
 * // around a base loss, as in PyTorch
 * new FocalLoss({ lossFcn: new BCEWithLogitsLoss({ posWeight: 3, reduction: 'sum' }), gamma: 2 });
 * ```
 */
export class FocalLoss<R extends Reduction = 'mean'> extends ForwardLoss<R> {
  /**
   * Around a base loss, which gives `posWeight` and `reduction`; the other options as without one.
   *
   * @throws TypeError for `posWeight` or `reduction` beside `lossFcn`.
   */
  constructor(options: FocalLossAroundOptions<R>);
  /**
   * A binary focal loss, alpha_t (1 - p_t)^gamma CE.
   *
   * @param options every key may be left out, and says its range and default when it is pointed at.
   * @throws TypeError for an unknown key, a value of the wrong kind, an option that only focal-loss-wasm has, or `posWeight` or
   * `reduction` beside `lossFcn`; RangeError for a value out of range.
   */
  constructor(options?: FocalLossOptions<R>);
  constructor(options?: FocalLossOptions) {
    const given: Record<string, unknown> = keysOf('options', options, [...KEYS, 'lossFcn']);
    super(settingsOf(given, baseOf(given)), KEYS);
  }
}

/** `posWeight` and `reduction`, named once: by the base loss or beside it. */
function baseOf(given: Readonly<Record<string, unknown>>): Partial<Settings> {
  const { lossFcn } = given;
  if (lossFcn === undefined) return {};
  if (!(lossFcn instanceof BCEWithLogitsLoss)) {
    const isForeign = isObject(lossFcn) && EVALUATOR in lossFcn;
    const remedy = 'this one is of another copy or entry of focal-loss-wasm: import both from the same';
    throw wrongKind('lossFcn', 'a BCEWithLogitsLoss of this package', lossFcn, isForeign ? remedy : undefined);
  }
  for (const key of BASE_KEYS) {
    if (given[key] !== undefined) {
      throw wrongKind(key, 'undefined beside "lossFcn"', given[key], 'give it to the base loss alone');
    }
  }
  const { posWeight, reduction } = lossFcn;
  return { posWeight, reduction };
}

/**
 * The focal loss in one call: `new FocalLoss(options).forward(logits, targets, call)`. A loop is better off with the class,
 * which checks its options once.
 *
 * @returns a number, or for the reduction `'none'` a Float32Array with one loss an element.
 * @throws as `FocalLoss` and its `forward` do.
 * @example
 * ```ts
 * import { sigmoidFocalLoss } from 'focal-loss-wasm/lite';
 *
 * const losses = sigmoidFocalLoss([2, -1, 0.5], [1, 0, 1], { gamma: 2, alpha: 0.25, reduction: 'none' });
 * ```
 */
export function sigmoidFocalLoss<R extends Reduction = 'mean'>(
  logits: Logits,
  targets: Targets,
  options: FocalLossAroundOptions<R>,
  call?: ForwardOptions,
): Value<R>;
export function sigmoidFocalLoss<R extends Reduction = 'mean'>(
  logits: Logits,
  targets: Targets,
  options?: FocalLossOptions<R>,
  call?: ForwardOptions,
): Value<R>;
export function sigmoidFocalLoss(
  logits: Logits,
  targets: Targets,
  options?: FocalLossOptions,
  call?: ForwardOptions,
): Floats | number {
  return new FocalLoss(options).forward(logits, targets, call);
}
