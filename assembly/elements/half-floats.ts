import { bytesOf } from '../frame';
import { SINGLY } from '../simd/tile';

// Numbers of 16 bits to numbers of the kernel, which hold them all: each becomes itself, whatever its kind.

/** The other 15 bits are those of a float32 whose exponent is 112 less, subnormal ones included. */
const REBASE: f32 = 5.192296858534828e33; // 2^112
/** A float16 without its sign, where it lies in a float32, from here on is infinite or NaN. */
const INFINITE: u32 = 0x0f800000;
const INFINITY: u32 = 0x7f800000;

/** float16, of IEEE 754: 5 bits of exponent. */
export function float16ToFloats(source: usize, destination: usize, count: i32): void {
  let i = 0;
  for (; !SINGLY && i + 4 <= count; i += 4) {
    storeFour(destination + bytesOf(i), fromFloat16(v128.load_ext<u16>(source + (<usize>i << 1))));
  }
  for (; i < count; i++) {
    const bits = i32x4.splat(load<u16>(source + (<usize>i << 1)));
    store<Float>(destination + bytesOf(i), f32x4.extract_lane(fromFloat16(bits), 0));
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
  for (; !SINGLY && i + 4 <= count; i += 4) {
    storeFour(destination + bytesOf(i), i32x4.shl(v128.load_ext<u16>(source + (<usize>i << 1)), 16));
  }
  for (; i < count; i++) {
    store<Float>(destination + bytesOf(i), reinterpret<f32>(<u32>load<u16>(source + (<usize>i << 1)) << 16));
  }
}

/** Four float32 as numbers of the kernel. */
// @ts-ignore: decorator
@inline function storeFour(at: usize, numbers: v128): void {
  if (sizeof<Float>() == 4) {
    v128.store(at, numbers);
    return;
  }
  v128.store(at, f64x2.promote_low_f32x4(numbers));
  v128.store(at, f64x2.promote_low_f32x4(i8x16.shuffle(numbers, numbers, 8, 9, 10, 11, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15)), 16);
}
