import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { log, logOfRest } from '../src/logarithm.js';
import { CalibrationMeter, type CalibrationMeterJSON } from '../src/metrics.js';
import { Decimal as Base, exact as digits } from './oracle.js';
import { errorOf, random } from './support.js';

const Decimal = Base.clone({ precision: 60 });
const exact = (value: number) => new Decimal(digits(value));
const next = random(11);
const n = 600;
const probabilities = Float32Array.from({ length: n }, (_, k) => (k % 3 === 0 ? next() : next() ** 6));
const targets = Uint8Array.from(probabilities, (p) => (next() < p ** 1.5 ? 1 : 0));
const weight = Float32Array.from({ length: n }, () => 4 * next());

/** Every definition, in decimal arithmetic. */
function expected(p: ArrayLike<number>, y: ArrayLike<number>, w: ArrayLike<number>, size: number) {
  const zero = new Decimal(0);
  const bins = Array.from({ length: size }, () => ({ count: 0, weight: zero, p: zero, y: zero }));
  let [total, brier, logLoss] = [zero, zero, zero];
  for (let k = 0; k < p.length; k++) {
    const [value, share] = [exact(p[k]), exact(w[k])];
    let at = 0;
    while (at + 1 < size && p[k] >= (at + 1) / size) at++;
    bins[at].count++;
    bins[at].weight = bins[at].weight.plus(share);
    bins[at].p = bins[at].p.plus(share.times(value));
    bins[at].y = bins[at].y.plus(share.times(y[k]));
    total = total.plus(share);
    brier = brier.plus(share.times(value.minus(y[k]).pow(2)));
    logLoss = logLoss.minus(share.times(Decimal.ln(y[k] === 1 ? value : new Decimal(1).minus(value))));
  }
  const gaps = bins.map((bin) => (bin.weight.isZero() ? zero : bin.p.minus(bin.y).abs().div(bin.weight)));
  return {
    ece: Number(gaps.reduce((sum, gap, k) => sum.plus(gap.times(bins[k].weight)), zero).div(total)),
    mce: Number(Decimal.max(...gaps)),
    brier: Number(brier.div(total)),
    logLoss: Number(logLoss.div(total)),
    weight: Number(total),
    bins: bins.map((bin) => ({
      count: bin.count,
      weight: Number(bin.weight),
      meanProbability: Number(bin.p.div(bin.weight)),
      positiveShare: Number(bin.y.div(bin.weight)),
    })),
  };
}

const NOTHING = { count: 0, weight: { terms: [] }, probabilities: { terms: [] }, positives: { terms: [] } };

const close = (got: number, want: number) =>
  Object.is(got, want) || Math.abs(got - want) <= 1e-14 * Math.max(Math.abs(want), 1e-3);

describe('CalibrationMeter', () => {
  test.each([
    [15, undefined],
    [10, weight],
    [1, weight],
    [7, undefined],
  ])('%i bins agree with the definitions in decimal arithmetic', (bins, weights) => {
    const meter = new CalibrationMeter({ bins });
    meter.update(probabilities, targets, weights === undefined ? undefined : { weight: weights });
    const got = meter.compute();
    const want = expected(probabilities, targets, weights ?? new Float32Array(n).fill(1), bins);
    for (const key of ['ece', 'mce', 'brier', 'logLoss', 'weight'] as const) {
      expect(close(got[key], want[key]), `${key}: ${got[key]}, not ${want[key]}`).toBe(true);
    }
    expect(got.count).toBe(n);
    got.bins.forEach((bin, k) => {
      expect([bin.from, bin.to, bin.count]).toEqual([k / bins, (k + 1) / bins, want.bins[k].count]);
      for (const key of ['weight', 'meanProbability', 'positiveShare'] as const) {
        expect(close(bin[key], want.bins[k][key]), `bin ${k}, ${key}`).toBe(true);
      }
    });
  });

  test('a small example by hand', () => {
    const meter = new CalibrationMeter({ bins: 2 });
    meter.update([0.25, 0.75, 1, 0.5], [0, 1, 1, 0]);
    expect(meter.compute()).toEqual({
      ece: (0.25 + 0.25) / 4,
      mce: 0.25,
      brier: (1 / 16 + 1 / 16 + 0 + 1 / 4) / 4,
      logLoss: -(2 * log(0.75) + log(0.5)) / 4,
      count: 4,
      weight: 4,
      bins: [
        { from: 0, to: 0.5, count: 1, weight: 1, meanProbability: 0.25, positiveShare: 0 },
        { from: 0.5, to: 1, count: 3, weight: 3, meanProbability: 0.75, positiveShare: 2 / 3 },
      ],
    });
  });

  test('a probability on a border belongs to the bin above, 1 to the last', () => {
    for (const bins of [1, 3, 7, 10, 15, 49, 100]) {
      const meter = new CalibrationMeter({ bins });
      const borders = Array.from({ length: bins + 1 }, (_, k) => k / bins);
      meter.update(
        borders,
        borders.map(() => 1),
      );
      const counts = meter.compute().bins.map((bin) => bin.count);
      expect(counts).toEqual(Array.from({ length: bins }, (_, k) => (k === bins - 1 ? 2 : 1)));
      // the largest number below each border
      const below = new CalibrationMeter({ bins });
      below.update(
        borders.slice(1).map((p) => p * (1 - 2 ** -53)),
        borders.slice(1).map(() => 1),
      );
      expect(below.compute().bins.map((bin) => bin.count)).toEqual(Array(bins).fill(1));
    }
  });

  test('nothing seen, and nothing that weighs', () => {
    const meter = new CalibrationMeter();
    const { bins, ...rest } = meter.compute();
    expect(rest).toEqual({ ece: NaN, mce: NaN, brier: NaN, logLoss: NaN, count: 0, weight: 0 });
    expect(bins).toHaveLength(15);
    meter.update([], []);
    meter.update([0], [1], { weight: [0] });
    expect(meter.compute()).toMatchObject({ ece: NaN, mce: NaN, logLoss: NaN, count: 1, weight: 0 });
  });

  test('a probability of 0 that came true is an infinite log loss, until it is subtracted', () => {
    const meter = new CalibrationMeter();
    meter.update([0.5, 0.25], [1, 0]);
    const before = JSON.stringify(meter);
    const wrong = new CalibrationMeter();
    wrong.update([0, 1], [1, 0]);
    meter.merge(wrong);
    expect(meter.compute()).toMatchObject({ logLoss: Infinity, mce: 1, count: 4 });
    const copy = CalibrationMeter.fromJSON(JSON.parse(JSON.stringify(meter)));
    expect(copy.compute()).toEqual(meter.compute());
    copy.subtract(wrong);
    expect(JSON.stringify(copy)).toBe(before);
  });

  test.each<[string, () => unknown, () => unknown]>([
    ['Float64Array and boolean[]', () => Float64Array.of(0.25, 0.75), () => [false, true]],
    ['number[] and BigInt64Array', () => [0.25, 0.75], () => BigInt64Array.of(0n, 1n)],
    [
      'tensors',
      () => ({ data: Float32Array.of(0.25, 0.75), dims: [2, 1] }),
      () => ({ data: Int32Array.of(0, 1), dims: [2] }),
    ],
    ['Float32Array and Float32Array', () => Float32Array.of(0.25, 0.75), () => Float32Array.of(0, 1)],
  ])('%s', (_, p, y) => {
    const [want, got] = [new CalibrationMeter(), new CalibrationMeter()];
    want.update([0.25, 0.75], [0, 1], { weight: [2, 3] });
    got.update(p() as number[], y() as number[], { weight: Float32Array.of(2, 3) });
    expect(got.compute()).toEqual(want.compute());
  });

  test('the largest weight is that of float32', () => {
    const meter = new CalibrationMeter();
    meter.update([0.5], [1], { weight: [3.4028234663852886e38] });
    expect(meter.compute()).toMatchObject({ weight: 3.4028234663852886e38, brier: 0.25 });
  });

  test('no order, batch or tree of merges changes a bit', () => {
    const whole = new CalibrationMeter();
    whole.update(probabilities, targets, { weight });
    const text = JSON.stringify(whole);
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: n - 1 }), { maxLength: 8 }),
        fc.infiniteStream(fc.nat()),
        (cuts, choices) => {
          const borders = [0, ...cuts.sort((a, b) => a - b), n];
          const meters = borders.slice(1).map((end, k) => {
            const meter = new CalibrationMeter();
            const [p, y, w] = [probabilities, targets, weight].map((all) => all.subarray(borders[k], end));
            meter.update(p as Float32Array, y as Uint8Array, { weight: w as Float32Array });
            return meter;
          });
          const draw = () => choices.next().value;
          while (meters.length > 1) {
            const [part] = meters.splice(draw() % meters.length, 1);
            meters[draw() % meters.length].merge(CalibrationMeter.fromJSON(JSON.parse(JSON.stringify(part))));
          }
          expect(JSON.stringify(meters[0])).toBe(text);
          meters[0].merge(whole);
          meters[0].subtract(whole);
          expect(JSON.stringify(meters[0])).toBe(text);
        },
      ),
      { numRuns: 20 },
    );
    whole.reset();
    expect(JSON.stringify(whole)).toBe(JSON.stringify(new CalibrationMeter()));
  });

  test.each<[string, (meter: CalibrationMeter) => unknown, string]>([
    [
      'a probability above 1',
      (m) => m.update([0.5, 1.5], [0, 1]),
      '"probabilities" expected a number in [0, 1] at index 1, got 1.5',
    ],
    [
      'a probability below 0',
      (m) => m.update([0.5, -(2 ** -60)], [0, 1]),
      `"probabilities" expected a number in [0, 1] at index 1, got ${-(2 ** -60)}`,
    ],
    [
      'too many bins',
      () => new CalibrationMeter({ bins: 100_001 }),
      '"bins" expected an integer in [1, 100000], got 100001',
    ],
    [
      'a probability that is NaN',
      (m) => m.update([NaN], [1]),
      '"probabilities" expected a number in [0, 1] at index 0, got NaN',
    ],
    ['logits, by their kind', (m) => m.update('0.5' as never, [1]), '"probabilities" expected a Float32Array'],
    [
      'a text among numbers',
      (m) => m.update([0.5, '1'] as never, [1, 1]),
      '"probabilities" expected a number at index 1, got \'1\'',
    ],
    ['a soft target', (m) => m.update([0.5], [0.5]), '"targets" expected 0 or 1 at index 0, got 0.5'],
    [
      'a text as target',
      (m) => m.update([0.5], ['1'] as never),
      '"targets" expected a number or boolean or bigint at index 0, got \'1\'',
    ],
    [
      'too few targets',
      (m) => m.update([0.5, 0.5], [1]),
      '"targets" expected length 2 (the length of "probabilities"), got 1',
    ],
    [
      'too many weights',
      (m) => m.update([0.5], [1], { weight: [1, 1] }),
      '"weight" expected length 1 (the length of "probabilities"), got 2',
    ],
    [
      'a negative weight',
      (m) => m.update([0.5], [1], { weight: [-1] }),
      '"weight" expected a number >= 0 that float32 can hold, at index 0, got -1',
    ],
    [
      'a weight that is NaN',
      (m) => m.update([0.5], [1], { weight: [NaN] }),
      '"weight" expected a number >= 0 that float32 can hold, at index 0, got NaN',
    ],
    [
      'an unknown option',
      (m) => m.update([0.5], [1], { weigth: [1] } as never),
      '"options" expected keys among weight, got \'weigth\'',
    ],
    [
      'another number of bins',
      (m) => m.merge(new CalibrationMeter({ bins: 10 })),
      '"other.bins" expected 15 (this meter\'s), got 10',
    ],
    [
      'a weight beyond float32',
      (m) => m.update([0.5], [1], { weight: [3.402823466385289e38] }),
      '"weight" expected a number >= 0 that float32 can hold, at index 0, got 3.402823466385289e+38',
    ],
    ['no meter', (m) => m.merge({} as never), '"other" expected a CalibrationMeter, got an object'],
    ['null', (m) => m.merge(null as never), '"other" expected a CalibrationMeter, got null'],
    ['a number', (m) => m.subtract(1 as never), '"other" expected a CalibrationMeter, got 1'],
    ['no bins', () => new CalibrationMeter({ bins: 0 }), '"bins" expected an integer in [1, 100000], got 0'],
    [
      'bins as text',
      () => new CalibrationMeter({ bins: '10' as never }),
      '"bins" expected an integer in [1, 100000], got \'10\'',
    ],
  ])('refuses %s, and stays as it was', (_, run, message) => {
    const meter = new CalibrationMeter();
    meter.update([0.5], [1]);
    const before = JSON.stringify(meter);
    expect(errorOf(() => run(meter)).message).toContain(message);
    expect(JSON.stringify(meter)).toBe(before);
  });

  test('subtract refuses what was not merged', () => {
    const meterOf = (p: number[], y: number[], weights?: number[]) => {
      const meter = new CalibrationMeter({ bins: 2 });
      meter.update(p, y, weights && { weight: weights });
      return meter;
    };
    const meter = meterOf([0.75, 0.75], [1, 0]);
    const before = JSON.stringify(meter);
    const remedy = 'only what was merged can be taken away';
    for (const [other, message] of [
      [meterOf([0.25], [0]), `so that bins[0].count stays an integer >= 0, got -1; ${remedy}`],
      [meterOf([0.75], [0], [3]), `so that bins[1].weight stays a sum of weights, got -1; ${remedy}`],
      [meterOf([0.75, 0.75], [1, 1]), `so that bins[1].positives stays at most the weight, got -1; ${remedy}`],
      [
        meterOf([1, 1], [1, 0]),
        `so that bins[1].probabilities stays a weighted sum of numbers in [0.5, 1], got -0.5; ${remedy}`,
      ],
      [meterOf([0.7499999, 0.75], [1, 0]), `${remedy}`],
    ] as const) {
      expect(errorOf(() => meter.subtract(other)).message).toContain(message);
      expect(JSON.stringify(meter)).toBe(before);
    }
  });

  const state = () => {
    const meter = new CalibrationMeter({ bins: 2 });
    meter.update([0.75, 0.25], [1, 0]);
    return JSON.parse(JSON.stringify(meter)) as CalibrationMeterJSON;
  };
  const bin = (change: object): unknown => ({ ...state(), bins: [state().bins[0], { ...state().bins[1], ...change }] });
  test.each<[string, unknown, string]>([
    ['nothing', undefined, '"json" expected the state of a CalibrationMeter, got undefined'],
    [
      'another version',
      { ...state(), version: 2 },
      '"json.version" expected 1, got 2; the state is of another version',
    ],
    ['no bins', { ...state(), bins: undefined }, '"json.bins" expected an array of bins, got undefined'],
    ['an empty list', { ...state(), bins: [] }, '"bins" expected an integer in [1, 100000], got 0'],
    ['a bin that is none', { ...state(), bins: [1] }, '"json.bins[0]" expected a bin, as toJSON gave it, got 1'],
    ['a count that is not whole', bin({ count: 0.5 }), '"json.bins[1].count" expected an integer >= 0, got 0.5'],
    ['a bin of nothing with a weight', bin({ count: 0 }), '"json.bins[1].weight" expected a sum of weights, got 1'],
    [
      'a mean outside of the bin',
      bin({ probabilities: { terms: [0.25] } }),
      '"json.bins[1].probabilities" expected a weighted sum of numbers in [0.5, 1], got 0.25',
    ],
    [
      'more positives than weight',
      bin({ positives: { terms: [2] } }),
      '"json.bins[1].positives" expected at most the weight, got 2',
    ],
    [
      'an infinite weight',
      bin({ weight: { terms: [], infinities: 1 } }),
      '"json.bins[1].weight" expected a sum of weights, got Infinity',
    ],
    [
      'a Brier score above 1',
      { ...state(), brier: { terms: [3] } },
      '"json.brier" expected a number between 0 and the weight, got 3',
    ],
    [
      'a negative log loss',
      { ...state(), logLoss: { terms: [-1] } },
      '"json.logLoss" expected a sum of log losses, got -1',
    ],
    [
      'a log loss that is NaN',
      { ...state(), logLoss: { terms: [], nans: 1 } },
      '"json.logLoss" expected a sum of log losses, got NaN',
    ],
    [
      'a log loss of elements that weigh nothing',
      { version: 1, bins: [{ ...NOTHING, count: 1 }], brier: { terms: [] }, logLoss: { terms: [1] } },
      '"json.logLoss" expected a sum of log losses, got 1',
    ],
    [
      'more infinite log losses than elements',
      { ...state(), logLoss: { terms: [], infinities: 3 } },
      '"json.logLoss" expected a sum of log losses, got Infinity',
    ],
    ['a sum that is none', { ...state(), brier: 0.5 }, '"json.brier" expected the sum that toJSON gave'],
  ])('a state that no meter has: %s', (_, json, message) => {
    expect(errorOf(() => CalibrationMeter.fromJSON(json as CalibrationMeterJSON)).message).toContain(message);
  });

  test.each<[string, number[], number[]]>([
    ['on the border of a bin', [0.5, 1], [1, 1]],
    ['whose products are rounded', [1 / 15, 14 / 15, 3 / 15], [0.1, 0.7, 1e-30]],
    ['that weigh nothing', [0, 0.75], [0, 0]],
    ['that were all wrong', [0, 0], [1, 2]],
  ])('a state of probabilities %s is read', (_, p, weights) => {
    for (const bins of [1, 2, 15]) {
      const meter = new CalibrationMeter({ bins });
      meter.update(p, new Uint8Array(p.length).fill(1), { weight: weights });
      const text = JSON.stringify(meter);
      expect(JSON.stringify(CalibrationMeter.fromJSON(JSON.parse(text)))).toBe(text);
    }
  });

  test('a version or bins of the wrong kind are a TypeError, those out of range a RangeError', () => {
    expect(errorOf(() => new CalibrationMeter({ bins: '10' as never }))).toBeInstanceOf(TypeError);
    expect(errorOf(() => new CalibrationMeter({ bins: 0.5 }))).toBeInstanceOf(RangeError);
    for (const [version, kind] of [
      ['1', TypeError],
      [0, RangeError],
    ] as const) {
      const error = errorOf(() => CalibrationMeter.fromJSON({ ...state(), version: version as 1 }));
      expect(error).toBeInstanceOf(kind);
      expect(error).toHaveProperty('argument', 'json.version');
    }
  });

  test('unknown keys of a state are ignored', () => {
    const json = { ...state(), written: 'today' };
    expect(CalibrationMeter.fromJSON(json).compute()).toEqual(CalibrationMeter.fromJSON(state()).compute());
  });
});

test('logarithms are good to 2 ulp from the smallest number to 1', () => {
  const draw = random(5);
  for (let k = 0; k < 300; k++) {
    const p = [
      draw(),
      2 ** (-1074 * draw()),
      1 - 2 ** (-53 * draw()),
      0.25 + (draw() - 0.5) / 1e6,
      Math.SQRT1_2 + (draw() - 0.5) / 1e6,
    ][k % 5];
    for (const [got, want] of [
      [log(p), Decimal.ln(exact(p))],
      [logOfRest(p), p < 1e-40 ? exact(-p) : Decimal.ln(new Decimal(1).minus(exact(p)))],
    ] as const) {
      // a subnormal number has fewer digits
      const bound = Decimal.max(want.abs().times(4.5e-16), 1e-323);
      expect(got === Number(want) || exact(got).minus(want).abs().lte(bound), `${p}: ${got}, not ${want}`).toBe(true);
    }
  }
  expect([log(1), log(0), logOfRest(0), logOfRest(1)]).toEqual([0, -Infinity, -0, -Infinity]);
});

test('the entry holds no kernel', async () => {
  const entry = fileURLToPath(new URL('../src/metrics.ts', import.meta.url));
  const { metafile } = await build({ entryPoints: [entry], bundle: true, write: false, metafile: true, format: 'esm' });
  const files = Object.keys(metafile.inputs).map((file) => file.replace(/^.*src./, ''));
  expect(files).toContain('exact-sum.ts');
  expect(files.filter((file) => /wasm|kernel|memory|evaluator|criterion/.test(file))).toEqual([]);
});
