import { SINGLY } from './tile';

// The vector instructions, under the names the formulas use. Nothing else names a WebAssembly feature, but for the slots and
// v128.load_splat<Float>(frame, GAMMA) and the like, whose offset is part of the instruction, and the counting of targets.
//
// A vector holds as many lanes of Float, which the build chooses (asconfig.json), as fit 16 bytes. A mask lane is all ones or all zeros.

export const LANES: i32 = sizeof<Float>() == 4 ? 4 : 2;

// @ts-ignore: decorator
@inline export function read(at: usize): v128 {
  return v128.load(at);
}

// The vector behind it, where a loop takes two at a time.
// @ts-ignore: decorator
@inline export function readNext(at: usize): v128 {
  return SINGLY ? zero() : v128.load(at, 16);
}

// @ts-ignore: decorator
@inline export function write(at: usize, value: v128): void {
  v128.store(at, value);
}

// @ts-ignore: decorator
@inline export function write2(at: usize, value: v128, nextValue: v128): void {
  v128.store(at, value);
  if (SINGLY) return;
  v128.store(at, nextValue, 16);
}

// A coefficient in all lanes. Read from memory because engines rebuild a literal vector at every use.
// @ts-ignore: decorator
@inline export function every(at: usize): v128 {
  return v128.load_splat<Float>(at);
}

// Number k of a table of coefficients, in all lanes.
// @ts-ignore: decorator
@inline export function nth(table: usize, k: usize): v128 {
  return v128.load_splat<Float>(table + k * sizeof<Float>());
}

// For `every`.
export const HALF: usize = memory.data<Float>([0.5], 8);
export const ONE: usize = memory.data<Float>([1.0], 8);
export const TWO: usize = memory.data<Float>([2.0], 8);
export const SIGN: usize = memory.data<Float>([-0.0], 8); // the sign bit
export const ZERO: usize = memory.data<Float>([0.0], 8);
const INTEGERS: usize = sizeof<Float>() == 4 ? 0 : memory.data<f64>([6755399441055744.0], 8); // 1.5 2^52
export const LOSS_LIMIT: usize = memory.data<Float>([1e4], 8); // more than any loss whose product with a probability counts

// @ts-ignore: decorator
@inline export function splat(value: Float): v128 {
  return v128.splat<Float>(value);
}

// @ts-ignore: decorator
@inline export function zero(): v128 {
  return i32x4.splat(0);
}

// @ts-ignore: decorator
@inline export function add(a: v128, b: v128): v128 {
  return v128.add<Float>(a, b);
}

// @ts-ignore: decorator
@inline export function sub(a: v128, b: v128): v128 {
  return v128.sub<Float>(a, b);
}

// @ts-ignore: decorator
@inline export function mul(a: v128, b: v128): v128 {
  return v128.mul<Float>(a, b);
}

// @ts-ignore: decorator
@inline export function div(a: v128, b: v128): v128 {
  return v128.div<Float>(a, b);
}

// @ts-ignore: decorator
@inline export function root(a: v128): v128 {
  return v128.sqrt<Float>(a);
}

// a b + c; in the relaxed build rounded once or twice, as the processor likes.
// @ts-ignore: decorator
@inline export function mulAdd(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return v128.relaxed_madd<Float>(a, b, c);
  return add(mul(a, b), c);
}

// c - a b, likewise.
// @ts-ignore: decorator
@inline export function mulSub(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return v128.relaxed_nmadd<Float>(a, b, c);
  return sub(c, mul(a, b));
}

// The larger, and the first where either is NaN: one instruction, unlike v128.max.
// @ts-ignore: decorator
@inline export function larger(a: v128, b: v128): v128 {
  return v128.pmax<Float>(a, b);
}

// The larger of a and a negative bound; float32 as integers: without a place among the additions. May lose a NaN.
// @ts-ignore: decorator
@inline export function notBelow(a: v128, bound: v128): v128 {
  if (sizeof<Float>() == 4) return i32x4.min_u(a, bound);
  return v128.pmax<Float>(a, bound);
}

// The smaller, and the first where either is NaN.
// @ts-ignore: decorator
@inline export function smaller(a: v128, b: v128): v128 {
  return v128.pmin<Float>(a, b);
}

// @ts-ignore: decorator
@inline export function and(a: v128, b: v128): v128 {
  return v128.and(a, b);
}

// a where the mask is clear, +0 elsewhere.
// @ts-ignore: decorator
@inline export function andNot(a: v128, mask: v128): v128 {
  return v128.andnot(a, mask);
}

// @ts-ignore: decorator
@inline export function not(a: v128): v128 {
  return v128.not(a);
}

// @ts-ignore: decorator
@inline export function any(mask: v128): bool {
  return v128.any_true(mask);
}

// @ts-ignore: decorator
@inline export function or(a: v128, b: v128): v128 {
  return v128.or(a, b);
}

// @ts-ignore: decorator
@inline export function xor(a: v128, b: v128): v128 {
  return v128.xor(a, b);
}

// a where the mask is set, b elsewhere.
// @ts-ignore: decorator
@inline export function choose(a: v128, b: v128, mask: v128): v128 {
  return v128.bitselect(a, b, mask);
}

// @ts-ignore: decorator
@inline export function absolute(a: v128): v128 {
  return v128.abs<Float>(a);
}

// @ts-ignore: decorator
@inline export function greaterMask(a: v128, b: v128): v128 {
  return v128.gt<Float>(a, b);
}

// @ts-ignore: decorator
@inline export function nonZeroMask(a: v128): v128 {
  return v128.ne<Float>(a, zero());
}

// @ts-ignore: decorator
@inline export function zeroMask(a: v128): v128 {
  return v128.eq<Float>(a, zero());
}

// @ts-ignore: decorator
@inline export function equalMask(a: v128, b: v128): v128 {
  return v128.eq<Float>(a, b);
}

// @ts-ignore: decorator
@inline export function notEqualMask(a: v128, b: v128): v128 {
  return v128.ne<Float>(a, b);
}

// Mask of the lanes whose sign bit is set.
// @ts-ignore: decorator
@inline export function negativeMask(a: v128): v128 {
  if (sizeof<Float>() == 8) return i64x2.lt_s(a, zero()); // a shift takes several instructions
  return shiftRightSigned(a, 8 * <i32>sizeof<Float>() - 1);
}

// The lanes as integers of their size.

// Mask of the lanes that hold an integer.
// @ts-ignore: decorator
@inline export function isInteger(a: v128, value: i32): v128 {
  if (sizeof<Float>() == 4) return i32x4.eq(a, i32x4.splat(value));
  return i64x2.eq(a, i64x2.splat(value));
}

// An integer in a lane of its own.
// @ts-ignore: decorator
@inline export function storeInteger(at: usize, value: i32): void {
  if (sizeof<Float>() == 4) store<i32>(at, value);
  else store<i64>(at, value);
}

// Mask of the 32-bit lanes, unsigned integers, that are below a limit.
// @ts-ignore: decorator
@inline export function belowMask(a: v128, limit: i32): v128 {
  return i32x4.lt_u(a, i32x4.splat(limit));
}

// @ts-ignore: decorator
@inline export function splat32(value: i32): v128 {
  return i32x4.splat(value);
}

// @ts-ignore: decorator
@inline export function add32(a: v128, b: v128): v128 {
  return i32x4.add(a, b);
}

// @ts-ignore: decorator
@inline export function mul32(a: v128, b: v128): v128 {
  return i32x4.mul(a, b);
}

// @ts-ignore: decorator
@inline export function smaller32(a: v128, b: v128): v128 {
  return i32x4.min_s(a, b);
}

// @ts-ignore: decorator
@inline export function sub32(a: v128, b: v128): v128 {
  return i32x4.sub(a, b);
}

// @ts-ignore: decorator
@inline export function equalIntegers(a: v128, b: v128): v128 {
  if (sizeof<Float>() == 4) return i32x4.eq(a, b);
  return i64x2.eq(a, b);
}

// @ts-ignore: decorator
@inline export function subIntegers(a: v128, b: v128): v128 {
  if (sizeof<Float>() == 4) return i32x4.sub(a, b);
  return i64x2.sub(a, b);
}

// @ts-ignore: decorator
@inline export function shiftRightSigned(a: v128, bits: i32): v128 {
  if (sizeof<Float>() == 4) return i32x4.shr_s(a, bits);
  return i64x2.shr_s(a, bits);
}

// @ts-ignore: decorator
@inline export function shiftLeft(a: v128, bits: i32): v128 {
  if (sizeof<Float>() == 4) return i32x4.shl(a, bits);
  return i64x2.shl(a, bits);
}

// A 32-bit integer in memory, in all lanes.
// @ts-ignore: decorator
@inline export function integers(at: usize): v128 {
  return sizeof<Float>() == 4 ? i32x4.splat(load<i32>(at)) : i64x2.splat(load<i32>(at));
}

// Mask of the lanes, integers, in which a bit is set.
// @ts-ignore: decorator
@inline export function bitMask(a: v128, bit: i32): v128 {
  return negativeMask(shiftLeft(a, 8 * <i32>sizeof<Float>() - 1 - bit));
}

// Integers to floats. There is no such instruction for 64 bits, but what comes here is below 2^51: it is added to the bits of
// 1.5 2^52, which leaves it behind when that is taken off again.
// @ts-ignore: decorator
@inline export function toFloats(a: v128): v128 {
  if (sizeof<Float>() == 4) return f32x4.convert_i32x4_s(a);
  return f64x2.sub(i64x2.add(a, every(INTEGERS)), every(INTEGERS));
}

// The byte targets of two neighbouring vectors, as lanes of 16 bits.
// @ts-ignore: decorator
@inline export function targetsAt(at: usize): v128 {
  if (sizeof<Float>() == 4 && !SINGLY) return v128.load_ext<u8>(at);
  return i16x8.extend_low_i8x16_u(v128.load32_zero(at));
}

// Targets 0 and 1 of the first (the next) of them as sign bits.
// @ts-ignore: decorator
@inline export function firstSigns(targets: v128): v128 {
  if (sizeof<Float>() == 4) return i32x4.shl(i32x4.extend_low_i16x8_u(targets), 31);
  return i64x2.shl(i64x2.extend_low_i32x4_u(i32x4.extend_low_i16x8_u(targets)), 63);
}

// @ts-ignore: decorator
@inline export function nextSigns(targets: v128): v128 {
  if (sizeof<Float>() == 4) return i32x4.shl(i32x4.extend_high_i16x8_u(targets), 31);
  return i64x2.shl(i64x2.extend_high_i32x4_u(i32x4.extend_low_i16x8_u(targets)), 63);
}

// The bytes 0 or 1 of a vector's lanes as its sign bits.
// @ts-ignore: decorator
@inline export function signsAt(at: usize): v128 {
  const bytes = sizeof<Float>() == 8 ? v128.load_splat<u16>(at) : v128.load32_zero(at); // and nothing behind them
  const integers = i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(bytes));
  return sizeof<Float>() == 8 ? i64x2.shl(i64x2.extend_low_i32x4_u(integers), 63) : i32x4.shl(integers, 31);
}

// The first (last) two of four lanes of a and b in turn: a0 b0 a1 b1.
// @ts-ignore: decorator
@inline export function interleaveLow(a: v128, b: v128): v128 {
  return i8x16.shuffle(a, b, 0, 1, 2, 3, 16, 17, 18, 19, 4, 5, 6, 7, 20, 21, 22, 23);
}

// @ts-ignore: decorator
@inline export function interleaveHigh(a: v128, b: v128): v128 {
  return i8x16.shuffle(a, b, 8, 9, 10, 11, 24, 25, 26, 27, 12, 13, 14, 15, 28, 29, 30, 31);
}

// The first (last) half of a, then that of b: a0 a1 b0 b1.
// @ts-ignore: decorator
@inline export function pairsLow(a: v128, b: v128): v128 {
  return i8x16.shuffle(a, b, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23);
}

// @ts-ignore: decorator
@inline export function pairsHigh(a: v128, b: v128): v128 {
  return i8x16.shuffle(a, b, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31);
}

// Two float64 lanes.
// @ts-ignore: decorator
@inline export function addWide(a: v128, b: v128): v128 {
  return f64x2.add(a, b);
}

// @ts-ignore: decorator
@inline export function subWide(a: v128, b: v128): v128 {
  return f64x2.sub(a, b);
}

// The sum of the lanes in pairs, as two float64: exact before the addition.
// @ts-ignore: decorator
@inline export function widen(a: v128): v128 {
  if (sizeof<Float>() == 8) return a;
  const high = i8x16.shuffle(a, a, 8, 9, 10, 11, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15);
  return f64x2.add(f64x2.promote_low_f32x4(a), f64x2.promote_low_f32x4(high));
}

// @ts-ignore: decorator
@inline export function addLanes(a: v128): Float {
  if (sizeof<Float>() == 8) return <Float>(f64x2.extract_lane(a, 0) + f64x2.extract_lane(a, 1));
  return <Float>(
    (f32x4.extract_lane(a, 0) + f32x4.extract_lane(a, 2) + (f32x4.extract_lane(a, 1) + f32x4.extract_lane(a, 3)))
  );
}

// @ts-ignore: decorator
@inline export function largestLane(a: v128): Float {
  const halves = larger(a, i8x16.shuffle(a, a, 8, 9, 10, 11, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15));
  const first = v128.extract_lane<Float>(halves, 0);
  if (sizeof<Float>() == 8) return first;
  const second = v128.extract_lane<Float>(halves, 1);
  return first < second ? second : first;
}

// @ts-ignore: decorator
@inline export function addIntegers(a: v128): i32 {
  return i32x4.extract_lane(a, 0) + i32x4.extract_lane(a, 1) + i32x4.extract_lane(a, 2) + i32x4.extract_lane(a, 3);
}

// The sum of sixteen bytes.
// @ts-ignore: decorator
@inline export function addBytes(a: v128): i32 {
  return addIntegers(i32x4.extadd_pairwise_i16x8_u(i16x8.extadd_pairwise_i8x16_u(a)));
}

/** What a divisor that may be 0 is kept above. */
export const TINY: Float = sizeof<Float>() == 4 ? 1e-37 : 1e-306;

/** The largest finite number, and the smallest above 0. */
export const LARGEST: Float = sizeof<Float>() == 4 ? <Float>f32.MAX_VALUE : <Float>f64.MAX_VALUE;
export const SMALLEST: Float = sizeof<Float>() == 4 ? <Float>f32.MIN_VALUE : <Float>f64.MIN_VALUE;
