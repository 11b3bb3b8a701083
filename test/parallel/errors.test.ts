// Errors are those of one thread, as rejections.
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import {
  BCEWithLogitsLoss,
  type CallOptions,
  FocalLoss,
  type FocalLossOptions,
  type Logits,
  type Targets,
} from '../../dist/index.js';
import { ParallelFocalLoss } from '../../dist/parallel/index.js';
import { errorOf, hardTargets, SEGMENT, softTargets, someLogits } from '../support.js';
import { closeAll, pair, SLOT, shared, started } from './support.js';

const n = 60 * SEGMENT + 5000;
const x = someLogits(n);
const labels = hardTargets(n);
const soft = softTargets(n);
const sharedX = shared(x);
const BORDER = 3 * SLOT;

const losses = { mean: pair({}), ignoring: pair({ ignoreIndex: 255 }), positives: pair({ normalizer: 'positives' }) };

afterAll(closeAll);
beforeEach(started);

async function expectSameError(
  { one, two }: { one: FocalLoss; two: ParallelFocalLoss },
  logits: Logits,
  targets: Targets,
  call?: CallOptions,
): Promise<string> {
  const { name, message } = errorOf(() => one.forward(logits, targets, call));
  await expect(two.forward(logits, targets, call)).rejects.toMatchObject({ name, message });
  await expect(two.valueAndGrad(logits, targets, call)).rejects.toMatchObject({ name, message });
  return message;
}

test.each([[0], [SEGMENT], [BORDER - 1], [BORDER], [n - 1, 300_000, 20]])(
  'of bad targets the first is named: %i',
  async (...at) => {
    const [bad, badSoft] = [labels.slice(), soft.slice()];
    for (const k of at) {
      bad[k] = 7;
      badSoft[k] = -0.5;
    }
    const message = `"targets" expected 0 or 1 at index ${Math.min(...at)}, got 7; class indices are for OneHotFocalLoss or SoftmaxFocalLoss`;
    expect(await expectSameError(losses.mean, x, bad)).toBe(message);
    expect(await expectSameError(losses.mean, sharedX, shared(bad))).toBe(message);
    expect(await expectSameError(losses.ignoring, x, bad)).toBe(message);
    await expectSameError(losses.positives, sharedX, shared(badSoft));
    await expectSameError(losses.mean, x, badSoft);
  },
);

test('where every thread finds bad targets, the first is named', async () => {
  const bad = shared(labels);
  for (let k = 4500; k < n; k += 5000) bad[k] = 7;
  const message =
    '"targets" expected 0 or 1 at index 4500, got 7; class indices are for OneHotFocalLoss or SoftmaxFocalLoss';
  for (let run = 0; run < 5; run++) expect(await expectSameError(losses.mean, sharedX, bad)).toBe(message);
});

test('bad targets of other kinds', async () => {
  const bad = labels.slice();
  bad[BORDER + 3] = 2;
  await expectSameError(losses.mean, x, Int32Array.from(bad));
  await expectSameError(losses.ignoring, x, BigInt64Array.from(bad, BigInt));
  await expectSameError(losses.mean, x, Float64Array.from(bad));
});

test('where targets are not scanned, bad ones are no error', async () => {
  const bad = labels.slice();
  bad[BORDER + 3] = 2;
  await expect(losses.mean.two.forward(x, bad, { validate: false })).resolves.toBeTypeOf('number');
});

test('a call goes on after an error of another', async () => {
  const bad = labels.slice();
  bad[5] = 9;
  const [failed, done] = await Promise.allSettled([
    losses.mean.two.forward(x, bad),
    losses.mean.two.forward(x, labels),
  ]);
  expect(failed.status).toBe('rejected');
  expect(done).toEqual({ status: 'fulfilled', value: losses.mean.one.forward(x, labels) });
});

test('checks of a call', async () => {
  await expectSameError(losses.mean, x, labels.subarray(1));
  await expectSameError(losses.mean, x, 'labels' as never);
  await expectSameError(losses.mean, new Int32Array(n) as never, labels);
  await expectSameError(losses.mean, x, labels, { weight: new Float32Array(3) });
  await expectSameError(losses.mean, x, labels, { out: new Float32Array(3) });
  await expectSameError(losses.mean, x, labels, { gradOut: new Float32Array(3) });
  await expectSameError(losses.mean, x, labels, { validate: 1 as never });
  await expectSameError(losses.mean, x, labels, { wieght: x } as never);
});

test('an array that loses its buffer during a call', async () => {
  const logits = x.slice();
  const call = losses.mean.two.forward(logits, labels);
  structuredClone(logits.buffer, { transfer: [logits.buffer] });
  await expect(call).rejects.toThrow(TypeError);
});

describe('options', () => {
  const lossFcn = new BCEWithLogitsLoss({ posWeight: 3, reduction: 'sum' });
  test.each([
    { gamma: -1 },
    { gamma: '2' },
    { alpha: -1 },
    { alpha: [0.5] },
    { reduction: 'max' },
    { gama: 2 },
    { lossFcn: {} },
    { lossFcn, posWeight: 2 },
    { normalizer: 0 },
    5,
    null,
    [],
  ])('%o', (options) => {
    const { name, message } = errorOf(() => new FocalLoss(options as FocalLossOptions));
    const own = errorOf(() => new ParallelFocalLoss(options as FocalLossOptions));
    // among the keys is one more
    expect([own.name, own.message]).toEqual([
      name,
      message.replace('normalizer, hessian', 'normalizer, hessian, threads'),
    ]);
  });

  test.each([
    [0, 'RangeError', '0'],
    [1.5, 'RangeError', '1.5'],
    [257, 'RangeError', '257'],
    [Number.NaN, 'RangeError', 'NaN'],
    ['2', 'TypeError', "'2'"],
    [null, 'TypeError', 'null'],
  ])('threads %o', (threads, name, got) => {
    const error = errorOf(() => new ParallelFocalLoss({ threads: threads as number }));
    expect([error.name, error.message]).toEqual([name, `"threads" expected an integer in [1, 256], got ${got}`]);
  });

  test('a base loss', async () => {
    const { one, two } = pair({ lossFcn, gamma: 2 });
    expect(two.reduction).toBe('sum');
    expect(await two.forward(x, labels)).toBe(one.forward(x, labels));
  });
});
