// Softmax over planes of classes, element (row r, class j) at r + j stride, by the kernel alone.
import { describe, expect, test } from 'vitest';
import { Flag } from '../src/abi.js';
import { RawKernel } from './kernel-support.js';
import { softmax64 } from './reference.js';
import { posteriorRows, type RowCall, softmaxRows } from './rows-kernel.js';
import { firstDifference, random } from './support.js';

function someRows(rows: number, classes: number, seed = 1): Pick<RowCall, 'classes' | 'logits' | 'targets'> {
  const next = random(seed);
  return {
    classes,
    logits: Float32Array.from({ length: rows * classes }, () => 24 * (next() - 0.5) * next()),
    targets: Int32Array.from({ length: rows }, (_, r) => (r % 7 === 3 ? -1 : Math.floor(next() * classes))),
  };
}

/** Compares a call with the reference, row by row and class by class. */
function expectTruth(call: RowCall): void {
  const { classes, logits, targets, gamma, alphas = null, labelSmoothing = 0, weight, gradScale = 1 } = call;
  const got = softmaxRows(call);
  const faults: string[] = [];
  const check = (name: string, row: number, value: number, truth: number, slack: number) => {
    if (!(Math.abs(value - truth) <= 4e-6 * Math.abs(truth) + slack))
      faults.push(`${name} ${row}: ${value}, not ${truth}`);
  };
  let sum = 0;
  for (let r = 0; r < targets.length; r++) {
    const label = targets[r];
    const z = [...logits.subarray(r * classes, (r + 1) * classes)];
    const truth = label < 0 ? undefined : softmax64(z, label, { gamma, alpha: alphas, labelSmoothing });
    const w = weight ? weight[r] : 1;
    sum += w * (truth?.loss ?? 0);
    if (got.loss.length > 0) check('loss', r, got.loss[r], w * (truth?.loss ?? 0), 2 ** -126);
    for (let j = 0; j < classes; j++) {
      const slack = 4e-7 * (truth?.alpha ?? 0) * Math.abs(w * gradScale);
      const scale = w * gradScale;
      if (got.grad.length > 0) check(`grad ${j}`, r, got.grad[r * classes + j], scale * (truth?.grad[j] ?? 0), slack);
      if (got.hess.length > 0) check(`hess ${j}`, r, got.hess[r * classes + j], scale * (truth?.hess[j] ?? 0), slack);
    }
  }
  check('sum', 0, got.sum, sum, 0);
  expect(faults.slice(0, 5)).toEqual([]);
  expect(got.positives).toBe([...targets].filter((label) => label >= 0).length);
  expect(got.bad).toBe(0);
}

describe.each([2, 3, 4, 7, 21, 33, 80, 350])('%d classes', (classes) => {
  const counts = classes > 30 ? [1, 5, 12] : [1, 2, 3, 4, 5, 16, 17, 50, 333];

  test('any number of rows, any stride, every output', () => {
    for (const rows of counts) {
      const call = { ...someRows(rows, classes, rows), gamma: 2, stride: Math.max(2, rows) };
      expectTruth(call);
      expectTruth({ ...call, stride: rows + 3, outputs: ['loss', 'grad'], targetsLast: true });
      expectTruth({ ...call, stride: 1024, outputs: ['hess'] });
      expectTruth({ ...call, outputs: [] });
    }
  });

  test('outputs in the place of the logits', () => {
    for (const rows of counts.slice(-2)) {
      const call = { ...someRows(rows, classes, rows), gamma: 1.7, stride: rows + 1, inPlace: true };
      expectTruth(call);
      expectTruth({ ...call, outputs: ['grad'] });
      expectTruth({ ...call, outputs: ['hess'] });
    }
  });

  test('every option', () => {
    const rows = counts[counts.length - 1];
    const next = random(9);
    const call = { ...someRows(rows, classes), stride: rows };
    const alphas = Array.from({ length: classes }, () => Math.fround(next() * 2));
    const weight = Float32Array.from({ length: rows }, () => 3 * next());
    for (const gamma of [0, 0.5, 2, 3.3])
      for (const labelSmoothing of [0, 0.1])
        expectTruth({ ...call, gamma, labelSmoothing, alphas, weight, gradScale: 0.25 });
  });

  test('few classes have the bits of rows', () => {
    if (classes > 32) return;
    const call = { ...someRows(333, classes), gamma: 2 };
    const rows = softmaxRows(call);
    const planes = softmaxRows({ ...call, stride: 400 });
    for (const name of ['loss', 'grad', 'hess'] as const) expect(firstDifference(planes[name], rows[name])).toBe(-1);
    expect(planes.sum).toBe(rows.sum);
  });

  test('posteriors are those of rows', () => {
    const next = random(4);
    const alphas = Array.from({ length: classes }, () => Math.fround(0.1 + next()));
    for (const rows of counts)
      for (const gamma of [0, 1.7, 2]) {
        const { logits } = someRows(rows, classes, rows);
        const expected = posteriorRows(logits, classes, { gamma, alphas });
        for (const inPlace of [false, true]) {
          const stride = inPlace ? Math.max(2, rows) : 500;
          const got = posteriorRows(logits, classes, { gamma, alphas, stride, inPlace });
          // of 33 to 80 classes rows are added up in another order
          if (classes <= 32 || classes > 80) expect(firstDifference(got, expected)).toBe(-1);
          else expect(Math.max(...got.map((p, k) => Math.abs(p / expected[k] - 1)))).toBeLessThan(2e-6);
        }
      }
  });
});

test('a wrong label is told, addresses nothing and counts as ignored', () => {
  for (const label of [3, -2, 2 ** 31 - 1, -(2 ** 31)])
    for (const outputs of [
      ['loss', 'grad'],
      ['loss', 'grad', 'hess'],
    ] as const) {
      const call = { ...someRows(40, 3), gamma: 2, stride: 40, outputs };
      call.targets[11] = -1;
      const ignored = softmaxRows(call);
      call.targets[11] = label;
      const got = softmaxRows(call);
      expect(got.bad).toBe(1);
      expect([got.loss[11], got.grad[33], got.grad[34], got.grad[35]]).toEqual([0, 0, 0, 0]);
      expect(firstDifference(got.grad, ignored.grad)).toBe(-1);
    }
});

test('extreme logits give what they give in rows', () => {
  const big = 3.4e38;
  const inf = Number.POSITIVE_INFINITY;
  const logits = [
    [big, -big, 0],
    [-big, -big, -big],
    [104, 0, 0],
    [2000, 1999, 1990],
    [-2000, -1999, -5000],
    [inf, 0, -inf],
    [-inf, -inf, -inf],
    [1, 2, 3],
    [Number.NaN, 1, 2],
  ];
  for (const label of [0, 1, 2]) {
    const call = {
      classes: 3,
      logits: Float32Array.from(logits.flat()),
      targets: new Int32Array(logits.length).fill(label),
      gamma: 2,
    };
    // a Hessian has ways of its own
    for (const outputs of [['loss', 'grad'], ['loss'], ['loss', 'grad', 'hess']] as const) {
      const rows = softmaxRows({ ...call, outputs });
      const planes = softmaxRows({ ...call, outputs, stride: 10 });
      expect(planes.loss).toEqual(rows.loss);
      expect(planes.grad).toEqual(rows.grad);
      expect(planes.hess).toEqual(rows.hess);
    }
  }
});

test('rows far from each other, and far from 0, do not see each other', () => {
  for (const classes of [3, 6, 9, 40]) {
    const call = { ...someRows(53, classes), gamma: 2, outputs: ['loss', 'grad'] as const };
    // what is added is a multiple of the logits' last place, so that differences stay what they are
    const logits = call.logits.map((z) => Math.round(z * 1024) / 1024);
    const near = softmaxRows({ ...call, logits, stride: 60 });
    const shifts = [0, 900, -900, 4096, -2048, 60];
    const far = softmaxRows({
      ...call,
      logits: logits.map((z, k) => z + shifts[Math.floor(k / classes) % shifts.length]),
      stride: 60,
    });
    far.loss.forEach((loss, r) => {
      expect(Math.abs(loss - near.loss[r])).toBeLessThanOrEqual(1e-6 * near.loss[r]);
    });
    far.grad.forEach((grad, k) => {
      expect(Math.abs(grad - near.grad[k])).toBeLessThanOrEqual(1e-6);
    });
  }
});

test('the largest logit is found in whatever class it is', () => {
  for (const classes of [2, 3, 4, 5, 8, 9, 15, 16, 17, 31, 33, 40, 63, 70, 130]) {
    // as many rows as classes: e^300 is infinite, so that who misses one of them computes with it
    const logits = Float32Array.from({ length: classes * classes }, (_, k) => (k % (classes + 1) === 0 ? 300 : 0));
    const targets = Int32Array.from({ length: classes }, (_, r) => (r % 2 === 0 ? r : (r + 1) % classes));
    for (const outputs of [
      ['loss', 'grad'],
      ['loss', 'grad', 'hess'],
    ] as const)
      for (const stride of [1, classes + 3]) {
        const got = softmaxRows({ classes, logits, targets, gamma: 2, outputs, stride });
        targets.forEach((label, r) => {
          if (label === r) expect(got.loss[r]).toBeLessThan(1e-37);
          else expect(got.loss[r]).toBe(300);
          expect(got.grad[r * classes + label] + 0).toBe(label === r ? 0 : -1);
          expect(got.grad[r * classes + r] + 0).toBe(label === r ? 0 : 1);
        });
      }
    for (const stride of [1, classes + 3]) {
      const got = posteriorRows(logits, classes, { gamma: 2, alphas: Array(classes).fill(1), stride });
      expect(got.every((p, k) => (k % (classes + 1) === 0 ? p === 1 : p >= 0 && p < 1e-20))).toBe(true);
    }
  }
});

test('more planes than two sums can hold have the bits of shares', () => {
  for (const [rows, stride] of [
    [2, 2],
    [5, 7],
  ]) {
    const call = { ...someRows(rows, 350), gamma: 2, stride };
    const shares = softmaxRows(call);
    const planes = softmaxRows({ ...call, outputs: ['loss', 'grad'] });
    expect(planes.loss).toEqual(shares.loss);
    expect(planes.grad).toEqual(shares.grad);
  }
});

test('an ignored row is 0 whatever its logits are', () => {
  const logits = Float32Array.of(Number.NaN, 1, 2, 1, 2, 3);
  for (const outputs of [
    ['loss', 'grad'],
    ['loss', 'grad', 'hess'],
  ] as const) {
    const call = { classes: 3, logits, targets: Int32Array.of(-1, 1), gamma: 2, stride: 2, outputs };
    const got = softmaxRows(call);
    expect([got.loss[0], ...got.grad.subarray(0, 3)]).toEqual([0, 0, 0, 0]);
    expect(Number.isFinite(got.sum)).toBe(true);
  }
});

test('as many ignored rows as a block holds are 0 whatever their weights are', () => {
  const rows = 320;
  const call = { ...someRows(rows, 3), targets: new Int32Array(rows).fill(-1), gamma: 2, stride: rows };
  const got = softmaxRows({ ...call, weight: new Float32Array(rows).fill(3), outputs: ['loss', 'grad'] });
  expect([got.sum, ...got.loss, ...got.grad].filter((value) => value !== 0)).toEqual([]);
});

test('negative weights give the bits of rows', () => {
  const call = { ...someRows(37, 5), gamma: 2, weight: Float32Array.from({ length: 37 }, (_, r) => (r % 5) - 2.5) };
  const outputs = ['loss', 'grad'] as const;
  const planes = softmaxRows({ ...call, outputs, stride: 40 });
  const rows = softmaxRows({ ...call, outputs });
  expect(planes.loss).toEqual(rows.loss);
  expect(planes.grad).toEqual(rows.grad);
});

test('of one class nothing behind the last logit is read', () => {
  for (const rows of [3, 13, 17]) {
    const call = { ...someRows(rows, 1), gamma: 2, stride: rows };
    expect(softmaxRows({ ...call, outputs: ['loss', 'grad'] }).loss).toEqual(new Float32Array(rows));
    expect(softmaxRows({ ...call, targets: new Float32Array(rows).fill(1) }).positives).toBe(rows);
  }
});

test('nor behind the last label, by no way', () => {
  for (const rows of [3, 13, 81]) {
    const call = { ...someRows(rows, 3), gamma: 2, targetsLast: true };
    for (const stride of [1, rows]) expect(softmaxRows({ ...call, stride }).bad).toBe(0);
  }
});

test('what a call before has left beside the last row spoils no row', () => {
  const raw = new RawKernel(8192);
  const bytes = raw.place(new Uint8Array(300).fill(255));
  const logits = raw.place(new Float32Array(300));
  raw.write({ logits, targets: bytes, count: 300, gamma: 2 });
  raw.kernel.binary(raw.frame);
  expect(raw.bad).toBe(1);
  for (const count of [1, 2, 3, 5, 6, 7]) {
    const targets = raw.place(new Float32Array(24).fill(1 / 3));
    raw.write({
      logits,
      targets,
      count,
      gamma: 2,
      classes: 3,
      stride: Math.max(2, count),
      flags: Flag.soft + Flag.sums,
    });
    raw.kernel.softmax(raw.frame);
    expect(raw.bad).toBe(0);
  }
});
