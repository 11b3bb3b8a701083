// Logarithms of a probability and of what is left of it, by additions, multiplications and divisions alone: an engine's own
// Math.log may differ in its last bit from another's, and sums of such numbers would.

/** log 2, as float32 so that its product with an exponent is exact, and what that leaves out. */
const LN2_HIGH = Math.fround(Math.LN2);
const LN2_LOW = -1.904654299957768e-9;
/** The logarithm's odd series in s, |s| <= 0.172: terms beyond are below 1e-18 of the first. */
const DEGREE = 10;

const view = new DataView(new ArrayBuffer(8));

/** log p, to 1 ulp or so, for p in [0, 1]. */
export function log(p: number): number {
  if (p === 0) return Number.NEGATIVE_INFINITY;
  // scaled, which is exact, a subnormal number is a normal one
  view.setFloat64(0, p * 2 ** 54);
  const high = view.getUint32(0);
  view.setUint32(0, (high & 0xf_ffff) | 0x3ff0_0000);
  const leading = view.getFloat64(0);
  const half = leading > Math.SQRT2 ? 1 : 0;
  const mantissa = half === 1 ? leading / 2 : leading;
  const exponent = (high >>> 20) - 1023 - 54 + half;
  return exponent * LN2_HIGH + (exponent * LN2_LOW + odd((mantissa - 1) / (mantissa + 1)));
}

/** log(1 - p), to 1 ulp or so, for p in [0, 1]. */
export function logOfRest(p: number): number {
  // for larger p the difference is exact, or its rounding is small beside the logarithm
  return p < 0.25 ? odd(-p / (2 - p)) : log(1 - p);
}

/** log((1 + s) / (1 - s)) = 2 (s + s^3 / 3 + s^5 / 5 + ...) */
function odd(s: number): number {
  const square = s * s;
  let series = 0;
  for (let k = DEGREE; k > 0; k--) series = (series + 1 / (2 * k + 1)) * square;
  return 2 * s + 2 * s * series;
}
