import { Field32, Field64, Flag, FRAME_BYTES } from '../src/abi';

// Where a call finds its parameters and leaves its results, relative to the address it is given. The fields stand in
// src/abi.ts, which the wrapper reads as well; docs/abi.md is the public account of them.

/** The parameters of a call, and its results. */
@unmanaged
export class Frame {
  logits: usize;
  targets: usize;
  weight: usize;
  loss: usize;
  grad: usize;
  hess: usize;
  count: i32;
  flags: i32;
  alphas: usize;
  posWeights: usize;
  hessian: i32;
  classes: i32;
  alphaNegatives: usize;
  stride: i32;
  first: i32;
  softTargets: i32;
  gamma: f64;
  alphaPositive: f64;
  alphaNegative: f64;
  posWeight: f64;
  labelSmoothing: f64;
  ignore: f64;
  gradScale: f64;
  sum: f64;
  sumPositives: f64;
  sumNegatives: f64;
  positives: f64;
  negatives: f64;
  bad: i32;
  private reserved41: i32;
  polyEpsilon: f64;
  beta: f64;
  margin: f64;
  positiveAbove: f64;
  private reserved25: f64;
  private reserved26: f64;
  private reserved27: f64;
  private reserved28: f64;
  private reserved29: f64;
  private reserved30: f64;
  private reserved31: f64;
}

// A field in another place than src/abi.ts gives it does not compile.
if (offsetof<Frame>('logits') != 4 * Field32.logits) ERROR('logits');
if (offsetof<Frame>('targets') != 4 * Field32.targets) ERROR('targets');
if (offsetof<Frame>('weight') != 4 * Field32.weight) ERROR('weight');
if (offsetof<Frame>('loss') != 4 * Field32.loss) ERROR('loss');
if (offsetof<Frame>('grad') != 4 * Field32.grad) ERROR('grad');
if (offsetof<Frame>('hess') != 4 * Field32.hess) ERROR('hess');
if (offsetof<Frame>('count') != 4 * Field32.count) ERROR('count');
if (offsetof<Frame>('flags') != 4 * Field32.flags) ERROR('flags');
if (offsetof<Frame>('alphas') != 4 * Field32.alphas) ERROR('alphas');
if (offsetof<Frame>('posWeights') != 4 * Field32.posWeights) ERROR('posWeights');
if (offsetof<Frame>('hessian') != 4 * Field32.hessian) ERROR('hessian');
if (offsetof<Frame>('classes') != 4 * Field32.classes) ERROR('classes');
if (offsetof<Frame>('alphaNegatives') != 4 * Field32.alphaNegatives) ERROR('alphaNegatives');
if (offsetof<Frame>('stride') != 4 * Field32.stride) ERROR('stride');
if (offsetof<Frame>('first') != 4 * Field32.first) ERROR('first');
if (offsetof<Frame>('softTargets') != 4 * Field32.softTargets) ERROR('softTargets');
if (offsetof<Frame>('gamma') != 8 * Field64.gamma) ERROR('gamma');
if (offsetof<Frame>('alphaPositive') != 8 * Field64.alphaPositive) ERROR('alphaPositive');
if (offsetof<Frame>('alphaNegative') != 8 * Field64.alphaNegative) ERROR('alphaNegative');
if (offsetof<Frame>('posWeight') != 8 * Field64.posWeight) ERROR('posWeight');
if (offsetof<Frame>('labelSmoothing') != 8 * Field64.labelSmoothing) ERROR('labelSmoothing');
if (offsetof<Frame>('ignore') != 8 * Field64.ignore) ERROR('ignore');
if (offsetof<Frame>('gradScale') != 8 * Field64.gradScale) ERROR('gradScale');
if (offsetof<Frame>('sum') != 8 * Field64.sum) ERROR('sum');
if (offsetof<Frame>('sumPositives') != 8 * Field64.sumPositives) ERROR('sumPositives');
if (offsetof<Frame>('sumNegatives') != 8 * Field64.sumNegatives) ERROR('sumNegatives');
if (offsetof<Frame>('positives') != 8 * Field64.positives) ERROR('positives');
if (offsetof<Frame>('negatives') != 8 * Field64.negatives) ERROR('negatives');
if (offsetof<Frame>('bad') != 4 * Field32.bad) ERROR('bad');
if (offsetof<Frame>('polyEpsilon') != 8 * Field64.polyEpsilon) ERROR('polyEpsilon');
if (offsetof<Frame>('beta') != 8 * Field64.beta) ERROR('beta');
if (offsetof<Frame>('margin') != 8 * Field64.margin) ERROR('margin');
if (offsetof<Frame>('positiveAbove') != 8 * Field64.positiveAbove) ERROR('positiveAbove');
if (offsetof<Frame>() != FRAME_BYTES) ERROR('FRAME_BYTES');

/** Behind them: what a call keeps for itself. */
@unmanaged
export class State extends Frame {
  /** The sums of weighed losses, two to be added up. */
  sumLanes: v128;
  /** The same by class, with the sign of the class. */
  positiveLanes: v128;
  negativeLanes: v128;
  /** The logits and targets of the block at hand, as the stages read them. */
  x: usize;
  y: usize;
  /** The weights of the block at hand, where there are any. */
  weights: usize;
  /** The targets of the block at hand, as they were given or made from labels: bytes, or with Flag.soft numbers. */
  targetsOfBlock: usize;
  /** Whether any of them may be ignored. */
  ignores: i32;
  /** Targets as numbers above it, smoothed as they are, are of the positive class. */
  classAbove: Float;
  /** Which of the losses of losses/family.ts it is. */
  member: i32;
  /** Which power gamma is, see math/raise.ts. */
  power: i32;
  /** Whether the stages read targets as numbers; else as bytes 0 and 1. */
  readsNumbers: i32;
  /** How much of the exponential's correction a ratio takes. */
  correct: Float;
  gammaRounded: Float;
  /** polyEpsilon. */
  poly: Float;
  // for a power from logarithms, see math/power.ts
  gammaHigh: Float;
  gammaLow: Float;
  gammaLog2e: Float;
  gammaHighUnit: Float;
  gammaLowUnit: Float;
  // the same of the exponent of negatives, where they have their own
  otherGammaRounded: Float;
  otherGammaHigh: Float;
  otherGammaLow: Float;
  /** Whether both are small whole numbers, and which. */
  hasWholePowers: i32;
  wholePower: i32;
  otherWholePower: i32;
  /** The margin of the asymmetric loss. */
  marginRounded: Float;
  /** The part of p below which a distance from it is not taken from p. */
  near: Float;
  /** What losses are multiplied by, by class. */
  positiveFactor: Float;
  negativeFactor: Float;
  /** The same of gradients and second derivatives. */
  positiveScale: Float;
  negativeScale: Float;
  // of shares of classes, see rows/shares.ts: a share is multiplied, what it is then raised by, and what its complement is
  shareKept: Float;
  shareOfAll: Float;
  shareOfOthers: Float;
  rowPoly: Float;
  rowPolySlope: Float;
  /** 0 where no second derivative of the power counts, 1 elsewhere. */
  curvature: Float;
  // of a row of a posterior, see posterior/rows.ts
  rowLargest: Float;
  rowTop: Float;
  rowSum: Float;
  rowRest: Float;
  rowLog: Float;
  rowTurn: Float;
  /** The class at hand, of rows whose classes are planes. */
  classAtHand: i32;
  /** Bytes from the sum of classes of even number to that of its like. */
  oddness: usize;
  /** Of losses whose factor is a distance 1, of others 0, see losses/focal-soft.ts. */
  ofDistance: Float;
  /** Targets above it have the factor 1, whose derivative is 0. */
  factorUpTo: Float;
  /** Of the lite build: whether the terms of soft targets are the plain ones of losses/focal-soft.ts. */
  plain: i32;
}

// Offsets, for v128.load_splat<Float>(frame, GAMMA).
export const SUM: usize = offsetof<State>('sumLanes');
export const SUM_POSITIVES: usize = offsetof<State>('positiveLanes');
export const SUM_NEGATIVES: usize = offsetof<State>('negativeLanes');
export const CLASS_ABOVE: usize = offsetof<State>('classAbove');
export const CORRECT: usize = offsetof<State>('correct');
export const GAMMA: usize = offsetof<State>('gammaRounded');
export const POLY: usize = offsetof<State>('poly');
export const GAMMA_HIGH: usize = offsetof<State>('gammaHigh');
export const GAMMA_LOW: usize = offsetof<State>('gammaLow');
export const GAMMA_HIGH_UNIT: usize = offsetof<State>('gammaHighUnit');
export const GAMMA_LOW_UNIT: usize = offsetof<State>('gammaLowUnit');
export const GAMMA_LOG2E: usize = offsetof<State>('gammaLog2e');
export const OTHER_GAMMA: usize = offsetof<State>('otherGammaRounded');
export const OTHER_GAMMA_HIGH: usize = offsetof<State>('otherGammaHigh');
export const OTHER_GAMMA_LOW: usize = offsetof<State>('otherGammaLow');
export const WHOLE_POWER: usize = offsetof<State>('wholePower');
export const OTHER_WHOLE_POWER: usize = offsetof<State>('otherWholePower');
export const MARGIN: usize = offsetof<State>('marginRounded');
export const NEAR: usize = offsetof<State>('near');
export const POSITIVE_FACTOR: usize = offsetof<State>('positiveFactor');
export const NEGATIVE_FACTOR: usize = offsetof<State>('negativeFactor');
export const POSITIVE_SCALE: usize = offsetof<State>('positiveScale');
export const NEGATIVE_SCALE: usize = offsetof<State>('negativeScale');
export const SHARE_KEPT: usize = offsetof<State>('shareKept');
export const SHARE_OF_ALL: usize = offsetof<State>('shareOfAll');
export const SHARE_OF_OTHERS: usize = offsetof<State>('shareOfOthers');
export const ROW_POLY: usize = offsetof<State>('rowPoly');
export const ROW_POLY_SLOPE: usize = offsetof<State>('rowPolySlope');
export const CURVATURE: usize = offsetof<State>('curvature');
export const ROW_LARGEST: usize = offsetof<State>('rowLargest');
export const ROW_TOP: usize = offsetof<State>('rowTop');
export const ROW_SUM: usize = offsetof<State>('rowSum');
export const ROW_REST: usize = offsetof<State>('rowRest');
export const ROW_LOG: usize = offsetof<State>('rowLog');
export const ROW_TURN: usize = offsetof<State>('rowTurn');
export const CLASS_AT_HAND: usize = offsetof<State>('classAtHand');
export const OF_DISTANCE: usize = offsetof<State>('ofDistance');
export const FACTOR_UP_TO: usize = offsetof<State>('factorUpTo');

/** The first address of the slots, a multiple of 64. */
export const STATE_BYTES: usize = (offsetof<State>() + 63) & ~63;

/** Whether a flag is set. */
// @ts-ignore: decorator
@inline export function has(call: Frame, flag: Flag): bool {
  return (call.flags & flag) != 0;
}

/** An ignored target among bytes. */
export const IGNORED: u8 = 2;

/** The bytes that `count` numbers take. */
// @ts-ignore: decorator
@inline export function bytesOf(count: i32): usize {
  return <usize>count << alignof<Float>();
}
