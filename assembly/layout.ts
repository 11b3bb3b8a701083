// Where things lie, relative to the address of a call's frame. docs/abi.md is the public account of it.

/** Elements that one pass of the stages works on: their scratch fits the first-level cache. */
export const BLOCK: usize = 320;
/** Elements that one step of a loop works on: four vectors. */
export const TILE: usize = 16;
export const SLOT: usize = BLOCK * 4;

/** Elements of the tiles that `count` elements take. */
// @ts-ignore: decorator
@inline export function wholeTiles(count: i32): i32 {
  return (count + <i32>(TILE - 1)) & ~(<i32>(TILE - 1));
}

/** The parameters of a call, and its results. */
@unmanaged
export class Frame {
  logits: usize; // 0
  targets: usize; // 4
  weight: usize; // 8
  loss: usize; // 12
  grad: usize; // 16
  hess: usize; // 20
  count: i32; // 24
  flags: i32; // 28
  alphas: usize; // 32
  posWeights: usize; // 36
  hessian: i32; // 40
  classes: i32; // 44
  alphaNegatives: usize; // 48
  private reserved0: i32; // 52
  private reserved1: f64; // 56
  gamma: f64; // 64
  alphaPositive: f64; // 72
  alphaNegative: f64; // 80
  posWeight: f64; // 88
  labelSmoothing: f64; // 96
  ignore: f64; // 104
  gradScale: f64; // 112
  sum: f64; // 120
  sumPositives: f64; // 128
  sumNegatives: f64; // 136
  positives: f64; // 144
  negatives: f64; // 152
  bad: i32; // 160
}

// flags
export const SOFT: i32 = 1;
export const SUMS: i32 = 2;
export const PROBABILITIES: i32 = 4;
export const IGNORE: i32 = 8;
export const BY_CLASS: i32 = 16;

/** An ignored target among bytes. */
export const IGNORED: u8 = 2;

// hessian
export const EXACT: i32 = 0;
export const CLIP: i32 = 1;
export const GAUSS_NEWTON: i32 = 2;
export const ABS_GRAD: i32 = 3;

// Behind the frame's fields: what a call keeps for itself.
export const CORRECT: usize = 168; // f32, how much of the exponential's correction a ratio takes
export const GAMMA: usize = 172; // f32
export const POSITIVE_FACTOR: usize = 180; // f32, by class, of the loss
export const NEGATIVE_FACTOR: usize = 184; // f32
export const POSITIVE_SLOPE: usize = 188; // f32, by class, of gradient and Hessian
export const NEGATIVE_SLOPE: usize = 192; // f32
export const GAMMA_HIGH: usize = 196; // f32, see power.ts
export const GAMMA_LOW: usize = 200; // f32
export const GAMMA_LOG2E: usize = 208; // f32, gamma log2 e
// of one row of a posterior, instead of the by-class factors
export const ROW_LARGEST: usize = 176; // f32
export const ROW_SUM: usize = 180; // f32
export const ROW_REST: usize = 184; // f32
export const ROW_LOG: usize = 188; // f32
export const ROW_TURN: usize = 192; // f32
export const ROW_TOP: usize = 212; // f32
export const SMOOTHING: usize = 204; // f32
export const SMOOTHING_SHARE: usize = 216; // f32, smoothing / classes
export const MEAN_ALPHA: usize = 220; // f32
export const POWER: usize = 272; // i32, which power gamma is, see gamma.ts
// Running sums, two f64 each.
export const SUM: usize = 224; // of weighted losses
export const SUM_POSITIVES: usize = 240; // of losses by class, with its sign
export const SUM_NEGATIVES: usize = 256;
const FRAME: usize = 320;

// One slot a term, BLOCK elements each.
export const REMAINDER: usize = FRAME;
export const SCALE: usize = REMAINDER + SLOT;
export const DENOMINATOR: usize = SCALE + SLOT;
export const NUMERATOR: usize = DENOMINATOR + SLOT;
export const CORRECTION: usize = NUMERATOR + SLOT;
export const DIVISOR: usize = CORRECTION; // of the factor; when it comes the correction has been made
export const FACTOR: usize = CORRECTION + SLOT; // 1 - p_t, then its power
export const RATIO: usize = FACTOR + SLOT;
export const HINGE: usize = RATIO + SLOT;
export const COEFFICIENT: usize = HINGE + SLOT;
export const ENTROPY: usize = COEFFICIENT + SLOT;
export const OTHER: usize = ENTROPY + SLOT; // p_t
export const SLOPE: usize = OTHER + SLOT; // gradient without the power
export const CURVE: usize = SLOPE + SLOT; // Hessian without the power
// A block as the stages want it: whole tiles, soft targets as float32.
export const PAD_LOGITS: usize = CURVE + SLOT;
export const PAD_TARGETS: usize = PAD_LOGITS + SLOT;
export const PAD_OUT: usize = PAD_TARGETS + SLOT;
// One value an element of a block, whether given by element or for all.
export const PAD_WEIGHT: usize = PAD_OUT + SLOT;
export const PAD_ALPHA: usize = PAD_WEIGHT + SLOT;
export const PAD_ALPHA_NEGATIVE: usize = PAD_ALPHA + SLOT;
export const PAD_POS_WEIGHT: usize = PAD_ALPHA_NEGATIVE + SLOT;
export const PAD_LOST: usize = PAD_POS_WEIGHT + SLOT; // of a smoothed target, what float32 cannot hold
// Rows of softmax: the sum of the exponentials of all classes but the target's.
export const ROW_OTHERS: usize = PAD_POS_WEIGHT;
// of rows side by side, what their logits are reduced with
export const LOWEST: usize = ENTROPY;
export const ROUNDING: usize = RATIO;
// and, once they have been added up, the slopes of a row's target and of its other classes
export const TARGET_SLOPE: usize = REMAINDER;
export const OTHERS_SLOPE: usize = SCALE;
export const WORK_BYTES: usize = PAD_LOST + SLOT;
