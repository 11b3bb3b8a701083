// Numbers of 16 bits to float32, which holds them all: each becomes itself, whatever its kind.

/** The other 15 bits are those of a float32 whose exponent is 112 less, subnormal ones included. */
const REBASE: f32 = 5.192296858534828e33; // 2^112
/** A float16 without its sign, where it lies in a float32, from here on is infinite or NaN. */
const INFINITE: u32 = 0x0f800000;
const INFINITY: u32 = 0x7f800000;

/** float16, of IEEE 754: 5 bits of exponent. */
export function float16ToFloats(source: usize, destination: usize, count: i32): void {
  let i = 0;
  for (; i + 8 <= count; i += 8) {
    const bits = v128.load(source + (<usize>i << 1));
    const to = destination + (<usize>i << 2);
    v128.store(to, fromFloat16(i32x4.extend_low_i16x8_u(bits)));
    v128.store(to, fromFloat16(i32x4.extend_high_i16x8_u(bits)), 16);
  }
  for (; i < count; i++) {
    const bits = i32x4.splat(load<u16>(source + (<usize>i << 1)));
    store<u32>(destination + (<usize>i << 2), i32x4.extract_lane(fromFloat16(bits), 0));
  }
}

// @ts-ignore: decorator
@inline function fromFloat16(bits: v128): v128 {
  const magnitude = i32x4.shl(v128.and(bits, i32x4.splat(0x7fff)), 13);
  const infinite = v128.and(i32x4.gt_s(magnitude, i32x4.splat(INFINITE - 1)), i32x4.splat(INFINITY));
  const sign = i32x4.shl(v128.and(bits, i32x4.splat(0x8000)), 16);
  return v128.or(v128.or(f32x4.mul(magnitude, f32x4.splat(REBASE)), infinite), sign);
}

/** bfloat16: the upper half of a float32. */
export function bfloat16ToFloats(source: usize, destination: usize, count: i32): void {
  let i = 0;
  for (; i + 8 <= count; i += 8) {
    const bits = v128.load(source + (<usize>i << 1));
    const to = destination + (<usize>i << 2);
    v128.store(to, i32x4.shl(i32x4.extend_low_i16x8_u(bits), 16));
    v128.store(to, i32x4.shl(i32x4.extend_high_i16x8_u(bits), 16), 16);
  }
  for (; i < count; i++) {
    store<u32>(destination + (<usize>i << 2), <u32>load<u16>(source + (<usize>i << 1)) << 16);
  }
}
