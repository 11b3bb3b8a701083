// Buffers for results: which memory they may have in common with inputs and with each other, and that nothing of their own runs.
import { describe, expect, test } from 'vitest';
import {
  FocalLoss,
  focalLogit,
  focalPosterior,
  OneHotFocalLoss,
  SoftmaxFocalLoss,
  softmaxFocalPosterior,
  Workspace,
} from '../src/index.js';
import { errorOf, someLogits } from './support.js';
import { WIDTHS } from './widths.js';

const n = 8;
const message = (run: () => unknown) => errorOf(run).message;
const apart = (name: string, length: number) =>
  `"${name}" expected memory apart from other arrays, got a Float32Array of length ${length}`;

test('results of a shifted part of the logits are an error: they would be read as logits', () => {
  const memory = new Float32Array(n + 1);
  const [logits, out, targets] = [memory.subarray(0, n), memory.subarray(1), new Uint8Array(n)];
  const loss = new FocalLoss({ reduction: 'none' });
  expect(message(() => loss.forward(logits, targets, { out }))).toBe(apart('out', n));
  expect(message(() => loss.forward(new Float32Array(n), targets, { weight: logits, out }))).toBe(apart('out', n));
  expect(message(() => loss.forward(new Float32Array(n), logits, { out: logits }))).toBe(apart('out', n));
  expect(message(() => focalPosterior(logits, { out }))).toBe(apart('out', n));
  expect(message(() => focalLogit(logits, { out }))).toBe(apart('out', n));
  expect(message(() => softmaxFocalPosterior(logits, { numClasses: 2, out }))).toBe(apart('out', n));
  // the same bytes, of which a result is half as wide as what it is written over
  const wide = new Float64Array(n);
  const narrow = new Float32Array(wide.buffer, 0, n);
  expect(message(() => focalPosterior(wide, { out: narrow }))).toBe(apart('out', n));
});

test('the logits or the weights themselves are none', () => {
  const loss = new FocalLoss({ reduction: 'none' });
  const targets = new Uint8Array(n);
  const expected = loss.forward(someLogits(n), targets, { weight: someLogits(n, 2) });
  for (const where of ['logits', 'weight'] as const) {
    const arrays = { logits: someLogits(n), weight: someLogits(n, 2) };
    const { logits, weight } = arrays;
    expect(loss.forward(logits, targets, { weight, out: arrays[where] })).toEqual(expected);
  }
  // as are parts that lie next to each other
  const memory = new Float32Array(2 * n);
  memory.set(someLogits(n));
  expect(focalPosterior(memory.subarray(0, n), { out: memory.subarray(n) })).toEqual(focalPosterior(someLogits(n)));
});

test('in a workspace as well, and for labels and weights by row', () => {
  const workspace = new Workspace(1024);
  const logits = workspace.float32(12);
  const labels = workspace.int32(4);
  const loss = new OneHotFocalLoss({ numClasses: 3 });
  const gradOut = new Float32Array(labels.buffer, labels.byteOffset - 4, 12);
  expect(errorOf(() => loss.valueAndGrad(logits, labels, { gradOut })).argument).toBe('gradOut');
  const weight = new Float32Array(4);
  const hessOut = new Float32Array(12);
  const rows = { weight: hessOut.subarray(4, 8), hessOut };
  expect(errorOf(() => loss.gradHess(logits, labels, rows)).message).toBe(apart('hessOut', 12));
  expect(loss.gradHess(logits, labels, { weight, hessOut }).hess).toBe(hessOut);
});

test('two results of the same memory are an error, whatever arrays they are', () => {
  const both = new Float32Array(6);
  const criterion = new FocalLoss({ reduction: 'none' });
  const [logits, targets] = [new Float32Array(3), new Uint8Array(3)];
  const [out, gradOut] = [both.subarray(0, 3), both.subarray(2, 5)];
  expect(errorOf(() => criterion.valueAndGrad(logits, targets, { out, gradOut })).message).toBe(apart('gradOut', 3));
  expect(criterion.valueAndGrad(logits, targets, { out, gradOut: both.subarray(3) }).value).toBe(out);
});

test('softmax: losses may take the place of the rows of weights, and not that of a part of the logits', () => {
  const criterion = new SoftmaxFocalLoss({ numClasses: 3, reduction: 'none' });
  const logits = someLogits(6);
  const labels = [0, 2];
  const weight = Float32Array.of(2, 3);
  const expected = criterion.forward(logits, labels, { weight });
  expect(criterion.forward(logits, labels, { weight, out: weight })).toEqual(expected);
  expect(errorOf(() => criterion.forward(logits, labels, { out: logits.subarray(0, 2) })).argument).toBe('out');
});

describe.each(WIDTHS)('%s: a subclass that has its own length and set', (_, { library, Floats }) => {
  class Odd extends Floats {
    override get length() {
      return 0;
    }
    override set() {}
  }

  test('is filled like any other array', () => {
    const filled = (write: (out: Float32Array) => unknown) => {
      const out = new Odd(2);
      write(out);
      return [out[0], out[1]];
    };
    const p = [0.25, 0.75];
    expect(filled((out) => library.focalLogit(p, { out }))).toEqual([...library.focalLogit(p)]);
    expect(filled((out) => library.focalPosterior(p, { alpha: 0, out }))).toEqual([1, 1]);
    expect([...library.hardest(new Odd(3), 2)]).toEqual([0, 1]);
  });

  test('loses no loss that a meter adds one by one', () => {
    const meter = new library.LossMeter(new library.FocalLoss());
    meter.update([Number.NaN, 1], [0, 1], { out: new Odd(2) });
    expect(meter.compute()).toMatchObject({ nan: 1, sumNegatives: Number.NaN });
    expect(meter.compute().sumPositives).toBeGreaterThan(0);
  });
});
