import { expect, test } from 'vitest';
import { analytic, Decimal, exact, focalLoss, gradient, hessian, posterior, ulpDistance } from './oracle.js';
import { softmaxDifference, softmaxFocalLoss, softmaxGradient, softmaxPosterior } from './oracle-softmax.js';

test('the differences of the loss are the analytic derivatives', () => {
  const options = [
    { gamma: 2, alpha: 0.25 },
    { gamma: 0.5, alpha: 0.75, posWeight: 3, weight: 1.5 },
    { gamma: 1.7, labelSmoothing: 0.1 },
  ];
  for (const option of options) {
    for (const [x, y] of [
      [-40.5, 1],
      [0, 0],
      [3, Math.fround(0.7)],
    ]) {
      const { grad, hess } = analytic(x, y, option);
      expect(gradient(x, y, option).div(grad).minus(1).abs().lt('1e-30')).toBe(true);
      expect(hessian(x, y, option).div(hess).minus(1).abs().lt('1e-30')).toBe(true);
    }
  }
});

test('the softmax gradient is the difference of its loss', () => {
  const row = [0.5, -1.25, 3];
  for (const options of [{ gamma: 2, alpha: [1, 2, 3] }, { gamma: 0.5, labelSmoothing: 0.1 }, { gamma: 0 }]) {
    const grad = softmaxGradient(row, 1, options);
    for (let j = 0; j < 3; j++) {
      expect(softmaxDifference(row, 1, j, options).minus(grad[j]).abs().lt('1e-30')).toBe(true);
    }
  }
});

test('published figures', () => {
  // a cross entropy of 2 log 2 at x = 0, and the linear meaning of a soft target
  expect(focalLoss(0, 1, { gamma: 0, posWeight: 2 }).toNumber()).toBe(2 * Math.LN2);
  expect(focalLoss(3, 0.7, { gamma: 2 }).toFixed(4)).toBe('0.0965');
  // a true probability of .5 trains to sigmoid(x) = .399, and .9 to .601
  const logit = (p: number) => Math.log(p / (1 - p));
  expect(posterior(logit(0.399), { gamma: 2, alpha: 0.25 }).toNumber()).toBeCloseTo(0.5, 2);
  expect(posterior(logit(0.601), { gamma: 2, alpha: 0.25 }).toNumber()).toBeCloseTo(0.9, 2);
});

test('a softmax of two classes is the sigmoid of their difference', () => {
  const binary = { gamma: 2.5 };
  const far = softmaxFocalLoss([-20, 33], 1, binary).div(focalLoss(53, 1, binary));
  expect(far.minus(1).abs().lt('1e-60')).toBe(true);
  expect(softmaxPosterior([1.5, -1], binary)[0].minus(posterior(2.5, binary)).abs().lt('1e-30')).toBe(true);
});

test('exact keeps every digit of a double', () => {
  expect(exact(0.1).toFixed()).toBe('0.1000000000000000055511151231257827021181583404541015625');
  expect(exact(2 ** -149).toFixed()).toBe(new Decimal(2).pow(-149).toFixed());
  expect(exact(-1e30).toFixed()).toBe('-1000000000000000019884624838656');
});

test('ulps are counted in the binade of the truth', () => {
  expect(ulpDistance(1, new Decimal(1))).toBe(0);
  expect(ulpDistance(1 + 2 ** -23, new Decimal(1))).toBe(1);
  expect(ulpDistance(1, new Decimal(1).minus(new Decimal(2).pow(-24)))).toBe(1);
  expect(ulpDistance(2 ** -149, new Decimal(0))).toBe(1);
  expect(ulpDistance(Number.NaN, new Decimal(1))).toBe(Number.POSITIVE_INFINITY);
  expect(ulpDistance(Number.POSITIVE_INFINITY, new Decimal('Infinity'))).toBe(0);
});
