// Single numbers in float64, for the few elements whose distance to where a loss is 0 is all that counts.

/**
 * e^x of x <= 0, to 2 units in the last place; 0 below -700, for float64 below -708.
 *
 * Method: x = n ln 2 + r with |r| <= ln 2 / 2, and e^r = (v + r) / (v - r), v = r coth(r / 2) by its Taylor series, whose first
 * neglected term is 5e-19 of it.
 */
export function exponential(x: f64): f64 {
  if (!(x >= (sizeof<Float>() == 4 ? -700 : -708))) return x < 0 ? 0 : x; // NaN stays NaN
  const n = Math.floor(x * 1.4426950408889634 + 0.5);
  const r = x - n * 0.693147180369123816490 - n * 1.90821492927058770002e-10; // ln 2 in two parts
  const s = r * r;
  const series = 1 / 6.0 - s * (1 / 360.0 - s * (1 / 15120.0 - s * (1 / 604800.0 - s * (1 / 23950080.0 - s * (691 / 653837184000.0)))));
  const v = 2 + s * series;
  return ((v + r) / (v - r)) * reinterpret<f64>((1023 + <i64>n) << 52);
}
