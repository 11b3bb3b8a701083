import { describe, expect, test } from 'vitest';
import * as library from '../src/index.js';
import { BCEWithLogitsLoss, FocalLoss, type FocalLossOptions, sigmoidFocalLoss } from '../src/index.js';
import { exact, focalLoss, gradient } from './oracle.js';
import { errorOf, firstDifference, hardTargets, someLogits } from './support.js';

const logits = Float32Array.of(-3, -0.5, 0, 1, 4.5, -8);
const targets = Uint8Array.of(1, 0, 1, 1, 0, 0);

type Options = Omit<FocalLossOptions, 'lossFcn'>;

function elements(options: Options): number[] {
  return [...new FocalLoss({ ...options, reduction: 'none' }).forward(logits, targets)];
}

function expectOracle(options: Options, of: Parameters<typeof focalLoss>[2]): void {
  elements(options).forEach((value, k) => {
    expect(
      exact(value)
        .div(focalLoss(logits[k], targets[k], of))
        .minus(1)
        .abs()
        .toNumber(),
    ).toBeLessThan(2e-6);
  });
}

describe('effects', () => {
  test('gamma', () => {
    for (const gamma of [0, 0.5, 3, 7.7]) expectOracle({ gamma, alpha: null }, { gamma });
  });

  test('alpha multiplies positives and 1 - alpha negatives; null is off; 0 is not off', () => {
    for (const alpha of [0.1, 0.9]) expectOracle({ gamma: 2, alpha }, { gamma: 2, alpha });
    expectOracle({ gamma: 2, alpha: null }, { gamma: 2 });
    expect(elements({ alpha: 0 }).filter((_, k) => targets[k] === 1)).toEqual([0, 0, 0]);
    expect(elements({ alpha: 1 }).filter((_, k) => targets[k] === 0)).toEqual([0, 0, 0]);
  });

  test('posWeight', () => {
    for (const posWeight of [0.3, 5]) expectOracle({ gamma: 2, posWeight }, { gamma: 2, alpha: 0.25, posWeight });
  });

  test('lossFcn gives posWeight and reduction', () => {
    const lossFcn = new BCEWithLogitsLoss({ posWeight: 3, reduction: 'sum' });
    const wrapped = new FocalLoss({ lossFcn, gamma: 2, alpha: 0.75 });
    const flat = new FocalLoss({ posWeight: 3, reduction: 'sum', gamma: 2, alpha: 0.75 });
    expect(wrapped.forward(logits, targets)).toBe(flat.forward(logits, targets));
  });

  test('BCEWithLogitsLoss is gamma 0 without alpha', () => {
    const base = new BCEWithLogitsLoss({ posWeight: 3, reduction: 'none' });
    const focal = new FocalLoss({ gamma: 0, alpha: null, posWeight: 3, reduction: 'none' });
    const [x, y] = [someLogits(999), hardTargets(999)];
    expect(firstDifference(base.forward(x, y), focal.forward(x, y))).toBe(-1);
    expect(firstDifference(base.gradHess(x, y).hess, focal.gradHess(x, y).hess)).toBe(-1);
  });

  test('labelSmoothing acts before everything else', () => {
    const of = { gamma: 2, alpha: 0.75, posWeight: 3, labelSmoothing: 0.2 };
    expectOracle(of, of);
  });

  test('fromLogits false takes probabilities and differentiates in them', () => {
    const p = Float32Array.of(0.2, 0.9, 0.5);
    const y = Uint8Array.of(1, 0, 1);
    const criterion = new FocalLoss({ fromLogits: false, gamma: 2, reduction: 'none' });
    const { value, grad } = criterion.valueAndGrad(p, y);
    p.forEach((pk, k) => {
      const of = { gamma: 2, alpha: 0.25, fromLogits: false };
      expect(
        exact(value[k])
          .div(focalLoss(pk, y[k], of))
          .minus(1)
          .abs()
          .toNumber(),
      ).toBeLessThan(2e-6);
      expect(
        exact(grad[k])
          .div(gradient(pk, y[k], of))
          .minus(1)
          .abs()
          .toNumber(),
      ).toBeLessThan(2e-6);
    });
    // log is clamped at -100
    const bce = new FocalLoss({ fromLogits: false, gamma: 0, alpha: null, reduction: 'none' });
    expect([...bce.forward(Float32Array.of(0, 1, 0, 1), Uint8Array.of(1, 0, 0, 1))]).toEqual([100, 100, 0, 0]);
  });

  test('fromLogits false refuses what is not a probability', () => {
    const criterion = new FocalLoss({ fromLogits: false });
    for (const p of [-0.1, 1.5, Number.POSITIVE_INFINITY]) {
      const { name, message } = errorOf(() => criterion.forward([0.5, p], [0, 1]));
      expect(name).toBe('RangeError');
      expect(message).toContain('"logits');
      expect(message).toContain(String(Math.fround(p)));
    }
  });

  test('alpha and posWeight of each class repeat over the rows', () => {
    const alpha = [0.1, 0.5, 0.9];
    const posWeight = Float32Array.of(1, 2, 4);
    const perClass = elements({ numClasses: 3, alpha, posWeight });
    const single = [0, 1, 2].map((c) => elements({ alpha: alpha[c], posWeight: posWeight[c] }));
    perClass.forEach((value, k) => {
      expect(value / single[k % 3][k]).toBeCloseTo(1, 6);
    });
    const mean = new FocalLoss({ numClasses: 3, alpha, posWeight }).forward(logits, targets);
    expect(mean).toBeCloseTo(perClass.reduce((a, b) => a + b) / 6, 6);
  });

  test('call.weight multiplies after alpha and before the reduction', () => {
    const weight = Float32Array.of(0, 1, 2, 0.5, 3, 10);
    const plain = elements({});
    const weighted = new FocalLoss({ reduction: 'none' }).forward(logits, targets, { weight });
    weighted.forEach((value, k) => {
      expect(Math.abs(value - weight[k] * plain[k])).toBeLessThanOrEqual(2e-7 * value);
    });
  });

  test('hessian chooses what gradHess returns, and the gradient stays', () => {
    const of = (hessian: FocalLossOptions['hessian']) =>
      new FocalLoss({ gamma: 2, alpha: null, hessian }).gradHess([-8, 1], [1, 1]);
    const exactly = of('exact');
    expect(exactly.hess[0]).toBeLessThan(0);
    expect(exactly.hess[1]).toBeGreaterThan(0);
    // the floor, and no more than the floor
    expect([...of('clip').hess]).toEqual([Math.fround(1e-16), exactly.hess[1]]);
    expect([...of('absGrad').hess]).toEqual([...exactly.grad].map(Math.abs));
    const p = 1 / (1 + Math.exp(8));
    expect(of('gaussNewton').hess[0] / (p * (1 - p) ** 3)).toBeCloseTo(1, 6);
    for (const policy of ['clip', 'absGrad', 'gaussNewton'] as const) {
      expect(firstDifference(of(policy).grad, exactly.grad)).toBe(-1);
    }
  });

  test('of probabilities gaussNewton leaves the second derivative of the cross entropy', () => {
    const loss = new FocalLoss({ gamma: 2, alpha: null, fromLogits: false, hessian: 'gaussNewton' });
    const { hess } = loss.gradHess([0.75, 0.75], [1, 0]);
    expect(hess[0]).toBeCloseTo(0.25 ** 2 / 0.75 ** 2, 6);
    expect(hess[1]).toBeCloseTo(0.75 ** 2 / 0.25 ** 2, 6);
  });

  test('sigmoidFocalLoss takes the same options in one call', () => {
    const options = { gamma: 2, alpha: 0.75, posWeight: 3, reduction: 'sum' } as const;
    expect(sigmoidFocalLoss(logits, targets, options)).toBe(new FocalLoss(options).forward(logits, targets));
  });
});

describe('refusals', () => {
  const wrong: [name: string, kind: 'TypeError' | 'RangeError', value: unknown, got: RegExp][] = [
    ['gamma', 'RangeError', -1, /got -1\b/],
    ['gamma', 'RangeError', Number.NaN, /got NaN/],
    ['gamma', 'RangeError', Number.POSITIVE_INFINITY, /got Infinity/],
    ['gamma', 'TypeError', '2', /got .*2/],
    ['gamma', 'TypeError', null, /got null/],
    ['alpha', 'RangeError', -1, /got -1; .*null/],
    ['alpha', 'RangeError', 1.5, /got 1\.5/],
    ['alpha', 'RangeError', Number.NaN, /got NaN/],
    ['alpha', 'TypeError', 'none', /got .*none/],
    ['reduction', 'RangeError', 'avg', /'none'.*got .*avg/],
    ['posWeight', 'RangeError', -0.5, /got -0\.5/],
    ['posWeight', 'RangeError', Number.POSITIVE_INFINITY, /got Infinity/],
    ['posWeight', 'TypeError', true, /got .*true/],
    ['labelSmoothing', 'RangeError', 1, /got 1\b/],
    ['labelSmoothing', 'RangeError', -0.1, /got -0\.1/],
    ['labelSmoothing', 'TypeError', '0', /got .*0/],
    ['fromLogits', 'TypeError', 1, /got .*1/],
    ['ignoreIndex', 'TypeError', '255', /got .*255/],
    ['numClasses', 'RangeError', 0, /got 0/],
    ['numClasses', 'RangeError', 2.5, /got 2\.5/],
    ['numClasses', 'TypeError', '3', /got .*3/],
    ['normalizer', 'RangeError', 0, /got 0/],
    ['normalizer', 'RangeError', -2, /got -2/],
    ['hessian', 'RangeError', 'newton', /'gaussNewton'.*got .*newton/],
    ['lossFcn', 'TypeError', {}, /BCEWithLogitsLoss.*got/],
  ];
  test.each(wrong)('%s: %s for %s', (name, kind, value, got) => {
    const options = { [name]: value } as never;
    const error = errorOf(() => new FocalLoss(options));
    expect(error.name).toBe(kind);
    expect(error.message).toMatch(new RegExp(`^"${name}" expected `));
    expect(error.message).toMatch(got);
    // the function says the same
    expect(errorOf(() => sigmoidFocalLoss(logits, targets, options)).message).toBe(error.message);
  });

  test('an unknown key is named', () => {
    for (const make of [
      () => new FocalLoss({ gama: 2 } as never),
      () => new BCEWithLogitsLoss({ gama: 2 } as never),
      () => sigmoidFocalLoss(logits, targets, { gama: 2 } as never),
    ]) {
      expect(errorOf(make).message).toMatch(/gama/);
    }
    expect(errorOf(() => new BCEWithLogitsLoss({ gamma: 2 } as never)).message).toMatch(/gamma/);
  });

  test('posWeight or reduction named twice', () => {
    const lossFcn = new BCEWithLogitsLoss({ posWeight: 3, reduction: 'sum' });
    expect(errorOf(() => new FocalLoss({ lossFcn, posWeight: 2 } as never)).message).toMatch(/^"posWeight" .*lossFcn/);
    expect(errorOf(() => new FocalLoss({ lossFcn, reduction: 'sum' } as never)).message).toMatch(
      /^"reduction" .*lossFcn/,
    );
  });

  test('an option that is per class needs numClasses, and its length', () => {
    expect(errorOf(() => new FocalLoss({ alpha: [0.5, 0.5] })).message).toMatch(/numClasses/);
    expect(errorOf(() => new FocalLoss({ posWeight: [1, 2] })).message).toMatch(/numClasses/);
    expect(errorOf(() => new FocalLoss({ alpha: [0.5, 0.5], numClasses: 3 })).message).toMatch(/"alpha".* 3.*got 2/);
    expect(errorOf(() => new FocalLoss({ alpha: [0.5, 7], numClasses: 2 })).message).toMatch(/alpha.*1.*got 7/);
  });

  test('logits that are not whole rows of numClasses', () => {
    const criterion = new FocalLoss({ numClasses: 4, alpha: [0.1, 0.2, 0.3, 0.4] });
    expect(errorOf(() => criterion.forward(logits, targets)).message).toMatch(/^"logits" expected .*4.*got 6/);
  });

  test('lengths, by their full text', () => {
    const criterion = new FocalLoss({ reduction: 'none' });
    expect(() => criterion.forward(new Float32Array(1024), new Uint8Array(1000))).toThrow(
      new RangeError('"targets" expected length 1024 (the length of "logits"), got 1000'),
    );
    for (const [name, run] of [
      ['weight', (a: Float32Array) => criterion.forward(logits, targets, { weight: a })],
      ['out', (a: Float32Array) => criterion.forward(logits, targets, { out: a })],
      ['gradOut', (a: Float32Array) => criterion.valueAndGrad(logits, targets, { gradOut: a })],
      ['hessOut', (a: Float32Array) => criterion.gradHess(logits, targets, { hessOut: a })],
    ] as const) {
      const message = `"${name}" expected length 6 (the length of "logits"), got 5`;
      expect(() => run(new Float32Array(5))).toThrow(new RangeError(message));
    }
  });

  test('the kinds of arrays', () => {
    const criterion = new FocalLoss({ reduction: 'none' });
    const kinds: [string, () => unknown][] = [
      ['logits', () => criterion.forward('1,2' as never, targets)],
      ['targets', () => criterion.forward(logits, 'positive' as never)],
      ['weight', () => criterion.forward(logits, targets, { weight: 'w' as never })],
      ['out', () => criterion.forward(logits, targets, { out: new Uint8Array(6) as never })],
      ['gradOut', () => criterion.valueAndGrad(logits, targets, { gradOut: [1, 2, 3, 4, 5, 6] as never })],
      ['hessOut', () => criterion.gradHess(logits, targets, { hessOut: new Float64Array(6) as never })],
    ];
    for (const [name, run] of kinds) {
      const error = errorOf(run);
      expect(error.name).toBe('TypeError');
      expect(error.message).toMatch(new RegExp(`^"${name}" expected .*Float32Array`));
    }
  });

  test('a call that throws has written nothing', () => {
    const out = new Float32Array(6).fill(7);
    const criterion = new FocalLoss({ reduction: 'none' });
    errorOf(() => criterion.forward(logits, targets.subarray(1), { out }));
    errorOf(() => criterion.valueAndGrad(logits, targets, { out, gradOut: new Float32Array(2) }));
    errorOf(() => criterion.forward(logits, targets, { out, weight: new Float32Array(2) }));
    expect([...out]).toEqual([7, 7, 7, 7, 7, 7]);
  });
});

test('one array for two results is refused', () => {
  const criterion = new FocalLoss({ reduction: 'none' });
  const [logits, targets, both] = [new Float32Array(3), new Uint8Array(3), new Float32Array(3)];
  const refused = (name: string, run: () => unknown) =>
    expect(errorOf(run).message).toBe(
      `"${name}" expected memory apart from other arrays, got a Float32Array of length 3`,
    );
  refused('gradOut', () => criterion.valueAndGrad(logits, targets, { out: both, gradOut: both }));
  refused('hessOut', () => criterion.gradHess(logits, targets, { gradOut: both, hessOut: both }));
  refused('hessOut', () => criterion.gradHess(logits, targets, { out: both, hessOut: both }));
});

const FLOAT32_MAX = 3.4028234663852886e38;
const BEYOND = 3.402823466385289e38;

test.each<[string, unknown, string]>([
  ['polyEpsilon', '1', "a finite number, got '1'"],
  ['polyEpsilon', BEYOND, `a finite number, got ${BEYOND}; float32 holds at most 3.4028235e38`],
  ['polyEpsilon', -BEYOND, `a finite number, got ${-BEYOND}; float32 holds at most 3.4028235e38`],
  ['posWeight', BEYOND, `a finite number >= 0, got ${BEYOND}; float32 holds at most 3.4028235e38`],
  ['posWeight', -1, 'a finite number >= 0, got -1'],
  ['posWeight', Infinity, 'a finite number >= 0, got Infinity'],
  ['gamma', 65, 'a number in [0, 64], got 65; a power above 64 has no digits that mean anything'],
  ['gamma', -1, 'a number in [0, 64], got -1'],
  ['gamma', '2', "a number in [0, 64], got '2'"],
  ['alpha', -1, 'a number in [0, 1], or null, got -1; null turns it off'],
  ['alpha', 2, 'a number in [0, 1], or null, got 2'],
  ['numClasses', 2 ** 31, 'an integer >= 1, got 2147483648; at most 2147483647'],
  ['numClasses', 0, 'an integer >= 1, got 0'],
  ['numClasses', '2', "an integer >= 1, got '2'"],
  ['reduction', 'avg', "one of 'none', 'mean', 'sum', got 'avg'"],
  ['reduction', 5, "one of 'none', 'mean', 'sum', got 5"],
  ['gamma', 'x'.repeat(40), `a number in [0, 64], got '${'x'.repeat(40)}'`],
  ['gamma', 'x'.repeat(41), `a number in [0, 64], got '${'x'.repeat(37)}...'`],
  ['gamma', 10n ** 39n, `a number in [0, 64], got ${10n ** 39n}n`],
  ['gamma', 10n ** 40n, `a number in [0, 64], got ${10n ** 39n}n`],
  ['gamma', Symbol('s'), 'a number in [0, 64], got a symbol'],
  ['gamma', () => 2, 'a number in [0, 64], got a function'],
])('%s: %s is an error that says what it may be', (key, value, message) => {
  const error = errorOf(() => new FocalLoss({ [key]: value }));
  expect(error.message).toBe(`"${key}" expected ${message}`);
  const isKind = typeof value === (['reduction'].includes(key) ? 'string' : 'number');
  expect(error).toBeInstanceOf(isKind ? RangeError : TypeError);
  // what a program reads, which may be changed, and is not printed
  expect(Object.keys(error)).toEqual([]);
  expect(Object.getOwnPropertyDescriptor(error, 'argument')).toMatchObject({
    value: key,
    configurable: true,
    writable: true,
  });
  expect('index' in error).toBe(false);
});

test('options at their limits', () => {
  const criterion = new FocalLoss({ gamma: 64, posWeight: FLOAT32_MAX, polyEpsilon: -FLOAT32_MAX, alpha: 1 });
  expect(criterion.options).toMatchObject({ gamma: 64, posWeight: FLOAT32_MAX, polyEpsilon: -FLOAT32_MAX });
  const message = (options: unknown) => errorOf(() => new FocalLoss(options as object)).message;
  expect(message({ numClasses: 2, alpha: [0.5, -1] })).toBe('"alpha[1]" expected a number in [0, 1], got -1');
  expect(errorOf(() => new library.VarifocalLoss({ alpha: null as never })).message).toBe(
    '"alpha" expected a number in [0, 1], got null',
  );
  class Settings {
    gamma = 2;
  }
  expect(message(new Settings())).toMatch(/, got a Settings; give a plain object, such as \{ \.\.\.options \}$/);
  expect(message(null)).toMatch(/, got null$/);
  expect(new FocalLoss({ numClasses: 2 ** 31 - 1 }).options).toHaveProperty('numClasses', 2 ** 31 - 1);
  expect(message({ numClasses: 2, classAxis: 0.5 })).toBe('"classAxis" expected an integer, got 0.5');
  expect(message({ numClasses: 2, classAxis: '0' })).toBe('"classAxis" expected an integer, got \'0\'');
  expect(errorOf(() => new BCEWithLogitsLoss({ posWeight: [1, 2] as never })).message).toBe(
    '"posWeight" expected a finite number >= 0, got an array of length 2',
  );
  // what was not given and has no default is not shown, nor what is a property of its own
  expect(new BCEWithLogitsLoss().options).toEqual({ posWeight: 1 });
  expect(Object.keys(new FocalLoss().options)).not.toContain('numClasses');
  expect(Object.keys(new FocalLoss({ numClasses: 2 }).options)).toContain('numClasses');
  expect(Object.keys(new FocalLoss().options)).not.toContain('reduction');
  expect(message({ numClasses: 2, classWeight: 3 })).toBe(
    '"classWeight" expected an array with a number for each class, got 3',
  );
});

test.each([
  ['Asymmetric', [1, 0]],
  ['Heatmap', [1, 0.5]],
  ['Quality', [0.7, 0]],
  ['Varifocal', [0.7, 0]],
])('%s: the function is the class in one call', (name, targets) => {
  const Class = Object.entries(library).find(([key]) => key.startsWith(name))?.[1] as typeof FocalLoss;
  const start = name.toLowerCase();
  const call = Object.entries(library).find(([key]) => key.startsWith(start))?.[1] as typeof sigmoidFocalLoss;
  const weight = Float32Array.of(1, 3);
  for (const options of [undefined, { reduction: 'sum' } as const]) {
    const expected = new Class(options as never).forward([1, -2], targets, { weight });
    expect(expected).toBeGreaterThan(0);
    expect(call([1, -2], targets, options as never, { weight })).toBe(expected);
  }
});
