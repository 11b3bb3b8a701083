/**
 * What becomes of the losses of a call: `'none'` gives one for each element, `'mean'` divides their sum by the number of
 * elements that are not ignored (or by the `normalizer`), `'sum'` adds them up.
 */
export type Reduction = 'none' | 'mean' | 'sum';

/**
 * What `gradHess` returns as `hess`. `'exact'`: the second derivative, negative for badly wrong elements. `'clip'`: the
 * same, but at least 1e-16. `'gaussNewton'`: alpha_t (1 - p_t)^gamma p (1 - p), times posWeight for positives.
 * `'absGrad'`: the gradient's magnitude.
 */
export type HessianPolicy = 'exact' | 'clip' | 'gaussNewton' | 'absGrad';

/** What targets between 0 and 1 mean; docs/numerics.md has the formulas. */
export type SoftTargets = 'linear' | 'split' | 'crossEntropy';

/** A Float16Array, for compilers whose library does not have it. */
export interface Float16ArrayLike extends ArrayLike<number> {
  readonly [Symbol.toStringTag]: 'Float16Array';
}

/**
 * Data with a shape, as an ONNX Runtime tensor or an `ndarray` have them. The sizes must multiply to the length of the data,
 * and strides, where there are any, must be those of C order. A `Uint16Array` with the type 'float16' or 'bfloat16' is decoded.
 */
export type TensorLike = { readonly data: ArrayBufferView | readonly unknown[] } & (
  | { readonly dims: ArrayLike<number> }
  | { readonly shape: ArrayLike<number> }
);

/** Nested arrays, rows of equal length. */
export type Nested<T> = readonly (ArrayLike<T> | Nested<T>)[];

/**
 * Logits: any array of floating point numbers, nested arrays, or a tensor. All but `Float32Array` are converted to float32.
 */
export type Logits = Float32Array | Float64Array | Float16ArrayLike | readonly number[] | Nested<number> | TensorLike;

/** Every kind of typed array of integers. */
export type Integers =
  | Uint8Array
  | Uint8ClampedArray
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | BigInt64Array
  | BigUint64Array;

/**
 * Binary targets. Floating point kinds and `number[]` are soft targets in [0, 1]; integers and booleans are 0 or 1.
 */
export type Targets =
  | Float32Array
  | Float64Array
  | Float16ArrayLike
  | Integers
  | readonly number[]
  | readonly boolean[]
  | readonly bigint[]
  | Nested<number | boolean | bigint>
  | TensorLike;

/** Class indices, one a row. */
export type Labels =
  | Integers
  | Float32Array
  | Float64Array
  | readonly number[]
  | readonly bigint[]
  | Nested<number | bigint>
  | TensorLike;

/** What a call of `forward` may be given besides logits and targets. Every key is optional, unknown keys are refused. */
export interface ForwardOptions {
  /**
   * Multiplies each element's loss (each row's, of a softmax) after alpha and before the reduction: one number an element,
   * or with `numClasses` one a row; negative ones included. Default: none.
   */
  readonly weight?: Logits;
  /** What `'mean'` divides by in this call, such as the number of boxes of a batch; finite, > 0. Default: the loss's own. */
  readonly normalizer?: number;
  /**
   * Receives each element's own loss, under any reduction, and is what `'none'` returns. Default: a new array where
   * `'none'` needs one. A buffer may be `logits` or `weight` themselves; one that overlaps an input in another
   * way, or another buffer, is an error, which focal-loss-wasm/lite does not notice.
   */
  readonly out?: Float32Array;
  /**
   * `false` skips the scan of the targets' values: results for targets that are not valid are then unspecified. Types
   * and lengths are checked all the same. Default: true.
   */
  readonly validate?: boolean;
}

/** What a single call may be given besides logits and targets. Every key is optional, unknown keys are refused. */
export interface CallOptions extends ForwardOptions {
  /** Receives the gradient, where the method has one, and is returned as `grad`. Default: a new array. */
  readonly gradOut?: Float32Array;
  /** Receives the Hessian, where the method has one, and is returned as `hess`. Default: a new array. */
  readonly hessOut?: Float32Array;
}

/** A loss's name and options, defaults included, as JSON has them. */
export interface LossJSON {
  readonly name: string;
  readonly options: Readonly<Record<string, unknown>>;
}

/** New results lie on an ArrayBuffer of their own; a buffer of the caller's is returned as it is. */
export type Results = Float32Array<ArrayBuffer>;

/** What `forward` returns under a reduction. */
export type Value<R extends Reduction> = R extends 'none' ? Results : number;

export interface ValueAndGrad<R extends Reduction> {
  /** What `forward` returns. */
  value: Value<R>;
  /** Its derivative with respect to each logit (of each element's own loss for `'none'`). */
  grad: Results;
}

export interface GradHess {
  /** First derivative of each element's own loss, whatever the reduction. */
  grad: Results;
  /** Second derivative of each element's own loss, or what the policy `hessian` puts in its place. */
  hess: Results;
}

/** What every loss can do, with targets of the type `T`. */
export interface Criterion<R extends Reduction = Reduction, T = Targets & Labels> {
  readonly reduction: R;
  /** The options, defaults included. */
  readonly options: Readonly<Record<string, unknown>>;
  forward(logits: Logits, targets: T, call?: CallOptions): Value<R>;
  valueAndGrad(logits: Logits, targets: T, call?: CallOptions): ValueAndGrad<R>;
  gradHess(logits: Logits, targets: T, call?: CallOptions): GradHess;
}
