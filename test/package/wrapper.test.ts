// What the wrapper offers beyond the numbers of the kernel.
import { describe, expect, expectTypeOf, test } from 'vitest';
import {
  BCEWithLogitsLoss,
  FocalLoss,
  type FocalLossOptions,
  LossMeter,
  SoftmaxFocalLoss,
  sigmoidFocalLoss,
  softmaxFocalLoss,
  softmaxFocalPosterior,
  Workspace,
} from '../../src/index.js';
import { ACROSS, errorOf, firstDifference, hardTargets, SEGMENT, someLogits } from '../support.js';

/** Whole rows of five. */
const n = ACROSS - (ACROSS % 5);
const logits = someLogits(n);
const targets = hardTargets(n);
const elements = new FocalLoss({ gamma: 2, reduction: 'none' }).forward(logits, targets);

describe('call', () => {
  test('out receives the element losses under any reduction, in any method', () => {
    for (const reduction of ['none', 'mean', 'sum'] as const) {
      const criterion = new FocalLoss({ gamma: 2, reduction });
      for (const method of ['forward', 'valueAndGrad', 'gradHess'] as const) {
        const out = new Float32Array(n);
        criterion[method](logits, targets, { out });
        expect(firstDifference(out, elements)).toBe(-1);
      }
    }
  });

  test('out may be the logits or the weight', () => {
    const criterion = new FocalLoss({ gamma: 2, reduction: 'none' });
    const weight = new Float32Array(n).fill(1);
    const x = logits.slice();
    expect(criterion.forward(x, targets, { out: x })).toBe(x);
    expect(firstDifference(x, elements)).toBe(-1);
    expect(firstDifference(criterion.forward(logits, targets, { weight, out: weight }), elements)).toBe(-1);
    const workspace = new Workspace(4 * n);
    const inside = workspace.float32(n);
    inside.set(logits);
    expect(firstDifference(criterion.forward(inside, targets, { out: inside }), elements)).toBe(-1);
  });

  test('an unknown key is named', () => {
    expect(errorOf(() => new FocalLoss().forward(logits, targets, { wieght: 1 } as never)).message).toBe(
      '"call" expected keys among weight, out, gradOut, hessOut, validate, normalizer, got \'wieght\'',
    );
  });

  test('the functions take it too', () => {
    const weight = new Float32Array(n).fill(2);
    const options = { gamma: 2, reduction: 'sum' } as const;
    expect(sigmoidFocalLoss(logits, targets, options, { weight })).toBe(
      new FocalLoss(options).forward(logits, targets, { weight }),
    );
    const rows = { numClasses: 5, reduction: 'sum' } as const;
    expect(softmaxFocalLoss(logits, new Uint8Array(n / 5), rows, { weight: weight.subarray(0, n / 5) })).toBe(
      new SoftmaxFocalLoss(rows).forward(logits, new Uint8Array(n / 5), { weight: weight.subarray(0, n / 5) }),
    );
  });
});

test('a reduction that is given later wins over the one that a spread may hold', () => {
  const options: FocalLossOptions = { gamma: 2 };
  const criterion = new FocalLoss({ ...options, reduction: 'none' });
  expectTypeOf(criterion.forward(logits, targets)).toExtend<Float32Array>();
  expectTypeOf(new FocalLoss(options).forward(logits, targets)).toEqualTypeOf<number | Float32Array<ArrayBuffer>>();
  const lossFcn = new BCEWithLogitsLoss({ reduction: 'sum' });
  expectTypeOf(sigmoidFocalLoss(logits, targets, { lossFcn })).toEqualTypeOf<number>();
  expect(firstDifference(criterion.forward(logits, targets), elements)).toBe(-1);
});

describe('ignoreIndex', () => {
  test('is met only by what a kind can hold', () => {
    const bytes = Uint8Array.of(1, 255);
    const criterion = (ignoreIndex: number) => new FocalLoss({ ignoreIndex, reduction: 'sum' });
    expect(criterion(255).forward([1, 1], bytes)).toBeGreaterThan(0);
    for (const ignoreIndex of [-1, 511, 254.5, 2 ** 40]) {
      expect(errorOf(() => criterion(ignoreIndex).forward([1, 1], bytes)).message).toBe(
        '"targets" expected 0 or 1 at index 1, got 255; ignoreIndex: 255 leaves such elements out',
      );
    }
    expect(errorOf(() => criterion(255).forward([1, 1], Int8Array.of(1, -1))).message).toMatch(
      /got -1; ignoreIndex: -1 /,
    );
    expect(errorOf(() => criterion(0.5).forward([1, 1], Int32Array.of(2 ** 30, 0))).message).toMatch(
      /index 0, got 1073/,
    );
  });

  test('is compared in double precision where targets are double', () => {
    const criterion = new FocalLoss({ ignoreIndex: 0.1, reduction: 'none' });
    expect([...criterion.forward([1, 1], Float64Array.of(0.1, 0.1 + 1e-12))].map((loss) => loss > 0)).toEqual([
      false,
      true,
    ]);
  });
});

describe('Workspace', () => {
  test('exact sizes leave room for the padding between arrays', () => {
    const workspace = new Workspace(5 * 1001);
    expect(workspace.uint8(1001)).toHaveLength(1001);
    const floats = workspace.float32(1001);
    expect(floats.byteOffset % 16).toBe(0);
    expect(workspace.bytes).toBe(5005);
  });

  test('reset hands the same bytes out again, as zeros', () => {
    const workspace = new Workspace(64);
    const before = workspace.float32(16).fill(3);
    workspace.reset();
    const after = workspace.uint8(17);
    expect(after.byteOffset).toBe(before.byteOffset);
    expect(after.every((byte) => byte === 0)).toBe(true);
    expect(before[15]).toBe(3);
  });

  test('what is left is told', () => {
    const workspace = new Workspace(1600);
    workspace.float32(200);
    expect(errorOf(() => workspace.float32(1000)).message).toBe(
      '"length" expected at most 456, which is what is left, got 1000; the workspace has 1600 bytes',
    );
  });

  test('rows of any width', () => {
    const widest = 2 ** 26;
    const huge = new SoftmaxFocalLoss({ numClasses: widest + 1 });
    expect(errorOf(() => huge.forward(new Float32Array(widest + 1), [0])).message).toMatch(
      /^"numClasses" expected at most 67108864, to stage a row, got 67108865; .*Workspace/,
    );
    const classes = 100_000;
    const criterion = new SoftmaxFocalLoss({ numClasses: classes, gamma: 0, reduction: 'sum' });
    expect(criterion.forward(new Float32Array(classes), [0])).toBeCloseTo(Math.log(classes), 4);
    const workspace = new Workspace(8 * classes);
    const row = workspace.float32(classes);
    const gradOut = workspace.float32(classes);
    const { value, grad } = criterion.valueAndGrad(row, [7], { gradOut });
    expect(value).toBeCloseTo(Math.log(classes), 4);
    expect(grad[7]).toBeCloseTo(-1, 4);
    expect(softmaxFocalPosterior(row, { gamma: 0, numClasses: classes, out: gradOut })[5]).toBeCloseTo(1e-5, 9);
    expect(criterion.valueAndGrad(row, [7]).grad[7]).toBeCloseTo(-1, 4);
  });

  test('rows too wide to be staged in it are staged elsewhere', () => {
    const classes = 20_000;
    const workspace = new Workspace(4 * classes);
    const row = workspace.float32(classes);
    row.set(someLogits(classes));
    const criterion = new SoftmaxFocalLoss({ numClasses: classes, gamma: 2, reduction: 'none' });
    const plain = criterion.gradHess(row.slice(), [3]);
    const inside = criterion.gradHess(row, [3]);
    expect(firstDifference(inside.grad, plain.grad)).toBe(-1);
    expect(firstDifference(inside.hess, plain.hess)).toBe(-1);
  });
});

test('a meter divides as the criterion does under mean', () => {
  for (const normalizer of [7, 'positives'] as const) {
    const criterion = new FocalLoss({ gamma: 2, normalizer });
    const meter = new LossMeter(criterion);
    meter.update(logits.subarray(0, 160), targets.subarray(0, 160));
    meter.update(logits.subarray(160), targets.subarray(160));
    // forward adds neighbours as float32 first
    expect(Math.abs(meter.compute().mean / criterion.forward(logits, targets) - 1)).toBeLessThan(1e-7);
  }
});

test('sums of a meter do not depend on where the stream is cut', () => {
  const sizes = [250, SEGMENT, n, SEGMENT + 1, 2 * SEGMENT];
  const totals = sizes.map((size) => {
    const meter = new LossMeter(new FocalLoss({ gamma: 2 }));
    for (let start = 0; start < n; start += size) {
      meter.update(logits.subarray(start, start + size), targets.subarray(start, start + size));
    }
    return meter.compute().sum;
  });
  for (const total of totals) expect(Math.abs(total / totals[2] - 1)).toBeLessThan(1e-12);

  // of many small terms beside a large one, which a plain sum would lose
  const meter = new LossMeter(new BCEWithLogitsLoss({ reduction: 'sum' }));
  meter.update([2 ** 60], Uint8Array.of(0));
  const small = new BCEWithLogitsLoss({ reduction: 'sum' }).forward([0], Uint8Array.of(0));
  for (let k = 0; k < 1000; k++) meter.update([0], Uint8Array.of(0));
  meter.update([-(2 ** 60)], Uint8Array.of(0));
  const [large, rest] = meter.toJSON().sumNegatives.terms;
  expect(large - 2 ** 60 + rest).toBe(1000 * small);
});

test('an array of another realm is an array', async () => {
  const { runInNewContext } = await import('node:vm');
  const foreign = runInNewContext(
    '({ x: Float32Array.of(1, -2), y: Uint8Array.of(1, 0), list: [1, 0], options: { gamma: 2 } })',
  );
  expect(foreign.x instanceof Float32Array).toBe(false);
  const criterion = new FocalLoss(foreign.options);
  const loss = new FocalLoss({ gamma: 2 }).forward([1, -2], Uint8Array.of(1, 0));
  expect(criterion.forward(foreign.x, foreign.y)).toBe(loss);
  expect(criterion.forward(foreign.x, Uint8Array.from(foreign.list))).toBe(loss);
});
