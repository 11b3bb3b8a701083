import { describe, expect, test } from 'vitest';
import { FocalLoss, Workspace } from '../src/index.js';
import { ACROSS, firstDifference, hardTargets, SEGMENT, softTargets, someLogits } from './support.js';

const BLOCKS = [320, SEGMENT];
const LONGEST = 4 * SEGMENT + 40;
const EDGES = BLOCKS.flatMap((block) => [1, 2].flatMap((k) => [-1, 0, 1].map((off) => k * block + off)));
const LENGTHS = [...Array.from({ length: 301 }, (_, n) => n), ...EDGES.filter((n) => n > 300)];

const logits = someLogits(LONGEST);
const weight = softTargets(LONGEST, 9);
const cases = [
  { name: 'bytes, gamma 2', targets: hardTargets(LONGEST), options: { gamma: 2 } },
  { name: 'bytes, gamma 1.7, no alpha', targets: hardTargets(LONGEST), options: { gamma: 1.7, alpha: null } },
  { name: 'floats, gamma 2', targets: softTargets(LONGEST), options: { gamma: 2, posWeight: 3 } },
  { name: 'floats, gamma 0.5', targets: softTargets(LONGEST), options: { gamma: 0.5 } },
];

describe.each(cases)('$name', ({ targets, options }) => {
  const none = new FocalLoss({ ...options, reduction: 'none' });
  const whole = none.valueAndGrad(logits, targets, { weight });
  const curved = none.gradHess(logits, targets, { weight });

  test('forward alone and gradHess give the bits of valueAndGrad', () => {
    expect(firstDifference(none.forward(logits, targets, { weight }), whole.value)).toBe(-1);
    expect(firstDifference(curved.grad, whole.grad)).toBe(-1);
  });

  test.each([0, 1, 2, 3, 7])('every length from offset %d', (start) => {
    const faults: string[] = [];
    for (const n of LENGTHS) {
      const end = start + n;
      const x = logits.subarray(start, end);
      const y = targets.subarray(start, end);
      const call = { weight: weight.subarray(start, end) };
      const { value, grad } = none.valueAndGrad(x, y, call);
      const { hess } = none.gradHess(x, y, call);
      const at = [
        firstDifference(value, whole.value.subarray(start, end)),
        firstDifference(grad, whole.grad.subarray(start, end)),
        firstDifference(hess, curved.hess.subarray(start, end)),
        firstDifference(none.forward(x, y, call), value),
      ];
      if (at.some((k) => k !== -1)) faults.push(`length ${n}: value, grad, hess, forward differ at ${at}`);
    }
    expect(faults).toEqual([]);
  });

  test('a workspace changes no bit, of an element or of a sum', () => {
    const sum = new FocalLoss({ ...options, reduction: 'sum' });
    const counted = new FocalLoss({ ...options, normalizer: 'positives' });
    for (const n of [0, 1, 3, 17, 319, 320, 321, ...EDGES.slice(6), 4 * SEGMENT + 1, LONGEST]) {
      const workspace = new Workspace(24 * n + 4096);
      const x = workspace.float32(n);
      const y = targets instanceof Uint8Array ? workspace.uint8(n) : workspace.float32(n);
      const out = workspace.float32(n);
      const gradOut = workspace.float32(n);
      x.set(logits.subarray(0, n));
      y.set(targets.subarray(0, n));
      const plainX = logits.slice(0, n);
      const plainY = targets.slice(0, n);
      const plain = none.valueAndGrad(plainX, plainY);
      const { value, grad } = none.valueAndGrad(x, y, { out, gradOut });
      expect(value).toBe(out);
      expect(grad).toBe(gradOut);
      expect(firstDifference(value, plain.value)).toBe(-1);
      expect(firstDifference(grad, plain.grad)).toBe(-1);
      expect(sum.forward(x, y)).toBe(sum.forward(plainX, plainY));
      expect(sum.valueAndGrad(x, y).value).toBe(sum.forward(plainX, plainY));
      expect(firstDifference(counted.valueAndGrad(x, y).grad, counted.valueAndGrad(plainX, plainY).grad)).toBe(-1);
    }
  });
});

test('alpha and posWeight of a class reach each of its elements, over any number of blocks', () => {
  const [alpha, posWeight] = [
    [0.1, 0.5, 0.9],
    [1, 4, 0.25],
  ];
  const n = 3 * Math.ceil(ACROSS / 3);
  for (const targets of [hardTargets(n), softTargets(n)]) {
    const none = new FocalLoss({ gamma: 1.7, numClasses: 3, alpha, posWeight, reduction: 'none' });
    const { value, grad } = none.valueAndGrad(logits.subarray(0, n), targets);
    alpha.forEach((weight, k) => {
      const one = new FocalLoss({ gamma: 1.7, alpha: weight, posWeight: posWeight[k], reduction: 'none' });
      const ofClass = <T extends Float32Array | Uint8Array>(array: T) => array.filter((_, at) => at % 3 === k) as T;
      const expected = one.valueAndGrad(ofClass(logits.subarray(0, n)), ofClass(targets));
      ofClass(value).forEach((loss, row) => {
        const wanted = expected.value[row];
        if (!(Math.abs(loss - wanted) <= 2e-6 * wanted)) expect([k, row, loss]).toEqual([k, row, wanted]);
      });
      ofClass(grad).forEach((slope, row) => {
        const wanted = expected.grad[row];
        if (!(Math.abs(slope - wanted) <= 4e-6 * Math.abs(wanted) + 1e-6))
          expect([k, row, slope]).toEqual([k, row, wanted]);
      });
    });
  }
});

test('out may be the logits, where they are longer than what is staged at once', () => {
  const none = new FocalLoss({ gamma: 2, reduction: 'none' });
  const targets = hardTargets(LONGEST);
  const { value, grad } = none.valueAndGrad(logits, targets);
  const [x, z] = [logits.slice(), logits.slice()];
  none.forward(x, targets, { out: x });
  none.valueAndGrad(z, targets, { gradOut: z });
  expect([firstDifference(x, value), firstDifference(z, grad)]).toEqual([-1, -1]);
});

test('arrays at any byte offset, also those of bytes', () => {
  const none = new FocalLoss({ gamma: 2, reduction: 'none' });
  const targets = hardTargets(600);
  const expected = none.forward(logits.subarray(0, 600), targets);
  for (let offset = 0; offset < 17; offset++) {
    const x = new Float32Array(new ArrayBuffer(4 * 620), 4 * offset, 600);
    const y = new Uint8Array(new ArrayBuffer(620), offset, 600);
    x.set(logits.subarray(0, 600));
    y.set(targets);
    expect(firstDifference(none.forward(x, y), expected)).toBe(-1);
  }
});

test('out, gradOut and hessOut are written from their first to their last element only', () => {
  const none = new FocalLoss({ gamma: 2, reduction: 'none' });
  for (const n of [0, 1, 2, 3, 5, 31, 33, 255, 257, ACROSS]) {
    const frames = [0, 1, 2].map(() => new Float32Array(n + 6).fill(7));
    const [out, gradOut, hessOut] = frames.map((frame) => frame.subarray(3, 3 + n));
    const x = logits.subarray(0, n);
    const y = hardTargets(n);
    const pair = none.valueAndGrad(x, y, { out, gradOut });
    expect(pair.value).toBe(out);
    expect(pair.grad).toBe(gradOut);
    const curves = none.gradHess(x, y, { gradOut, hessOut });
    expect(curves.grad).toBe(gradOut);
    expect(curves.hess).toBe(hessOut);
    for (const frame of frames) {
      expect([...frame.subarray(0, 3), ...frame.subarray(3 + n)]).toEqual([7, 7, 7, 7, 7, 7]);
      if (n > 0) expect(frame.subarray(3, 3 + n).every((v) => v !== 7)).toBe(true);
    }
  }
});
