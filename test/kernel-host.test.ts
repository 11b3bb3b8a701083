// What docs/abi.md promises a host that has the binary and nothing else.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { BAD_TARGET, Flag } from '../src/abi.js';
import { FocalLoss, focalPosterior, LossMeter, SoftmaxFocalLoss, softmaxFocalPosterior } from '../src/index.js';
import { type Call, KernelHost } from './kernel-host.js';
import { firstDifference, hardTargets, softTargets, someLogits } from './support.js';

const root = fileURLToPath(new URL('..', import.meta.url));

test("docs/abi.md's example for a JavaScript host runs, and prints what it says", () => {
  const [, code] = /```js\n([\s\S]+?)```/.exec(readFileSync(`${root}docs/abi.md`, 'utf8')) ?? expect.fail('no example');
  const expected = [...code.matchAll(/console\.log\(.*\/\/ (.+)$/gm)].map(([, text]) => text);
  const printed = execFileSync(process.execPath, ['--input-type=module', '-e', code], { cwd: root, encoding: 'utf8' });
  expect(printed.trim().split('\n')).toEqual(expected);
  expect(expected.length).toBeGreaterThan(1);
});

test('a host without the wrapper gets the bits of the wrapper', () => {
  const n = 1003;
  const options = { gamma: 1.7, alpha: 0.75, posWeight: 3 };
  const fields = { gamma: 1.7, alphaPositive: 0.75, alphaNegative: 0.25, posWeight: 3, count: n };
  const x = someLogits(n);
  for (const y of [hardTargets(n), softTargets(n)]) {
    const raw = new KernelHost();
    const logits = raw.put(raw.start, x);
    const targets = raw.put(logits + 4 * n, y);
    const [loss, grad, hess] = [1, 2, 3].map((k) => targets + 4 * n * k);
    raw.put(hess, new Float32Array(n));
    const flags = Flag.sums + Flag.byClass + (y instanceof Float32Array ? Flag.soft : 0);
    raw.call('binary', { ...fields, logits, targets, loss, grad, hess, flags });
    const criterion = new FocalLoss({ ...options, reduction: 'none' });
    const meter = new LossMeter(criterion);
    const curves = criterion.gradHess(x, y);
    expect(firstDifference(raw.floats(loss, n), meter.update(x, y))).toBe(-1);
    expect(firstDifference(raw.floats(grad, n), curves.grad)).toBe(-1);
    expect(firstDifference(raw.floats(hess, n), curves.hess)).toBe(-1);
    const { positives, negatives, sumPositives, sumNegatives } = meter.compute();
    expect([raw.result('positives'), raw.result('negatives'), raw.result('bad')]).toEqual([positives, negatives, 0]);
    expect([raw.result('sumPositives'), raw.result('sumNegatives')]).toEqual([sumPositives, sumNegatives]);
    raw.call('posterior', { ...fields, logits, loss });
    expect(firstDifference(raw.floats(loss, n), focalPosterior(x, options))).toBe(-1);
  }
  const [classes, rows] = [17, 59];
  const labels = Int32Array.from({ length: rows }, (_, k) => (k * 7) % classes);
  const raw = new KernelHost();
  const logits = raw.put(raw.start, x);
  const targets = raw.put(logits + 4 * n, labels);
  const loss = targets + 4 * rows;
  const grad = raw.put(loss + 4 * n, x);
  raw.call('softmax', { gamma: 2, logits, targets, loss, grad, classes, count: rows });
  const both = new SoftmaxFocalLoss({ numClasses: classes, gamma: 2, reduction: 'none' }).valueAndGrad(x, labels);
  expect(firstDifference(raw.floats(loss, rows), both.value)).toBe(-1);
  expect(firstDifference(raw.floats(grad, n), both.grad)).toBe(-1);
  raw.call('softmaxPosterior', { gamma: 2, logits, loss, classes, count: rows });
  expect(firstDifference(raw.floats(loss, n), softmaxFocalPosterior(x, { numClasses: classes, gamma: 2 }))).toBe(-1);
});

/** Addresses of arrays of these sizes, laid from the end of memory back in this order; floats at multiples of 4. */
function against(end: number, sizes: readonly number[], order: readonly number[], bytes = -1): number[] {
  const addresses: number[] = [];
  let at = end;
  for (const k of order) {
    at -= sizes[k];
    if (k !== bytes) at -= at % 4;
    addresses[k] = at;
  }
  return addresses;
}

test('arrays that end with memory are not read or written beyond it, whatever their length', () => {
  const raw = new KernelHost();
  raw.grow(4);
  const end = raw.memoryBytes;
  const lengths = [...Array.from({ length: 40 }, (_, n) => n + 1), 319, 320, 321, 337];
  for (const n of lengths) {
    const [x, soft] = [someLogits(n), softTargets(n)];
    for (const y of [hardTargets(n), soft]) {
      const flags = Flag.sums + (y instanceof Float32Array ? Flag.soft : 0);
      const expected = new FocalLoss({ gamma: 2, alpha: null, reduction: 'none' }).valueAndGrad(x, y, { weight: soft });
      // each array in turn at the very end
      for (let turn = 0; turn < 5; turn++) {
        const sizes = [4 * n, y.byteLength, 4 * n, 4 * n, 4 * n];
        const order = sizes.map((_, k) => (k + turn) % 5);
        const at = against(end, sizes, order, y instanceof Uint8Array ? 1 : -1);
        const [logits, targets, weight, loss, grad] = at;
        raw.put(logits, x);
        raw.put(targets, y);
        raw.put(weight, soft);
        raw.call('binary', { gamma: 2, logits, targets, weight, loss, grad, count: n, flags });
        expect(firstDifference(raw.floats(loss, n), expected.value)).toBe(-1);
        expect(firstDifference(raw.floats(grad, n), expected.grad)).toBe(-1);
        raw.call('census', { targets, count: n, flags });
        expect(raw.result('positives') + raw.result('negatives')).toBe(n);
        raw.call('posterior', { gamma: 2, logits, loss, count: n });
      }
    }
    for (const classes of [1, 2, 3, 7, 16].filter((columns) => n % columns === 0)) {
      const rows = n / classes;
      const labels = new Int32Array(rows).fill(classes - 1);
      for (const order of [
        [0, 1, 2],
        [1, 2, 0],
        [2, 0, 1],
      ]) {
        const sizes = [4 * n, 4 * rows, 4 * n];
        const at = against(end, sizes, order);
        raw.put(at[0], x);
        raw.put(at[1], labels);
        raw.call('softmax', { gamma: 2, logits: at[0], targets: at[1], grad: at[2], classes, count: rows });
        expect(raw.result('bad')).toBe(0);
        raw.call('softmaxPosterior', { gamma: 2, logits: at[0], loss: at[2], classes, count: rows });
      }
    }
  }
});

test('nor where some are ignored, nor of wide rows, near 0 or far from it', () => {
  const raw = new KernelHost();
  raw.grow(4);
  const end = raw.memoryBytes;
  for (const n of [5, 16, 33, 320, 321]) {
    const x = someLogits(n);
    for (const [y, ignore] of [
      [hardTargets(n), 2],
      [softTargets(n), 0.5],
    ] as const) {
      const flags = Flag.sums + Flag.ignore + (y instanceof Float32Array ? Flag.soft : 0);
      for (const labelSmoothing of [0, 0.1])
        for (const order of [
          [0, 1],
          [1, 0],
        ]) {
          const at = against(end, [4 * n, y.byteLength], order, y instanceof Uint8Array ? 1 : -1);
          raw.put(at[0], x);
          raw.put(at[1], y);
          raw.call('binary', { gamma: 2, labelSmoothing, logits: at[0], targets: at[1], count: n, flags, ignore });
          expect(raw.result('positives') + raw.result('negatives')).toBe(n);
        }
    }
  }
  // next to the margin elements are evaluated one by one
  const n = 336;
  const logits = end - 4 * n;
  raw.put(logits, new Float32Array(n).fill(Math.log(0.05 / 0.95) + 1e-5));
  const targets = raw.put(raw.start, new Uint8Array(n));
  raw.call('asymmetric' as Call, { gamma: 1, beta: 1, margin: 0.05, logits, targets, count: n, flags: Flag.sums });
  expect(raw.result('sum')).toBeGreaterThan(0);
  for (const classes of [33, 129, 321])
    for (const offset of [0, 3000]) {
      const [logits, targets] = against(end, [4 * classes, 4], [0, 1]);
      raw.put(
        logits,
        Float32Array.from({ length: classes }, (_, j) => offset + (j % 7)),
      );
      raw.put(targets, Int32Array.of(4));
      raw.call('softmax', { gamma: 2, logits, targets, loss: targets - 64, classes, count: 1, flags: Flag.sums });
      expect([raw.result('positives'), raw.result('bad')]).toEqual([1, 0]);
      raw.call('softmaxPosterior', { gamma: 2, logits, loss: targets - 64 - 4 * classes, classes, count: 1 });
    }
});

test('in double precision nothing is read behind targets that end with memory', () => {
  const raw = new KernelHost(readFileSync(new URL('../build/kernel-float64.wasm', import.meta.url)));
  raw.grow(4);
  for (const n of [2, 8, 16, 160, 168]) {
    const logits = raw.start;
    raw.put(logits, new Float64Array(n).fill(-1));
    const losses = [raw.memoryBytes - n, logits + 8 * n].flatMap((targets) => {
      raw.put(targets, new Uint8Array(n).fill(1));
      return (['binary', 'asymmetric', 'quality', 'heatmap', 'varifocal'] as const).map((name) => {
        raw.call(name as Call, { gamma: 2, beta: 1, margin: 0.05, logits, targets, count: n, flags: Flag.sums });
        return raw.result('sum');
      });
    });
    expect(losses.slice(0, 5)).toEqual(losses.slice(5));
  }
});

test('whatever bytes the inputs hold, nothing traps, and bad targets are told', () => {
  const raw = new KernelHost();
  const n = 640;
  const noise = new Uint8Array(4 * n);
  for (let k = 0; k < noise.length; k++) noise[k] = (k * 197 + (k >> 3) * 31) & 255;
  const logits = raw.put(raw.start, noise);
  const targets = raw.put(logits + 4 * n, noise);
  const loss = targets + 4 * n;
  const grad = raw.put(loss + 4 * n, noise);
  for (const flags of [0, Flag.soft, Flag.sums, Flag.probabilities, Flag.ignore + Flag.soft + Flag.sums]) {
    raw.call('binary', { gamma: 2, logits, targets, loss, grad, count: n, flags });
    expect(raw.result('bad') & BAD_TARGET).toBe(BAD_TARGET);
  }
  raw.call('softmax', { gamma: 2, logits, targets, loss, grad, classes: 10, count: n / 10 });
  expect(raw.result('positives')).toBe(0);
});
