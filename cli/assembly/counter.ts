// Counts scores by class, in buckets by the order of float32. It is WebAssembly because a bucket is one 64-bit integer, which
// JavaScript's arrays of numbers have not: a score touches half of the memory, and takes a third of the time.

/** Scores that can be handed over at once. */
export const CAPACITY: i32 = 1 << 16;
/** Bits of a score that its bucket does not tell. */
export const LOW_BITS: i32 = 14;
/** A bucket has its count in these bits, and above them the sum of the low bits of its scores. */
export const COUNT_BITS: i32 = 24;

/** Address of the scores, float32. */
export const SCORES: i32 = 0;
/** Address of their classes, bytes 0 or 1, with zeros behind them up to a multiple of 8. */
export const TARGETS: i32 = 4 * CAPACITY;
/** Address of the buckets: that of the negatives, then that of the positives, for each. */
export const BUCKETS: i32 = 5 * CAPACITY;

/** Counts the first `count` scores; where a class is neither 0 nor 1, it counts nothing and gives false. */
export function add(count: i32): bool {
  let any: u64 = 0;
  for (let i = 0; i < count; i += 8) any |= load<u64>(TARGETS + i);
  if ((any & ~0x0101010101010101) !== 0) return false;
  for (let i = 0; i < count; i++) {
    const bits = load<i32>(SCORES + 4 * i);
    // flips the order of negative numbers, and puts them below the others
    const ordered = bits ^ ((bits >> 31) | 0x80000000);
    const at = BUCKETS + 16 * (ordered >>> LOW_BITS) + 8 * <i32>load<u8>(TARGETS + i);
    store<u64>(at, load<u64>(at) + ((<u64>(ordered & ((1 << LOW_BITS) - 1)) << COUNT_BITS) | 1));
  }
  return true;
}
