// The same exchange in decimal arithmetic, for what is to be accurate beyond float64.
import { Decimal as Base } from 'decimal.js';

export const Decimal = Base.clone({ precision: 50, minE: -9e15, maxE: 9e15 });

/** Points between two extremes of the error, among which the next extreme is looked for: it is met to a thousandth. */
const FINENESS = 16;
const ROUNDS = 12;
/** Extremes as equal as this are as good as equal ones. */
const LEVEL = 1.001;

/** Solves a small dense system by Gaussian elimination with partial pivoting. */
function solve(rows) {
  const n = rows.length;
  for (let column = 0; column < n; column++) {
    let pivot = column;
    for (let i = column + 1; i < n; i++) if (rows[i][column].abs().gt(rows[pivot][column].abs())) pivot = i;
    [rows[column], rows[pivot]] = [rows[pivot], rows[column]];
    for (let i = column + 1; i < n; i++) {
      const factor = rows[i][column].div(rows[column][column]);
      for (let j = column; j <= n; j++) rows[i][j] = rows[i][j].minus(factor.times(rows[column][j]));
    }
  }
  const solution = new Array(n);
  for (let i = n - 1; i >= 0; i--) {
    let value = rows[i][n];
    for (let j = i + 1; j < n; j++) value = value.minus(rows[i][j].times(solution[j]));
    solution[i] = value.div(rows[i][i]);
  }
  return solution;
}

/** The coefficients of x^first, x^(first + 1), ... that come closest to what is left of the target. */
function closest(points, left, weights, first, count) {
  const powers = points.map((x) => {
    const row = [x.pow(first)];
    while (row.length < count) row.push(row[row.length - 1].times(x));
    return row;
  });
  const last = points.length - 1;
  let chosen = Array.from({ length: count + 1 }, (_, k) => Math.round((last * k) / count));
  // the weight may be 0 at the end, where there is no error to level
  if (weights[0].isZero()) chosen[0] = 1;
  let best = { coefficients: [], error: new Decimal(Number.POSITIVE_INFINITY) };
  for (let round = 0; round < ROUNDS; round++) {
    const rows = chosen.map((at, i) => [
      ...powers[at].map((power) => power.times(weights[at])),
      new Decimal(i % 2 === 1 ? -1 : 1),
      left[at].times(weights[at]),
    ]);
    const coefficients = solve(rows).slice(0, -1);
    const errors = points.map((_, at) => {
      const value = powers[at].reduce((sum, power, k) => sum.plus(power.times(coefficients[k])), new Decimal(0));
      return left[at].minus(value).times(weights[at]);
    });
    const extremes = [];
    let sign = 0;
    errors.forEach((error, at) => {
      if (error.isZero()) return;
      if (error.s !== sign) extremes.push(at);
      else if (error.abs().gt(errors[extremes[extremes.length - 1]].abs())) extremes[extremes.length - 1] = at;
      sign = error.s;
    });
    const sizes = extremes.map((at) => errors[at].abs());
    const worst = Decimal.max(...sizes);
    if (worst.lt(best.error)) best = { coefficients, error: worst };
    if (extremes.length <= count || worst.lt(Decimal.min(...sizes).times(LEVEL))) break;
    while (extremes.length > count + 1) {
      if (errors[extremes[0]].abs().lt(errors[extremes[extremes.length - 1]].abs())) extremes.shift();
      else extremes.pop();
    }
    chosen = extremes;
  }
  return best;
}

/**
 * Minimises max |weight(x) (target(x) - sum c_k x^k)| over [0, high] with c_k that float64 holds: each is rounded in turn, and the
 * later ones are fitted anew. Returns the coefficients and the error reached, as numbers.
 */
export function minimaxFloat64({ target, weight, count, high }) {
  const n = FINENESS * (count + 1);
  const points = Array.from({ length: n + 1 }, (_, i) => new Decimal(high * (0.5 - Math.cos((Math.PI * i) / n) / 2)));
  points[0] = new Decimal(0);
  const weights = points.map(weight);
  let left = points.map((x, at) => (weights[at].isZero() ? new Decimal(0) : target(x)));
  const coefficients = [];
  for (let k = 0; k < count; k++) {
    const rounded = closest(points, left, weights, k, count - k).coefficients[0].toNumber();
    coefficients.push(rounded);
    left = left.map((value, at) => value.minus(points[at].pow(k).times(rounded)));
  }
  const error = Decimal.max(...left.map((value, at) => value.times(weights[at]).abs()));
  return { coefficients, error: error.toNumber() };
}
