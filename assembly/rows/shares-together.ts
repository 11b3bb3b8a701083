import { Flag, SoftTargets } from '../../src/abi';
import {
  CURVATURE,
  GAMMA,
  ROW_POLY,
  ROW_POLY_SLOPE,
  SHARE_KEPT,
  SHARE_OF_ALL,
  SHARE_OF_OTHERS,
  State,
  bytesOf,
  has,
} from '../frame';
import { logOnePlus, naturalLog } from '../math/logarithm';
import { logsOf } from './side-by-side';
import {
  HALF,
  LARGEST,
  ONE,
  SMALLEST,
  TINY,
  TWO,
  absolute,
  add,
  and,
  andNot,
  any,
  choose,
  div,
  equalMask,
  every,
  greaterMask,
  larger,
  mul,
  mulAdd,
  negativeMask,
  nonZeroMask,
  not,
  or,
  read,
  smaller,
  splat,
  sub,
  write,
  zero,
  zeroMask,
} from '../simd/lanes';
import { V0 } from '../simd/tile';
import {
  BendFactor,
  ClassExponential,
  Curve,
  CurveFactor,
  Denominator,
  EntropyFactor,
  Excess,
  GivenShare,
  Hinge,
  Labels,
  Largest,
  Lead,
  Likelihood,
  Logits,
  Lost,
  MixedFactor,
  Modulation,
  Numerator,
  OtherShare,
  OtherSum,
  Output,
  Remainder,
  RowEntropy,
  RowLoss,
  RowModulation,
  RowRest,
  RowScale,
  RowSum,
  Scale,
  ShareAlpha,
  ShareLog,
  SlopeFactor,
  Slot,
  SquareFactor,
  SumLog,
  Targets,
  TopExponential,
  TopLog,
  TopLoss,
  TopRest,
  TopShare,
  TopSum,
  TopTarget,
  TopTurn,
  TurnFactor,
  Weight,
  WrongSum,
  get,
  put,
  slot,
} from '../slots';

// Shares whose classes have one modulation together (shares.ts), and what a row is known by in any case.
//
// Nothing cancels: 1 - p and -log p of a top class come from the sum of the others, those of any other class from p <= 1/2;
// with e the exponentials, S their sum, and y_k l_k = y_k (log S - log e_k) of all but top classes.

const FINITE: Float = 1e30; // an infinite cross entropy counts as this in derivatives, whose other factor is 0

/** What classes are multiplied by: alpha of class `j`, or 1. */
// @ts-ignore: decorator
@inline export function alphaAt(call: State, j: i32): usize {
  return call.alphas ? call.alphas + bytesOf(j) : ONE;
}

/** Adds columns from class `first` on to the sums of their rows; whether a share is outside [0, 1], or NaN. */
export function addShares(frame: usize, stride: usize, first: i32, columns: i32): bool {
  let outside = zero();
  for (let from = 0; from < columns; from += CHAIN) {
    const begin = <usize>from * stride;
    const end = <usize>min(from + CHAIN, columns) * stride;
    for (let o: usize = 0; o < stride; o += 16) {
      outside = or(outside, addRows(frame, frame + o, begin, end, stride, first + from));
    }
  }
  return any(outside);
}

/** Columns that are added up as they come; the sums of so many are then added without loss. */
const CHAIN: i32 = 32;

function addRows(frame: usize, row: usize, begin: usize, end: usize, stride: usize, first: i32): v128 {
  const call = changetype<State>(frame);
  const kept = v128.load_splat<Float>(frame, SHARE_KEPT);
  const ofAll = v128.load_splat<Float>(frame, SHARE_OF_ALL);
  const ofOthers = v128.load_splat<Float>(frame, SHARE_OF_OTHERS);
  const largest = get<Largest, V0>(row);
  const topTarget = get<TopTarget, V0>(row);
  const n = get<Hinge, V0>(row);
  const one = every(ONE);
  const step: usize = call.alphas ? sizeof<Float>() : 0;
  let alpha = alphaAt(call, first);
  let top = get<TopExponential, V0>(row);
  let topSum = zero();
  let otherSum = zero();
  let topShare = zero();
  let otherShare = zero();
  let logs = zero();
  let wrong = zero();
  let lead = zero();
  let alphas = zero();
  let given = zero();
  let inside = not(zero());
  for (let at = row + begin; at < row + end; at += stride) {
    const z = get<Logits, V0>(at);
    const e = get<ClassExponential, V0>(at);
    const y = get<Targets, V0>(at);
    const isTop = equalMask(z, largest);
    const without = sub(one, y);
    const share = mulAdd(y, kept, ofAll);
    const other = andNot(share, isTop);
    topSum = add(topSum, and(e, isTop));
    otherSum = add(otherSum, andNot(e, isTop));
    top = choose(e, top, isTop);
    topShare = add(topShare, and(share, isTop));
    otherShare = add(otherShare, other);
    logs = add(logs, andNot(mul(other, logsOf(z, n)), zeroMask(other)));
    wrong = mulAdd(mulAdd(without, kept, ofOthers), e, wrong);
    lead = mulAdd(sub(y, topTarget), e, lead);
    alphas = mulAdd(share, every(alpha), alphas);
    given = add(given, y);
    // neither y nor 1 - y is negative
    inside = and(inside, and(equalMask(absolute(y), y), equalMask(absolute(without), without)));
    alpha += step;
  }
  const isFirst = first == 0;
  put<TopExponential, V0>(row, top);
  addExactly<TopSum>(row, isFirst, LOST, topSum);
  addExactly<OtherSum>(row, isFirst, LOST, otherSum);
  addExactly<TopShare>(row, isFirst, LOST, topShare);
  addExactly<OtherShare>(row, isFirst, LOST, otherShare);
  addExactly<ShareLog>(row, isFirst, LOST, logs);
  addExactly<WrongSum>(row, isFirst, LOST, wrong);
  addExactly<Lead>(row, isFirst, LOST, lead);
  addExactly<ShareAlpha>(row, isFirst, LOST, alphas);
  addExactly<GivenShare>(row, isFirst, LOST, given);
  return not(inside);
}

/** From a sum of rows to what it has lost. */
const LOST: usize = slot<Lost>() - slot<TopSum>();

/** Adds to a sum of rows unless it is the first, and what that rounds off to what lies `lost` bytes behind it. */
// @ts-ignore: decorator
@inline export function addExactly<Sum extends Slot>(row: usize, isFirst: bool, lost: usize, more: v128): void {
  if (isFirst) write(row + slot<Sum>(), more);
  else addTo(row + slot<Sum>(), lost, more);
}

// What is rounded off is the difference of each summand from what is there of it in the sum; of an infinite sum nothing.
function addTo(sum: usize, lost: usize, more: v128): void {
  const before = read(sum);
  const after = add(before, more);
  const added = sub(after, before);
  const rounded = add(sub(before, sub(after, added)), sub(more, added));
  write(sum, after);
  write(sum + lost, add(read(sum + lost), and(rounded, equalMask(rounded, rounded))));
}

/** A sum with what it has lost. */
// @ts-ignore: decorator
@inline export function exactSum<Sum extends Slot>(row: usize, lost: usize): v128 {
  return add(read(row + slot<Sum>()), read(row + slot<Sum>() + lost));
}

/** What a row is known by, from its sums; WrongSum becomes c. */
export function describeRows(frame: usize, stride: usize): void {
  const call = changetype<State>(frame);
  // of labels nothing is above 1 but for rounding
  const isGiven = has(call, Flag.soft) ? not(zero()) : zero();
  const isWeighed = call.alphas ? not(zero()) : zero();
  const kept = v128.load_splat<Float>(frame, SHARE_KEPT);
  const ofAll = v128.load_splat<Float>(frame, SHARE_OF_ALL);
  for (let o: usize = 0; o < stride; o += 16) describe(frame + o, kept, ofAll, isGiven, isWeighed);
}

// @ts-ignore: decorator
@inline function describe(at: usize, kept: v128, ofAll: v128, isGiven: v128, isWeighed: v128): void {
  const one = every(ONE);
  const top = get<TopExponential, V0>(at);
  const topLog = get<TopLog, V0>(at);
  const topSum = exactSum<TopSum>(at, LOST);
  const othersSum = exactSum<OtherSum>(at, LOST);
  const rest = add(othersSum, sub(topSum, top));
  const sum = add(topSum, othersSum);
  const least = smaller(rest, top);
  const most = larger(rest, top);
  const log = logOnePlus(div(least, mulAdd(least, every(HALF), most)));
  const topLoss = add(and(sub(naturalLog(rest), topLog), greaterMask(rest, top)), log);
  const sumLog = add(topLoss, topLog);
  const topShare = exactSum<TopShare>(at, LOST);
  const otherShare = exactSum<OtherShare>(at, LOST);
  const others = sub(mul(otherShare, sumLog), exactSum<ShareLog>(at, LOST));
  put<GivenShare, V0>(at, exactSum<GivenShare>(at, LOST));
  put<RowRest, V0>(at, rest);
  put<RowSum, V0>(at, sum);
  put<TopLoss, V0>(at, topLoss);
  put<SumLog, V0>(at, sumLog);
  put<TopRest, V0>(at, div(rest, sum));
  put<TopTurn, V0>(at, choose(div(mul(topLoss, top), rest), one, nonZeroMask(rest)));
  put<RowEntropy, V0>(at, mulAdd(topShare, topLoss, others));
  put<Excess, V0>(at, and(sub(add(topShare, otherShare), one), isGiven));
  put<ShareAlpha, V0>(at, choose(exactSum<ShareAlpha>(at, LOST), one, isWeighed));
  const lead = div(exactSum<Lead>(at, LOST), sum);
  const right = mulAdd(kept, add(lead, get<TopTarget, V0>(at)), ofAll);
  const wrong = div(exactSum<WrongSum>(at, LOST), sum);
  put<Lead, V0>(at, lead);
  put<WrongSum, V0>(at, choose(sub(one, right), wrong, greaterMask(every(HALF), right))); // the less errs where p_t is small
}

/** RowModulation and Modulation = c. */
export function linearModulation(frame: usize, stride: usize): void {
  for (let o: usize = 0; o < stride; o += 16) putModulation(frame + o, get<WrongSum, V0>(frame + o));
}

/** RowModulation and Modulation = 1 - e^-B, and Likelihood = e^-B, from what Reduce and Quotient left. */
export function entropyModulation(frame: usize, stride: usize): void {
  for (let o: usize = 0; o < stride; o += 16) putModulation(frame + o, surprise(frame + o));
}

// @ts-ignore: decorator
@inline function putModulation(at: usize, modulation: v128): void {
  put<RowModulation, V0>(at, modulation);
  put<Modulation, V0>(at, modulation);
}

// e^-B = N / D; with n = 0 what is left of 1 is -2 r / D, where N - D would cancel
// @ts-ignore: decorator
@inline function surprise(at: usize): v128 {
  const d = get<Denominator, V0>(at);
  const n = get<Numerator, V0>(at);
  const r = get<Remainder, V0>(at);
  put<Likelihood, V0>(at, div(n, d));
  return div(choose(sub(zero(), add(r, r)), sub(d, n), equalMask(get<Scale, V0>(at), every(ONE))), d);
}

/** RowLoss, and RowScale, what multiplies derivatives. */
export function rowLosses(frame: usize, stride: usize): void {
  const scale = splat(<Float>changetype<State>(frame).gradScale);
  const poly = v128.load_splat<Float>(frame, ROW_POLY);
  for (let o: usize = 0; o < stride; o += 16) {
    const at = frame + o;
    const entropy = get<RowEntropy, V0>(at);
    const multiplier = mul(get<Weight, V0>(at), get<ShareAlpha, V0>(at));
    const factor = mul(powerAbove(get<Modulation, V0>(at), entropy), multiplier);
    putLoss(at, factor, mulAdd(poly, get<RowModulation, V0>(at), entropy));
    put<RowScale, V0>(at, mul(factor, scale));
  }
}

/** What the derivatives of rows are made of. */
export function rowFactors(frame: usize, stride: usize): void {
  if (changetype<State>(frame).softTargets == SoftTargets.crossEntropy) {
    for (let o: usize = 0; o < stride; o += 16) factorsOfEntropy(frame, frame + o);
  } else {
    for (let o: usize = 0; o < stride; o += 16) factorsOfModulation(frame, frame + o);
  }
}

// A power that has underflowed is no 0 for an infinite cross entropy.
// @ts-ignore: decorator
@inline function powerAbove(power: v128, entropy: v128): v128 {
  return larger(power, and(splat(SMALLEST), greaterMask(entropy, splat(LARGEST))));
}

/** RowLoss = factor times what it multiplies, 0 where the factor is, or the row is ignored. */
// @ts-ignore: decorator
@inline export function putLoss(at: usize, factor: v128, whole: v128): void {
  const limited = larger(smaller(whole, splat(FINITE)), splat(-FINITE));
  const used = choose(whole, limited, nonZeroMask(factor));
  put<RowLoss, V0>(at, andNot(mul(factor, used), negativeMask(get<Labels, V0>(at))));
}

// Linear: with F = w A c^g and r = c' / c, dL/dz_j = F (B' + r (g B + E (g + 1) c)),
//   d2L/dz_j2 = F (B'' + 2 g r B' + r^2 (g (g - 1) B + E g (g + 1) c) + (c'' / c) (g B + E (g + 1) c)).
// @ts-ignore: decorator
@inline function factorsOfModulation(frame: usize, at: usize): void {
  const gamma = v128.load_splat<Float>(frame, GAMMA);
  const scale = get<RowScale, V0>(at);
  const bent = v128.load_splat<Float>(frame, CURVATURE);
  const poly = mul(v128.load_splat<Float>(frame, ROW_POLY_SLOPE), get<RowModulation, V0>(at));
  const entropy = mul(gamma, smaller(get<RowEntropy, V0>(at), splat(FINITE)));
  const turn = add(entropy, poly);
  put<SlopeFactor, V0>(at, scale);
  put<TurnFactor, V0>(at, turn);
  put<CurveFactor, V0>(at, scale);
  put<MixedFactor, V0>(at, mul(bent, add(gamma, gamma)));
  put<SquareFactor, V0>(at, mul(bent, mulAdd(gamma, turn, sub(zero(), entropy))));
  put<BendFactor, V0>(at, mul(bent, turn));
  put<EntropyFactor, V0>(at, zero());
}

// crossEntropy: with F = w A m^g, u = e^-B = 1 - m: dL/dB = F (1 + g B u / m + E (g + 1) u),
//   d2L/dB2 = (F / m) (g u (2 - B + (g - 1) B u / m) + E (g + 1) (g u^2 - u m)).
// @ts-ignore: decorator
@inline function factorsOfEntropy(frame: usize, at: usize): void {
  const gamma = v128.load_splat<Float>(frame, GAMMA);
  const one = every(ONE);
  const scale = get<RowScale, V0>(at);
  const curvature = v128.load_splat<Float>(frame, CURVATURE);
  const poly = v128.load_splat<Float>(frame, ROW_POLY_SLOPE);
  const m = get<RowModulation, V0>(at);
  const u = get<Likelihood, V0>(at);
  const entropy = smaller(get<RowEntropy, V0>(at), splat(FINITE));
  const ratio = mul(div(entropy, larger(m, splat(TINY))), u); // B u / m
  const slope = mul(scale, add(one, mulAdd(gamma, ratio, mul(poly, u))));
  const inner = mulAdd(sub(gamma, one), ratio, sub(every(TWO), entropy));
  const second = mul(u, mulAdd(gamma, inner, mul(poly, sub(mul(gamma, u), m))));
  put<SlopeFactor, V0>(at, slope);
  put<TurnFactor, V0>(at, zero());
  put<CurveFactor, V0>(at, choose(slope, scale, nonZeroMask(curvature)));
  put<MixedFactor, V0>(at, zero());
  put<SquareFactor, V0>(at, zero());
  put<BendFactor, V0>(at, zero());
  put<EntropyFactor, V0>(at, mul(mul(curvature, scale), second));
}

/** Output = the gradients of columns, Curve = their second derivatives. */
export function writeDerivatives(frame: usize, stride: usize, columns: i32): void {
  let row: usize = 0;
  const bytes = <usize>columns * stride;
  for (let o: usize = 0; o < bytes; o += 16) {
    derivatives(frame, frame + o, frame + row);
    row += 16;
    row = row == stride ? 0 : row;
  }
}

// With p_t = sum y_k p_k, s = sum y_k: B' = s p_j - y_j, which is p_j (1 - y_j + s - 1) - y_j q_j; B'' = s p_j q_j;
//   r = c' / c = p_j (p_t - y_j) / c, and c'' = c' (q_j - p_j). Beside a B without end p_t - y_j may not be rounded where it is 0: it is
//   the mean of what shares are above that of a top class, which is 0 of equal ones, and what that one is above y_j.
// @ts-ignore: decorator
@inline function derivatives(frame: usize, at: usize, row: usize): void {
  const kept = v128.load_splat<Float>(frame, SHARE_KEPT);
  const one = every(ONE);
  const e = get<ClassExponential, V0>(at);
  const y = get<Targets, V0>(at);
  const sum = get<RowSum, V0>(row);
  const top = get<TopExponential, V0>(row);
  const excess = get<Excess, V0>(row);
  const share = mulAdd(y, kept, v128.load_splat<Float>(frame, SHARE_OF_ALL));
  const without = mulAdd(sub(one, y), kept, v128.load_splat<Float>(frame, SHARE_OF_OTHERS));
  const isTop = equalMask(e, top);
  const p = div(e, sum);
  const q = choose(get<TopRest, V0>(row), sub(one, p), isTop);
  const first = sub(mul(p, add(without, excess)), mul(share, q));
  const lead = mul(kept, add(get<Lead, V0>(row), sub(get<TopTarget, V0>(row), y)));
  const turn = div(mul(p, lead), larger(get<WrongSum, V0>(row), splat(TINY)));
  put<Output, V0>(at, mul(get<SlopeFactor, V0>(row), mulAdd(get<TurnFactor, V0>(row), turn, first)));
  const second = mul(mul(p, q), add(one, excess));
  const bend = mulAdd(get<SquareFactor, V0>(row), turn, mul(get<BendFactor, V0>(row), sub(q, p)));
  const turned = mul(turn, mulAdd(get<MixedFactor, V0>(row), first, bend));
  const steep = mul(mul(get<EntropyFactor, V0>(row), first), div(first, larger(get<RowModulation, V0>(row), splat(TINY))));
  put<Curve, V0>(at, mulAdd(get<CurveFactor, V0>(row), add(second, turned), steep));
}
