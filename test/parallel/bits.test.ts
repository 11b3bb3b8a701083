// Several threads give the bits of one.
import { describe, expect, test } from 'vitest';
import type { CallOptions, Logits, Targets } from '../../dist/index.js';
import { firstDifference, hardTargets, random, softTargets, someLogits } from '../support.js';
import { CHUNK, DIVIDED, pair, settlesHere, shared } from './support.js';

type Pair = ReturnType<typeof pair>;

const LONGEST = 3 * CHUNK + 77;
const x = someLogits(LONGEST);
const hard = hardTargets(LONGEST);
const soft = softTargets(LONGEST);
const next = random(4);
const weight = Float32Array.from({ length: LONGEST }, () => 2 * next());

const bits = (value: number | Float32Array) => new Float64Array(typeof value === 'number' ? [value] : value);

function expectSame(actual: number | Float32Array, expected: number | Float32Array): void {
  if (typeof actual === 'number' || typeof expected === 'number') expect(actual).toBe(expected);
  else expect(firstDifference(actual, expected)).toBe(-1);
}

/** Both methods, in whatever memory the arrays are. */
async function expectSameBits({ one, two }: Pair, logits: Logits, targets: Targets, call?: CallOptions): Promise<void> {
  expectSame(await two.forward(logits, targets, call), one.forward(logits, targets, call));
  const actual = await two.valueAndGrad(logits, targets, call);
  const expected = one.valueAndGrad(logits, targets, call);
  expectSame(actual.value, expected.value);
  expectSame(actual.grad, expected.grad);
}

describe.each(['sum', 'mean', 'none'] as const)('reduction %s', (reduction) => {
  const losses = pair({ gamma: 2, reduction });
  const lengths = [0, 1, 4097, DIVIDED - 1, DIVIDED, DIVIDED + 1, CHUNK, CHUNK + 1, LONGEST];

  test.each(lengths)('%i elements', async (n) => {
    const [logits, labels] = [x.subarray(0, n), hard.subarray(0, n)];
    await expectSameBits(losses, logits, labels);
    await expectSameBits(losses, shared(logits), shared(labels));
  });

  test('soft targets, weights, views that start anywhere', async () => {
    const n = CHUNK + 4096;
    const at = (array: Float32Array, start: number) => array.subarray(start, start + n);
    await expectSameBits(losses, at(x, 3), at(soft, 5), { weight: at(weight, 1) });
    const sharedWeight = shared(at(weight, 1), 7);
    await expectSameBits(losses, shared(at(x, 3), 1), shared(at(soft, 5), 3), { weight: sharedWeight });
    await expectSameBits(losses, shared(at(x, 3), 1), at(soft, 5), { weight: at(weight, 1) });
  });
});

test('a call is divided from the documented length on, and not before', async () => {
  const { two } = pair({});
  const call = (n: number) => two.forward(x.subarray(0, n), hard.subarray(0, n));
  expect(await settlesHere(call(DIVIDED - 1))).toBe(true);
  expect(await settlesHere(call(DIVIDED))).toBe(false);
});

test('every kind of targets', async () => {
  const losses = pair({ gamma: 1.5, reduction: 'sum' });
  const n = DIVIDED + 4099;
  const labels = hard.subarray(0, n);
  const kinds: Targets[] = [
    labels,
    Uint8ClampedArray.from(labels),
    Int8Array.from(labels),
    Int32Array.from(labels),
    BigInt64Array.from(labels, BigInt),
    Float64Array.from(soft.subarray(0, n)),
    Array.from(soft.subarray(0, n)),
    Array.from(labels, Boolean),
    { data: labels, dims: [n, 1] },
  ];
  for (const targets of kinds) await expectSameBits(losses, x.subarray(0, n), targets);
});

test('logits that are converted', async () => {
  const losses = pair({ gamma: 2, reduction: 'none' });
  const doubles = Float64Array.from({ length: DIVIDED }, (_, k) => x[k] / 3);
  const sharedDoubles = new Float64Array(new SharedArrayBuffer(8 * DIVIDED));
  sharedDoubles.set(doubles);
  const labels = hard.subarray(0, DIVIDED);
  for (const logits of [doubles, sharedDoubles, Array.from(doubles)]) await expectSameBits(losses, logits, labels);
});

test.each([
  { ignoreIndex: 255, normalizer: 'positives' },
  { ignoreIndex: 0, reduction: 'sum' },
  { ignoreIndex: 1, reduction: 'none' },
  { normalizer: 1000 },
] as const)('%o', async (options) => {
  const losses = pair(options);
  const n = DIVIDED + 5000;
  const labels = hard.slice(0, n);
  if (options.ignoreIndex === 255) for (let k = 0; k < n; k += 3) labels[k] = 255;
  const logits = x.subarray(0, n);
  await expectSameBits(losses, logits, labels);
  await expectSameBits(losses, shared(logits), shared(labels));
  const others: Targets[] = options.ignoreIndex === 255 ? [Int32Array.from(labels)] : [Array.from(labels, Boolean)];
  for (const targets of others) await expectSameBits(losses, logits, targets);
  await expectSameBits(losses, logits, Float64Array.from(labels));
});

test('values by class, whose rows cross the borders between threads', async () => {
  const numClasses = 7;
  const alpha = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7];
  const losses = pair({ numClasses, alpha, posWeight: new Float64Array([1, 2, 3, 4, 5, 6, 7]), labelSmoothing: 0.1 });
  const n = numClasses * Math.ceil((CHUNK + 9000) / numClasses);
  await expectSameBits(losses, x.subarray(0, n), hard.subarray(0, n));
  await expectSameBits(losses, shared(x.subarray(0, n)), shared(hard.subarray(0, n)));
});

test('probabilities', async () => {
  const losses = pair({ fromLogits: false });
  await expectSameBits(losses, soft.subarray(0, DIVIDED), hard.subarray(0, DIVIDED));
});

test('buffers of the caller are filled and returned, in place too', async () => {
  const { one, two } = pair({ gamma: 2, reduction: 'none' });
  const n = CHUNK + 100;
  const [logits, labels] = [x.slice(0, n), hard.subarray(0, n)];
  const expected = one.valueAndGrad(logits, labels);
  for (const make of [(a: Float32Array) => a.slice(), (a: Float32Array) => shared(a, 5)]) {
    const [out, gradOut] = [make(logits), make(logits)];
    // a gradient over the logits
    const { value, grad } = await two.valueAndGrad(gradOut, labels, { out, gradOut });
    expect(value).toBe(out);
    expect(grad).toBe(gradOut);
    expect(firstDifference(out, expected.value as Float32Array)).toBe(-1);
    expect(firstDifference(gradOut, expected.grad)).toBe(-1);
  }
});

test('a sum fills out as well', async () => {
  const { one, two } = pair({ gamma: 2, reduction: 'sum' });
  const [logits, labels] = [x.subarray(0, DIVIDED), hard.subarray(0, DIVIDED)];
  const [actual, expected] = [new Float32Array(DIVIDED), new Float32Array(DIVIDED)];
  await two.forward(logits, labels, { out: actual });
  one.forward(logits, labels, { out: expected });
  expect(firstDifference(actual, expected)).toBe(-1);
});

test('NaN and infinite logits', async () => {
  const losses = pair({ reduction: 'sum' });
  const logits = x.slice(0, DIVIDED);
  logits[100_000] = Number.POSITIVE_INFINITY;
  await expectSameBits(losses, logits, hard.subarray(0, DIVIDED));
  logits[70_000] = Number.NaN;
  const value = await losses.two.forward(logits, hard.subarray(0, DIVIDED));
  expect(bits(value)).toEqual(bits(Number.NaN));
});
