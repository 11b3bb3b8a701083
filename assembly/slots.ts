import { STATE_BYTES } from './frame';
import { zero } from './simd/lanes';
import { BLOCK, SINGLY } from './simd/tile';

// The terms of a block: a slot holds one of them, a number for each element, behind the state of a call. Stages hand terms
// on in slots. A slot is a type, and so is the vector of a tile: `get<Ratio, V1>(frame + o)`. Their offset is then part of
// the instruction, where a sum of address and slot would be computed anew at every use.

// Places, each behind the last: the size of a class is four times the number of the place. Rows of shares have places that hold
// SHARE_ROWS numbers instead of BLOCK, a quarter each.
/** A slot is a class that extends a place. */
export class Slot {}
class Place1 extends Slot { private place: u32; }
class Place2 extends Place1 { private place1: u32; }
class Place3 extends Place2 { private place2: u32; }
class Place4 extends Place3 { private place3: u32; }
class Place5 extends Place4 { private place4: u32; }
class Place6 extends Place5 { private place5: u32; }
class Place7 extends Place6 { private place6: u32; }
class Place8 extends Place7 { private place7: u32; }
class Place9 extends Place8 { private place8: u32; }
class Place10 extends Place9 { private place9: u32; }
class Place11 extends Place10 { private place10: u32; }
class Place12 extends Place11 { private place11: u32; }
class Place13 extends Place12 { private place12: u32; }
class Place14 extends Place13 { private place13: u32; }
class Place15 extends Place14 { private place14: u32; }
class Place16 extends Place15 { private place15: u32; }
class Place17 extends Place16 { private place16: u32; }
class Place18 extends Place17 { private place17: u32; }
class Place19 extends Place18 { private place18: u32; }
class Place20 extends Place19 { private place19: u32; }
class Place21 extends Place20 { private place20: u32; }
class Place22 extends Place21 { private place21: u32; }
class Place23 extends Place22 { private place22: u8; }
class Place24 extends Place23 { private place23: u8; }
class Place25 extends Place24 { private place24: u8; }
class Place26 extends Place25 { private place25: u8; }
class Place27 extends Place26 { private place26: u8; }
class Place28 extends Place27 { private place27: u8; }
class Place29 extends Place28 { private place28: u8; }
class Place30 extends Place29 { private place29: u8; }
class Place31 extends Place30 { private place30: u8; }
class Place32 extends Place31 { private place31: u8; }
class Place33 extends Place32 { private place32: u8; }
class Place34 extends Place33 { private place33: u8; }
class Place35 extends Place34 { private place34: u8; }
class Place36 extends Place35 { private place35: u8; }
class Place37 extends Place36 { private place36: u8; }
class Place38 extends Place37 { private place37: u8; }
class Place39 extends Place38 { private place38: u8; }
class Place40 extends Place39 { private place39: u8; }
class Place41 extends Place40 { private place40: u8; }
class Place42 extends Place41 { private place41: u8; }
class Place43 extends Place42 { private place42: u8; }
class Place44 extends Place43 { private place43: u8; }
class Place45 extends Place44 { private place44: u8; }
class Place46 extends Place45 { private place45: u8; }
class Place47 extends Place46 { private place46: u8; }
class Place48 extends Place47 { private place47: u8; }
class Place49 extends Place48 { private place48: u8; }
class Place50 extends Place49 { private place49: u8; }
class Place51 extends Place50 { private place50: u8; }
class Place52 extends Place51 { private place51: u8; }
class Place53 extends Place52 { private place52: u8; }
class Place54 extends Place53 { private place53: u8; }
class Place55 extends Place54 { private place54: u8; }
class Place56 extends Place55 { private place55: u8; }
class Place57 extends Place56 { private place56: u8; }
class Place58 extends Place57 { private place57: u8; }

// What lies where. Which place comes first matters to Node 22 alone, which decides on pairs of stores in the order of their
// addresses, and on each by itself: what most of a stage goes into must come before what little of it does. Slots of one place overlay each other: writing one ends the others. test/slots.test.ts runs every
// kind of call on a build that traps where a stage reads a slot that another has overwritten.

// -|x| = n ln 2 + Remainder, and Scale = 2^n.
export class Remainder extends Place2 {}
export class Scale extends Place3 {}
// log2 of a modulation: of its mantissa, and its exponent.
export class LogMantissa extends Place2 {}
export class Exponent extends Place3 {}
// Where a distance is next to 0, as a mask.
export class Near extends Place2 {}
// Of rows whose classes are planes: the sums of the exponentials of classes of even and of odd number.
export class EvenSum extends Place5 {}
export class OddSum extends Place8 {}
// What a row's derivatives are made of.
export class TargetSlope extends Place2 {}
export class OthersSlope extends Place3 {}

// e^-|x| = Numerator / Denominator, and what rounding took from them. Of rows: the others' exponentials and the target's.
export class Denominator extends Place4 {}
export class Numerator extends Place5 {}
export class Correction extends Place1 {}
// What the modulation is still to be divided by.
export class Divisor extends Place1 {}

// A weighed loss on its way to the sum.
export class WeighedLoss extends Place1 {}

// 1 - p_t, then its power.
export class Modulation extends Place7 {}
// Of the logits of rows.
export class Exponential extends Place7 {}

// The argument of log(1 + e), then that logarithm.
export class Ratio extends Slot {}
export class LogOnePlus extends Slot {}
// What the logits of rows side by side are rounded with.
export class Rounding extends Slot {}
// Of a row of a posterior: log(1 + o) / o, o the others' exponentials beside that of the top class.
export class Turn extends Slot {}

// The part of the cross entropy that is linear in the logit. Of rows: a logarithm.
export class Hinge extends Place6 {}
// Of a row of a posterior: the probability of all classes but the top one.
export class Rest extends Place6 {}

// What both logarithms of a soft target are weighed by.
export class Coefficient extends Place8 {}

// The cross entropy, with the sign of the class.
export class Entropy extends Place9 {}
// What the logits of rows side by side are kept above.
export class Lowest extends Place9 {}

// p_t.
export class Probability extends Place10 {}
// 1 - e^-u, u the part of the cross entropy that is linear in the logit; and e^-u.
export class Rise extends Place10 {}
export class Decay extends Place11 {}
// The power of the probability of the class that a logit speaks for.
export class LikelyPower extends Place10 {}
// The sign of a loss that may be negative.
export class LossSign extends Place10 {}
// The largest logit of a row.
export class Largest extends Place10 {}

// The gradient, and the second derivative, without the power.
export class Slope extends Place11 {}
export class Curve extends Place12 {}
// Of a class of a row of a posterior: its exponential, then its probability v, and v l / (1 - v).
export class ClassExponential extends Place11 {}
export class ClassProbability extends Place11 {}
export class ClassLoss extends Place12 {}

// A block as the stages want it: whole tiles, targets as numbers.
export class Logits extends Place13 {}
export class Targets extends Place14 {}
export class Output extends Place15 {}

// One value an element, whether given by element or for all.
export class Weight extends Place16 {}
export class Alpha extends Place17 {}
// Of rows: the label, -1 where it is ignored or wrong; what their logits are lowered by.
export class Labels extends Place17 {}
export class Shift extends Place18 {}
export class AlphaNegative extends Place18 {}
export class PosWeight extends Place19 {}
// Of rows: the sum of the exponentials of all classes but the target's.
export class Others extends Place19 {}
// Of a smoothed target, what its number cannot hold.
export class TargetError extends Place20 {}

// Targets as bytes, made from labels.
export class LabelBytes extends Place21 {}

// Of rows whose targets are shares (rows/shares.ts), side by side. Top classes are those of the largest logit.
// The logarithm of a top class's exponential, and that exponential.
export class TopLog extends Place8 {}
export class TopExponential extends Place19 {}
// The sums of the exponentials of all classes, and of all but one top class.
export class RowSum extends Place20 {}
export class RowRest extends Place21 {}
// Those of top classes and of the others, with which sums of rows begin.
export class TopSum extends Place22 {}
export class OtherSum extends Place23 {}
// The sums of the shares of top classes and of the others, and of the others' times the logarithms of exponentials.
export class TopShare extends Place24 {}
export class OtherShare extends Place25 {}
export class ShareLog extends Place26 {}
// The sums of exponentials times what a class has no share of, and times what its given share is above TopTarget; then the mean of that.
export class WrongSum extends Place27 {}
export class Lead extends Place28 {}
// The sum of alphas times shares, that of the shares as they were given, and what all shares are above 1.
export class ShareAlpha extends Place29 {}
export class GivenShare extends Place30 {}
export class Excess extends Place31 {}
// Of a top class: -log p, 1 - p, and p (-log p) / (1 - p). The logarithm of the sum of exponentials.
export class TopLoss extends Place32 {}
export class TopRest extends Place33 {}
export class TopTurn extends Place34 {}
export class SumLog extends Place35 {}
// The cross entropy, the loss with all that multiplies it, and what multiplies its derivatives.
export class RowEntropy extends Place36 {}
export class RowLoss extends Place37 {}
export class RowScale extends Place38 {}
// 1 - p_t or 1 - e^-B, and e^-B.
export class RowModulation extends Place39 {}
export class Likelihood extends Place40 {}
// The given share of a top class.
export class TopTarget extends Place41 {}
// What the gradient is multiplied by, and its term c' / c beside p - y.
export class SlopeFactor extends Place42 {}
export class TurnFactor extends Place43 {}
// What the second derivative is multiplied by, its terms c'/c (p - y), (c'/c)^2 and c''/c beside p q, and (p - y)^2 / m.
export class CurveFactor extends Place44 {}
export class MixedFactor extends Place45 {}
export class SquareFactor extends Place46 {}
export class BendFactor extends Place47 {}
export class EntropyFactor extends Place48 {}
// Where each class has a term of its own: sums over the classes, of losses, of M, of the power, of U of top classes, of N of others.
export class LossSum extends Place39 {}
export class SlopeSum extends Place40 {}
export class PowerSum extends Place41 {}
export class TopCurve extends Place42 {}
export class OtherCurve extends Place43 {}

// What the sums from TopSum to GivenShare have lost to rounding, or those from LossSum to OtherCurve: in their order, a place each.
export class Lost extends Place49 {}

class End extends Place58 {}

/** Rows of shares that are worked on at once at most. */
export const SHARE_ROWS: i32 = BLOCK / 4;
const UNIT: usize = SHARE_ROWS * sizeof<Float>();
const SLOTS_END: usize = STATE_BYTES + UNIT * offsetof<End>();

/** Bytes of a frame with all that lies behind it. */
export const WORK_BYTES: usize = isDefined(CHECK_SLOTS) ? 2 * SLOTS_END : SLOTS_END;

/** Where a slot begins, relative to its frame. */
// @ts-ignore: decorator
@inline export function slot<S extends Slot>(): usize {
  return STATE_BYTES + UNIT * offsetof<S>();
}

// @ts-ignore: decorator
@inline export function get<S extends Slot, V>(at: usize): v128 {
  check<S>(at + STATE_BYTES + UNIT * offsetof<S>() + offsetof<V>());
  return v128.load(at, STATE_BYTES + UNIT * offsetof<S>() + offsetof<V>());
}

// @ts-ignore: decorator
@inline export function put<S extends Slot, V>(at: usize, value: v128): void {
  mark<S>(at + STATE_BYTES + UNIT * offsetof<S>() + offsetof<V>());
  v128.store(at, value, STATE_BYTES + UNIT * offsetof<S>() + offsetof<V>());
}

// The vector behind V. Vectors are computed two at a time, and both are stored slot by slot: an engine may so make one
// instruction of 256 bits of two, see docs/performance.md.

// @ts-ignore: decorator
@inline export function next<S extends Slot, V>(at: usize): v128 {
  if (SINGLY) return zero();
  check<S>(at + STATE_BYTES + UNIT * offsetof<S>() + offsetof<V>() + 16);
  return v128.load(at, STATE_BYTES + UNIT * offsetof<S>() + offsetof<V>() + 16);
}

// @ts-ignore: decorator
@inline export function put2<S extends Slot, V>(at: usize, value: v128, nextValue: v128): void {
  if (SINGLY) return put<S, V>(at, value);
  mark<S>(at + STATE_BYTES + UNIT * offsetof<S>() + offsetof<V>());
  mark<S>(at + STATE_BYTES + UNIT * offsetof<S>() + offsetof<V>() + 16);
  v128.store(at, value, STATE_BYTES + UNIT * offsetof<S>() + offsetof<V>());
  v128.store(at, nextValue, STATE_BYTES + UNIT * offsetof<S>() + offsetof<V>() + 16);
}

/** One number of a slot, that of element 0 where `at` is the frame. */
// @ts-ignore: decorator
@inline export function getNumber<S extends Slot>(at: usize): Float {
  check<S>(at + STATE_BYTES + UNIT * offsetof<S>());
  return load<Float>(at, STATE_BYTES + UNIT * offsetof<S>());
}

// @ts-ignore: decorator
@inline export function putNumber<S extends Slot>(at: usize, value: Float): void {
  mark<S>(at + STATE_BYTES + UNIT * offsetof<S>());
  store<Float>(at, value, STATE_BYTES + UNIT * offsetof<S>());
}

/** The first number of a slot in all lanes. */
// @ts-ignore: decorator
@inline export function getEvery<S extends Slot>(frame: usize): v128 {
  check<S>(frame + STATE_BYTES + UNIT * offsetof<S>());
  return v128.load_splat<Float>(frame, STATE_BYTES + UNIT * offsetof<S>());
}

// In the build that checks slots every vector has a twin behind the slots, which holds the slot that was last written there.

// @ts-ignore: decorator
@inline function mark<S extends Slot>(address: usize): void {
  if (isDefined(CHECK_SLOTS)) store<u32>((address & ~15) + SLOTS_END, idof<S>());
}

// @ts-ignore: decorator
@inline function check<S extends Slot>(address: usize): void {
  if (isDefined(CHECK_SLOTS)) {
    if (load<u32>((address & ~15) + SLOTS_END) != idof<S>()) unreachable();
  }
}

/** Says that `bytes` of a slot have been written by other means than `put`. */
// @ts-ignore: decorator
@inline export function claim<S extends Slot>(at: usize, bytes: usize): void {
  if (isDefined(CHECK_SLOTS)) {
    for (let o: usize = 0; o < bytes; o += 16) mark<S>(at + slot<S>() + o);
  }
}

/** Says that no slot holds anything: a call has begun. */
// @ts-ignore: decorator
@inline export function clearSlots(frame: usize): void {
  if (isDefined(CHECK_SLOTS)) memory.fill(frame + SLOTS_END, 0, SLOTS_END);
}
