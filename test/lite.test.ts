// focal-loss-wasm/lite is another kernel and another way to it: whatever it computes must be what the whole library computes.
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as library from '../dist/index.js';
import * as lite from '../dist/lite.js';
import { root } from './package/support.js';
import { ACROSS, errorOf, hardTargets, SEGMENT, softTargets, someLogits } from './support.js';

const RUNS = { numRuns: 300 };
/** Both, by what they have in common. */
type Entry = typeof library;
const ENTRIES = [library, lite as unknown as Entry] as const;

type Options = Record<string, unknown>;

/** A value as a message shows it where it differs: zeros by their sign, and every NaN alike. */
function difference(a: unknown, b: unknown): string | undefined {
  if (typeof a === 'number' || typeof b === 'number') return Object.is(a, b) ? undefined : `${a} and ${b}`;
  const [left, right] = [a, b] as Float32Array[];
  if (left.length !== right.length) return `lengths ${left.length} and ${right.length}`;
  const at = left.findIndex((value, k) => !Object.is(value, right[k]));
  return at < 0 ? undefined : `${left[at]} and ${right[at]} at ${at}`;
}

/** What a call returns or throws, in words that two entries can be compared by. */
function outcome(run: () => unknown): unknown {
  try {
    return run();
  } catch (error) {
    const { name, message, code, argument, index } = error as Error & Options;
    return JSON.stringify({ name, message, code, argument, index });
  }
}

function expectSame(a: unknown, b: unknown): void {
  if (typeof a === 'string' || typeof b === 'string') expect(a).toBe(b);
  else expect(difference(a, b)).toBeUndefined();
}

const gammas = fc.oneof(
  fc.constantFrom(0, 0.5, 1, 1.5, 2, 2.5, 3, 3.5, 4, 4.5, 5, 64),
  fc.double({ min: 0, max: 64, noNaN: true }),
);
const fraction = fc.oneof(fc.constantFrom(0, 1), fc.double({ min: 0, max: 1, noNaN: true }));
const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
const options = fc.record({
  gamma: optional(gammas),
  alpha: optional(fc.option(fraction)),
  posWeight: optional(fc.oneof(fc.constantFrom(0, 1, 3, 3e38), fc.double({ min: 0, max: 20, noNaN: true }))),
  labelSmoothing: optional(fc.constantFrom(0, 0.1, 0.5)),
  ignoreIndex: optional(fc.constantFrom(null, 1, 0, 255, -1, 0.5)),
  normalizer: optional(fc.constantFrom('positives', 7)),
  reduction: optional(fc.constantFrom('none', 'mean', 'sum')),
});
const logit = fc.oneof({ weight: 8, arbitrary: fc.float({ min: -40, max: 40 }) }, { weight: 1, arbitrary: fc.float() });
const hard = fc.constantFrom(0, 1);
const soft = fc.oneof(hard, fc.constant(0.5), fc.float({ min: 0, max: 1, noNaN: true }));

/** The same elements in each kind of array that an argument may be. */
const LOGITS = {
  Float32Array: (x: number[]) => Float32Array.from(x),
  Float64Array: (x: number[]) => Float64Array.from(x),
  'number[]': (x: number[]) => x,
  nested: (x: number[]) => (x.length === 0 ? x : [x]),
  float16: (x: number[]) => ({ data: Uint16Array.from(x, halfOf), dims: [x.length], type: 'float16' }),
  bfloat16: (x: number[]) => ({ data: Uint16Array.from(x, upperHalf), dims: [x.length], type: 'bfloat16' }),
};
const HARD = {
  Uint8Array: (y: number[]) => Uint8Array.from(y),
  Int8Array: (y: number[]) => Int8Array.from(y),
  Int32Array: (y: number[]) => Int32Array.from(y),
  BigInt64Array: (y: number[]) => BigInt64Array.from(y, BigInt),
  'boolean[]': (y: number[]) => y.map((value) => value === 1),
};
const SOFT = {
  Float32Array: (y: number[]) => Float32Array.from(y),
  Float64Array: (y: number[]) => Float64Array.from(y),
  'number[]': (y: number[]) => y,
};

/** Some half float for a number: sign, exponent and fraction taken over where they fit. */
function halfOf(x: number): number {
  const bits = upperHalf(x);
  return (bits & 0x8000) | ((bits << 3) & 0x7fff);
}

function upperHalf(x: number): number {
  return new Uint32Array(Float32Array.of(x).buffer)[0] >>> 16;
}

describe.each([
  ['hard', hard, HARD],
  ['soft', soft, SOFT],
])('%s targets', (_, target, kinds) => {
  test('every loss, sum and mean has the bits of the whole library, whatever the options and arrays', () => {
    const given = fc.record({
      elements: fc.array(fc.tuple(logit, target, fc.float({ min: -4, max: 4, noNaN: true })), { maxLength: 700 }),
      x: fc.constantFrom(...Object.keys(LOGITS)) as fc.Arbitrary<keyof typeof LOGITS>,
      y: fc.constantFrom(...Object.keys(kinds)),
      isWeighed: fc.boolean(),
      givesOut: fc.boolean(),
      options,
    });
    fc.assert(
      fc.property(given, ({ elements, x, y, isWeighed, givesOut, options }) => {
        const logits = LOGITS[x](elements.map(([value]) => value));
        const toTargets = kinds[y as keyof typeof kinds] as (values: number[]) => ArrayLike<unknown>;
        const targets = toTargets(elements.map(([, value]) => value));
        const [a, b] = ENTRIES.map(({ FocalLoss }) => {
          const out = givesOut ? new Float32Array(elements.length) : undefined;
          const weight = isWeighed ? elements.map(([, , value]) => value) : undefined;
          const run = () => new FocalLoss(options as Options).forward(logits, targets as Uint8Array, { weight, out });
          return { value: outcome(run), out };
        });
        expectSame(b.value, a.value);
        if (givesOut && typeof a.value !== 'string') expectSame(b.out, a.out);
      }),
      RUNS,
    );
  });
});

test('so it has over several segments, staged or in a workspace of its own, with results in place', () => {
  const x = someLogits(ACROSS);
  for (const y of [hardTargets(ACROSS), softTargets(ACROSS)]) {
    for (const gamma of [0, 1.5, 2, 1.7, 4.5]) {
      for (const reduction of ['sum', 'mean'] as const) {
        const given = { gamma, alpha: 0.75, posWeight: 3, reduction };
        expectSame(lite.sigmoidFocalLoss(x, y, given), library.sigmoidFocalLoss(x, y, given));
      }
    }
    const workspace = new lite.Workspace(9 * ACROSS);
    const inside = workspace.float32(ACROSS);
    inside.set(x);
    const targets = y instanceof Uint8Array ? workspace.uint8(ACROSS) : workspace.float32(ACROSS);
    targets.set(y);
    const losses = new library.FocalLoss({ reduction: 'none' }).forward(x, y);
    expect(new lite.FocalLoss({ reduction: 'none' }).forward(inside, targets, { out: inside })).toBe(inside);
    expectSame(inside, losses);
  }
});

test('a workspace may be full to its last byte', () => {
  // 64 arrays' padding beside what is asked for, all of it handed out as bytes
  const workspace = new lite.Workspace(65_536 - 1024);
  const x = workspace.float32(40);
  const y = workspace.uint8(65_536 - 160);
  const end = y.subarray(y.length - 40);
  x.set(someLogits(40));
  expectSame(new lite.FocalLoss().forward(x, end), new library.FocalLoss().forward(x.slice(), end.slice()));
});

test('sums that overflow float32, and infinite losses beside powers that underflow, are what they are in the whole library', () => {
  const x = Float32Array.of(3e38, -3e38, 3e38, Number.POSITIVE_INFINITY, -2, 4, 3e38, 3e38, Number.NEGATIVE_INFINITY);
  for (const y of [Uint8Array.of(0, 1, 0, 1, 0, 1, 0, 0, 0), Float32Array.of(0, 1, 0.5, 1, 0, 1e-30, 0, 0.25, 1e-40)]) {
    for (const alpha of [null, 0, 1, 0.5]) {
      for (const gamma of [0, 2, 30.5]) {
        const given = { gamma, alpha, reduction: 'sum' } as const;
        expectSame(lite.sigmoidFocalLoss(x, y, given), library.sigmoidFocalLoss(x, y, given));
      }
    }
  }
});

test('a class that counts for nothing is of no loss, even of an infinite one', () => {
  for (const { FocalLoss } of ENTRIES)
    for (const gamma of [0, 2, 3.3])
      for (const [options, x, y] of [
        [{ alpha: 0 }, -Infinity, 1],
        [{ alpha: null, posWeight: 0 }, -Infinity, 1],
        [{ alpha: 1 }, Infinity, 0],
      ] as const) {
        const loss = new FocalLoss({ ...options, gamma, reduction: 'none' });
        for (const targets of [Uint8Array.of(y), Float32Array.of(y)]) expect(loss.forward([x], targets)[0]).toBe(0);
      }
});

test('focalPosterior has the bits of the whole library', () => {
  const given = fc.record({
    x: fc.array(logit, { maxLength: 700 }),
    kind: fc.constantFrom(...Object.keys(LOGITS)) as fc.Arbitrary<keyof typeof LOGITS>,
    gamma: optional(gammas),
    alpha: optional(fc.option(fraction)),
    posWeight: optional(fc.constantFrom(0, 1, 3)),
  });
  fc.assert(
    fc.property(given, ({ x, kind, ...options }) => {
      const logits = LOGITS[kind](x);
      expectSame(lite.focalPosterior(logits, options), library.focalPosterior(logits, options));
    }),
    RUNS,
  );
});

describe('what it leaves out', () => {
  test.each([
    ['options', 'numClasses', () => new lite.FocalLoss({ numClasses: 3 } as never)],
    ['options', 'hessian', () => new lite.FocalLoss({ hessian: 'clip' } as never)],
    ['options', 'fromLogits', () => new lite.FocalLoss({ fromLogits: false } as never)],
    ['options', 'gamma', () => new lite.BCEWithLogitsLoss({ gamma: 2 } as never)],
    ['call', 'gradOut', () => new lite.FocalLoss().forward([1], [1], { gradOut: new Float32Array(1) } as never)],
  ])('in %s, %s is an error that names the whole library', (argument, key, run) => {
    const error = errorOf(run);
    expect(error.message).toMatch(
      new RegExp(`^"${argument}" expected keys among .*, got '${key}'; 'focal-loss-wasm' has more$`),
    );
    expect(error).toMatchObject({ name: 'TypeError', code: 'FOCAL_LOSS_ARGUMENT', argument });
  });

  test.each(['alpha', 'posWeight'])('%s for each class likewise', (key) => {
    expect(errorOf(() => new lite.FocalLoss({ [key]: [0.5, 0.5] } as never)).message).toBe(
      `"${key}" expected a number for all elements, got an array of length 2; 'focal-loss-wasm' has more`,
    );
  });
});

test.each<[string, (entry: Entry) => unknown]>([
  ['a gamma out of range', ({ FocalLoss }) => new FocalLoss({ gamma: -1 })],
  ['an alpha of -1', ({ FocalLoss }) => new FocalLoss({ alpha: -1 })],
  [
    'posWeight named twice',
    ({ FocalLoss, BCEWithLogitsLoss }) => new FocalLoss({ lossFcn: new BCEWithLogitsLoss(), posWeight: 2 } as never),
  ],
  ['a base loss that is none', ({ FocalLoss }) => new FocalLoss({ lossFcn: {} } as never)],
  ['logits that are a promise', ({ FocalLoss }) => new FocalLoss().forward(Promise.resolve([1]) as never, [1])],
  ['targets of another length', ({ FocalLoss }) => new FocalLoss().forward([1, 2], [1])],
  ['a target out of range', ({ FocalLoss }) => new FocalLoss().forward([1, 2], [1, 1.5])],
  ['a label that is none', ({ FocalLoss }) => new FocalLoss().forward([1, 2], Int32Array.of(1, 255))],
  [
    'a byte in the second segment',
    ({ FocalLoss }) =>
      new FocalLoss().forward(new Float32Array(SEGMENT + 9), new Uint8Array(SEGMENT + 9).fill(3, SEGMENT + 5)),
  ],
  [
    'dims that do not agree',
    ({ FocalLoss }) =>
      new FocalLoss().forward({ data: [1, 2, 3, 4], dims: [2, 2] }, { data: [1, 0, 1, 0], dims: [4, 1] }),
  ],
  ['a weight of another length', ({ FocalLoss }) => new FocalLoss().forward([1], [1], { weight: [1, 2] })],
  ['a weight beyond float32', ({ FocalLoss }) => new FocalLoss().forward([1], [1], { weight: [1e300] })],
  [
    'a buffer of another kind',
    ({ FocalLoss }) => new FocalLoss().forward([1], [1], { out: new Float64Array(1) as never }),
  ],
  ['a method without its loss', ({ FocalLoss }) => FocalLoss.prototype.forward.call({} as never, [1], [1])],
  ['a workspace without a size', ({ Workspace }) => new Workspace(-1)],
  ['a posterior of a bad gamma', ({ focalPosterior }) => focalPosterior([1], { gamma: 65 })],
])('%s is the error that the whole library gives', (_, run) => {
  const wanted = outcome(() => run(library));
  expect(wanted).toMatch(/FOCAL_LOSS_ARGUMENT/);
  expect(outcome(() => run(ENTRIES[1]))).toBe(wanted);
});

test('a half float that is no target is named as the number that it is, in any segment', () => {
  const half = (length: number) => {
    const data = new Uint16Array(length).fill(0x3c00); // 1
    data[length - 1] = 0x4000; // 2
    return { data, dims: [length], type: 'float16' };
  };
  for (const length of [2, SEGMENT + 3]) {
    const [whole, small] = ENTRIES.map(({ FocalLoss }) =>
      outcome(() => new FocalLoss().forward(new Float32Array(length), half(length))),
    );
    expect(small).toBe(whole);
    expect(whole).toContain(`a number in [0, 1] at index ${length - 1}, got 2`);
  }
});

test('a loss of one entry is no base loss of the other', () => {
  for (const [one, other] of [ENTRIES, ENTRIES.toReversed()]) {
    const lossFcn = new one.BCEWithLogitsLoss();
    expect(errorOf(() => new other.FocalLoss({ lossFcn } as never)).message).toBe(
      '"lossFcn" expected a BCEWithLogitsLoss of this package, got a BCEWithLogitsLoss; ' +
        'this one is of another copy or entry of focal-loss-wasm: import both from the same',
    );
  }
});

test('what a call says, and what lies in a workspace, acts as it does in the whole library', () => {
  const x = Float64Array.of(0.5, -2, 3);
  const wide = Float64Array.of(0, 1, 1 + 2 ** -40);
  const bytes = Uint8Array.of(0, 1, 2);
  const runs: ((entry: Entry) => unknown)[] = [
    (entry) => new entry.BCEWithLogitsLoss().forward(x, [1, 0, 1]),
    (entry) => new entry.BCEWithLogitsLoss({ posWeight: 3, reduction: 'none' }).forward(x, [1, 0, 1]),
    (entry) => new entry.BCEWithLogitsLoss({ posWeight: -1 }).forward(x, [1, 0, 1]),
    (entry) => new entry.BCEWithLogitsLoss({ posWeight: [1, 2] as never }),
    (entry) => new entry.FocalLoss({ normalizer: 3 }).forward(x, [1, 0, 1], { normalizer: 7 }),
    (entry) => new entry.FocalLoss().forward(x, wide),
    (entry) => new entry.FocalLoss().forward(x, wide, { validate: false }),
    (entry) => new entry.FocalLoss().forward(x, bytes),
    (entry) => new entry.FocalLoss().forward(x, bytes, { validate: false }),
  ];
  for (const run of runs) {
    const [whole, own] = ENTRIES.map((entry) => outcome(() => run(entry)));
    expectSame(own, whole);
  }
  expect(Object.keys(new lite.FocalLoss().options)).not.toContain('reduction');
  for (const { FocalLoss, focalPosterior, Workspace } of ENTRIES) {
    const workspace = new Workspace(1024);
    const [logits, targets, weight] = [x, Float64Array.of(1, 0.25, 0), Float64Array.of(1, 2, 3)].map((array) => {
      const inside = workspace.float64(3);
      inside.set(array);
      return inside;
    });
    expectSame(focalPosterior(logits, { gamma: 2 }), focalPosterior(x, { gamma: 2 }));
    const criterion = new FocalLoss({ reduction: 'none' });
    const losses = criterion.forward(x, targets.slice(), { weight: weight.slice() });
    expectSame(criterion.forward(logits, targets, { weight }), losses);
  }
});

test('defaults are those of the whole library, and a loss shows its options', () => {
  const whole = new library.FocalLoss().toJSON();
  const own = new lite.FocalLoss().toJSON();
  expect(own.name).toBe(whole.name);
  const keys = Object.keys(own.options);
  expect(keys.sort()).toEqual(['alpha', 'gamma', 'ignoreIndex', 'labelSmoothing', 'posWeight', 'reduction']);
  for (const key of keys) expect(own.options[key]).toEqual(whole.options[key]);
  const lossFcn = new lite.BCEWithLogitsLoss({ posWeight: 3, reduction: 'sum' });
  expect(lossFcn.toJSON()).toEqual(new library.BCEWithLogitsLoss({ posWeight: 3, reduction: 'sum' }).toJSON());
  expect(new lite.FocalLoss({ lossFcn, normalizer: 7 }).toJSON().options).toMatchObject({
    posWeight: 3,
    reduction: 'sum',
    normalizer: 7,
  });
});

test('it exports what the contract says, and no more', () => {
  const names = ['BCEWithLogitsLoss', 'FocalLoss', 'Workspace', 'focalPosterior', 'sigmoidFocalLoss'];
  expect(Object.keys(lite).sort()).toEqual(names);
  expect('valueAndGrad' in lite.FocalLoss.prototype).toBe(false);
});

test('its kernel is at most 10 KiB', () => {
  const { length } = readFileSync(`${root}dist/wasm/lite.wasm`);
  console.info(`lite.wasm: ${length} bytes`);
  expect(length).toBeLessThanOrEqual(10 * 1024);
});
