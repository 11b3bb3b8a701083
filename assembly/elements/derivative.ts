import { Hessian } from '../../src/abi';
import { State } from '../frame';

/** Whether a call wants a first derivative, of which a second may be made. */
// @ts-ignore: decorator
@inline export function wantsSlope(frame: usize): bool {
  const call = changetype<State>(frame);
  return !isDefined(LITE) && (call.grad | call.hess) != 0;
}

/** Whether it wants a second derivative that is not made of the first. */
// @ts-ignore: decorator
@inline export function wantsCurve(frame: usize): bool {
  const call = changetype<State>(frame);
  return !isDefined(LITE) && call.hess != 0 && call.hessian != Hessian.absGrad;
}

// How far a stage differentiates: a type parameter, so that it computes only what is asked of it.
// Managed classes, though never made: idof, which tells them apart, takes no others.

@final
export class ValueOnly {}

/** The value, of a power that is taken from logarithms. */
@final
export class LogOnly {}

@final
export class WithSlope {}

@final
export class WithCurve {}
