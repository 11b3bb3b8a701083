import { afterAll, beforeAll, expect, test } from 'vitest';
import { Flag } from '../src/abi.js';
import { RawKernel } from './kernel-support.js';

// Counts near 2^31, where an index of 32 bits can no longer be added to. Memory that nobody writes costs an operating system
// nothing, and reading 2 GiB of it takes a quarter of a second.

const MOST = 2 ** 31 - 1;
let raw: RawKernel;
let targets: number;

beforeAll(() => {
  raw = new RawKernel(MOST + 64);
  targets = raw.free;
});

afterAll(() => {
  raw = undefined as unknown as RawKernel;
});

test.each([2 ** 31 - 112, MOST])('census counts %d bytes', (count) => {
  const bytes = new Uint8Array(raw.kernel.memory.buffer, targets, count);
  const places = [0, 4079, 4080, count - 17, count - 16, count - 1];
  for (const k of places) bytes[k] = 1;
  raw.write({ targets, count });
  raw.kernel.census(raw.frame);
  expect([raw.read('positives'), raw.read('negatives'), raw.bad]).toEqual([6, count - 6, 0]);
  bytes[count - 1] = 3;
  raw.kernel.census(raw.frame);
  expect(raw.bad).toBe(1);
  for (const k of places) bytes[k] = 0;
});

test('census counts as many where some are ignored', () => {
  const bytes = new Uint8Array(raw.kernel.memory.buffer, targets, MOST);
  bytes[MOST - 1] = 2;
  raw.write({ targets, count: MOST, flags: Flag.ignore });
  raw.kernel.census(raw.frame);
  expect([raw.read('positives'), raw.read('negatives'), raw.bad]).toEqual([0, MOST - 1, 0]);
  bytes[MOST - 1] = 0;
});

test.each(['census', 'binary', 'softmax', 'posterior', 'softmaxPosterior'] as const)(
  '%s does nothing for a count below 1',
  (name) => {
    for (const count of [0, -1, -(2 ** 31)]) {
      raw.write({ logits: targets, targets, loss: targets, count, classes: 2, flags: Flag.sums });
      raw.kernel[name](raw.frame);
      expect(raw.read('sum')).toBe(0);
    }
  },
);

test.each([Flag.soft, Flag.soft | Flag.ignore])('census of float32 targets, flags %d, ends', (flags) => {
  const count = 2 ** 26;
  raw.write({ targets, count, flags, positiveAbove: 0.5, ignore: -1 });
  raw.kernel.census(raw.frame);
  expect([raw.read('positives'), raw.read('negatives'), raw.bad]).toEqual([0, count, 0]);
});
