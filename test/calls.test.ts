// What a caller's own code can do during a call, and what it cannot.
import { describe, expect, test } from 'vitest';
import { SEGMENT } from '../src/abi.js';
import { BCEWithLogitsLoss, FocalLoss, LossMeter, SoftmaxFocalLoss, Workspace } from '../src/index.js';
import { errorOf, firstDifference, hardTargets, someLogits } from './support.js';

const criterion = new FocalLoss({ gamma: 2, reduction: 'none' });
const n = 2 * SEGMENT + 5;
const logits = someLogits(n);
const targets = hardTargets(n);
const weight = someLogits(n, 9).map((x) => Math.abs(x));
const expected = criterion.forward(logits, targets, { weight });

describe('subclasses of typed arrays', () => {
  class Floats extends Float32Array {
    constructor(length: number) {
      super(typeof length === 'number' ? length : 3);
    }
    override get length() {
      return 2;
    }
    override set() {}
    override subarray() {
      return this as never;
    }
  }
  class Bytes extends Uint8Array {
    constructor(length: number) {
      super(typeof length === 'number' ? length : 3);
    }
    override subarray() {
      return this as never;
    }
  }
  const floatsOf = (values: Float32Array) => {
    const own = new Floats(values.length);
    Float32Array.prototype.set.call(own, values);
    return own;
  };

  test('are read and written as what they are, beyond one segment too', () => {
    const bytes = new Bytes(n);
    bytes.set(targets);
    const out = floatsOf(new Float32Array(n));
    expect(criterion.forward(floatsOf(logits), bytes, { weight: floatsOf(weight), out })).toBe(out);
    expect(firstDifference(new Float32Array(out.buffer), expected)).toBe(-1);
    const half = new SoftmaxFocalLoss({ numClasses: 2, reduction: 'none' });
    const rows = logits.subarray(0, n - 1);
    const labels = targets.subarray(0, (n - 1) / 2);
    const ownLabels = new Bytes(labels.length);
    ownLabels.set(labels);
    expect(firstDifference(half.forward(floatsOf(rows), ownLabels), half.forward(rows, labels))).toBe(-1);
  });

  test('and own properties of an array say nothing', () => {
    const array = logits.slice(0, 8);
    for (const key of ['length', 'byteOffset', 'buffer']) Object.defineProperty(array, key, { value: 1e6 });
    expect(
      firstDifference(
        criterion.forward(array, targets.slice(0, 8)),
        criterion.forward(logits.slice(0, 8), targets.slice(0, 8)),
      ),
    ).toBe(-1);
  });
});

/** A list whose element at `at` runs something when it is read. */
const withGetter = (values: number[], at: number, run: () => void) =>
  Object.defineProperty([...values], at, {
    get: () => {
      run();
      return values[at];
    },
  });

describe('code that runs while arguments are read', () => {
  test('may call the loss again', () => {
    const list = withGetter([1, 0, 1, 0], 2, () => criterion.forward([9, 9, 9, 9, 9], [0, 0, 0, 0, 0]));
    const plain = criterion.forward([0.5, -1, 2, 3], [1, 0, 1, 0]);
    expect(firstDifference(criterion.forward([0.5, -1, 2, 3], list), plain)).toBe(-1);
    const inLogits = withGetter([0.5, -1, 2, 3], 3, () => new FocalLoss().forward([1], [1]));
    expect(firstDifference(criterion.forward(inLogits, [1, 0, 1, 0]), plain)).toBe(-1);
  });

  test('may not make an array longer or shorter', () => {
    const grows: number[] = withGetter([1, 0, 1, 0], 1, () => grows.push(1));
    expect(errorOf(() => criterion.forward([1, 2, 3, 4], grows)).message).toBe(
      '"targets" expected length 4 throughout the call, got length 5; leave arrays alone during a call',
    );
    type Resizable = ArrayBuffer & { resize(bytes: number): void };
    const Buffer = ArrayBuffer as unknown as new (bytes: number, options: { maxByteLength: number }) => Resizable;
    const buffer = new Buffer(16, { maxByteLength: 16 });
    const shrinks = new Float32Array(buffer);
    const list = withGetter([1, 0, 1, 0], 1, () => buffer.resize(4));
    expect(errorOf(() => criterion.forward(shrinks, list)).message).toMatch(/^"logits" expected length 4 throughout/);
    for (const name of ['logits', 'targets']) {
      const buffer = new Buffer(16, { maxByteLength: 16 });
      const array = new Float32Array(buffer);
      const weight = withGetter([1, 1, 1, 1], 3, () => buffer.resize(4));
      const [x, y] = name === 'logits' ? [array, Uint8Array.of(1, 0, 1, 0)] : [Float32Array.of(1, 2, 3, 4), array];
      expect(errorOf(() => criterion.forward(x, y, { weight })).message).toBe(
        `"${name}" expected length 4 throughout the call, got length 1; leave arrays alone during a call`,
      );
    }
  });

  test('sees each key of a call once', () => {
    const reads: string[] = [];
    const call = Object.defineProperties(
      {},
      Object.fromEntries(
        ['weight', 'out', 'validate', 'normalizer'].map((key) => [
          key,
          {
            enumerable: true,
            get: () => {
              reads.push(key);
              return undefined;
            },
          },
        ]),
      ),
    );
    criterion.forward([1], [1], call);
    expect(reads.sort()).toEqual(['normalizer', 'out', 'validate', 'weight']);
  });
});

test('a view that follows a growable SharedArrayBuffer is read as far as it went when the call began', () => {
  type Growable = SharedArrayBuffer & { grow(bytes: number): void };
  const Buffer = SharedArrayBuffer as unknown as new (bytes: number, options: { maxByteLength: number }) => Growable;
  const buffer = new Buffer(16, { maxByteLength: 4096 });
  const grows = new Float32Array(buffer);
  const list = withGetter([1, 0, 1, 0], 0, () => buffer.grow(4096));
  const plain = criterion.forward([0, 0, 0, 0], [1, 0, 1, 0]);
  expect(firstDifference(criterion.forward(grows, list), plain)).toBe(-1);
});

describe('errors', () => {
  test('carry a code, the argument and an index, which do not show when they are printed', () => {
    const bad = errorOf(() => criterion.forward([0, 0], Uint8Array.of(1, 7)));
    expect(bad).toMatchObject({ code: 'FOCAL_LOSS_ARGUMENT', argument: 'targets', index: 1 });
    expect(Object.keys(bad)).toEqual([]);
    const option = errorOf(() => new FocalLoss({ gamma: -1 }));
    expect(option).toMatchObject({ code: 'FOCAL_LOSS_ARGUMENT', argument: 'gamma' });
    const row = errorOf(() => new SoftmaxFocalLoss({ numClasses: 2 }).forward([0, 0, 0, 0], [1, 255]));
    expect(row).toMatchObject({ argument: 'targets', index: 1 });
    expect(row.message).toMatch(/; ignoreIndex: 255 leaves such rows out$/);
  });

  test('name what is there: a class, a method without its loss, a loss of elsewhere', () => {
    class Config {
      gamma = 2;
    }
    expect(errorOf(() => new FocalLoss(new Config())).message).toMatch(/got a Config; give a plain object/);
    const { forward } = criterion;
    expect(errorOf(() => forward([1], [1])).message).toMatch(/^"this" expected a loss, got undefined; call the method/);
    const foreign = { [Symbol.for('focal-loss-wasm.evaluator')]: {} };
    expect(errorOf(() => new FocalLoss({ lossFcn: foreign as never })).message).toMatch(/another copy or entry/);
    expect(errorOf(() => new LossMeter(foreign as never)).message).toMatch(/another copy or entry/);
    expect(errorOf(() => new LossMeter({ criterion } as never)).message).toMatch(/give its "criterion"$/);
  });

  test('refuse what float32 cannot hold, and powers without digits', () => {
    expect(errorOf(() => new FocalLoss({ posWeight: 1e39 })).message).toMatch(/^"posWeight" expected .*float32 holds/);
    expect(errorOf(() => new SoftmaxFocalLoss({ numClasses: 2, alpha: [1e39, 1] })).message).toMatch(/^"alpha\[0\]"/);
    expect(errorOf(() => new FocalLoss({ gamma: 65 })).message).toMatch(/^"gamma" expected a number in \[0, 64\]/);
    expect(errorOf(() => criterion.forward([1], [1], { weight: [1e39] })).message).toMatch(
      /^"weight" expected a number/,
    );
    errorOf(() => new FocalLoss({ alpha: { length: 2 ** 53 - 1 } as never, numClasses: 2 }));
  });

  test('compare 64-bit labels exactly', () => {
    const ignoring = new FocalLoss({ ignoreIndex: -(2 ** 53) });
    const labels = BigInt64Array.of(-(2n ** 53n) - 1n, 3n);
    expect(errorOf(() => ignoring.forward([1, 1], labels))).toMatchObject({ argument: 'targets', index: 0 });
  });
});

test('losses of different options are different, and show their options', () => {
  expect(new FocalLoss({ gamma: 1 })).not.toEqual(new FocalLoss({ gamma: 5 }));
  expect(new FocalLoss({ gamma: 5 })).toEqual(new FocalLoss({ gamma: 5 }));
  expect(JSON.parse(JSON.stringify(new BCEWithLogitsLoss({ posWeight: 3 })))).toEqual({
    name: 'BCEWithLogitsLoss',
    options: { posWeight: 3, reduction: 'mean' },
  });
  expect(JSON.stringify(new SoftmaxFocalLoss({ numClasses: 2, alpha: [1, 2] }))).toContain('"alpha":[1,2]');
});

test('a normalizer of a call is what its mean divides by', () => {
  const mean = new FocalLoss({ gamma: 2 });
  const sum = new FocalLoss({ gamma: 2, reduction: 'sum' });
  const call = { normalizer: 7 };
  expect(mean.forward(logits, targets, call)).toBe(sum.forward(logits, targets) / 7);
  const { value, grad } = mean.valueAndGrad(logits, targets, call);
  expect(value).toBe(sum.forward(logits, targets) / 7);
  const whole = sum.valueAndGrad(logits, targets).grad;
  for (const k of [0, SEGMENT, n - 1])
    expect(Math.abs(grad[k] * 7 - whole[k])).toBeLessThanOrEqual(2e-7 * Math.abs(whole[k]));
  errorOf(() => mean.forward(logits, targets, { normalizer: 0 }));
});

test('weights of any numeric array are the same weights', () => {
  const workspace = new Workspace(4 * n);
  const inside = workspace.float32(n);
  inside.set(weight);
  for (const same of [Float64Array.from(weight), [...weight], { data: weight, dims: [n] }, inside]) {
    expect(firstDifference(criterion.forward(logits, targets, { weight: same }), expected)).toBe(-1);
  }
});
