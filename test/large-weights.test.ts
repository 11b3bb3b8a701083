// Weights that are in range one by one, and whose product float32 cannot hold: infinite, it would meet a loss of 0.
import { describe, expect, test } from 'vitest';
import * as lite from '../dist/lite.js';
import { FocalLoss, OneHotFocalLoss, SoftmaxFocalLoss } from '../src/index.js';
import { errorOf } from './support.js';
import { WIDTHS } from './widths.js';

describe('a weight times that of a class', () => {
  test('is an error that names it where float32 cannot hold it', () => {
    const classWeight = [1, 1e30];
    const message = "a number that float32 can hold times 1e+30, a class's weight, at index 1, got 1e+30";
    const float32 = '"weight" expected a number that float32 can hold times 1e+30, a class\'s weight, at index 1, got ';
    for (const weight of [[1, 1e30], Float64Array.of(1, 1e30)]) {
      const element = errorOf(() =>
        new FocalLoss({ numClasses: 2, classWeight }).forward([500, 0], [1, 0], { weight }),
      );
      expect(element.message).toBe(`"weight" expected ${message}`);
      expect(element).toMatchObject({ argument: 'weight', index: 1 });
    }
    const weight = Float32Array.of(1, -1e30);
    const rows = [9, 0, 500, 0];
    for (const criterion of [
      new OneHotFocalLoss({ numClasses: 2, classWeight }),
      new SoftmaxFocalLoss({ numClasses: 2, classWeight }),
      new SoftmaxFocalLoss({ numClasses: 2, alpha: 1e30 }),
    ]) {
      const { message } = errorOf(() => criterion.forward(rows, [0, 0], { weight }));
      expect(message).toBe(`${float32}${Math.fround(-1e30)}`);
    }
    // bfloat16 has the range of float32
    const halves = { data: Uint16Array.of(0x3f80, 0x7149), dims: [2], type: 'bfloat16' };
    const loss = new SoftmaxFocalLoss({ numClasses: 2, classWeight });
    expect(errorOf(() => loss.forward(rows, [0, 0], { weight: halves })).index).toBe(1);
  });

  test('is that product where float32 can', () => {
    const classWeight = [1, 1e20];
    const loss = new FocalLoss({ numClasses: 2, classWeight, alpha: null, gamma: 0, reduction: 'none' });
    const [, product] = loss.forward([0, 0], [1, 1], { weight: [1, 1e18] });
    expect(product / (1e38 * Math.LN2)).toBeCloseTo(1, 6);
  });
});

test('an element that weighs nothing has the loss 0, however much its class weighs and however wrong it is', () => {
  for (const [, { library }] of WIDTHS) {
    const wrong = -Number.MAX_VALUE;
    const element = new library.FocalLoss({ posWeight: 1e38, alpha: null, gamma: 1.7, reduction: 'none' });
    expect([...element.forward([wrong, -wrong], [1, 1], { weight: [0, 0] })]).toEqual([0, 0]);
    const rows = new library.OneHotFocalLoss({
      numClasses: 2,
      posWeight: 1e20,
      classWeight: [0, 1],
      reduction: 'none',
    });
    expect(rows.forward([wrong, 0], [0])[0]).toBe(0);
  }
});

test('alpha times a weight of a class is an error where float32 cannot hold it', () => {
  const options = { numClasses: 2, alpha: [1e30, 1], classWeight: [1e30, 1e30] };
  expect(errorOf(() => new SoftmaxFocalLoss(options)).message).toBe(
    '"classWeight[0]" expected a number that float32 can hold times 1e+30 (alpha), got 1e+30',
  );
});

test.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])(
  'an element that is left out has the loss 0 under a weight of %d, as it has the gradient 0',
  (odd) => {
    for (const targets of [Int8Array.of(-1, 0), Float32Array.of(-1, 0), [-1, 0], [-1n, 0n]]) {
      const call = { weight: [odd, 1] };
      for (const [, { library }] of WIDTHS) {
        const criterion = new library.FocalLoss({ ignoreIndex: -1, reduction: 'none' });
        expect(criterion.forward([1, 0], targets, call)[0]).toBe(0);
        const { value, grad } = new library.FocalLoss({ ignoreIndex: -1 }).valueAndGrad([1, 0], targets, call);
        expect(value).toBeCloseTo(0.75 * 0.5 ** 1.5 * Math.LN2, 6);
        expect(grad[0]).toBe(0);
      }
      expect(new lite.FocalLoss({ ignoreIndex: -1, reduction: 'sum' }).forward([1, 0], targets, call)).toBeGreaterThan(
        0,
      );
    }
    const rows = new OneHotFocalLoss({ numClasses: 2, ignoreIndex: -1, reduction: 'none' });
    expect([...rows.forward([1, 2, 3, 4], [-1, 2], { weight: [odd, 1] })].slice(0, 2)).toEqual([0, 0]);
  },
);

test('a divisor has an inverse that float32 holds, or is an error that says so', () => {
  const message = (value: number) => errorOf(() => new FocalLoss({ normalizer: value })).message;
  expect(message(1e-40)).toBe('"normalizer" expected a finite number > 0, or \'positives\', got 1e-40');
  expect(errorOf(() => new FocalLoss().forward([1], [1], { normalizer: 1e-320 })).argument).toBe('normalizer');
  // an element of no gradient has none, whatever divides it
  expect(new FocalLoss({ normalizer: 3e-39 }).valueAndGrad([200], [1]).grad[0]).toBeCloseTo(0);
  expect(new FocalLoss({ normalizer: Number.MAX_VALUE }).forward([1], [0])).toBeGreaterThan(0);
});

describe.each(WIDTHS)('%s: posteriors of a softmax', (_, { library }) => {
  const logits = [1, 2, 3];
  const posterior = (alpha: number | number[]) => [...library.softmaxFocalPosterior(logits, { numClasses: 3, alpha })];
  const plain = posterior([1, 1, 1]);

  test.each([1e-42, 1e-38, 3e38])('weights of %d for all classes change nothing', (alpha) => {
    for (const got of [posterior([alpha, alpha, alpha]), posterior(alpha)]) {
      got.forEach((p, k) => {
        expect(Math.abs(p / plain[k] - 1)).toBeLessThan(1e-6);
      });
    }
  });

  test('only ratios of weights count', () => {
    const usual = posterior([1, 2, 4]);
    for (const scale of [2 ** -140, 2 ** 100]) {
      posterior([scale, 2 * scale, 4 * scale]).forEach((p, k) => {
        expect(Math.abs(p / usual[k] - 1)).toBeLessThan(1e-6);
      });
    }
    // 1e76 between the largest and the smallest
    const [first, second, third] = posterior([1e-38, 1, 3e38]);
    expect([first, second > 2e-38, third < 1e-75]).toEqual([1, true, true]);
  });

  test('a loss that counts no class has none, one number or many', () => {
    expect(posterior(0)).toEqual([Number.NaN, Number.NaN, Number.NaN]);
    expect(posterior([0, 0, 0])).toEqual([Number.NaN, Number.NaN, Number.NaN]);
  });
});
