// What the kernel says of its inputs: how many targets there are of each class, whether any is none, and whether a probability is.
import { expect, test } from 'vitest';
import { Flag } from '../src/abi.js';
import { FocalLoss } from '../src/index.js';
import { RawKernel } from './kernel-support.js';
import { call } from './raw-kernel.js';
import { DOUBLE } from './widths.js';

const IGNORED = 2;
const KINDS = [
  ['bytes', Uint8Array, 0, [0, 1], [2, 3, 255]],
  ['bytes of which some are ignored', Uint8Array, Flag.ignore, [0, 1, IGNORED], [3, 128, 255]],
  ['numbers', Float32Array, 0, [0, 1, 0.25, 0.75, -0], [-1e-45, 1.0000001192092896, Number.NaN]],
  ['numbers without -0', Float32Array, 0, [0, 1, 0.25, 0.75], [-0.5, 1.0000001192092896, 1.5]],
  ['numbers of which some are ignored', Float32Array, Flag.ignore, [0, 1, 0.75, -1], [-2, 1.5, Number.NaN]],
] as const;
/** Less than a vector, some of them and a rest. */
const LENGTHS = [1, 7, 8, 15, 16, 17, 33, 47];

test.each(KINDS)('%s: counted by class, and one that is none is seen wherever it is', (_, Kind, flags, good, bad) => {
  for (const length of LENGTHS) {
    const targets = new Kind(length);
    for (let k = 0; k < length; k++) targets[k] = good[(k * 7) % good.length];
    const logits = new Float32Array(length);
    const census = () => call('census', { logits, targets, flags, ignore: -1, want: [] });
    const kept = [...targets].filter((y) => flags === 0 || y !== (Kind === Uint8Array ? IGNORED : -1));
    const positives = kept.filter((y) => y > 0.5).length;
    expect(census()).toMatchObject({ positives, negatives: kept.length - positives, bad: false });
    for (let k = 0; k < length; k++) {
      const before = targets[k];
      targets[k] = bad[k % bad.length];
      expect(census().bad, `${targets[k]} at ${k} of ${length}`).toBe(true);
      targets[k] = before;
    }
  }
});

test('as many ones, or ignored ones, as any lane of bytes can hold and more', () => {
  for (const [value, flags, positives] of [
    [1, 0, 10_007],
    [1, Flag.ignore, 10_007],
    [IGNORED, Flag.ignore, 0],
  ]) {
    const targets = new Uint8Array(10_007).fill(value);
    const census = call('census', { logits: new Float32Array(10_007), targets, flags, want: [] });
    expect(census).toMatchObject({ positives, negatives: 0, bad: false });
  }
});

test('labels are counted as the targets that they stand for, from the first one on', () => {
  for (const stride of [1, 3])
    for (const first of [0, 4, 17]) {
      const labels = Int32Array.from({ length: 200 * stride }, (_, k) => (k % 11 === 5 ? -1 : (k * 7) % 5));
      const given = { targets: labels, classes: 5, stride, first, logits: new Float32Array(700) };
      const expected = call('binary', { ...given, want: [] });
      const { positives, negatives, bad } = call('census', { ...given, want: [] });
      expect({ positives, negatives, bad }).toEqual({
        positives: expected.positives,
        negatives: expected.negatives,
        bad: false,
      });
      expect(positives).toBeGreaterThan(100);
    }
});

test('a label whose class is the first element behind a call, or behind what is looked at at once, counts there alone', () => {
  for (const length of [20, 1280, 1400, 2560]) {
    const given = { targets: new Int32Array(1000).fill(2), classes: 3, logits: new Float32Array(length), want: [] };
    for (const name of ['binary', 'census'])
      expect(call(name, given).positives, `${name} of ${length}`).toBe(Math.floor(length / 3));
  }
});

test('of no targets nothing is counted', () => {
  const raw = new RawKernel(256);
  const targets = raw.place(Uint8Array.of(1, 1));
  for (const flags of [0, Flag.ignore]) {
    raw.write({ targets, count: 0, flags });
    raw.kernel.census(raw.frame);
    expect([raw.read('positives'), raw.read('negatives'), raw.bad]).toEqual([0, 0, 0]);
  }
});

test('in double precision a target out of range is seen wherever it is', () => {
  const loss = new DOUBLE.library.FocalLoss();
  for (const length of [1, 2, 5, 8])
    for (let k = 0; k < length; k++) {
      const targets = Float64Array.from({ length }, (_, j) => (j === k ? 1.0000000000000002 : 0.5));
      expect(() => loss.forward(new Float64Array(length), targets)).toThrow(`at index ${k}, got 1.0000000000000002`);
    }
});

test('a probability out of range is told wherever it lies, 0 and 1 are none', () => {
  const raw = new RawKernel(4096);
  const BAD_PROBABILITY = 2;
  const most = 50;
  const probabilities = raw.place(new Float32Array(most));
  const targets = raw.place(Uint8Array.from({ length: most }, (_, k) => k & 1));
  const p = raw.floats(probabilities, most);
  for (const count of [1, 16, 17, most]) {
    p.forEach((_, k) => {
      p[k] = [0, 1, 0.5, 1e-45][k % 4];
    });
    const told = () => {
      raw.write({ logits: probabilities, targets, count, flags: Flag.sums | Flag.probabilities, gamma: 2 });
      raw.kernel.binary(raw.frame);
      return raw.bad;
    };
    expect(told()).toBe(0);
    for (let k = 0; k < count; k++) {
      const before = p[k];
      p[k] = k & 1 ? -1e-45 : 1.0000001192092896;
      expect(told(), `at ${k} of ${count}`).toBe(BAD_PROBABILITY);
      p[k] = before;
    }
    p.fill(2, count); // beyond the last
    expect(told()).toBe(0);
  }
});

test('a probability counts for a loss of 100 at most', () => {
  const loss = new FocalLoss({ gamma: 0, alpha: null, fromLogits: false, reduction: 'none' });
  expect([...loss.forward([1e-45, 0, 1, 4e-44], [1, 1, 0, 1])].map(Math.round)).toEqual([100, 100, 100, 100]);
  expect(loss.forward([1e-45], [1])[0]).toBe(100);
});

test('a label that is neither 0 nor 1 nor ignored is told, and its byte is 0', () => {
  const raw = new RawKernel(4096);
  const { kernel } = raw;
  const narrowings = [
    [kernel.narrow8, Uint8Array.of(0, 1, 7, 255)],
    [kernel.narrow32, Int32Array.of(0, 1, -3, 255)],
    [kernel.narrow64, new Int32Array(BigInt64Array.of(0n, 1n, 2n ** 32n, 255n).buffer)],
  ] as const;
  for (const [narrow, labels] of narrowings) {
    const source = raw.place(labels);
    const bytes = raw.place(new Uint8Array(4).fill(9));
    expect(narrow(source, bytes, 4, 255)).toBe(1);
    expect([...new Uint8Array(kernel.memory.buffer, bytes, 4)]).toEqual([0, 1, 0, IGNORED]);
  }
});
