// Softmax with a row of class shares as targets, three meanings of them, Poly-1 and the Hessian policies, by the kernel alone.
import { describe, expect, test } from 'vitest';
import { Flag, Hessian, SoftTargets } from '../src/abi.js';
import { RawKernel } from './kernel-support.js';
import { sharesLoss } from './oracle-shares.js';
import { softmax64 } from './reference.js';
import { type RowCall, type RowResult, softmaxRows } from './rows-kernel.js';
import { firstDifference, random, sum64 } from './support.js';

const MEANINGS = ['linear', 'split', 'crossEntropy'] as const;

/** Rows of every kind: even and spiky shares, one-hot ones, logits near to each other and far apart. */
function someShares(rows: number, classes: number, seed = 1): Pick<RowCall, 'classes' | 'logits' | 'targets'> {
  const next = random(seed);
  const logits = new Float32Array(rows * classes);
  const targets = new Float32Array(rows * classes);
  for (let r = 0; r < rows; r++) {
    const spread = [0.5, 2, 8, 30][r % 4];
    const raw = Array.from({ length: classes }, () => (r % 3 === 0 ? next() ** 8 : next()));
    if (r % 5 === 0) raw.fill(0)[r % classes] = 1;
    const total = sum64(raw);
    for (let j = 0; j < classes; j++) {
      logits[r * classes + j] = 2 * spread * (next() - 0.5);
      targets[r * classes + j] = raw[j] / total;
    }
  }
  return { classes, logits, targets };
}

function close(got: number, truth: number, slack: number): boolean {
  return Math.abs(got - truth) <= 4e-6 * Math.abs(truth) + slack;
}

function expectClose(got: ArrayLike<number>, truth: ArrayLike<number>, slack: number): void {
  const far = Array.from(got, (value, k) => (close(value, truth[k], slack) ? '' : `${k}: ${value}, not ${truth[k]}`));
  expect(far.filter(Boolean)).toEqual([]);
}

const row = (values: Float32Array, r: number, classes: number) => [...values.subarray(r * classes, (r + 1) * classes)];

describe.each(MEANINGS)('shares, %s', (meaning) => {
  test.each([
    [0, {}],
    [2, { labelSmoothing: 0.1, polyEpsilon: 1.5, alphas: [0.5, 2, 1] }],
    [0.5, { polyEpsilon: -0.75 }],
    [3.3, { alphas: [0.25, 1, 2] }],
  ])('gamma %d, %j: loss, gradient and Hessian are those of the definition', (gamma, options) => {
    const call = { ...someShares(8, 3, 4), gamma, softTargets: SoftTargets[meaning], ...options };
    const { labelSmoothing = 0, polyEpsilon = 0, alphas = null } = call as RowCall;
    const got = softmaxRows(call);
    expect([got.bad, got.positives]).toEqual([0, 8]);
    const faults: string[] = [];
    let sum = 0;
    for (let r = 0; r < 8; r++) {
      const [z, y] = [row(call.logits, r, 3), row(call.targets as Float32Array, r, 3)];
      const truth = sharesLoss(z, y, { gamma, meaning, alpha: alphas, labelSmoothing, polyEpsilon });
      sum += truth.loss;
      const slack = 4e-7 * (alphas ? 2 : 1);
      if (!close(got.loss[r], truth.loss, 2 ** -126)) faults.push(`loss ${r}: ${got.loss[r]}, not ${truth.loss}`);
      for (let j = 0; j < 3; j++) {
        const [grad, hess] = [got.grad[3 * r + j], got.hess[3 * r + j]];
        if (!close(grad, truth.grad[j], slack)) faults.push(`grad ${r} ${j}: ${grad}, not ${truth.grad[j]}`);
        if (!close(hess, truth.hess[j], slack)) faults.push(`hess ${r} ${j}: ${hess}, not ${truth.hess[j]}`);
      }
    }
    expect(faults).toEqual([]);
    expect(close(got.sum, sum, 0)).toBe(true);
  });

  test('one-hot rows give what labels give', () => {
    const { classes, logits } = someShares(40, 5, 7);
    const labels = Int32Array.from({ length: 40 }, (_, r) => (r * 3) % 5);
    const hot = Float32Array.from(logits, (_, k) => (labels[Math.floor(k / 5)] === k % 5 ? 1 : 0));
    for (const gamma of [0, 0.5, 2, 3.3]) {
      const call = { classes, logits, gamma, softTargets: SoftTargets[meaning], outputs: ['loss', 'grad'] } as const;
      const byLabel = softmaxRows({ ...call, targets: labels });
      const byShare = softmaxRows({ ...call, targets: hot });
      expectClose(byShare.loss, byLabel.loss, 2 ** -126);
      expectClose(byShare.grad, byLabel.grad, 1e-7);
    }
  });

  test('smoothed labels are smoothed one-hot rows, and ignored labels rows of no loss', () => {
    const { classes, logits } = someShares(40, 5, 8);
    const labels = Int32Array.from({ length: 40 }, (_, r) => (r % 9 === 4 ? -1 : (r * 3) % 5));
    const hot = Float32Array.from(logits, (_, k) => (Math.max(0, labels[Math.floor(k / 5)]) === k % 5 ? 1 : 0));
    const call = {
      classes,
      logits,
      gamma: 2,
      softTargets: SoftTargets[meaning],
      labelSmoothing: 0.2,
      polyEpsilon: 0.5,
    };
    const byLabel = softmaxRows({ ...call, targets: labels });
    const byShare = softmaxRows({ ...call, targets: hot });
    expect(byLabel.positives).toBe(36);
    labels.forEach((label, r) => {
      expect(byLabel.loss[r]).toBe(label < 0 ? 0 : byShare.loss[r]);
      expectClose(row(byLabel.grad, r, 5), label < 0 ? new Array(5).fill(0) : row(byShare.grad, r, 5), 4e-7);
    });
  });

  test.each([2, 3, 21, 33, 80, 81, 350])('planes of %d classes have the bits of rows, in place too', (classes) => {
    for (const rows of [1, 6, 33]) {
      const weight = Float32Array.from({ length: rows }, (_, r) => (r % 4) - 1);
      const call = { ...someShares(rows, classes, 5), gamma: 1.7, weight, softTargets: SoftTargets[meaning] };
      const expected = softmaxRows(call);
      const others = [
        softmaxRows({ ...call, stride: rows + 5 }),
        softmaxRows({ ...call, stride: Math.max(2, rows), inPlace: true }),
        softmaxRows({ ...call, inPlace: true, targetsLast: true }),
      ];
      const same = (a: RowResult) =>
        (['loss', 'grad', 'hess'] as const).every((name) => firstDifference(a[name], expected[name]) === -1);
      expect(others.map(same)).toEqual([true, true, true]);
      const onlyHess = softmaxRows({ ...call, outputs: ['hess'], inPlace: true });
      expect(firstDifference(onlyHess.hess, expected.hess)).toBe(-1);
      expect(onlyHess.sum).toBe(expected.sum);
      // rows are added one after the other
      expect(expected.sum).toBe(expected.loss.reduce((sum, loss) => sum + loss, 0));
    }
  });

  test('policies of the Hessian', () => {
    const call = { ...someShares(30, 4, 3), gamma: 2, softTargets: SoftTargets[meaning], gradScale: 0.5 };
    const exact = softmaxRows(call);
    expect(exact.hess.some((h) => h < 0)).toBe(true);
    const of = (hessian: Hessian) => softmaxRows({ ...call, hessian });
    expect(of(Hessian.clip).hess).toEqual(exact.hess.map((h) => Math.max(h, 1e-16)));
    expect(of(Hessian.absGrad).hess).toEqual(exact.grad.map(Math.abs));
    const gaussNewton = of(Hessian.gaussNewton);
    expect(firstDifference(gaussNewton.grad, exact.grad)).toBe(-1);
    for (let r = 0; r < 30; r++) {
      const [z, y] = [row(call.logits, r, 4), row(call.targets as Float32Array, r, 4)];
      const e = z.map((value) => Math.exp(value - Math.max(...z)));
      const p = e.map((value) => value / sum64(e));
      const entropy = -sum64(y.map((share, k) => (share === 0 ? 0 : share * Math.log(p[k]))));
      const power = {
        linear: sum64(p.map((value, k) => value * (1 - y[k]))) ** 2,
        split: sum64(y.map((share, k) => share * (1 - p[k]) ** 2)),
        crossEntropy: (1 - Math.exp(-entropy)) ** 2,
      }[meaning];
      const truth = p.map((value) => 0.5 * power * value * (1 - value));
      expectClose(row(gaussNewton.hess, r, 4), truth, 2e-7);
    }
  });

  test('finite logits give no NaN, infinite ones what their limit gives', () => {
    const inf = Number.POSITIVE_INFINITY;
    const cases: [number[], number[], number][] = [
      [[3.4e38, -3.4e38, 0], [0.5, 0.25, 0.25], inf],
      [[-3.4e38, -3.4e38, -3.4e38], [0.5, 0.25, 0.25], Number.NaN],
      [[500, 0, -500], [0.5, 0.25, 0.25], Number.NaN],
      [[2000, 1999, -inf], [0.5, 0.5, 0], Number.NaN],
      [[inf, 0, 0], [1, 0, 0], 0],
      [[inf, 0, 0], [0.5, 0.5, 0], inf],
      [[104, 0, 0], [1, 0, 0], 0],
    ];
    for (const gamma of [0, 0.5, 2, 64])
      for (const [logits, shares, loss] of cases) {
        const call = { classes: 3, logits: Float32Array.from(logits), targets: Float32Array.from(shares), gamma };
        const got = softmaxRows({ ...call, softTargets: SoftTargets[meaning] });
        if (Number.isNaN(loss)) expect(got.loss[0]).toBeGreaterThan(0);
        else if (loss === 0) expect(got.loss[0]).toBeLessThan(1e-37);
        else if (gamma < 64) expect(got.loss[0]).toBeGreaterThan(1e37);
        expect([...got.grad, ...got.hess].map(Number.isFinite)).toEqual(new Array(6).fill(true));
      }
    const nan = { classes: 2, logits: Float32Array.of(0, Number.NaN), targets: Float32Array.of(1, 0), gamma: 2 };
    expect(softmaxRows({ ...nan, softTargets: SoftTargets[meaning] }).loss[0]).toBeNaN();
  });
});

test('labels with Poly-1 of any sign, of a Hessian and with a policy', () => {
  const { logits } = someShares(60, 4, 6);
  const targets = Int32Array.from({ length: 60 }, (_, r) => (r % 11 === 2 ? -1 : r % 4));
  const alphas = [0.5, 1, 2, 0.25];
  for (const polyEpsilon of [-3, 2]) {
    const got = softmaxRows({ classes: 4, logits, targets, gamma: 2, polyEpsilon, alphas, stride: 64 });
    let sum = 0;
    targets.forEach((label, r) => {
      if (label < 0) {
        expect([got.loss[r], ...row(got.grad, r, 4), ...row(got.hess, r, 4)]).toEqual(Array(9).fill(0));
        return;
      }
      const z = row(logits, r, 4);
      const e = z.map((value) => Math.exp(value - z[label]));
      const q = sum64(e.filter((_, j) => j !== label)) / sum64(e);
      const loss = alphas[label] * (q ** 2 * Math.log(sum64(e)) + polyEpsilon * q ** 3);
      sum += loss;
      expect(Math.abs(got.loss[r] - loss)).toBeLessThanOrEqual(
        4e-6 * alphas[label] * q ** 2 * (Math.log(sum64(e)) + 3 * q) + 1e-12,
      );
    });
    expect(Math.abs(got.sum / sum - 1)).toBeLessThan(4e-6);
    expect(got.loss.some((loss) => loss < 0)).toBe(polyEpsilon < 0);
  }
  const call = { classes: 4, logits, targets, gamma: 2, alphas };
  const gaussNewton = softmaxRows({ ...call, hessian: Hessian.gaussNewton });
  const clipped = softmaxRows({ ...call, hessian: Hessian.clip });
  targets.forEach((label, r) => {
    if (label < 0) {
      expect([...row(gaussNewton.hess, r, 4), ...row(clipped.hess, r, 4)]).toEqual(Array(8).fill(0));
      return;
    }
    const z = row(logits, r, 4);
    const e = z.map((value) => Math.exp(value - Math.max(...z)));
    const q = sum64(e.filter((_, j) => j !== label)) / sum64(e);
    const p = e.map((value) => value / sum64(e));
    expectClose(
      row(gaussNewton.hess, r, 4),
      p.map((value) => alphas[label] * q ** 2 * value * (1 - value)),
      1e-7,
    );
    expect(Math.min(...row(clipped.hess, r, 4))).toBeGreaterThanOrEqual(Math.fround(1e-16));
  });
});

test('a share that is none, or rows that do not add up to 1, are told', () => {
  const bad = (shares: number[]) =>
    softmaxRows({ classes: 3, logits: new Float32Array(shares.length), targets: Float32Array.from(shares), gamma: 2 })
      .bad;
  const good = [0.25, 0.5, 0.25, 0, 1, 0];
  expect(bad(good)).toBe(0);
  expect(bad([...good, 0.2501, 0.5, 0.2505])).toBe(0);
  expect(bad([...good, 0.25, 0.5, 0.2515])).toBe(1);
  expect(bad([...good, 0.25, 0.5, 0.251001])).toBe(1);
  expect(bad([...good, 0.25, 0.5, 0.2485])).toBe(1);
  expect(bad([...good, -0.25, 0.75, 0.5])).toBe(1);
  expect(bad([1.5, -0.5, 0, ...good])).toBe(1);
  expect(bad([Number.NaN, 0.5, 0.5, ...good])).toBe(1);
  expect(bad([0, 0, 0])).toBe(1);
});

test('shares that add up to a little more than 1 are taken as they are', () => {
  const call = { classes: 2, logits: new Float32Array(2), targets: Float32Array.of(0.5, 0.5009), gamma: 0 };
  const { loss, grad, hess } = softmaxRows({ ...call, softTargets: SoftTargets.linear });
  expect(loss[0]).toBeCloseTo(1.0009 * Math.LN2, 6);
  expect(grad[0]).toBeCloseTo(1.0009 / 2 - 0.5, 6);
  expect(grad[1]).toBeCloseTo(1.0009 / 2 - 0.5009, 6);
  expect(hess[0]).toBeCloseTo(1.0009 / 4, 6);
});

test('an infinite loss of shares stays one where its power underflows', () => {
  const call = { classes: 2, logits: Float32Array.of(Infinity, 0), targets: Float32Array.of(0.95, 0.05), gamma: 64 };
  expect(softmaxRows(call).loss[0]).toBe(Infinity);
  expect(softmaxRows({ ...call, logits: Float32Array.of(200, 0), targets: Float32Array.of(1, 0) }).loss[0]).toBe(0);
});

test('rows of shares have no class: with sums by class all are of one', () => {
  const { sum, sumPositives, sumNegatives } = softmaxRows({ ...someShares(5, 3), gamma: 2, byClass: true });
  expect([sumPositives, sumNegatives]).toEqual([sum, 0]);
  expect(sum).toBeGreaterThan(0);
});

test('a weight of 0 leaves nothing of an infinite loss of shares', () => {
  const call = {
    classes: 2,
    logits: Float32Array.of(Infinity, 0),
    targets: Int32Array.of(1),
    gamma: 2,
    labelSmoothing: 0.1,
  };
  expect(softmaxRows(call).loss[0]).toBe(Infinity);
  const { loss, sum, grad } = softmaxRows({ ...call, weight: Float32Array.of(0) });
  expect([loss[0], sum, ...grad].map(Math.abs)).toEqual([0, 0, 0, 0]);
});

test.each(MEANINGS)('a row is what it is alone, however many come before it, %s', (meaning) => {
  for (const classes of [3, 100]) {
    const rows = classes === 3 ? 200 : 300;
    const { logits, targets } = someShares(rows, classes, 5);
    const call = { classes, gamma: 2, softTargets: SoftTargets[meaning] };
    const shares = targets as Float32Array;
    const from = (rows - 4) * classes;
    const alone = softmaxRows({ ...call, logits: logits.slice(from), targets: shares.slice(from) });
    // right behind the scratch, where nobody else may write
    const raw = new RawKernel(6 * logits.byteLength);
    const fields = { logits: raw.place(logits), targets: raw.place(shares) };
    const [loss, grad, hess] = [new Float32Array(rows), logits, logits].map((array) => raw.place(array));
    raw.write({ ...call, ...fields, loss, grad, hess, count: rows, flags: Flag.soft + Flag.sums });
    raw.kernel.softmax(raw.frame);
    expect(raw.floats(fields.logits, logits.length)).toEqual(logits);
    expect(raw.floats(loss, rows).slice(-4)).toEqual(alone.loss);
    expect(raw.floats(grad, logits.length).slice(from)).toEqual(alone.grad);
    expect(raw.floats(hess, logits.length).slice(from)).toEqual(alone.hess);
  }
});

test.each(MEANINGS)('very many classes add up to as much as few, %s', (meaning) => {
  const classes = 20_000;
  const { logits, targets } = someShares(1, classes, 12);
  const even = new Float32Array(classes).fill(1 / classes);
  // the same again and again, so that each addition rounds to the same side
  const alike = (z: number) => new Float32Array(classes).fill(z).fill(0, 7, 8);
  for (const [z, shares] of [
    [logits, targets as Float32Array],
    [new Float32Array(classes), even],
    [alike(-0.1), even],
  ]) {
    const call = { classes, logits: z, targets: shares, gamma: 2, softTargets: SoftTargets[meaning] };
    const got = softmaxRows({ ...call, outputs: ['loss', 'grad'] });
    const e = Float64Array.from(z, Math.exp);
    const total = sum64(e);
    const over = (term: (p: number, y: number, l: number) => number) =>
      sum64(e.map((value, k) => term(value / total, shares[k], Math.log(total / value))));
    const entropy = over((_, y, l) => (y === 0 ? 0 : y * l));
    const truth = {
      linear: over((p, y) => p * (1 - y)) ** 2 * entropy,
      split: over((p, y, l) => (y === 0 ? 0 : y * (1 - p) ** 2 * l)),
      crossEntropy: (1 - Math.exp(-entropy)) ** 2 * entropy,
    };
    expectClose(got.loss, [truth[meaning]], 0);
    expect(Math.abs(sum64(got.grad))).toBeLessThan(1e-5);
  }
});

test('the Hessian of a label is that of the definition, whatever the number of classes', () => {
  for (const classes of [2, 7, 40, 90]) {
    const { logits } = someShares(12, classes, classes);
    const targets = Int32Array.from({ length: 12 }, (_, r) => (r * 5) % classes);
    for (const gamma of [0, 0.5, 2, 3.3]) {
      const got = softmaxRows({ classes, logits, targets, gamma });
      targets.forEach((label, r) => {
        const truth = softmax64(row(logits, r, classes), label, { gamma });
        expectClose(row(got.hess, r, classes), truth.hess, 4e-7);
        expectClose(row(got.grad, r, classes), truth.grad, 4e-7);
      });
    }
  }
});
