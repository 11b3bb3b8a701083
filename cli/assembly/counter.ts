// Counts scores by class, in buckets by the order of float32. It is WebAssembly because a bucket is one 64-bit integer, which
// JavaScript's arrays of numbers have not: a score touches half of the memory, and takes a third of the time.

/** Scores that can be handed over at once: few enough that they leave a fast cache to the buckets. */
export const CAPACITY: i32 = 1 << 13;
/** Bits of a score that its bucket does not tell. */
export const LOW_BITS: i32 = 14;
/** A bucket has its count in these bits, and above them the sum of the low bits of its scores: 25 + 14 more. */
export const COUNT_BITS: i32 = 25;

/** Address of the scores, float32. */
export const SCORES: i32 = 0;
/** Address of their classes, bytes 0 or 1, with zeros behind them up to a multiple of 16. */
export const TARGETS: i32 = 4 * CAPACITY;
/** Address of the buckets: that of the negatives, then that of the positives, for each. */
export const BUCKETS: i32 = 5 * CAPACITY;

/** Counts the first `count` scores; where a class is neither 0 nor 1, it counts nothing and gives false. */
export function add(count: i32): bool {
  let any = i8x16.splat(0);
  for (let i = 0; i < count; i += 16) any = v128.or(any, v128.load(TARGETS + i));
  if (v128.any_true(v128.andnot(any, i8x16.splat(1)))) return false;
  const whole = count & ~3;
  for (let i = 0; i < whole; i += 4) {
    const bits = v128.load(SCORES + 4 * i);
    const ordered = v128.xor(bits, v128.or(i32x4.shr_s(bits, 31), i32x4.splat(TOP)));
    const classes = i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(v128.load32_zero(TARGETS + i)));
    const buckets = i32x4.add(i32x4.shl(i32x4.shr_u(ordered, LOW_BITS), 4), i32x4.shl(classes, 3));
    count1(i32x4.extract_lane(buckets, 0), i32x4.extract_lane(ordered, 0));
    count1(i32x4.extract_lane(buckets, 1), i32x4.extract_lane(ordered, 1));
    count1(i32x4.extract_lane(buckets, 2), i32x4.extract_lane(ordered, 2));
    count1(i32x4.extract_lane(buckets, 3), i32x4.extract_lane(ordered, 3));
  }
  for (let i = whole; i < count; i++) {
    const bits = load<i32>(SCORES + 4 * i);
    const ordered = bits ^ ((bits >> 31) | TOP);
    count1(16 * (ordered >>> LOW_BITS) + 8 * <i32>load<u8>(TARGETS + i), ordered);
  }
  return true;
}

/** By it a score is put in order: xor with it and, of a negative one, with all other bits as well. */
const TOP: i32 = 0x80000000;

// @ts-ignore: decorator
@inline function count1(bucket: i32, ordered: i32): void {
  const at = BUCKETS + bucket;
  store<u64>(at, load<u64>(at) + ((<u64>(ordered & ((1 << LOW_BITS) - 1)) << COUNT_BITS) | 1));
}
