import { describe, expect, test } from 'vitest';
import { FocalLoss, SoftmaxFocalLoss, Workspace } from '../src/index.js';
import { ACROSS, errorOf, firstDifference, hardTargets, SEGMENT, softTargets, someLogits } from './support.js';

const criterion = new FocalLoss({ gamma: 2, reduction: 'none' });

test('float32, uint8 and int32 give arrays of their kind, zero and apart', () => {
  const workspace = new Workspace(4096);
  const arrays = [
    workspace.uint8(3),
    workspace.float32(5),
    workspace.uint8(1),
    workspace.int32(7),
    workspace.float32(1),
  ];
  expect(arrays.map((array) => array.constructor)).toEqual([
    Uint8Array,
    Float32Array,
    Uint8Array,
    Int32Array,
    Float32Array,
  ]);
  expect(arrays.map((array) => array.length)).toEqual([3, 5, 1, 7, 1]);
  expect(new Set(arrays.map((array) => array.buffer)).size).toBe(1);
  arrays.forEach((array, k) => {
    expect(array.byteOffset % array.BYTES_PER_ELEMENT).toBe(0);
    array.fill(k + 1);
  });
  arrays.forEach((array, k) => {
    expect(array.every((value) => value === k + 1)).toBe(true);
  });
});

test('holds what its size promises', () => {
  for (const bytes of [64, 1000, 65_536, 300_000]) {
    const workspace = new Workspace(bytes);
    expect(workspace.float32(Math.floor(bytes / 4))).toHaveLength(Math.floor(bytes / 4));
  }
});

test('a full workspace says so and stays usable', () => {
  const workspace = new Workspace(1024);
  const kept = workspace.float32(4);
  const { name, message } = errorOf(() => {
    for (let k = 0; k < 1000; k++) workspace.float32(1000);
  });
  expect(name).toBe('RangeError');
  expect(message).toMatch(/got (1000|4000)/);
  errorOf(() => workspace.uint8(2 ** 40));
  errorOf(() => workspace.int32(2 ** 31));
  kept.set([1, 2, 3, 4]);
  expect(criterion.forward(kept, [1, 0, 1, 0])).toHaveLength(4);
});

test('reset gives the block back, for arrays that are 0', () => {
  const workspace = new Workspace(1024);
  const [first, second] = [workspace.float32(8), workspace.uint8(100)];
  first.fill(3);
  second.fill(7);
  workspace.reset();
  // more than was handed out before, in part of what was
  const again = workspace.uint8(300);
  expect(again.byteOffset).toBe(first.byteOffset);
  expect(again.every((byte) => byte === 0)).toBe(true);
  expect([...first, ...second].every((value) => value === 0)).toBe(true);
  again.fill(9);
  workspace.reset();
  expect([...workspace.float32(2)]).toEqual([0, 0]);
  // what lies behind is as it was
  expect(again.subarray(0, 8).every((byte) => byte === 0) && again.subarray(8).every((byte) => byte === 9)).toBe(true);
  const left = new Workspace(0);
  expect(errorOf(() => left.float32(257)).message).toBe(
    '"length" expected at most 256, which is what is left, got 257; the workspace has 0 bytes',
  );
  expect(left.float64(128)).toHaveLength(128);
});

test('views never detach', () => {
  const workspace = new Workspace(4096);
  const view = workspace.float32(16);
  view.fill(3);
  const { buffer } = view;
  const n = 1 << 20;
  for (let k = 0; k < 3; k++) {
    criterion.valueAndGrad(new Float32Array(n), new Uint8Array(n));
    new Workspace(1 << 20).float32(100);
  }
  expect(workspace.float32(1).buffer).toBe(buffer);
  expect(view).toHaveLength(16);
  expect([...view]).toEqual(new Array(16).fill(3));
});

describe.each([
  ['bytes', (n: number) => hardTargets(n)],
  ['floats', (n: number) => softTargets(n)],
])('targets as %s', (_, targetsOf) => {
  const n = ACROSS;
  const logits = someLogits(n);
  const targets = targetsOf(n);
  const weight = softTargets(n, 4);
  const expected = criterion.valueAndGrad(logits, targets, { weight });
  const { hess } = criterion.gradHess(logits, targets, { weight });

  test('any mixture of workspace and ordinary arrays gives the same bits', () => {
    const one = new Workspace(400 * n);
    const two = new Workspace(400 * n);
    const homes = [null, one, two];
    const floats = (home: Workspace | null, from: Float32Array | Uint8Array) => {
      const array = home ? home.float32(n) : new Float32Array(n);
      array.set(from);
      return array;
    };
    for (const x of homes) {
      for (const y of [null, one, two]) {
        for (const o of [null, one]) {
          const labels = targets instanceof Uint8Array ? (y?.uint8(n) ?? new Uint8Array(n)) : floats(y, targets);
          labels.set(targets);
          const call = { weight: floats(o, weight), out: floats(x, weight), gradOut: floats(o, weight) };
          const logitsHere = floats(x, logits);
          const both = criterion.valueAndGrad(logitsHere, labels, call);
          expect(both.value).toBe(call.out);
          expect(both.grad).toBe(call.gradOut);
          expect(firstDifference(both.value, expected.value)).toBe(-1);
          expect(firstDifference(both.grad, expected.grad)).toBe(-1);
          expect(firstDifference(logitsHere, logits)).toBe(-1);
          const curves = criterion.gradHess(logitsHere, labels, { weight: call.weight, hessOut: call.out });
          expect(curves.hess).toBe(call.out);
          expect(firstDifference(curves.hess, hess)).toBe(-1);
          expect(firstDifference(curves.grad, expected.grad)).toBe(-1);
        }
      }
    }
  });

  test('subarrays of a workspace array', () => {
    const workspace = new Workspace(16 * n);
    const x = workspace.float32(n);
    const y = targets instanceof Uint8Array ? workspace.uint8(n) : workspace.float32(n);
    const out = workspace.float32(n);
    x.set(logits);
    y.set(targets);
    const plain = criterion.forward(logits, targets);
    for (const [start, end] of [
      [0, n],
      [1, n],
      [3, 300],
      [5, 5],
      [SEGMENT - 1, 2 * SEGMENT + 1],
    ]) {
      out.fill(7);
      const inside = criterion.forward(x.subarray(start, end), y.subarray(start, end), {
        out: out.subarray(start, end),
      });
      expect(firstDifference(inside, plain.subarray(start, end))).toBe(-1);
      expect(out.subarray(0, start).every((v) => v === 7) && out.subarray(end).every((v) => v === 7)).toBe(true);
    }
  });
});

test('what lies behind the weights in a workspace weighs nothing', () => {
  const workspace = new Workspace(4096);
  const weight = workspace.float32(16);
  weight.fill(Number.NaN).fill(2, 0, 5);
  const loss = new FocalLoss({ reduction: 'sum' });
  const expected = loss.forward([-1, 2, 0.5, 0, 3], [0, 1, 0, 1, 0], { weight: new Float32Array(5).fill(2) });
  expect(loss.forward([-1, 2, 0.5, 0, 3], [0, 1, 0, 1, 0], { weight: weight.subarray(0, 5) })).toBe(expected);
});

test('int32 targets in a workspace', () => {
  const workspace = new Workspace(4096);
  const logits = workspace.float32(300);
  const targets = workspace.int32(300);
  logits.set(someLogits(300));
  targets.set(hardTargets(300));
  const plain = criterion.forward(someLogits(300), hardTargets(300));
  expect(firstDifference(criterion.forward(logits, targets), plain)).toBe(-1);
  targets[299] = 256;
  expect(errorOf(() => criterion.forward(logits, targets)).message).toMatch(/\b299\b.*got 256/);
});

test('bad targets in a workspace are found', () => {
  const workspace = new Workspace(5 * ACROSS);
  const logits = workspace.float32(ACROSS);
  const targets = workspace.uint8(ACROSS).fill(1);
  const first = 2 * SEGMENT + 3;
  targets[ACROSS - 1] = 2;
  targets[first] = 3;
  expect(errorOf(() => criterion.forward(logits, targets)).message).toMatch(new RegExp(`\\b${first}\\b.*got 3`));
});

test('a size that cannot be', () => {
  for (const bytes of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 40, 2 ** 53]) {
    expect(errorOf(() => new Workspace(bytes)).name).toBe('RangeError');
  }
  const workspace = new Workspace(4096);
  for (const length of [-1, 0.5, Number.NaN]) expect(errorOf(() => workspace.float32(length)).name).toBe('RangeError');
  expect(workspace.float32(0)).toHaveLength(0);
});

test('in place: out may be the logits, and gradOut the weight', () => {
  for (const n of [1, 5, 300, ACROSS]) {
    for (const targets of [hardTargets(n), softTargets(n)]) {
      const weight = softTargets(n, 4);
      const expected = criterion.valueAndGrad(someLogits(n), targets, { weight });
      const workspace = new Workspace(16 * n);
      const inside = [workspace.float32(n), workspace.float32(n)];
      inside[0].set(someLogits(n));
      inside[1].set(weight);
      for (const [logits, scale] of [[someLogits(n), weight.slice()], inside]) {
        const { value, grad } = criterion.valueAndGrad(logits, targets, { weight: scale, out: logits, gradOut: scale });
        expect(value).toBe(logits);
        expect(grad).toBe(scale);
        expect(firstDifference(value, expected.value)).toBe(-1);
        expect(firstDifference(grad, expected.grad)).toBe(-1);
      }
    }
  }
});

describe.each([
  ['rows', [11_022, 3, 1]],
  ['small planes', [1600, 3, 7]],
  ['planes wider than a segment', [2, 3, 6000]],
])('a softmax over %s', (_, dims) => {
  const rows = dims[0] * dims[2];
  const n = 3 * rows;
  const logits = someLogits(n);
  const labels = Int32Array.from({ length: rows }, (_, k) => (k * k) % 3);
  const weight = softTargets(rows, 4);
  // every share is positive, and those of a row add up to 1
  const shares = Float32Array.from({ length: n }, (_, k) => [0.25, 0.25, 0.5][Math.floor(k / dims[2]) % 3]);
  const options = { numClasses: 3, classAxis: 1, gamma: 2, reduction: 'none' } as const;

  test.each([
    ['labels', labels, options],
    ['shares', shares, options],
    ['labels beside alpha', labels, { ...options, alpha: [0.25, 0.5, 0.75] }],
  ] as const)('has the same bits in a workspace, in part or as a whole: %s', (_, targets, given) => {
    const softmax = new SoftmaxFocalLoss(given);
    const expected = softmax.valueAndGrad({ data: logits, dims }, targets, { weight });
    const curves = softmax.gradHess({ data: logits, dims }, targets, { weight });
    for (const outside of [undefined, 'x', 'y', 'weight', 'out', 'grad', 'hess']) {
      const space = new Workspace(6 * 4 * n);
      const place = <T extends Float32Array | Int32Array>(name: string, array: T): T => {
        if (name === outside) return array.slice() as T;
        const room = array instanceof Int32Array ? space.int32(array.length) : space.float32(array.length);
        room.set(array);
        return room as T;
      };
      const x = { data: place('x', logits), dims };
      const y = place('y', targets as Float32Array);
      const call = { weight: place('weight', weight), out: place('out', weight), gradOut: place('grad', logits) };
      const { value, grad } = softmax.valueAndGrad(x, y, call);
      expect([firstDifference(value, expected.value), firstDifference(grad, expected.grad)]).toEqual([-1, -1]);
      const { hess } = softmax.gradHess(x, y, { ...call, hessOut: place('hess', logits) });
      expect([firstDifference(hess, curves.hess), firstDifference(call.gradOut, curves.grad)]).toEqual([-1, -1]);
      expect(firstDifference(x.data, logits)).toBe(-1);
      expect(firstDifference(softmax.forward(x, y, { weight }), expected.value)).toBe(-1);
    }
    // of another kind, which is copied
    const wide = new Workspace(8 * n).float64(n);
    wide.set(logits);
    const { value } = softmax.valueAndGrad({ data: wide, dims }, targets, { weight });
    expect(firstDifference(value, expected.value)).toBe(-1);
    expect(firstDifference(softmax.forward({ data: wide, dims }, targets, { weight }), value)).toBe(-1);
  });
});

test.each([
  ['one segment', SEGMENT + 999, null],
  ['all regions together', 3 * SEGMENT + 999, null],
  ['one segment, with alphas', SEGMENT + 999, Array.from({ length: SEGMENT + 999 }, (_, k) => 1 + (k % 3))],
  ['all regions together, with alphas', 3 * SEGMENT + 999, Array.from({ length: 3 * SEGMENT + 999 }, (_, k) => k % 5)],
])('rows wider than %s are read and written in a workspace, beside ordinary arrays too', (_, numClasses, alpha) => {
  const softmax = new SoftmaxFocalLoss({ numClasses, gamma: 2, alpha, reduction: 'none' });
  const logits = someLogits(2 * numClasses);
  // the second is where labels are staged, which alphas must not reach
  const labels = [1, Math.min(numClasses - 1, 3 * SEGMENT + 240)];
  const expected = softmax.gradHess(logits, labels);
  const workspace = new Workspace(16 * 2 * numClasses);
  const x = workspace.float32(2 * numClasses);
  x.set(logits);
  const results = [workspace.float32(2 * numClasses), new Float32Array(2 * numClasses)];
  expect(firstDifference(softmax.forward(x, labels), softmax.forward(logits, labels))).toBe(-1);
  for (const gradOut of results) {
    const { grad, hess } = softmax.gradHess(x, labels, { gradOut });
    expect(firstDifference(grad, expected.grad)).toBe(-1);
    expect(firstDifference(hess, expected.hess)).toBe(-1);
    const hessOut = results[0] === gradOut ? workspace.float32(2 * numClasses) : x.slice();
    expect(firstDifference(softmax.gradHess(x, labels, { gradOut, hessOut }).hess, expected.hess)).toBe(-1);
  }
});

test('rows wider than all that lies before a workspace are not staged there', () => {
  const numClasses = 8 * SEGMENT;
  const softmax = new SoftmaxFocalLoss({ numClasses, gamma: 2, reduction: 'none' });
  const logits = someLogits(numClasses);
  // where its label would be staged
  const labels = [6 * (SEGMENT + 80)];
  const expected = softmax.gradHess(logits, labels);
  const workspace = new Workspace(16 * numClasses);
  const [x, gradOut, doubles] = [
    workspace.float32(numClasses),
    workspace.float32(numClasses),
    workspace.float64(numClasses),
  ];
  for (const array of [x, doubles]) array.set(logits);
  expect(firstDifference(softmax.forward(doubles, labels), softmax.forward(logits, labels))).toBe(-1);
  const { grad, hess } = softmax.gradHess(x, labels, { gradOut });
  expect([firstDifference(grad, expected.grad), firstDifference(hess, expected.hess)]).toEqual([-1, -1]);
  expect(firstDifference(x, logits)).toBe(-1);
});

test('rows too wide to be staged are an error', () => {
  const tooWide = new SoftmaxFocalLoss({ numClasses: 2 ** 26 + 1 });
  expect(errorOf(() => tooWide.forward([], [])).message).toBe(
    '"numClasses" expected at most 67108864, to stage a row, got 67108865; logits and results of wider rows must lie in a Workspace, and alpha must be null',
  );
});

test('float64 in a workspace is what it is elsewhere', () => {
  const n = ACROSS;
  const given = [someLogits(n), softTargets(n), softTargets(n, 4)].map((array) => Float64Array.from(array));
  const workspace = new Workspace(3 * 8 * n);
  const [x, y, weight] = given.map((array) => {
    const inside = workspace.float64(n);
    inside.set(array);
    return inside;
  });
  const expected = criterion.forward(given[0], given[1], { weight: given[2] });
  expect(firstDifference(criterion.forward(x, y, { weight }), expected)).toBe(-1);
  expect(firstDifference(criterion.forward(x, given[1], { weight: given[2] }), expected)).toBe(-1);
});

test('integer targets of which some are ignored, in a workspace', () => {
  const n = ACROSS;
  const labels = Uint8Array.from(hardTargets(n), (target, k) => (k % 5 === 3 ? 7 : target));
  const logits = someLogits(n);
  const skipping = new FocalLoss({ gamma: 2, reduction: 'none', ignoreIndex: 7 });
  const expected = skipping.forward(logits, labels);
  const workspace = new Workspace(20 * n);
  const x = workspace.float32(n);
  x.set(logits);
  const bytes = workspace.uint8(n);
  bytes.set(labels);
  const ints = workspace.int32(n);
  ints.set(labels);
  const room = workspace.uint8(8 * n + 8);
  const longs = new BigInt64Array(room.buffer, 8 * Math.ceil(room.byteOffset / 8), n);
  longs.set(BigInt64Array.from(labels, BigInt));
  for (const targets of [bytes, ints, longs]) {
    expect(firstDifference(skipping.forward(x, targets), expected)).toBe(-1);
  }
});
