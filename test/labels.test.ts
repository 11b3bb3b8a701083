// Targets that one label a row (or a pixel) stands for, against the bytes that they stand for.
import { expect, test } from 'vitest';
import { Flag } from '../src/abi.js';
import { type Call, call, callInSegments } from './raw-kernel.js';
import { firstDifference, random, SEGMENT, someLogits } from './support.js';

const IGNORED = 2;

/** The bytes of [images, classes, stride] logits, one by one. */
function bytesOf(labels: Int32Array, classes: number, stride: number, length: number, first = 0): Uint8Array {
  return Uint8Array.from({ length }, (_, k) => {
    const element = first + k;
    const image = Math.floor(element / (classes * stride));
    const category = Math.floor((element % (classes * stride)) / stride);
    const label = labels[image * stride + (element % stride)];
    if (label < 0 || label > classes) return IGNORED;
    return label === category ? 1 : 0;
  });
}

/** Some of every kind: classes, rows without one, and ignored rows. */
function someLabels(length: number, classes: number, seed: number, ignored = 0.2): Int32Array {
  const next = random(seed);
  return Int32Array.from({ length }, () => (next() < ignored ? -1 : Math.floor(next() * (classes + 1))));
}

function expectSame(byLabel: ReturnType<typeof call>, byByte: ReturnType<typeof call>) {
  for (const name of ['loss', 'grad', 'hess'] as const) {
    expect(firstDifference(byLabel[name], byByte[name]), name).toBe(-1);
  }
  const { sum, sumPositives, sumNegatives, positives, negatives, bad } = byByte;
  expect(byLabel).toMatchObject({ sum, sumPositives, sumNegatives, positives, negatives, bad });
}

const LAYOUTS = [1, 2, 3, 7, 80, 333].flatMap((classes) => [1, 2, 5, 16, 49, 361].map((stride) => [classes, stride]));

test.each(LAYOUTS)('%d classes, %d pixels: the bits are those of one-hot bytes', (classes, stride) => {
  const images = Math.ceil(1000 / (classes * stride));
  const length = images * classes * stride;
  const labels = someLabels(images * stride, classes, classes + stride);
  const logits = someLogits(length);
  for (const flags of [Flag.sums, Flag.sums | Flag.byClass]) {
    const byByte = callInSegments('binary', {
      logits,
      targets: bytesOf(labels, classes, stride, length),
      flags: flags | Flag.ignore,
    });
    expect(byByte.positives).toBe(labels.filter((label) => label >= 0 && label < classes).length);
    expectSame(callInSegments('binary', { logits, targets: labels, classes, stride, flags }), byByte);
  }
});

test('any element may be the first, and any the last', () => {
  for (const [classes, stride] of [
    [3, 1],
    [80, 1],
    [3, 20],
  ]) {
    const labels = someLabels(60, classes, 5);
    for (let first = 0; first < 2 * classes * stride; first += 7) {
      for (const length of [1, 15, 16, 17, 320, 331]) {
        const targets = bytesOf(labels, classes, stride, length, first);
        const logits = someLogits(length, first);
        if (Math.ceil((first + length) / (classes * stride)) * stride > labels.length) continue;
        const byByte = call('binary', { logits, targets, flags: Flag.sums | Flag.ignore });
        expectSame(call('binary', { logits, targets: labels, classes, stride, first }), byByte);
      }
    }
  }
});

test('where stride is 0 labels are those of rows', () => {
  const logits = someLogits(30);
  const targets = someLabels(10, 3, 1);
  expectSame(
    call('binary', { logits, targets, classes: 3, stride: 0 }),
    call('binary', { logits, targets, classes: 3, stride: 1 }),
  );
});

test('every option acts on them as on bytes', () => {
  const classes = 7;
  const length = 7 * 100;
  const labels = someLabels(100, classes, 9);
  const logits = someLogits(length);
  const pattern = Float32Array.from({ length }, (_, k) => 0.1 + (k % classes) / 10);
  const options: Omit<Call, 'logits' | 'targets'>[] = [
    { gamma: 1.7, alphaPositive: 0.25, alphaNegative: 0.75, posWeight: 3 },
    { labelSmoothing: 0.1 },
    { alphas: pattern, alphaNegatives: pattern.map((a) => 1 - a), posWeights: pattern },
    { weight: pattern, gradScale: 0.125 },
    { hessian: 'absGrad', want: ['loss', 'grad', 'hess'] },
    { want: [] },
  ];
  const targets = bytesOf(labels, classes, 1, length);
  for (const option of options) {
    const byByte = call('binary', { ...option, logits, targets, flags: Flag.sums | Flag.ignore });
    // a sum that is asked for alone takes the short way, which adds in another order beside arrays
    const byLabel = call('binary', { ...option, logits, targets: labels, classes });
    expectSame(byLabel, byByte);
  }
});

test('rows that nobody ignores take the way of bytes without ignored ones', () => {
  const labels = someLabels(SEGMENT / 80, 80, 3, 0);
  const logits = someLogits(labels.length * 80);
  const targets = bytesOf(labels, 80, 1, logits.length);
  expectSame(
    call('binary', { logits, targets: labels, classes: 80, want: [] }),
    call('binary', { logits, targets, want: [] }),
  );
});

test.each([
  [1, [4, -2, 5, 2 ** 31 - 1, -(2 ** 31)]],
  [40, [4, -2, 5, 2 ** 31 - 1, -(2 ** 31)]],
])('stride %d: a label that is none is reported, left out, and addresses nothing', (stride, wrong) => {
  const classes = 3;
  const logits = someLogits(classes * 40);
  for (const label of wrong) {
    for (const at of [0, 17, 39]) {
      const labels = someLabels(40, classes, 2);
      labels[at] = -1;
      const expected = call('binary', { logits, targets: labels, classes, stride });
      expect(expected.bad).toBe(false);
      labels[at] = label;
      const result = call('binary', { logits, targets: labels, classes, stride });
      expectSame(result, { ...expected, bad: true });
    }
  }
});

test('the census counts them and writes nothing else', () => {
  const classes = 21;
  const labels = someLabels(100, classes, 8);
  const logits = someLogits(100 * classes);
  for (const stride of [1, 50]) {
    const { positives, negatives } = call('binary', { logits, targets: labels, classes, stride });
    const census = call('census', { logits, targets: labels, classes, stride, want: [] });
    expect(census).toMatchObject({ positives, negatives, bad: false, sum: 0 });
    expect(positives + negatives).toBe(classes * labels.filter((label) => label >= 0).length);
  }
  labels[99] = 22;
  expect(call('census', { logits, targets: labels, classes, want: [] }).bad).toBe(true);
});
