// Best uniform fit of a linear combination of basis functions by the Remez exchange, in float64.

/** Solves a small dense system by Gaussian elimination with partial pivoting. */
function solve(matrix, right) {
  const n = right.length;
  const rows = matrix.map((row, i) => [...row, right[i]]);
  for (let column = 0; column < n; column++) {
    let pivot = column;
    for (let i = column + 1; i < n; i++) if (Math.abs(rows[i][column]) > Math.abs(rows[pivot][column])) pivot = i;
    [rows[column], rows[pivot]] = [rows[pivot], rows[column]];
    for (let i = column + 1; i < n; i++) {
      const factor = rows[i][column] / rows[column][column];
      for (let j = column; j <= n; j++) rows[i][j] -= factor * rows[column][j];
    }
  }
  const solution = new Array(n).fill(0);
  for (let i = n - 1; i >= 0; i--) {
    let value = rows[i][n];
    for (let j = i + 1; j < n; j++) value -= rows[i][j] * solution[j];
    solution[i] = value / rows[i][i];
  }
  return solution;
}

/**
 * Minimises max |weight(x) (target(x) - sum c_k basis_k(x))| over [low, high].
 * Returns the coefficients and the error reached.
 */
export function minimax({ target, weight, basis, low, high, rounds = 30, grid = 4000 }) {
  const count = basis.length + 1;
  const at = (i, of) => (low + high) / 2 - ((high - low) / 2) * Math.cos((Math.PI * i) / of);
  let points = Array.from({ length: count }, (_, i) => at(i, count - 1));
  let best = { coefficients: [], error: Number.POSITIVE_INFINITY };
  for (let round = 0; round < rounds; round++) {
    const rows = points.map((x, i) => [...basis.map((f) => weight(x) * f(x)), i % 2 ? -1 : 1]);
    const coefficients = solve(
      rows,
      points.map((x) => weight(x) * target(x)),
    ).slice(0, -1);
    const errorAt = (x) => weight(x) * (target(x) - basis.reduce((sum, f, k) => sum + coefficients[k] * f(x), 0));
    const extremes = [];
    let previousSign = 0;
    for (let i = 0; i <= grid; i++) {
      const x = at(i, grid);
      const error = errorAt(x);
      const sign = Math.sign(error);
      if (sign !== 0 && sign === previousSign) {
        const last = extremes[extremes.length - 1];
        if (Math.abs(error) > Math.abs(last.error)) extremes[extremes.length - 1] = { x, error };
      } else if (sign !== 0) extremes.push({ x, error });
      if (sign !== 0) previousSign = sign;
    }
    const worst = Math.max(...extremes.map((e) => Math.abs(e.error)));
    if (worst < best.error) best = { coefficients, error: worst };
    if (extremes.length < count) break;
    while (extremes.length > count) {
      if (Math.abs(extremes[0].error) < Math.abs(extremes[extremes.length - 1].error)) extremes.shift();
      else extremes.pop();
    }
    points = extremes.map((e) => e.x);
  }
  return best;
}

/** As minimax, with each coefficient rounded to float32 in turn and the later ones fitted anew. */
export function minimaxFloat32(problem) {
  let { target, basis } = problem;
  const coefficients = [];
  while (basis.length > 0) {
    const fitted = minimax({ ...problem, target, basis });
    const rounded = Math.fround(fitted.coefficients[0]);
    const [first, ...rest] = basis;
    const before = target;
    target = (x) => before(x) - rounded * first(x);
    basis = rest;
    coefficients.push(rounded);
  }
  let error = 0;
  for (let i = 0; i <= 20000; i++) {
    const x = problem.low + ((problem.high - problem.low) * i) / 20000;
    error = Math.max(error, Math.abs(problem.weight(x) * target(x)));
  }
  return { coefficients, error };
}
