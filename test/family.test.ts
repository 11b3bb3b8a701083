// The losses beside the focal loss, by the raw kernel, against their definitions.
import { describe, expect, test } from 'vitest';
import { Flag } from '../src/abi.js';
import { asymmetric, heatmap, quality, type Reference, varifocal } from './family-reference.js';
import { type Call, call } from './raw-kernel.js';
import { firstDifference, hardTargets, softTargets, someLogits, sum64 } from './support.js';

const LENGTH = 1000;
const logits = someLogits(LENGTH, 5).map((x, k) => (k % 50 === 0 ? 8 * x : k % 50 === 1 ? 1e-3 * x : x));
const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
/** Hard ones, some next to 0 and 1, and some next to the probability, where the quality focal loss is 0. */
const soft = softTargets(LENGTH, 6).map((y, k) => {
  const p = sigmoid(logits[k]);
  return [0, 1, y ** 12, 1 - y ** 12, y, p, Math.min(1, p * (1 + y ** 20)), Math.min(1, p * (1 + (y - 0.5) / 5))][
    k % 8
  ];
});
const hard = hardTargets(LENGTH);

interface Case {
  loss: 'quality' | 'varifocal' | 'heatmap' | 'asymmetric';
  options: Partial<Call> & { gamma: number };
  reference: (x: number, y: number, options: never) => Reference;
}

const GAMMAS = [0, 0.3, 0.5, 1, 1.7, 2, 3, 4.5, 10];
const CASES: Case[] = [
  ...GAMMAS.map((gamma) => ({ loss: 'quality' as const, options: { gamma }, reference: quality })),
  ...GAMMAS.map((gamma) => ({
    loss: 'varifocal' as const,
    options: { gamma, alphaNegative: 0.75 },
    reference: varifocal,
  })),
  ...GAMMAS.flatMap((gamma) =>
    [0, 3.3, 4].map((beta) => ({ loss: 'heatmap' as const, options: { gamma, beta }, reference: heatmap })),
  ),
  ...GAMMAS.flatMap((beta) =>
    [0, 1e-6, 0.05, 0.5, 0.999].flatMap((margin) =>
      [0, 2.5].map((gamma) => ({
        loss: 'asymmetric' as const,
        options: { gamma, beta, margin },
        reference: asymmetric,
      })),
    ),
  ),
];

// The worst of all these is 0.24 of the bound of a loss, 0.3 of that of a gradient (quality, b 0.3), 0.79 of that of a Hessian
// (the same, where it is 1e12: next to p = y).
test.each(CASES)('$loss $options: value and derivatives', ({ loss, options, reference }) => {
  const faults: string[] = [];
  const near = /quality|asymmetric/.test(loss) ? 8e-6 : 4e-6;
  for (const targets of loss === 'asymmetric' ? [hard] : [soft, hard]) {
    const exact = call(loss, { ...options, logits, targets });
    const gaussNewton = call(loss, { ...options, logits, targets, hessian: 'gaussNewton' });
    const check = (name: string, k: number, actual: number, truth: number, relative: number, absolute: number) => {
      if (Math.abs(actual - truth) <= relative * Math.abs(truth) + absolute) return;
      // at its zero itself a loss with an exponent below 2 has no second derivative, and below 1 no first
      if (Number.isNaN(truth) && actual === 0) return;
      faults.push(`${name} at x ${logits[k]} y ${targets[k]}: ${actual}, not ${truth}`);
    };
    for (let k = 0; k < LENGTH; k++) {
      const { loss: truth, gaussNewton: curve } = reference(logits[k], targets[k], options as never);
      check('loss', k, exact.loss[k], truth.v, near, 1e-7);
      check('grad', k, exact.grad[k], truth.d, 4e-6, 4e-7);
      check('hess', k, exact.hess[k], truth.h, 4e-6, 4e-7);
      check('Gauss and Newton', k, gaussNewton.hess[k], curve, 4e-6, 4e-7);
    }
    expect(Math.abs(exact.sum - sum64(exact.loss))).toBeLessThan(1e-7 * exact.sum);
  }
  expect(faults.slice(0, 5)).toEqual([]);
});

test.each([
  ['quality', { gamma: 60 }, quality],
  ['varifocal', { gamma: 64 }, varifocal],
  ['heatmap', { gamma: 64, beta: 64 }, heatmap],
  ['asymmetric', { gamma: 64, beta: 40, margin: 0.01 }, asymmetric],
] as const)('%s with exponents up to 64: 2e-7 (gamma + 10)', (loss, options, reference) => {
  const targets = loss === 'asymmetric' ? hard : soft;
  const { loss: values } = call(loss, { ...options, logits, targets });
  for (let k = 0; k < LENGTH; k++) {
    const truth = reference(logits[k], targets[k], options as never).loss.v;
    expect(Math.abs(values[k] - truth)).toBeLessThanOrEqual(2e-7 * 74 * truth + 1e-7);
  }
});

/** Equal but for what is below the normal numbers. */
function expectSame(actual: Float32Array, expected: Float32Array): void {
  const different = actual.findIndex((value, k) => !(Math.abs(value - expected[k]) <= 2 ** -126));
  expect([different, actual[different]]).toEqual([-1, undefined]);
}

const SOME: [Case['loss'], Case['options']][] = [
  ['quality', { gamma: 2 }],
  ['quality', { gamma: 1.3 }],
  ['varifocal', { gamma: 2, alphaNegative: 0.75 }],
  ['heatmap', { gamma: 2, beta: 4 }],
  ['asymmetric', { gamma: 1, beta: 4, margin: 0.05 }],
];

test.each(SOME)('%s %o: every output is made of the same losses', (loss, options) => {
  const targets = loss === 'asymmetric' ? hard : soft;
  const positiveAbove = loss === 'heatmap' ? 1 - 2 ** -24 : 0.5;
  const given = { ...options, positiveAbove, logits, targets };
  const { loss: values, grad, hess, sum } = call(loss, given);
  const close = (actual: number, expected: number) => expect(Math.abs(actual / expected - 1)).toBeLessThan(1e-7);
  close(call(loss, { ...given, want: [] }).sum, sum);
  const positive = Array.from(targets.keys()).filter((k) => targets[k] > positiveAbove);
  const byClass = call(loss, { ...given, flags: Flag.sums | Flag.byClass });
  expect(byClass.positives).toBe(positive.length);
  close(byClass.sumPositives, sum64(positive.map((k) => values[k])));
  close(byClass.sumPositives + byClass.sumNegatives, sum);
  expectSame(
    call(loss, { ...given, hessian: 'clip' }).hess,
    hess.map((h) => Math.max(h, 1e-16)),
  );
  expectSame(call(loss, { ...given, hessian: 'absGrad' }).hess, grad.map(Math.abs));
  const weight = logits.map((x) => Math.sign(x) * 0.5);
  const weighed = call(loss, { ...given, weight, gradScale: 4 });
  expectSame(
    weighed.loss,
    values.map((value, k) => value * weight[k]),
  );
  expectSame(
    weighed.grad,
    grad.map((g, k) => g * weight[k] * 4),
  );
  expectSame(call(loss, { ...given, want: ['loss'] }).loss, values);
  expectSame(call(loss, { ...given, want: ['grad'] }).grad, grad);
  // any element by itself, and any number of them
  for (const length of [1, 7, 16, 319, 321]) {
    const some = call(loss, { ...given, logits: logits.subarray(0, length), targets: targets.subarray(0, length) });
    expect(firstDifference(some.loss, values.slice(0, length))).toBe(-1);
    expect(firstDifference(some.hess, hess.slice(0, length))).toBe(-1);
  }
});

test.each(SOME)('%s %o: an ignored element is nothing', (loss, options) => {
  const floats = loss !== 'asymmetric';
  const ignored = (k: number) => k % 3 === 1;
  const targets = floats ? soft.map((y, k) => (ignored(k) ? 7 : y)) : hard.map((y, k) => (ignored(k) ? 2 : y));
  const flags = Flag.sums | Flag.ignore;
  const all = call(loss, { ...options, logits, targets: floats ? soft : hard });
  const kept = call(loss, { ...options, logits, targets, ignore: 7, flags });
  for (const name of ['loss', 'grad', 'hess'] as const) {
    const expected = all[name].map((value, k) => (ignored(k) ? 0 : value));
    expect(firstDifference(kept[name], expected)).toBe(-1);
  }
  expect(kept.positives + kept.negatives).toBe(logits.filter((_, k) => !ignored(k)).length);
  expect(kept.bad).toBe(false);
});

describe('reductions, bit for bit', () => {
  const outputs = (loss: string, given: Call) => {
    const { sum, sumPositives, ...arrays } = call(loss, { ...given, flags: Flag.sums | Flag.byClass });
    return { sum, sumPositives, ...arrays };
  };
  const hardFloats = Float32Array.from(hard);

  test.each([0, 0.5, 1, 1.7, 2, 5, 12])(
    'quality of hard targets is the focal loss with gamma %d and no alpha',
    (gamma) => {
      for (const targets of [hard, hardFloats]) {
        for (const hessian of ['exact', 'clip', 'gaussNewton', 'absGrad'] as const) {
          const given = { gamma, hessian, logits, targets };
          expect(outputs('quality', given)).toEqual(outputs('binary', given));
        }
      }
      // among others as well
      const mixed = call('quality', { gamma, logits, targets: soft });
      const focalLoss = call('binary', { gamma, logits, targets: soft });
      for (let k = 0; k < LENGTH; k++) {
        if (soft[k] !== 0 && soft[k] !== 1) continue;
        expect(mixed.loss[k]).toBe(focalLoss.loss[k]);
        expect(mixed.grad[k]).toBe(focalLoss.grad[k]);
        expect(mixed.hess[k]).toBe(focalLoss.hess[k]);
      }
    },
  );

  test.each([0, 1, 2, 3.3])(
    'asymmetric without a margin, with gamma %d for both classes, is the focal loss',
    (gamma) => {
      const given = { gamma, beta: gamma, logits, targets: hard };
      expect(outputs('asymmetric', { ...given, margin: 0 })).toEqual(outputs('binary', given));
    },
  );

  test('varifocal of hard targets with gamma 0 and alpha 1 is the cross entropy', () => {
    const given = { gamma: 0, logits, targets: hardFloats };
    expect(outputs('varifocal', given)).toEqual(outputs('binary', given));
  });

  test('varifocal of a target that is 0 is the focal loss', () => {
    for (const gamma of [1, 2, 1.7]) {
      const given = { gamma, logits, targets: new Float32Array(LENGTH) };
      expect(outputs('varifocal', given)).toEqual(outputs('binary', given));
    }
  });

  test('heatmap of bytes is the focal loss', () => {
    const given = { gamma: 2, logits, targets: hard };
    expect(outputs('heatmap', { ...given, beta: 4 })).toEqual(outputs('binary', given));
  });
});

describe('where a loss is 0', () => {
  test('quality: p = y exactly', () => {
    const x = Float32Array.of(0, -0, 0);
    for (const gamma of [0.3, 1, 1.7, 2, 2.5, 4]) {
      const { loss, grad, hess } = call('quality', { gamma, logits: x, targets: x.map(() => 0.5) });
      expect([...loss, ...grad]).toEqual([0, 0, 0, 0, 0, 0]);
      // 2 B (p q)^2 of a square, nothing of a higher power; of a lower one there is none
      const curve = gamma === 2 ? Math.fround(Math.LN2 / 8) : 0;
      for (const h of hess) expect(Math.abs(h - curve)).toBeLessThanOrEqual(1e-7 * curve);
    }
    const flat = call('quality', { gamma: 0, logits: x, targets: x.map(() => 0.5) });
    expect(flat.loss[0]).toBeCloseTo(Math.LN2, 6);
    expect([flat.grad[0], flat.hess[0]]).toEqual([0, 0.25]);
  });

  test('quality next to it keeps its digits, whatever the exponent', () => {
    // targets whose nearest float32 is as near to a probability as any: 1e-7 to 1e-10 of it
    const x = someLogits(300, 12);
    const y = x.map((value) => sigmoid(value));
    for (const gamma of [0.1, 0.5, 1, 2]) {
      const { loss, grad } = call('quality', { gamma, logits: x, targets: y });
      for (let k = 0; k < x.length; k++) {
        const truth = quality(x[k], y[k], { gamma }).loss;
        if (truth.v === 0) continue;
        // the reference has 16 digits, of which some cancel
        const lost = 4e-16 / Math.abs(sigmoid(x[k]) - y[k]);
        expect(Math.abs(loss[k] / truth.v - 1)).toBeLessThan(8e-6 + lost);
        expect(Math.abs(grad[k] / truth.d - 1)).toBeLessThan(8e-6 + lost);
      }
    }
  });

  test('asymmetric: nothing at the margin and below it, and all digits right above', () => {
    for (const margin of [0.05, 0.3, 0.9]) {
      const at = Math.fround(Math.log(margin / (1 - margin)));
      const x = Float32Array.from({ length: 400 }, (_, k) => at + (k - 200) * Math.abs(at) * 2 ** -22);
      for (const beta of [0, 0.3, 1, 4]) {
        const given = { gamma: 1, beta, margin, logits: x, targets: new Uint8Array(400) };
        const { loss, grad, hess } = call('asymmetric', given);
        let zeros = 0;
        for (let k = 0; k < x.length; k++) {
          const truth = asymmetric(x[k], 0, { gamma: 1, beta, margin }).loss;
          if (truth.v === 0) {
            zeros++;
            expect([loss[k], grad[k], hess[k]]).toEqual([0, 0, 0]);
          } else if (beta < 2 && truth.v > 2 ** -120) {
            expect(Math.abs(loss[k] / truth.v - 1)).toBeLessThan(1e-5);
            expect(Math.abs(grad[k] / truth.d - 1)).toBeLessThan(1e-5);
          }
        }
        expect(zeros).toBeGreaterThan(190);
        expect(zeros).toBeLessThan(210);
      }
    }
  });
});

test('asymmetric: each element is what it is alone, next to the margin too', () => {
  const margin = 0.05;
  const at = Math.log(margin / (1 - margin));
  const x = Float32Array.from({ length: 320 }, (_, k) => at + (k < 4 ? 3 : (k % 5) * 1e-4));
  const targets = new Uint8Array(320);
  const given = { gamma: 1, beta: 1, margin };
  const all = call('asymmetric', { ...given, logits: x, targets });
  for (const from of [0, 16, 304]) {
    const alone = call('asymmetric', { ...given, logits: x.subarray(from, from + 4), targets: targets.subarray(0, 4) });
    for (const name of ['loss', 'grad', 'hess'] as const)
      expect([...all[name].subarray(from, from + 4)], `${name} from ${from}`).toEqual([...alone[name]]);
  }
});

test('asymmetric: whole exponents from 8 on, of either class', () => {
  const x = Float32Array.of(-1, 0, 1.5, 2);
  for (const [gamma, beta] of [
    [8, 1],
    [1, 8],
    [9, 9],
  ])
    for (const y of [0, 1]) {
      const { loss } = call('asymmetric', { gamma, beta, margin: 0.05, logits: x, targets: new Uint8Array(4).fill(y) });
      x.forEach((logit, k) => {
        const truth = asymmetric(logit, y, { gamma, beta, margin: 0.05 }).loss.v;
        expect(loss[k] / truth, `gammas ${gamma} and ${beta}, target ${y}, logit ${logit}`).toBeCloseTo(1, 4);
      });
    }
});

test('asymmetric: a margin up to the smallest normal number is none', () => {
  const wrong = (margin: number) =>
    call('asymmetric', { gamma: 0, beta: 1, margin, logits: Float32Array.of(Infinity), targets: Uint8Array.of(0) })
      .loss[0];
  expect(wrong(2 ** -126 * (1 + 2 ** -23))).toBeCloseTo(126 * Math.LN2, 4);
  for (const none of [2 ** -126, 1.17e-38, 0]) expect(wrong(none)).toBe(Number.POSITIVE_INFINITY);
});

test('quality: where all are next to their targets, each is what it is alone', () => {
  const logits = new Float32Array(320);
  const { loss, grad, hess } = call('quality', { gamma: 2, logits, targets: logits.map(() => 0.5) });
  expect([new Set(loss), new Set(grad), new Set(hess)].map(({ size }) => size)).toEqual([1, 1, 1]);
  expect(hess[0]).toBeCloseTo(Math.LN2 / 8, 6);
});

test('quality: a target next to 0 at a logit as far as can be', () => {
  const { loss, grad, hess } = call('quality', {
    gamma: 1,
    logits: Float32Array.of(-800, 800),
    targets: Float32Array.of(1e-38, 1),
  });
  for (const value of [...loss, ...grad, ...hess]) expect(Math.abs(value)).toBeLessThan(1e-30);
});

describe('infinite, huge, tiny and NaN logits', () => {
  const x = Float32Array.of(
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
    Number.NaN,
    3e38,
    -3e38,
    100,
    -100,
    87.5,
    -87.5,
    1e-40,
    -0,
  );
  const TARGETS = [0, 2 ** -149, 1e-37, 1e-20, 0.25, 0.5, 1 - 2 ** -24, 1];

  test.each(SOME.flatMap(([loss]) => [0, 0.3, 1, 2, 1.7, 64].map((gamma) => [loss, gamma] as const)))(
    '%s, gamma %d',
    (loss, gamma) => {
      for (const second of [0, 0.4, 4, 64]) {
        for (const y of loss === 'asymmetric' ? [0, 1] : TARGETS) {
          for (const margin of loss === 'asymmetric' ? [0, 1e-30, 0.05, 1 - 2 ** -53] : [0]) {
            const targets = loss === 'asymmetric' ? Uint8Array.from(x, () => y) : x.map(() => y);
            const { loss: values, grad, hess } = call(loss, { gamma, beta: second, margin, logits: x, targets });
            expect([values[2], grad[2], hess[2]]).toEqual([Number.NaN, Number.NaN, Number.NaN]);
            const wrongAt = x.findIndex(
              (logit, k) =>
                !(Number.isNaN(logit) || values[k] >= 0) || (!Number.isNaN(logit) && Number.isNaN(grad[k] + hess[k])),
            );
            expect([wrongAt, y]).toEqual([-1, y]);
            const wrong = y === 1 ? values[1] : values[0];
            if (loss === 'asymmetric' && y === 0 && margin > 0) expect(wrong).toBeLessThan(70);
            else if (y !== 1 || loss !== 'quality') expect(wrong).toBe(Number.POSITIVE_INFINITY);
            if (y === 0) expect([values[1], grad[1], hess[1]]).toEqual([0, 0, 0]);
            if (y === 1) expect([values[0], grad[0], hess[0]].map(Math.abs)).toEqual([0, 0, 0]);
          }
        }
      }
    },
  );
});
