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

/** A Float16Array, for compilers whose library does not have it. */
export interface Float16ArrayLike extends ArrayLike<number> {
  readonly [Symbol.toStringTag]: 'Float16Array';
}

/** Data with a shape, as an ONNX Runtime tensor has them. The data are taken in order; the shape is not looked at. */
export type TensorLike =
  | { readonly data: ArrayBufferView | readonly unknown[]; readonly dims: ArrayLike<number> }
  | { readonly data: ArrayBufferView | readonly unknown[]; readonly shape: ArrayLike<number> };

/**
 * Logits: any array of floating point numbers, or a tensor of one. All but `Float32Array` are converted to float32.
 */
export type Logits = Float32Array | Float64Array | Float16ArrayLike | readonly number[] | TensorLike;

/**
 * Binary targets. Floating point kinds and `number[]` are soft targets in [0, 1]; integers and booleans are 0 or 1.
 */
export type Targets =
  | Float32Array
  | Float64Array
  | Uint8Array
  | Uint8ClampedArray
  | Int8Array
  | Int32Array
  | BigInt64Array
  | readonly number[]
  | readonly boolean[]
  | TensorLike;

/** Class indices, one a row. */
export type Labels = Int32Array | Uint8Array | Uint16Array | BigInt64Array | readonly number[] | TensorLike;

/** What a single call may be given besides logits and targets. Every key is optional, unknown keys are refused. */
export interface CallOptions {
  /** Multiplies each element's loss (each row's, of a softmax) after alpha and before the reduction. Default: none. */
  readonly weight?: Float32Array;
  /**
   * Receives each element's own loss, under any reduction, and is what `'none'` returns. Default: a new array where
   * `'none'` needs one. A buffer may be `logits` or `weight` themselves, and must not overlap an input in another way.
   */
  readonly out?: Float32Array;
  /** Receives the gradient, where the method has one, and is returned as `grad`. Default: a new array. */
  readonly gradOut?: Float32Array;
  /** Receives the Hessian, where the method has one, and is returned as `hess`. Default: a new array. */
  readonly hessOut?: Float32Array;
  /**
   * `false` skips the scan of the targets' values: results for targets that are not valid are then unspecified. Types
   * and lengths are checked all the same. Default: true.
   */
  readonly validate?: boolean;
}

/** What `forward` returns under a reduction. */
export type Value<R extends Reduction> = R extends 'none' ? Float32Array : number;

export interface ValueAndGrad<R extends Reduction> {
  /** What `forward` returns. */
  value: Value<R>;
  /** Its derivative with respect to each logit (of each element's own loss for `'none'`). */
  grad: Float32Array;
}

export interface GradHess {
  /** First derivative of each element's own loss, whatever the reduction. */
  grad: Float32Array;
  /** Second derivative of each element's own loss, or what the policy `hessian` puts in its place. */
  hess: Float32Array;
}

/** What every loss can do. */
export interface Criterion<R extends Reduction = Reduction> {
  readonly reduction: R;
  forward(logits: Logits, targets: Targets | Labels, call?: CallOptions): Value<R>;
  valueAndGrad(logits: Logits, targets: Targets | Labels, call?: CallOptions): ValueAndGrad<R>;
  gradHess(logits: Logits, targets: Targets | Labels, call?: CallOptions): GradHess;
}
