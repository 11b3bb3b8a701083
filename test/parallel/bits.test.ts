// Several threads give the bits of one.
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import type { CallOptions, Logits, Reduction, Targets } from '../../dist/index.js';
import { hardTargets, SEGMENT, softTargets, someLogits } from '../support.js';
import { closeAll, DIVIDED, pair, SLOT, shared, started, whereOthersWork } from './support.js';

/** Long enough for threads to get their part whoever else wants the processor; its last slot and segment are not full. */
const LONGEST = 60 * SEGMENT + 4099;
const x = shared(someLogits(LONGEST), 1);
const hard = shared(hardTargets(LONGEST), 3);
const soft = shared(softTargets(LONGEST), 2);
const weight = shared(softTargets(LONGEST, 4), 5);
const own = { x: x.slice(), hard: hard.slice(), soft: soft.slice(), weight: weight.slice() };

function expectSame(actual: number | Float32Array, expected: number | Float32Array): void {
  if (typeof actual === 'number' || typeof expected === 'number') expect(actual).toBe(expected);
  else expect(Buffer.compare(bytesOf(actual), bytesOf(expected))).toBe(0);
}

const bytesOf = ({ buffer, byteOffset, byteLength }: Float32Array) => new Uint8Array(buffer, byteOffset, byteLength);

afterAll(closeAll);
beforeEach(started);

type Pair<R extends Reduction> = ReturnType<typeof pair<R>>;

/** Both methods, in whatever memory the arrays are. */
async function expectSameBits<R extends Reduction>(
  { one, two }: Pair<R>,
  logits: Logits,
  targets: Targets,
  call?: CallOptions,
): Promise<void> {
  expectSame(await two.forward(logits, targets, call), one.forward(logits, targets, call));
  const actual = await whereOthersWork(() => two.valueAndGrad(logits, targets, call));
  const expected = one.valueAndGrad(logits, targets, call);
  expectSame(actual.value, expected.value);
  expectSame(actual.grad, expected.grad);
}

describe.each(['sum', 'mean', 'none'] as const)('reduction %s', (reduction) => {
  const losses = pair({ gamma: 2, reduction });

  test.each([0, 1, SEGMENT + 1, DIVIDED - 1, DIVIDED, DIVIDED + 1, DIVIDED + SEGMENT, LONGEST])(
    '%i shared elements',
    async (n) => {
      await expectSameBits(losses, x.subarray(0, n), hard.subarray(0, n));
    },
  );

  test.each([0, SEGMENT + 1, DIVIDED, DIVIDED + SLOT, LONGEST])('%i elements', async (n) => {
    await expectSameBits(losses, own.x.subarray(0, n), own.hard.subarray(0, n));
  });

  test('soft targets, weights, views that start anywhere, arrays of both kinds', async () => {
    const at = (array: Float32Array, start: number, n: number) => array.subarray(start, start + n);
    const n = LONGEST - 5;
    await expectSameBits(losses, at(x, 3, n), at(soft, 5, n), { weight: at(weight, 1, n) });
    await expectSameBits(losses, at(x, 3, n), at(own.soft, 5, n), { weight: at(own.weight, 1, n) });
    await expectSameBits(losses, at(own.x, 3, n), at(soft, 5, n), { weight: at(weight, 1, n) });
  });
});

const { two: divided, one: undivided } = pair({ gamma: 1.5, reduction: 'sum' });

test.each<[string, () => Targets]>([
  ['Uint8ClampedArray', () => Uint8ClampedArray.from(own.hard)],
  ['Int8Array', () => Int8Array.from(own.hard)],
  ['Int32Array', () => Int32Array.from(own.hard)],
  ['BigInt64Array', () => BigInt64Array.from(own.hard, BigInt)],
  ['Float64Array', () => Float64Array.from(own.soft)],
  ['number[]', () => Array.from(own.soft)],
  ['boolean[]', () => Array.from(own.hard, Boolean)],
  ['tensor', () => ({ data: own.hard, dims: [LONGEST, 1] })],
])('targets in a %s', async (_, make) => {
  const targets = make();
  expect(await divided.forward(own.x, targets)).toBe(undivided.forward(own.x, targets));
});

test('logits that are converted', async () => {
  const doubles = Float64Array.from(own.x, (value) => value / 3);
  const sharedDoubles = new Float64Array(new SharedArrayBuffer(8 * LONGEST));
  sharedDoubles.set(doubles);
  const expected = undivided.forward(doubles, hard);
  for (const logits of [sharedDoubles, Array.from(doubles)]) {
    expect(await divided.forward(logits, hard)).toBe(expected);
  }
});

test.each([
  { ignoreIndex: 255, normalizer: 'positives' },
  { ignoreIndex: 0, reduction: 'sum' },
  { ignoreIndex: 1, reduction: 'none' },
  { normalizer: 1000 },
] as const)('%o', async (options) => {
  const losses = pair<Reduction>(options);
  const labels = shared(own.hard);
  if (options.ignoreIndex === 255) for (let k = 0; k < LONGEST; k += 3) labels[k] = 255;
  const n = LONGEST;
  await expectSameBits(losses, x.subarray(0, n), labels.subarray(0, n));
  if (options.ignoreIndex === 255) await expectSameBits(losses, own.x, BigInt64Array.from(labels, BigInt));
  else await expectSameBits(losses, own.x, Float64Array.from(labels));
});

test('values by class, whose rows cross the borders between threads', async () => {
  const numClasses = 7;
  const alpha = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7];
  const posWeight = new Float64Array([1, 2, 3, 4, 5, 6, 7]);
  const losses = pair({ numClasses, alpha, posWeight, labelSmoothing: 0.1 });
  for (const [logits, targets, longest] of [
    [x, hard, LONGEST],
    [own.x, own.hard, LONGEST],
  ] as const) {
    const n = longest - (longest % numClasses);
    await expectSameBits(losses, logits.subarray(0, n), targets.subarray(0, n));
  }
});

test('probabilities', async () => {
  await expectSameBits(pair({ fromLogits: false }), soft, hard);
});

test('buffers of the caller are filled and returned, in place too', async () => {
  const { one, two } = pair({ gamma: 2, reduction: 'none' });
  const expected = one.valueAndGrad(x, hard);
  for (const make of [() => own.x.slice(), () => shared(own.x, 5)]) {
    const [out, gradOut] = [make(), make()];
    // a gradient over the logits
    const { value, grad } = await two.valueAndGrad(gradOut, hard, { out, gradOut });
    expect(value).toBe(out);
    expect(grad).toBe(gradOut);
    expectSame(out, expected.value);
    expectSame(gradOut, expected.grad);
  }
});

test('a sum fills out as well', async () => {
  const [actual, expected] = [new Float32Array(LONGEST), new Float32Array(LONGEST)];
  await divided.forward(x, hard, { out: actual });
  undivided.forward(x, hard, { out: expected });
  expectSame(actual, expected);
});

test('NaN and infinite logits', async () => {
  const logits = shared(own.x);
  logits[50_000] = hard[50_000] === 1 ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  expect(await divided.forward(logits, hard)).toBe(Number.POSITIVE_INFINITY);
  logits[70_000] = Number.NaN;
  expect(await divided.forward(logits, hard)).toBeNaN();
});
