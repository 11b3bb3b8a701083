import { Hessian } from '../../src/abi';
import {
  CURVATURE,
  GAMMA,
  ROW_POLY,
  ROW_POLY_SLOPE,
  SHARE_KEPT,
  SHARE_OF_ALL,
  State,
} from '../frame';
import { addExactly, alphaAt, exactSum, putLoss } from './shares-together';
import { logsOf } from './side-by-side';
import {
  ONE,
  TINY,
  TWO,
  add,
  and,
  andNot,
  choose,
  div,
  equalMask,
  every,
  larger,
  mul,
  mulAdd,
  not,
  smaller,
  splat,
  sub,
  zero,
  zeroMask,
} from '../simd/lanes';
import { V0 } from '../simd/tile';
import {
  ClassExponential,
  Curve,
  Hinge,
  Logits,
  LossSum,
  Lost,
  Modulation,
  OtherCurve,
  Output,
  PowerSum,
  RowRest,
  RowScale,
  RowSum,
  SlopeSum,
  SumLog,
  Targets,
  TopCurve,
  TopExponential,
  TopLoss,
  TopRest,
  TopTurn,
  Weight,
  get,
  put,
  slot,
} from '../slots';

// Shares whose classes have a focal loss each (softTargets 'split', see shares.ts): L = sum W_k (q_k^g l_k + E q_k^(g + 1)),
// W_k = w a_k y_k. With v_k = p_k l_k / q_k, which is 1 at most:
//   M_k = W_k q_k^g (1 + g v_k + E (g + 1) p_k), dL/dz_j = p_j sum M - M_j;
//   U_k = W_k q_k^g p_k q_k (g (2 - l_k + (g - 1) v_k) + E (g + 1) (g p_k - q_k)), N_k = U_k / q_k^2,
//   d2L/dz_j2 = U_j + p_j^2 (sum of N_k, k not j) + p_j q_j sum M.
// q_k may be 0 of a top class only, for which p_j^2 N_k is U_k (e_j / sum of the others' e)^2.

const FINITE: Float = 1e30;

/** Modulation = 1 - p of the classes of columns. */
export function classModulation(frame: usize, stride: usize, bytes: usize): void {
  let row: usize = 0;
  for (let o: usize = 0; o < bytes; o += 16) {
    const at = frame + row;
    const e = get<ClassExponential, V0>(frame + o);
    const q = sub(every(ONE), div(e, get<RowSum, V0>(at)));
    put<Modulation, V0>(frame + o, choose(get<TopRest, V0>(at), q, equalMask(e, get<TopExponential, V0>(at))));
    row += 16;
    row = row == stride ? 0 : row;
  }
}

/** Adds columns from class `first` on to LossSum, SlopeSum, PowerSum, TopCurve and OtherCurve of their rows. */
export function addClassTerms(frame: usize, stride: usize, first: i32, columns: i32): void {
  for (let o: usize = 0; o < stride; o += 16) addRows(frame, frame + o, stride, first, columns);
}

function addRows(frame: usize, row: usize, stride: usize, first: i32, columns: i32): void {
  const call = changetype<State>(frame);
  const step: usize = call.alphas ? sizeof<Float>() : 0;
  const poly = v128.load_splat<Float>(frame, ROW_POLY);
  let alpha = alphaAt(call, first);
  let losses = zero();
  let slopes = zero();
  let powers = zero();
  let tops = zero();
  let others = zero();
  const end = row + <usize>columns * stride;
  for (let at = row; at < end; at += stride) {
    const isTop = isTopOf(at, row);
    const p = div(get<ClassExponential, V0>(at), get<RowSum, V0>(row));
    const q = choose(get<TopRest, V0>(row), sub(every(ONE), p), isTop);
    const l = lossOf(at, row, isTop);
    const v = turnOf(row, p, q, l, isTop);
    const power = powerOf(frame, at, every(alpha));
    losses = add(losses, andNot(mul(power, mulAdd(poly, q, l)), zeroMask(power)));
    slopes = add(slopes, slopeOf(frame, power, p, v));
    powers = add(powers, power);
    const curve = curveOf(frame, power, p, q, l, v);
    tops = add(tops, and(curve, isTop));
    others = add(others, andNot(div(curve, mul(q, q)), isTop));
    alpha += step;
  }
  addExactly<LossSum>(row, first == 0, LOST, losses);
  addExactly<SlopeSum>(row, first == 0, LOST, slopes);
  addExactly<PowerSum>(row, first == 0, LOST, powers);
  addExactly<TopCurve>(row, first == 0, LOST, tops);
  addExactly<OtherCurve>(row, first == 0, LOST, others);
}

/** From a sum of rows to what it has lost. */
const LOST: usize = slot<Lost>() - slot<LossSum>();

// @ts-ignore: decorator
@inline function isTopOf(at: usize, row: usize): v128 {
  return equalMask(get<ClassExponential, V0>(at), get<TopExponential, V0>(row));
}

// l = log S - log e, of a top class from the others
// @ts-ignore: decorator
@inline function lossOf(at: usize, row: usize, isTop: v128): v128 {
  const log = logsOf(get<Logits, V0>(at), get<Hinge, V0>(row));
  return choose(get<TopLoss, V0>(row), sub(get<SumLog, V0>(row), log), isTop);
}

// v = p l / q
// @ts-ignore: decorator
@inline function turnOf(row: usize, p: v128, q: v128, l: v128, isTop: v128): v128 {
  return choose(get<TopTurn, V0>(row), div(mul(p, smaller(l, splat(FINITE))), q), isTop);
}

// a y q^g
// @ts-ignore: decorator
@inline function powerOf(frame: usize, at: usize, alpha: v128): v128 {
  const kept = v128.load_splat<Float>(frame, SHARE_KEPT);
  const share = mulAdd(get<Targets, V0>(at), kept, v128.load_splat<Float>(frame, SHARE_OF_ALL));
  return mul(mul(share, alpha), get<Modulation, V0>(at));
}

// M
// @ts-ignore: decorator
@inline function slopeOf(frame: usize, power: v128, p: v128, v: v128): v128 {
  const gamma = v128.load_splat<Float>(frame, GAMMA);
  const poly = v128.load_splat<Float>(frame, ROW_POLY_SLOPE);
  return mul(power, mulAdd(gamma, v, mulAdd(poly, p, every(ONE))));
}

// U
// @ts-ignore: decorator
@inline function curveOf(frame: usize, power: v128, p: v128, q: v128, l: v128, v: v128): v128 {
  const gamma = v128.load_splat<Float>(frame, GAMMA);
  const poly = v128.load_splat<Float>(frame, ROW_POLY_SLOPE);
  const limited = smaller(l, splat(FINITE));
  const inner = mulAdd(sub(gamma, every(ONE)), v, sub(every(TWO), limited));
  const bend = mulAdd(gamma, inner, mul(poly, sub(mul(gamma, p), q)));
  return mul(mul(power, v128.load_splat<Float>(frame, CURVATURE)), mul(mul(p, q), bend));
}

/** RowLoss, and what multiplies the derivatives of rows. */
export function finishClassTerms(frame: usize, stride: usize): void {
  const call = changetype<State>(frame);
  const scale = splat(<Float>call.gradScale);
  const isExact = call.hessian == Hessian.gaussNewton ? zero() : not(zero());
  for (let o: usize = 0; o < stride; o += 16) {
    const at = frame + o;
    const weight = get<Weight, V0>(at);
    const slopes = exactSum<SlopeSum>(at, LOST);
    putLoss(at, weight, exactSum<LossSum>(at, LOST));
    put<RowScale, V0>(at, mul(weight, scale));
    put<SlopeSum, V0>(at, slopes);
    put<TopCurve, V0>(at, exactSum<TopCurve>(at, LOST));
    put<OtherCurve, V0>(at, exactSum<OtherCurve>(at, LOST));
    put<PowerSum, V0>(at, choose(slopes, exactSum<PowerSum>(at, LOST), isExact)); // what p q is multiplied by
  }
}

/** Output = the gradients of columns from class `first` on, Curve = their second derivatives. */
export function writeClassDerivatives(frame: usize, stride: usize, first: i32, columns: i32): void {
  const call = changetype<State>(frame);
  const step: usize = call.alphas ? sizeof<Float>() : 0;
  let alpha = alphaAt(call, first);
  for (let j = 0; j < columns; j++) {
    const column = <usize>j * stride;
    for (let o: usize = 0; o < stride; o += 16) derivatives(frame, frame + column + o, frame + o, every(alpha));
    alpha += step;
  }
}

// @ts-ignore: decorator
@inline function derivatives(frame: usize, at: usize, row: usize, alpha: v128): void {
  const isTop = isTopOf(at, row);
  const e = get<ClassExponential, V0>(at);
  const p = div(e, get<RowSum, V0>(row));
  const q = choose(get<TopRest, V0>(row), sub(every(ONE), p), isTop);
  const l = lossOf(at, row, isTop);
  const v = turnOf(row, p, q, l, isTop);
  const power = powerOf(frame, at, alpha);
  const slope = slopeOf(frame, power, p, v);
  const curve = curveOf(frame, power, p, q, l, v);
  const scale = get<RowScale, V0>(row);
  const otherSlopes = sub(get<SlopeSum, V0>(row), slope);
  put<Output, V0>(at, mul(scale, sub(mul(p, otherSlopes), mul(q, slope))));
  const distance = smaller(div(e, larger(get<RowRest, V0>(row), splat(TINY))), every(ONE));
  const tops = mul(sub(get<TopCurve, V0>(row), and(curve, isTop)), mul(distance, distance));
  const others = mul(mul(p, p), sub(get<OtherCurve, V0>(row), andNot(div(curve, mul(q, q)), isTop)));
  const level = mul(mul(p, q), get<PowerSum, V0>(row));
  put<Curve, V0>(at, mul(scale, add(add(curve, tops), add(others, level))));
}
