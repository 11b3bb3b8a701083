import { Hessian } from '../../src/abi';
import { wantsSlope } from '../elements/derivative';
import { Loss } from '../elements/evaluate';
import { State } from '../frame';
import { powerOf } from '../math/raise';
import { exponential } from '../math/scalar';
import { absolute, add, and, choose, div, greaterMask, mul, negativeMask, nonZeroMask, read, splat, sub } from '../simd/lanes';
import { VectorStage, eachVector } from '../simd/stage';
import { TILE_BYTES, V0 } from '../simd/tile';
import {
  Curve,
  Divisor,
  Entropy,
  Modulation,
  Near,
  Numerator,
  Slope,
  get,
  getNumber,
  put,
  putNumber,
} from '../slots';
import { prepareSoft, softDerivatives, softTerms } from './focal-soft';
import { complement } from './target';
import { anyNear, isNear } from './near';

// Quality focal loss (Li et al. 2020): L = |p - y|^b B, B = y sp(-x) + z sp(x), z = 1 - y.
// With v = e / (1 + e), e = e^-|x|, and h the weight of the class that x speaks against: |p - y| = |h - v|. Of a hard target it is
// 1 - p_t, and everything has the bits of the focal loss.
// Where it is small beside v, the roundings of v are not: those elements are evaluated one by one in float64.
//
// @bound 4e-6 relative, of what is not below 1e-7; gamma up to 10

/** The quality focal loss of targets in [0, 1], with the field gamma for b. */
@final
@unmanaged
export class Quality extends Loss {
  @inline override readsNumbers(frame: usize): bool {
    return true;
  }

  @inline override filler(frame: usize): Float {
    return -Infinity;
  }

  @inline override prepare(frame: usize): void {
    prepareSoft(frame);
  }

  override terms(frame: usize, bytes: usize): i32 {
    const call = changetype<State>(frame);
    softTerms(frame, bytes);
    eachVector<Distance>(frame, call.x, call.y, bytes);
    call.ofDistance = 1;
    if (wantsSlope(frame)) softDerivatives(frame, bytes);
    refine(frame, bytes);
    return powerOf(frame);
  }
}

/** A distance of less than this part of v is not taken from v. */
const NEAR: Float = 1 / 16;

/** Modulation = |p - y|, and Near. */
@final
@unmanaged
class Distance extends VectorStage {
  @inline override vector(frame: usize, o: usize, x: usize, y: usize): void {
    const at = frame + o;
    const target = read(y + o);
    const h = choose(target, complement(at, target), negativeMask(read(x + o)));
    const v = div(get<Numerator, V0>(at), get<Divisor, V0>(at));
    const distance = absolute(sub(h, v));
    put<Modulation, V0>(at, distance);
    // 1e-36: of a v that is 0 as well
    const near = greaterMask(mul(add(v, splat(1e-36)), splat(NEAR)), distance);
    put<Near, V0>(at, and(near, nonZeroMask(h)));
  }
}

/** All terms of elements that are Near, by float64: few, whatever of them is asked for. */
function refine(frame: usize, bytes: usize): void {
  for (let o: usize = 0; o < bytes; o += TILE_BYTES) {
    if (!anyNear(frame + o)) continue;
    for (let lane = o; lane < o + TILE_BYTES; lane += sizeof<Float>()) {
      if (isNear(frame + lane)) refineOne(frame, lane);
    }
  }
}

function refineOne(frame: usize, o: usize): void {
  const call = changetype<State>(frame);
  const at = frame + o;
  const x = <f64>load<Float>(call.x + o);
  const y = <f64>load<Float>(call.y + o);
  const e = exponential(-Math.abs(x));
  const v = e / (1 + e);
  const distance = x < 0 ? v - y : 1 - y - v; // p - y
  const pq = v * (1 - v);
  const gamma = call.gamma;
  const gaussNewton = call.hessian == Hessian.gaussNewton;
  const entropy = getNumber<Entropy>(at);
  const b = min(Math.abs(<f64>entropy), 1e4); // as LOSS_LIMIT: infinite only where p q is 0
  if (distance == 0 && gamma != 0) {
    // Loss and gradient are 0. The second derivative is 2 B (p q)^2 of gamma 2: of a square that is not to be 0 its factor.
    putNumber<Modulation>(at, gamma == 2 ? <Float>SMALL : 0);
    putNumber<Entropy>(at, entropy * 0);
    putDerivatives(at, 0, gamma == 2 && !gaussNewton ? (2 * b * pq * pq) / (SMALL * SMALL) : 0);
    return;
  }
  putNumber<Modulation>(at, <Float>Math.abs(distance));
  const r = distance == 0 ? 0 : pq / distance;
  const rest = (gamma - 1) * r + (x < 0 ? 1 - 2 * v : 2 * v - 1);
  const curve = gaussNewton ? pq : pq + 2 * gamma * pq + gamma * b * r * rest;
  putDerivatives(at, distance + gamma * r * b, curve);
}

// @ts-ignore: decorator
@inline function putDerivatives(at: usize, slope: f64, curve: f64): void {
  putNumber<Slope>(at, <Float>slope);
  putNumber<Curve>(at, <Float>curve);
}

/** Its square is a normal number, and so is what is divided by that. */
const SMALL: f64 = 9.313225746154785e-10; // 2^-30
