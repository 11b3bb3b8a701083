// What is copied, what is not, and shared workspaces.
import { afterAll, afterEach, beforeEach, expect, test, vi } from 'vitest';
import { FocalLoss, Workspace } from '../../dist/index.js';
import { SharedWorkspace } from '../../dist/parallel/index.js';
import { errorOf, firstDifference, hardTargets, SEGMENT, someLogits } from '../support.js';
import { closeAll, pair, SLOT, shared, started } from './support.js';

const n = 100 * SEGMENT;
const x = someLogits(n);
const labels = hardTargets(n);

const original = SharedArrayBuffer;
let sizes: number[] = [];

afterAll(closeAll);
beforeEach(() => {
  sizes = [];
  globalThis.SharedArrayBuffer = new Proxy(original, {
    construct(target, [size, ...rest]) {
      sizes.push(size);
      return new target(size, ...(rest as []));
    },
  });
});

afterEach(() => {
  globalThis.SharedArrayBuffer = original;
});

test('arrays of a shared workspace are not copied, nor are results', async () => {
  const { one, two } = pair({ gamma: 2, reduction: 'sum' });
  const workspace = new SharedWorkspace(9 * n);
  const [logits, targets, gradOut] = [workspace.float32(n), workspace.uint8(n), workspace.float32(n)];
  logits.set(x);
  targets.set(labels);
  sizes = [];
  const { value, grad } = await two.valueAndGrad(logits, targets, { gradOut });
  expect(grad).toBe(gradOut);
  const expected = one.valueAndGrad(x, labels);
  expect(value).toBe(expected.value);
  expect(firstDifference(grad, expected.grad)).toBe(-1);
  // sums of segments alone
  expect(Math.max(...sizes)).toBeLessThanOrEqual(n / 100);
});

test('ordinary arrays go through slots whose size does not grow with theirs, once allocated', async () => {
  const { two } = pair({ gamma: 2, reduction: 'none' });
  await started();
  sizes = [];
  await two.valueAndGrad(x, labels);
  const total = sizes.reduce((sum, size) => sum + size, 0);
  // three slots of logits, targets, losses and gradients
  expect(total).toBe(3 * (4 + 1 + 4 + 4) * SLOT);
  sizes = [];
  await Promise.all([two.valueAndGrad(x, labels), two.valueAndGrad(x, labels)]);
  expect(sizes).toEqual([]);
});

test('a call over arrays that the threads have seen sends them nothing', async () => {
  const { two } = pair({ gamma: 2, reduction: 'sum' });
  await started();
  const workspace = new SharedWorkspace(9 * n);
  const [logits, targets, gradOut] = [workspace.float32(n), workspace.uint8(n), workspace.float32(n)];
  const post = vi.spyOn(MessagePort.prototype, 'postMessage');
  try {
    await two.valueAndGrad(logits, targets, { gradOut });
    expect(post).toHaveBeenCalledTimes(1);
    for (let k = 1; k < 4; k++) await two.forward(logits.subarray(0, n - k), targets.subarray(0, n - k));
    expect(post).toHaveBeenCalledTimes(1);
    await two.forward(shared(x), targets);
    expect(post).toHaveBeenCalledTimes(2);
  } finally {
    post.mockRestore();
  }
});

test('a hundred buffers, of which the threads keep a few, and again the first', async () => {
  const { one, two } = pair({ gamma: 2, reduction: 'sum' });
  await started();
  const length = 16 * SEGMENT;
  const targets = shared(labels.subarray(0, length));
  const first = shared(x.subarray(0, length));
  const expected = one.forward(first, targets);
  for (let k = 0; k < 100; k++) {
    expect(await two.forward(shared(x.subarray(0, length)), targets)).toBe(expected);
    if (k % 50 === 0) expect(await two.forward(first, targets)).toBe(expected);
  }
  expect(await two.forward(first, targets)).toBe(expected);
});

test('shared memory may grow during a call', async () => {
  const { one, two } = pair({ gamma: 2 });
  await started();
  // A view with a length of its own; the types know no growable buffers yet.
  const Growable = original as unknown as new (
    bytes: number,
    options: object,
  ) => SharedArrayBuffer & { grow(n: number): void };
  const buffer = new Growable(4 * n, { maxByteLength: 8 * n });
  const logits = new Float32Array(buffer, 0, n);
  logits.set(x);
  const call = two.valueAndGrad(logits, labels);
  buffer.grow(6 * n);
  const later = two.valueAndGrad(logits, labels);
  buffer.grow(8 * n);
  const expected = one.valueAndGrad(x, labels);
  for (const { value, grad } of [await call, await later]) {
    expect(value).toBe(expected.value);
    expect(firstDifference(grad, expected.grad)).toBe(-1);
  }
});

test('new results lie where the logits do', async () => {
  const { two } = pair({ gamma: 2, reduction: 'none' });
  const logits = new SharedWorkspace(4 * n).float32(n);
  const targets = labels;
  const shared = await two.valueAndGrad(logits, targets);
  expect(shared.grad.buffer).toBeInstanceOf(original);
  expect(shared.value.buffer).toBeInstanceOf(original);
  const ordinary = await two.valueAndGrad(x, targets);
  expect(ordinary.grad.buffer).toBeInstanceOf(ArrayBuffer);
  expect(ordinary.value.buffer).toBeInstanceOf(ArrayBuffer);
});

test('arrays of a workspace that is not shared are copied', async () => {
  const { one, two } = pair({ gamma: 2 });
  const workspace = new Workspace(5 * n);
  const [logits, targets] = [workspace.float32(n), workspace.uint8(n)];
  logits.set(x);
  targets.set(labels);
  expect(await two.forward(logits, targets)).toBe(one.forward(logits, targets));
});

test('a shared workspace is a workspace', () => {
  const workspace = new SharedWorkspace(4096);
  expect(workspace).toBeInstanceOf(Workspace);
  expect(workspace.bytes).toBe(4096);
  const [bytes, floats, ints] = [workspace.uint8(5), workspace.float32(6), workspace.int32(7)];
  expect([bytes, floats, ints].map(({ buffer }) => buffer)).toEqual(Array(3).fill(bytes.buffer));
  expect(bytes.buffer).toBeInstanceOf(original);
  floats.fill(1);
  expect(new FocalLoss().forward(floats, ints.subarray(0, 6))).toBe(
    new FocalLoss().forward(Array(6).fill(1), ints.subarray(0, 6)),
  );
  workspace.reset();
  expect(workspace.float32(1024)).toEqual(new Float32Array(1024));
  expect(errorOf(() => workspace.float32(1024)).message).toMatch(
    /^"length" expected at most \d+, which is what is left, got 1024; /,
  );
  for (const size of [-1, 1.5, '8', 2 ** 60]) {
    const { message } = errorOf(() => new SharedWorkspace(size as number));
    expect(message).toBe(errorOf(() => new Workspace(size as number)).message);
  }
});
