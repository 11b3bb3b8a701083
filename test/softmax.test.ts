import { readFileSync } from 'node:fs';
import { describe, expect, expectTypeOf, test } from 'vitest';
import { FocalLoss, SoftmaxFocalLoss, softmaxFocalLoss, Workspace } from '../src/index.js';
import { Decimal, exact, float32FromBits, SMALLEST_NORMAL } from './oracle.js';
import { softmaxHessian } from './oracle-softmax.js';
import { softmax64 } from './reference.js';
import { errorOf, firstDifference, random, SEGMENT, someLogits, sum64 } from './support.js';
import type { SoftmaxGroup } from './vectors/cases.js';

const groups = JSON.parse(readFileSync(new URL('./vectors/softmax.json', import.meta.url), 'utf8')) as SoftmaxGroup[];

function floats(bits: string): number[] {
  return Array.from({ length: bits.length / 8 }, (_, k) =>
    float32FromBits(Number.parseInt(bits.slice(8 * k, 8 * k + 8), 16)),
  );
}

function someRows(rows: number, classes: number, seed = 1): { logits: Float32Array; labels: Int32Array } {
  const next = random(seed);
  return {
    logits: Float32Array.from({ length: rows * classes }, () => 10 * (next() - 0.5)),
    labels: Int32Array.from({ length: rows }, () => Math.floor(next() * classes)),
  };
}

test('-1 is a label only where it is ignored, in whatever segment and kind of array', () => {
  const rows = SEGMENT + 500;
  const { logits, labels } = someRows(rows, 2, 7);
  labels[rows - 1] = -1;
  const workspace = new Workspace(4 * rows);
  const here = workspace.int32(rows);
  here.set(labels);
  for (const targets of [labels, here, Array.from(labels), BigInt64Array.from(labels, BigInt)]) {
    const strict = new SoftmaxFocalLoss({ numClasses: 2 });
    expect(errorOf(() => strict.forward(logits, targets)).message).toContain(
      `a class index in [0, 2) at row ${rows - 1}, got -1`,
    );
    const lenient = new SoftmaxFocalLoss({ numClasses: 2, ignoreIndex: -1, reduction: 'none' });
    expect(lenient.forward(logits, targets)[rows - 1]).toBe(0);
  }
});

test.each([31, 32, 33])('rows of %d classes, weighed or not, are what the definition says', (numClasses) => {
  const { logits, labels } = someRows(40, numClasses, numClasses);
  const weight = Float32Array.from({ length: 40 }, (_, r) => 1 + (r % 4));
  for (const call of [{}, { weight }]) {
    const { value, grad } = new SoftmaxFocalLoss({ numClasses, gamma: 2 }).valueAndGrad(logits, labels, call);
    const factor = (r: number) => ('weight' in call ? weight[r] : 1) / 40;
    const truths = Array.from(labels, (label, r) =>
      softmax64([...logits.subarray(r * numClasses, (r + 1) * numClasses)], label, { gamma: 2 }),
    );
    const truth = sum64(truths.map(({ loss }, r) => factor(r) * loss));
    expect(Math.abs(value / truth - 1)).toBeLessThan(1e-6);
    truths.forEach((row, r) => {
      row.grad.forEach((slope, j) => {
        expect(Math.abs(grad[r * numClasses + j] - factor(r) * slope)).toBeLessThan(4e-7);
      });
    });
  }
});

test('one class is certain, smoothed or not', () => {
  for (const labelSmoothing of [0, 0.3]) {
    const softmax = new SoftmaxFocalLoss({ gamma: 2, labelSmoothing, numClasses: 1, reduction: 'none' });
    const { value, grad } = softmax.valueAndGrad([3, -700, 1e30], [0, 0, 0]);
    expect([...value, ...grad].map(Math.abs)).toEqual([0, 0, 0, 0, 0, 0]);
  }
});

test('every vector', () => {
  const faults: string[] = [];
  for (const { options, classes, rows } of groups) {
    const logits = Float32Array.from(rows.flatMap(([bits]) => floats(bits)));
    const labels = rows.map(([, label]) => label);
    const criterion = new SoftmaxFocalLoss({ ...options, numClasses: classes, reduction: 'none' });
    const { value, grad } = criterion.valueAndGrad(logits, labels);
    expect(firstDifference(criterion.forward(logits, labels), value)).toBe(-1);
    rows.forEach(([bits, label, loss, slopes], row) => {
      const where = `${JSON.stringify(options)} ${bits.slice(0, 80)} label ${label}`;
      const truth = new Decimal(loss);
      const error = exact(value[row]).minus(truth).abs();
      const bound = Decimal.max(truth.times(4e-6), SMALLEST_NORMAL);
      if (!(value[row] >= 0 && error.lte(bound))) faults.push(`${where}: ${value[row]}, not ${loss}`);
      slopes.forEach((slope, j) => {
        const got = grad[row * classes + j];
        const limit = Math.abs(Number(slope)) * 4e-6 + 2e-7;
        if (!(Math.abs(got - Number(slope)) <= limit)) faults.push(`${where} z${j}: ${got}, not ${slope}`);
      });
    });
  }
  expect(faults.slice(0, 20)).toEqual([]);
});

test('the Hessian is the diagonal of the second derivatives', () => {
  const row = [0.5, -1.25, 3].map(Math.fround);
  const sure = [20, -1, 0].map(Math.fround);
  for (const options of [{ gamma: 0 }, { gamma: 0.5, alpha: [1, 2, 0.5] }, { gamma: 2, labelSmoothing: 0.1 }]) {
    const criterion = new SoftmaxFocalLoss({ ...options, numClasses: 3 });
    for (const [logits, label] of [
      [row, 1],
      [sure, 0],
    ] as const) {
      const { hess } = criterion.gradHess(logits, [label]);
      expect(hess).toHaveLength(3);
      hess.forEach((got, j) => {
        const truth = softmaxHessian(logits, label, j, options).toNumber();
        expect(Math.abs(got - truth)).toBeLessThanOrEqual(4e-6 * Math.abs(truth) + 4e-7);
      });
    }
  }
});

test('gamma 0 is cross entropy', () => {
  const { logits, labels } = someRows(50, 7);
  const criterion = new SoftmaxFocalLoss({ gamma: 0, numClasses: 7, reduction: 'none' });
  criterion.forward(logits, labels).forEach((value, row) => {
    const z = logits.subarray(7 * row, 7 * row + 7);
    const truth = Math.log(sum64(z.map(Math.exp))) - z[labels[row]];
    expect(value).toBeCloseTo(truth, 5);
  });
});

test('two classes are the sigmoid of their difference', () => {
  for (const labelSmoothing of [0, 0.2]) {
    const softmax = new SoftmaxFocalLoss({ gamma: 2, labelSmoothing, numClasses: 2, reduction: 'none' });
    const binary = new FocalLoss({ gamma: 2, labelSmoothing, alpha: null, reduction: 'none' });
    const x = [-20, -3, 0, 0.5, 8, 30];
    for (const label of [0, 1]) {
      const labels = x.map(() => label);
      const a = softmax.valueAndGrad(
        x.flatMap((z) => [0, z]),
        labels,
      );
      const b = binary.valueAndGrad(x, labels);
      x.forEach((_, k) => {
        expect(Math.abs(a.value[k] / b.value[k] - 1)).toBeLessThan(6e-6);
        expect(a.grad[2 * k + 1]).toBeCloseTo(b.grad[k], 5);
        expect(a.grad[2 * k]).toBeCloseTo(-b.grad[k], 5);
      });
    }
  }
});

describe('targets', () => {
  const { logits, labels } = someRows(40, 5);
  const criterion = new SoftmaxFocalLoss({ numClasses: 5, reduction: 'none' });
  const expected = criterion.forward(logits, labels);

  test.each([
    ['Uint8Array', Uint8Array.from(labels)],
    ['Uint16Array', Uint16Array.from(labels)],
    ['BigInt64Array', BigInt64Array.from([...labels].map(BigInt))],
    ['number[]', [...labels]],
  ])('%s', (_, targets) => {
    expect(firstDifference(criterion.forward(logits, targets), expected)).toBe(-1);
  });

  test.each([5, -1, 1000])('label %d is an error with its row', (label) => {
    for (const rows of [3, 40]) {
      const bad = labels.slice(0, rows);
      bad[rows - 1] = label;
      const { name, message } = errorOf(() => criterion.forward(logits.subarray(0, 5 * rows), bad));
      expect(name).toBe('RangeError');
      expect(message).toMatch(new RegExp(`^"targets.*\\b${rows - 1}\\b.*got ${label}`));
    }
  });

  test('a label that only its low bits make right', () => {
    const wide = BigInt64Array.of(2n ** 32n + 1n);
    expect(errorOf(() => criterion.forward(logits.subarray(0, 5), wide)).message).toContain('got 4294967297');
    expect(errorOf(() => criterion.forward(logits.subarray(0, 5), [1.5])).message).toContain('got 1.5');
    expect(errorOf(() => criterion.forward(logits.subarray(0, 5), [Number.NaN])).message).toContain('got NaN');
  });

  test('without validation a wrong label still reads no memory that is not its row', () => {
    for (const label of [5, -1, 2 ** 31 - 1, -(2 ** 31)]) {
      const targets = Int32Array.of(label);
      const call = () => criterion.valueAndGrad(logits.subarray(0, 5), targets, { validate: false });
      try {
        expect(call().grad).toHaveLength(5);
      } catch {
        errorOf(call);
      }
    }
  });

  test('ignoreIndex', () => {
    const some = labels.slice();
    some[3] = -100;
    some[39] = -100;
    const options = { numClasses: 5, ignoreIndex: -100, gamma: 2 } as const;
    const { value, grad } = new SoftmaxFocalLoss({ ...options, reduction: 'none' }).valueAndGrad(logits, some);
    expect([value[3], value[39], sum64(grad.subarray(15, 20)), sum64(grad.subarray(195))]).toEqual([0, 0, 0, 0]);
    const mean = new SoftmaxFocalLoss(options).forward(logits, some);
    expect(mean).toBeCloseTo(sum64(value) / 38, 7);
    expect(new SoftmaxFocalLoss(options).forward(logits.subarray(0, 5), [-100])).toBeNaN();
  });
});

test('a row that is left out costs nothing at any gamma, in any method, among few rows or many', () => {
  for (const classes of [2, 3, 5, 40, 321]) {
    for (const rows of [1, 3, 4, 7, 500]) {
      const { logits, labels } = someRows(rows, classes, 9);
      for (let row = 0; row < rows; row += 3) labels[row] = -1;
      for (const gamma of [0, 0.5, 2]) {
        const options = { numClasses: classes, gamma, ignoreIndex: -1, alpha: new Array(classes).fill(3) };
        const none = new SoftmaxFocalLoss({ ...options, reduction: 'none' });
        const { value, grad } = none.valueAndGrad(logits, labels);
        const { hess } = none.gradHess(logits, labels);
        for (let row = 0; row < rows; row += 3) {
          const of = (array: Float32Array) => array.subarray(row * classes, (row + 1) * classes);
          expect([value[row], ...of(grad), ...of(hess)].every((number) => number === 0)).toBe(true);
        }
        const sum = new SoftmaxFocalLoss({ ...options, reduction: 'sum' }).forward(logits, labels);
        expect(Math.abs(sum - sum64(value))).toBeLessThanOrEqual(1e-7 * sum);
      }
    }
  }
});

test('weights of classes multiply alpha, and stand for it where there is none', () => {
  const labels = [0, 1, 2, 2, 0];
  const z = someLogits(15);
  const of = (options: object) =>
    new SoftmaxFocalLoss({ numClasses: 3, gamma: 2, reduction: 'none', ...options }).forward(z, labels);
  const classWeight = [1, 2, 0.25];
  const weighed = of({ alpha: null }).map((loss, k) => loss * classWeight[labels[k]]);
  expect(of({ alpha: null, classWeight })).toEqual(weighed);
  expect(of({ alpha: classWeight })).toEqual(weighed);
  expect(of({ alpha: 2, classWeight })).toEqual(weighed.map((loss) => 2 * loss));
  expect(of({ alpha: classWeight, classWeight })).toEqual(weighed.map((loss, k) => loss * classWeight[labels[k]]));
});

test('results have a length of their own each', () => {
  const softmax = new SoftmaxFocalLoss({ numClasses: 3 });
  const [x, labels] = [someLogits(6), [0, 1]];
  expect(errorOf(() => softmax.forward(x, labels, { out: new Float32Array(6) })).message).toBe(
    '"out" expected length 2 (the rows of "logits"), got 6',
  );
  expect(errorOf(() => softmax.valueAndGrad(x, labels, { gradOut: new Float32Array(2) })).message).toBe(
    '"gradOut" expected length 6 (the length of "logits"), got 2',
  );
  expect(errorOf(() => softmax.gradHess(x, labels, { hessOut: new Float32Array(2) })).message).toBe(
    '"hessOut" expected length 6 (the length of "logits"), got 2',
  );
});

test('labels and weights have the dims of the logits without the class axis', () => {
  const planes = new SoftmaxFocalLoss({ numClasses: 3, classAxis: 1 });
  const logits = { data: someLogits(24), dims: [2, 3, 4] };
  const labels = { data: Int32Array.of(0, 1, 2, 0, 2, 1, 0, 0), dims: [2, 4] };
  const weight = { data: someLogits(8), dims: [2, 1, 4] };
  const expected = planes.forward(logits, labels.data, { weight: weight.data });
  expect(planes.forward(logits, labels, { weight })).toBe(expected);
  for (const [run, message] of [
    [() => planes.forward(logits, { ...labels, dims: [4, 2] }), '"targets" expected dims [2, 4]'],
    [() => planes.forward(logits, labels, { weight: { ...weight, dims: [4, 2] } }), '"weight" expected dims [2, 4]'],
  ] as const) {
    expect(errorOf(run).message).toBe(`${message} (those of "logits" without the class axis), got [4, 2]`);
  }
});

test('shapes', () => {
  const criterion = new SoftmaxFocalLoss({ numClasses: 3 });
  expect(errorOf(() => criterion.forward(new Float32Array(7), [0, 1])).message).toMatch(
    /^"logits" expected .*3.*got 7/,
  );
  expect(errorOf(() => criterion.forward(new Float32Array(6), [0, 1, 2])).message).toMatch(
    /^"targets" expected .*2.*got 3/,
  );
  expect(errorOf(() => new SoftmaxFocalLoss({} as never)).message).toMatch(/^"numClasses" expected .*got undefined/);
  expect(errorOf(() => new SoftmaxFocalLoss({ numClasses: 3, alpha: [1, 2] })).message).toMatch(/"alpha".* 3.*got 2/);
});

test('integers of the length of the logits are too many labels, and no shares', () => {
  const criterion = new SoftmaxFocalLoss({ numClasses: 3 });
  for (const targets of [new BigInt64Array(6), new Uint8Array(6), new Int32Array(6)]) {
    expect(errorOf(() => criterion.forward(new Float32Array(6), targets)).message).toMatch(
      /^"targets" expected length 2 \(the rows of "logits"\), got 6/,
    );
  }
  for (const targets of [[], [1]]) {
    expect(errorOf(() => criterion.forward(new Float32Array(6), targets)).message).toBe(
      `"targets" expected length 2 (the rows of "logits"), got ${targets.length}`,
    );
  }
});

test('reductions, weight of each row, and their types', () => {
  const rows = SEGMENT;
  const { logits, labels } = someRows(rows, 3);
  const options = { numClasses: 3, gamma: 2, alpha: [0.5, 1, 3] };
  const none = new SoftmaxFocalLoss({ ...options, reduction: 'none' });
  const sum = new SoftmaxFocalLoss({ ...options, reduction: 'sum' });
  const mean = new SoftmaxFocalLoss(options);
  const each = none.valueAndGrad(logits, labels);
  expectTypeOf(each.value).toExtend<Float32Array>();
  expectTypeOf(sum.forward(logits, labels)).toEqualTypeOf<number>();
  expect(each.value).toHaveLength(rows);
  expect(each.grad).toHaveLength(3 * rows);
  expect(Math.abs(sum.forward(logits, labels) / sum64(each.value) - 1)).toBeLessThan(1e-7);
  const averaged = mean.valueAndGrad(logits, labels);
  expect(averaged.value).toBeCloseTo(sum64(each.value) / rows, 6);
  expect(averaged.grad[4] * rows).toBeCloseTo(each.grad[4], 6);
  expect(mean.forward(logits, labels)).toBe(averaged.value);
  expect(softmaxFocalLoss(logits, labels, options)).toBe(averaged.value);
  expect(new SoftmaxFocalLoss({ ...options, normalizer: 10 }).forward(logits, labels)).toBeCloseTo(
    sum64(each.value) / 10,
    3,
  );

  const weight = Float32Array.from(labels, (_, row) => row % 3);
  const weighted = none.valueAndGrad(logits, labels, { weight });
  each.value.forEach((value, row) => {
    if (!(Math.abs(weighted.value[row] - value * weight[row]) <= 3e-7 * value * weight[row])) {
      expect(weighted.value[row]).toBe(value * weight[row]);
    }
  });
  expect(weighted.grad[3 * 8]).toBeCloseTo(2 * each.grad[3 * 8], 6);
});

test('rows from any offset, any number of them, in a workspace or not, give the same bits', () => {
  for (const classes of [2, 3, 8, 80]) {
    const rows = Math.ceil((2 * SEGMENT) / classes) + 300;
    const { logits, labels } = someRows(rows, classes);
    const criterion = new SoftmaxFocalLoss({ numClasses: classes, gamma: 2, reduction: 'none' });
    const whole = criterion.valueAndGrad(logits, labels);
    for (const [start, end] of [
      [0, 1],
      [0, 2],
      [1, 4],
      [3, 30],
      [7, 300],
      [9, rows],
    ]) {
      const part = criterion.valueAndGrad(logits.subarray(classes * start, classes * end), labels.subarray(start, end));
      expect(firstDifference(part.value, whole.value.subarray(start, end))).toBe(-1);
      expect(firstDifference(part.grad, whole.grad.subarray(classes * start, classes * end))).toBe(-1);
    }
    const workspace = new Workspace(4 * (2 * logits.length + rows) + 1024);
    const x = workspace.float32(logits.length);
    const y = workspace.int32(rows);
    x.set(logits);
    y.set(labels);
    const gradOut = workspace.float32(logits.length);
    const inside = criterion.valueAndGrad(x, y, { gradOut });
    expect(inside.grad).toBe(gradOut);
    expect(firstDifference(inside.value, whole.value)).toBe(-1);
    expect(firstDifference(inside.grad, whole.grad)).toBe(-1);
    // in place
    for (const z of [logits.slice(), x]) {
      criterion.valueAndGrad(z, labels, { gradOut: z });
      expect(firstDifference(z, whole.grad)).toBe(-1);
    }
  }
});

test('rows too long for any block', () => {
  const classes = 30_000;
  const { logits, labels } = someRows(2, classes);
  const { value, grad } = new SoftmaxFocalLoss({ numClasses: classes, gamma: 2, reduction: 'none' }).valueAndGrad(
    logits,
    labels,
  );
  for (const row of [0, 1]) {
    const z = Float64Array.from(logits.subarray(row * classes, (row + 1) * classes));
    const surprise = Math.log(sum64(z.map(Math.exp))) - z[labels[row]];
    const truth = (1 - Math.exp(-surprise)) ** 2 * surprise;
    expect(Math.abs(value[row] / truth - 1)).toBeLessThan(4e-6);
    expect(Math.abs(sum64(grad.subarray(row * classes, (row + 1) * classes)))).toBeLessThan(1e-5);
  }
});

test('extreme logits never give NaN', () => {
  const big = 3.4e38;
  const rows: [number[], number, number][] = [
    [[big, -big, 0], 0, 0],
    [[big, -big, 0], 2, big],
    [[-big, -big, -big], 1, Math.log(3) * (2 / 3) ** 2],
    [[104, 0, 0], 0, 0],
  ];
  for (const [logits, label, want] of rows) {
    const criterion = new SoftmaxFocalLoss({ numClasses: 3, gamma: 2 });
    const { value, grad } = criterion.valueAndGrad(logits, [label]);
    const { hess } = criterion.gradHess(logits, [label]);
    expect(Math.abs(value - want)).toBeLessThanOrEqual(4e-6 * want + 2 ** -126);
    expect([...grad, ...hess].every(Number.isFinite)).toBe(true);
  }
  expect(softmaxFocalLoss([Number.NaN, 0], [1], { numClasses: 2 })).toBeNaN();
});

describe('shares that are none', () => {
  const softmax = new SoftmaxFocalLoss({ numClasses: 3, classAxis: 1, gamma: 2, reduction: 'none' });
  const good = [0.25, 0.5, 0.25];
  /** Rows as planes of [images, 3, pixels]. */
  const planes = (rows: number[][], pixels: number) =>
    Float32Array.from({ length: 3 * rows.length }, (_, k) => {
      const row = Math.floor(k / (3 * pixels)) * pixels + (k % pixels);
      return rows[row][Math.floor(k / pixels) % 3];
    });

  test.each([
    [[0.25, 0.5, 0.2509765625], undefined],
    [[0.25, 0.5, 0.251953125], 'shares that add up to 1 at row 3, got 1.001953125'],
    [[0.25, 0.5, 0.248046875], 'shares that add up to 1 at row 3, got 0.998046875'],
    [[0, 0, 0], 'shares that add up to 1 at row 3, got 0'],
    [[0.75, -0.25, 0.5], 'a share in [0, 1] of class 1 at row 3, got -0.25'],
    [[-0.5, 0, 1.5], 'a share in [0, 1] of class 0 at row 3, got -0.5'],
    [[0, 0, 1.5], 'a share in [0, 1] of class 2 at row 3, got 1.5'],
    [[0.5, 0.5, Number.NaN], 'a share in [0, 1] of class 2 at row 3, got NaN'],
  ])('%j', (row, message) => {
    for (const pixels of [1, 2, 5]) {
      const shares = planes([good, [0, 1, 0], good, row, ...Array(6).fill(good)], pixels);
      const logits = { data: someLogits(30), dims: [10 / pixels, 3, pixels] };
      for (const targets of [shares, Float64Array.from(shares)]) {
        const run = () => softmax.forward(logits, targets);
        if (message === undefined) expect(run()).toHaveLength(10);
        else {
          const error = errorOf(run);
          expect(error.message).toBe(`"targets" expected ${message}`);
          expect(error).toHaveProperty('argument', 'targets');
          expect(error).toHaveProperty('index', 3);
          expect(softmax.forward(logits, targets, { validate: false })).toHaveLength(10);
        }
      }
    }
  });

  test('but not those whose sum float32 rounds to the other side of the tolerance', () => {
    const two = new SoftmaxFocalLoss({ numClasses: 2, gamma: 2, reduction: 'none' });
    const [loss] = two.forward([1, 2], [0.2698344217179345, 0.7311655782820654]);
    expect(loss).toBe(two.forward([1, 2], [0.2698344217179345, 0.7311655782820654], { validate: false })[0]);
    expect(loss).toBeGreaterThan(0);
  });

  test('those beside ignoreIndex, which no row of shares can be', () => {
    const ignoring = new SoftmaxFocalLoss({ numClasses: 3, ignoreIndex: -1 });
    expect(errorOf(() => ignoring.forward([1, 2, 3], Float32Array.from(good))).message).toBe(
      '"targets" expected one label a row beside "ignoreIndex", got a row of shares each; a weight of 0 leaves a row out of the sum',
    );
  });

  test('one-hot shares beside alpha are labels', () => {
    const weighted = new SoftmaxFocalLoss({ numClasses: 3, gamma: 2, alpha: [0.25, 0.5, 0.75], reduction: 'none' });
    const [logits, labels] = [someLogits(90), Int32Array.from({ length: 30 }, (_, row) => (row * row) % 3)];
    const shares = Float32Array.from(logits, (_, k) => (labels[Math.floor(k / 3)] === k % 3 ? 1 : 0));
    const [byLabel, byShare] = [labels, shares].map((targets) => weighted.forward(logits, targets));
    for (const [row, loss] of byLabel.entries()) expect(byShare[row]).toBeCloseTo(loss, 6);
  });

  test('very many for a row are staged beside alphas, and are those of a label where one is all', () => {
    const numClasses = 2 * SEGMENT + 1001;
    const weight = Float32Array.of(2, 0.5);
    const alpha = Array.from({ length: numClasses }, (_, k) => 1 + (k % 3));
    for (const options of [{}, { alpha }]) {
      const wide = new SoftmaxFocalLoss({ numClasses, gamma: 2, reduction: 'none', ...options });
      const logits = someLogits(2 * numClasses);
      // the second is where a narrower instance would stage weights
      const labels = [5, 2 * SEGMENT - 688];
      const shares = new Float32Array(2 * numClasses);
      for (const [row, label] of labels.entries()) shares[row * numClasses + label] = 1;
      const [byLabel, byShare] = [labels, shares].map((targets) => wide.gradHess(logits, targets, { weight }));
      // the shares themselves lie in no workspace
      const workspace = new Workspace(16 * 2 * numClasses);
      const [x, gradOut, hessOut] = Array.from({ length: 3 }, () => workspace.float32(2 * numClasses));
      x.set(logits);
      const inside = wide.gradHess(x, shares, { weight, gradOut, hessOut });
      for (const key of ['grad', 'hess'] as const) {
        expect(firstDifference(inside[key], byShare[key])).toBe(-1);
        const worst = byLabel[key].reduce((most, value, k) => Math.max(most, Math.abs(value - byShare[key][k])), 0);
        expect(worst).toBeLessThan(1e-6);
      }
    }
  });
});

// two segments of one plane and one of the next; three of one
test.each([
  [2, 6000, ['float32', 'bfloat16']],
  [1, 17_000, ['bfloat16', 'float16']],
] as const)(
  '%d planes of %d pixels have the bits of rows, several segments staged at once: %j',
  (images, pixels, kinds) => {
    const classes = 3;
    const rows = images * pixels;
    const n = rows * classes;
    const toPlanes = <T extends Float32Array | Uint16Array>(array: T): T =>
      array.map((_, k) => {
        const row = Math.floor(k / (classes * pixels)) * pixels + (k % pixels);
        return array[row * classes + (Math.floor(k / pixels) % classes)];
      }) as T;
    const logits = someLogits(n);
    const data = {
      float32: logits,
      // the upper halves of float32, and any bits below those of infinity
      bfloat16: Uint16Array.from(new Uint32Array(logits.buffer), (bits) => bits >>> 16),
      float16: Uint16Array.from({ length: n }, (_, k) => ((k * 7919) % 0x4800) + (k % 2) * 0x8000),
    };
    const labels = Int32Array.from({ length: rows }, (_, k) => (k * k) % classes);
    const shares = Float32Array.from(
      { length: n },
      (_, k) => [0.25, 0.25, 0.5][(k + Math.floor(k / classes)) % classes],
    );
    const options = { numClasses: classes, gamma: 2, reduction: 'none' } as const;
    const [byRow, byPlane] = [new SoftmaxFocalLoss(options), new SoftmaxFocalLoss({ ...options, classAxis: 1 })];
    for (const type of kinds) {
      const tensor = { data: data[type], dims: [rows, classes], type } as never;
      const planes = { data: toPlanes(data[type]), dims: [images, classes, pixels], type } as never;
      for (const [targets, targetPlanes] of [
        [labels, labels],
        [shares, toPlanes(shares)],
      ]) {
        const { value, grad } = byRow.valueAndGrad(tensor, targets);
        const { hess } = byRow.gradHess(tensor, targets);
        const got = byPlane.valueAndGrad(planes, targetPlanes);
        expect([firstDifference(got.value, value), firstDifference(got.grad, toPlanes(grad))], type).toEqual([-1, -1]);
        expect(firstDifference(byPlane.forward(planes, targetPlanes), value), type).toBe(-1);
        expect(firstDifference(byPlane.gradHess(planes, targetPlanes).hess, toPlanes(hess)), type).toBe(-1);
      }
    }
  },
);
