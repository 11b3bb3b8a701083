// The frame of a call: the parameters and results that the wrapper and the kernel share. Compiled by tsc and by asc, so
// that there is one account of it; docs/abi.md is the public one.

/** Elements that one call of the kernel is given at most by the wrapper; the order of a sum depends on it. */
export const SEGMENT = 16_384;

/** Bytes of the fields below; what lies behind them belongs to the kernel. */
export const FRAME_BYTES = 256;

/** 32-bit fields, as indices of an Int32Array over the frame. */
export enum Field32 {
  /** Address of the logits. */
  logits = 0,
  /** Address of the targets: bytes 0, 1 (2 is ignored), or what a flag says. */
  targets = 1,
  /** Address of one weight an element (a row of a softmax), or 0. */
  weight = 2,
  /** Address for the losses, or 0. */
  loss = 3,
  /** Address for the gradient, or 0. */
  grad = 4,
  /** Address for the second derivative, or 0. */
  hess = 5,
  /** Elements, or rows of a softmax. */
  count = 6,
  /** Bits of Flag. */
  flags = 7,
  /** Address of one alpha an element (of one a class for a softmax), or 0. */
  alphas = 8,
  /** Address of one posWeight an element, or 0. */
  posWeights = 9,
  /** One of Hessian. */
  hessian = 10,
  /** Columns of a row. */
  classes = 11,
  /** Address of what negatives are multiplied by in the place of 1 - alpha, an element each; needed beside `alphas`. */
  alphaNegatives = 12,
  /** Elements from a class of a row to the next: 1 (or 0) where rows lie one after the other, pixels of a plane where
   * classes are planes. */
  stride = 13,
  /** With Flag.labels: the place of the first element in [.., classes, stride], where label 0 is that of its first row. */
  first = 14,
  /** One of SoftTargets. */
  softTargets = 15,
  /** Result: bit 0, a target was outside its range; bit 1, a probability was. */
  bad = 40,
}

/** 64-bit fields, as indices of a Float64Array over the frame. */
export enum Field64 {
  gamma = 8,
  alphaPositive = 9,
  alphaNegative = 10,
  posWeight = 11,
  labelSmoothing = 12,
  /** The float32 target that is ignored. */
  ignore = 13,
  /** Multiplies gradient and second derivative. */
  gradScale = 14,
  /** Results: the sum of the losses; with Flag.byClass that of each class. */
  sum = 15,
  sumPositives = 16,
  sumNegatives = 17,
  /** Results: how many targets were positive, and how many others were not ignored. */
  positives = 18,
  negatives = 19,
  polyEpsilon = 21,
  /** Second exponent of losses that have two: gammaNegative of the asymmetric loss, beta of the heatmap loss. */
  beta = 22,
  /** Of the asymmetric loss. */
  margin = 23,
  /** Soft targets above it count as positive. */
  positiveAbove = 24,
}

export enum Flag {
  /** Targets are float32. */
  soft = 1,
  /** The sum is wanted. */
  sums = 2,
  /** `logits` are probabilities. */
  probabilities = 4,
  /** Some targets are ignored. */
  ignore = 8,
  /** With `sums`: sums of each class as well, to which each loss is added as float64 by itself. */
  byClass = 16,
  /** Targets are i32 labels, one a row of `classes`: -1 is ignored, `classes` is a row without a class. */
  labels = 32,
}

/** What `hess` is. */
export enum Hessian {
  exact = 0,
  clip = 1,
  gaussNewton = 2,
  absGrad = 3,
}

/** What targets between 0 and 1 mean. */
export enum SoftTargets {
  linear = 0,
  split = 1,
  crossEntropy = 2,
}

/** A target outside its range, among the bits of `bad`. */
export const BAD_TARGET = 1;
/** A probability outside its range. */
export const BAD_PROBABILITY = 2;
