// What `census` says of targets: how many there are of each class, and whether any is none.
import { expect, test } from 'vitest';
import { Flag } from '../src/abi.js';
import { call } from './raw-kernel.js';
import { DOUBLE } from './widths.js';

const IGNORED = 2;
const KINDS = [
  ['bytes', Uint8Array, 0, [0, 1], [2, 3, 255]],
  ['bytes of which some are ignored', Uint8Array, Flag.ignore, [0, 1, IGNORED], [3, 128, 255]],
  ['numbers', Float32Array, 0, [0, 1, 0.25, 0.75, -0], [-1e-45, 1.0000001192092896, Number.NaN]],
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

test('in double precision a target out of range is seen wherever it is', () => {
  const loss = new DOUBLE.library.FocalLoss();
  for (const length of [1, 2, 5, 8])
    for (let k = 0; k < length; k++) {
      const targets = Float64Array.from({ length }, (_, j) => (j === k ? 1.0000000000000002 : 0.5));
      expect(() => loss.forward(new Float64Array(length), targets)).toThrow(`at index ${k}, got 1.0000000000000002`);
    }
});
