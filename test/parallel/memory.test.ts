// What is copied, what is not, and shared workspaces.
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FocalLoss, Workspace } from '../../dist/index.js';
import { SharedWorkspace } from '../../dist/parallel/index.js';
import { errorOf, firstDifference, hardTargets, someLogits } from '../support.js';
import { CHUNK, COPIED, pair } from './support.js';

const n = 7 * CHUNK;
const x = someLogits(n);
const labels = hardTargets(n);

const original = SharedArrayBuffer;
let sizes: number[] = [];

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

test('ordinary arrays go through chunks whose size does not grow with theirs, once allocated', async () => {
  const { two } = pair({ gamma: 2, reduction: 'none' });
  await two.valueAndGrad(x, labels);
  const total = sizes.reduce((sum, size) => sum + size, 0);
  expect(Math.max(...sizes)).toBe(4 * CHUNK);
  // four chunks of logits, targets, losses and gradients
  expect(total).toBeLessThan(4 * (4 + 1 + 4 + 4) * CHUNK + n / 100);
  sizes = [];
  await Promise.all([two.valueAndGrad(x, labels), two.valueAndGrad(x, labels)]);
  expect(sizes.every((size) => size < 100)).toBe(true);
});

test('new results lie where the logits do', async () => {
  const { two } = pair({ gamma: 2, reduction: 'none' });
  const logits = new SharedWorkspace(4 * COPIED).float32(COPIED);
  const targets = labels.subarray(0, COPIED);
  const shared = await two.valueAndGrad(logits, targets);
  expect(shared.grad.buffer).toBeInstanceOf(original);
  expect(shared.value.buffer).toBeInstanceOf(original);
  const ordinary = await two.valueAndGrad(x.subarray(0, COPIED), targets);
  expect(ordinary.grad.buffer).toBeInstanceOf(ArrayBuffer);
  expect(ordinary.value.buffer).toBeInstanceOf(ArrayBuffer);
});

test('arrays of a workspace that is not shared are copied', async () => {
  const { one, two } = pair({ gamma: 2 });
  const workspace = new Workspace(5 * COPIED);
  const [logits, targets] = [workspace.float32(COPIED), workspace.uint8(COPIED)];
  logits.set(x.subarray(0, COPIED));
  targets.set(labels.subarray(0, COPIED));
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
