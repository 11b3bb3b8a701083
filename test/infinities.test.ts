import { describe, expect, test } from 'vitest';
import { BCEWithLogitsLoss, FocalLoss, type FocalLossOptions, LossMeter, SoftmaxFocalLoss } from '../src/index.js';

const INF = Number.POSITIVE_INFINITY;
const GAMMAS = [0, 0.3, 0.5, 1, 1.5, 1.7, 2, 5, 7.3, 10];

function element(x: number, y: number, options: Omit<FocalLossOptions, 'lossFcn'> = {}, weight = 1) {
  const criterion = new FocalLoss({ alpha: null, ...options, reduction: 'none' });
  const logits = Float32Array.of(x);
  const call = { weight: Float32Array.of(weight) };
  const soft = criterion.forward(logits, Float32Array.of(y), call)[0];
  const { grad, hess } = criterion.gradHess(logits, Float32Array.of(y), call);
  if (y === 0 || y === 1) {
    const bytes = Uint8Array.of(y);
    expect(criterion.forward(logits, bytes, call)[0]).toBe(soft);
    const hard = criterion.gradHess(logits, bytes, call);
    for (const [got, want] of [
      [hard.grad[0], grad[0]],
      [hard.hess[0], hess[0]],
    ]) {
      if (Number.isNaN(want)) expect(got).toBeNaN();
      else expect(got).toBeCloseTo(want, 6);
    }
  }
  return { value: soft, grad: grad[0], hess: hess[0] };
}

describe.each(GAMMAS)('gamma %d', (gamma) => {
  test('a NaN logit gives NaN', () => {
    for (const y of [0, 1, 0.3]) {
      expect(element(Number.NaN, y, { gamma })).toEqual({ value: Number.NaN, grad: Number.NaN, hess: Number.NaN });
    }
  });

  test('the right infinity costs nothing and pulls nowhere', () => {
    for (const [x, y] of [
      [INF, 1],
      [-INF, 0],
    ]) {
      const { value, grad, hess } = element(x, y, { gamma });
      expect(value).toBe(0);
      expect(grad).toBeCloseTo(0, 6);
      expect(hess).toBeCloseTo(0, 6);
    }
  });

  test('the wrong infinity costs Infinity, at slope 1', () => {
    for (const [x, y] of [
      [-INF, 1],
      [INF, 0],
    ]) {
      const { value, grad, hess } = element(x, y, { gamma });
      expect(value).toBe(INF);
      expect(grad).toBeCloseTo(x > 0 ? 1 : -1, 6);
      expect(hess).toBeCloseTo(0, 6);
    }
  });

  test('either infinity is wrong for a soft target', () => {
    for (const x of [INF, -INF]) {
      const { value, grad, hess } = element(x, 0.75, { gamma });
      expect(value).toBe(INF);
      // c -> y or 1 - y, and the cross entropy's slope -> -y or 1 - y
      expect(grad).toBeCloseTo(x < 0 ? -(0.75 ** (gamma + 1)) : 0.25 ** (gamma + 1), 6);
      expect(hess).toBeCloseTo(0, 6);
    }
  });

  test('a factor of 0 takes the infinity away', () => {
    for (const { value, grad, hess } of [
      element(-INF, 1, { gamma, alpha: 0 }),
      element(INF, 0, { gamma, alpha: 1 }),
      element(-INF, 1, { gamma, posWeight: 0 }),
      element(-INF, 1, { gamma }, 0),
      element(INF, 0.5, { gamma }, 0),
      element(-INF, 0.5, { gamma, posWeight: 0 }),
    ]) {
      expect(value).toBe(0);
      expect(grad).toBeCloseTo(0, 6);
      expect(hess).toBeCloseTo(0, 6);
    }
  });
});

test('finite logits never give NaN, nor a negative loss', () => {
  const sizes = [
    0,
    2 ** -149,
    2 ** -126,
    1e-20,
    1e-3,
    1,
    10,
    17,
    50,
    87.4,
    88.8,
    103.5,
    104,
    150,
    710,
    1e4,
    1e31,
    3.4e38,
  ];
  const logits = Float32Array.from(sizes.flatMap((x) => [x, -x]));
  const gammas = [0, 1e-300, 1e-3, 0.5, 0.999, 1, 1.5, 2, 5, 10, 37.3, 64];
  const faults: string[] = [];
  for (const gamma of gammas) {
    for (const posWeight of [0, 1, 1e-30, 1e30]) {
      for (const y of [0, 1, 2 ** -149, 0.5, 1 - 2 ** -24]) {
        const criterion = new FocalLoss({ gamma, posWeight, reduction: 'none' });
        const targets = new Float32Array(logits.length).fill(y);
        const { value, grad } = criterion.valueAndGrad(logits, targets);
        const { hess } = criterion.gradHess(logits, targets);
        for (const array of [value, grad, hess]) {
          array.forEach((v, k) => {
            if (Number.isNaN(v) || (array === value && v < 0)) {
              const what = array === value ? 'value' : array === grad ? 'grad' : 'hess';
              faults.push(`gamma ${gamma} posWeight ${posWeight} y ${y} x ${logits[k]}: ${what} ${v}`);
            }
          });
        }
      }
    }
  }
  expect(faults.slice(0, 9)).toEqual([]);
});

test('infinite and NaN losses reach the reduced values', () => {
  const targets = Uint8Array.of(1, 1, 0);
  const criterion = new BCEWithLogitsLoss({ reduction: 'sum' });
  expect(criterion.forward(Float32Array.of(1, -INF, 1), targets)).toBe(INF);
  expect(criterion.forward(Float32Array.of(1, Number.NaN, 1), targets)).toBeNaN();
  expect(new BCEWithLogitsLoss().forward(Float32Array.of(1, -INF, 1), targets)).toBe(INF);
  // alpha is applied to the sums of each class: nothing times an infinite sum is nothing
  expect(new FocalLoss({ alpha: 0, reduction: 'sum' }).forward(Float32Array.of(-INF), Uint8Array.of(1))).toBe(0);
  expect(new FocalLoss({ alpha: 1, reduction: 'sum' }).forward(Float32Array.of(INF), Uint8Array.of(0))).toBe(0);
  expect(new FocalLoss({ posWeight: 0, reduction: 'sum' }).forward(Float32Array.of(-INF), Uint8Array.of(1))).toBe(0);
});

describe('two losses whose sum overflows float32', () => {
  const large = 2.5e38;

  test.each([0, 0.5, 1.7, 2, 3.5])('of logits, gamma %d', (gamma) => {
    const options = { gamma, alpha: null, reduction: 'sum' } as const;
    const logits = new Float32Array(9).fill(large);
    const expected = 9 * Math.fround(large);
    expect(new FocalLoss(options).forward(logits, new Uint8Array(9))).toBeCloseTo(expected, -32);
    expect(new FocalLoss(options).forward(logits, new Float32Array(9))).toBeCloseTo(expected, -32);
  });

  test.each([0, 0.5, 1.7, 2, 3.5])('of rows, gamma %d', (gamma) => {
    for (const numClasses of [2, 40]) {
      const criterion = new SoftmaxFocalLoss({ gamma, numClasses, reduction: 'sum' });
      const logits = new Float32Array(9 * numClasses).fill(-large);
      for (let row = 0; row < 9; row++) logits[row * numClasses] = 0;
      const expected = 9 * Math.fround(large);
      expect(criterion.forward(logits, new Int32Array(9).fill(1))).toBeCloseTo(expected, -32);
    }
  });
});

test('a class that counts for nothing is 0 where its loss is infinite, in every output and sum', () => {
  for (const gamma of [0, 0.5, 2, 3.3])
    for (const [options, x, y] of [
      [{ alpha: 0 }, -INF, 1],
      [{ posWeight: 0 }, -INF, 1],
      [{ alpha: 1 }, INF, 0],
    ] as const)
      for (const targets of [Uint8Array.of(y, y), Float32Array.of(y, y)]) {
        const loss = new FocalLoss({ alpha: null, ...options, gamma, reduction: 'sum' });
        const { value, grad } = loss.valueAndGrad([x, x], targets);
        expect([value, ...grad].map(Math.abs)).toEqual([0, 0, 0]);
        expect([...loss.gradHess([x, x], targets).hess].map(Math.abs)).toEqual([0, 0]);
        expect(loss.forward([x, x], targets)).toBe(0);
      }
});

test('so it is where a weight makes its losses overflow, in the sum of its class too', () => {
  for (const [alpha, x, y] of [
    [1, 1e10, 0],
    [0, -1e10, 1],
  ]) {
    const loss = new FocalLoss({ alpha, gamma: 0, reduction: 'sum' });
    const weight = Float32Array.of(3e38, 3e38);
    expect(loss.forward([x, x], [y, y], { weight })).toBe(0);
    const meter = new LossMeter(loss);
    meter.update([x, x], [y, y], { weight });
    expect(meter.compute()).toMatchObject({ mean: 0, sumPositives: 0, sumNegatives: 0 });
  }
});

test('the largest posWeight of a soft target leaves its gradient finite at infinity', () => {
  for (const [softTargets, factor] of [
    ['crossEntropy', 1],
    ['linear', 0.25], // of 1 - p_t, squared
  ] as const) {
    const loss = new FocalLoss({ gamma: 2, alpha: null, posWeight: 1e36, softTargets, reduction: 'sum' });
    const { grad } = loss.valueAndGrad([-INF], Float32Array.of(0.5));
    expect(grad[0] / (-5e35 * factor)).toBeCloseTo(1, 6);
  }
});

test('a large posWeight multiplies the gradient of a positive, whatever its loss', () => {
  const of = (posWeight: number) =>
    new FocalLoss({ alpha: null, gamma: 2, posWeight, reduction: 'sum' }).gradHess([-3, 1], Float32Array.of(1, 1));
  const [plain, weighed] = [of(1), of(1e5)];
  for (const name of ['grad', 'hess'] as const)
    for (const k of [0, 1]) expect(weighed[name][k] / plain[name][k]).toBeCloseTo(1e5, 0);
});
