import { describe, expect, test } from 'vitest';
import { FocalLoss, focalPosterior, hardest } from '../src/index.js';
import { ACROSS, errorOf, firstDifference } from './support.js';

const criterion = new FocalLoss({ gamma: 2, reduction: 'none' });
const values = [-3.25, 0.1, 0, 5, -0.7, 12];
const labels = [1, 0, 1, 1, 0, 0];
const bytes = Uint8Array.from(labels);
const expected = criterion.forward(Float32Array.from(values), bytes);

function shared<T extends Float32Array | Uint8Array>(array: T, make: new (buffer: SharedArrayBuffer) => T): T {
  const view = new make(new SharedArrayBuffer(array.byteLength));
  view.set(array);
  return view;
}

interface Float16 {
  from(values: number[]): Float32Array;
}
const Float16Array = (globalThis as { Float16Array?: Float16 }).Float16Array;

describe('logits', () => {
  const kinds: [string, unknown][] = [
    ['Float32Array', Float32Array.from(values)],
    ['Float64Array', Float64Array.from(values)],
    ['number[]', values],
    ['frozen number[]', Object.freeze([...values])],
    ['SharedArrayBuffer', shared(Float32Array.from(values), Float32Array)],
    ['tensor with dims', { data: Float32Array.from(values), dims: [6] }],
    ['tensor with shape', { data: Float64Array.from(values), shape: [2, 3] }],
    ['nested rows', [values.slice(0, 3), values.slice(3)]],
    ['rows of typed arrays', [Float32Array.from(values.slice(0, 2)), values.slice(2, 4), values.slice(4)]],
    ['tensor of number[]', { data: values, dims: [3, 2], type: 'float32' }],
  ];
  test.each(kinds)('%s', (_, logits) => {
    expect(firstDifference(criterion.forward(logits as Float32Array, bytes), expected)).toBe(-1);
  });

  test('Float64Array and number[] are converted to float32', () => {
    const wide = 0.1 + 1e-12;
    const narrow = criterion.forward(Float32Array.of(wide), [1]);
    expect(firstDifference(criterion.forward([wide], [1]), narrow)).toBe(-1);
    expect(firstDifference(criterion.forward(Float64Array.of(wide), [1]), narrow)).toBe(-1);
    // beyond float32 is infinite
    expect(criterion.forward([-1e39], [1])[0]).toBe(Number.POSITIVE_INFINITY);
  });

  test('Float16Array where the runtime has it', () => {
    if (!Float16Array) {
      console.info(`this runtime (${process.version}) has no Float16Array: its logits are not checked here`);
      expect('Float16Array' in globalThis).toBe(false);
      return;
    }
    const half = Float16Array.from(values);
    expect(firstDifference(criterion.forward(half, labels), criterion.forward(Float32Array.from(half), labels))).toBe(
      -1,
    );
  });

  const refused: [string, unknown][] = [
    ['Int32Array', new Int32Array(6)],
    ['Uint8Array', new Uint8Array(6)],
    ['BigInt64Array', new BigInt64Array(6)],
    ['ArrayBuffer', new ArrayBuffer(24)],
    ['DataView', new DataView(new ArrayBuffer(24))],
    ['Set', new Set(values)],
    ['array-like', Object.assign({ length: 6 }, values)],
    ['tensor without a shape', { data: Float32Array.from(values) }],
    ['tensor of strings', { data: values.map(String), dims: [6] }],
    ['strings', values.map(String)],
    ['bigints', labels.map(BigInt)],
    ['holes', Array(6)],
    ['ragged rows', [[1, 2], [3, 4], [5]]],
    ['rows among values', [1, [2], 3, 4, 5, 6]],
  ];
  test.each(refused)('refused: %s', (_, logits) => {
    const error = errorOf(() => criterion.forward(logits as Float32Array, labels));
    expect(error.message).toMatch(/^"logits/);
  });
});

describe('targets', () => {
  const kinds: [string, unknown][] = [
    ['Float32Array', Float32Array.from(labels)],
    ['Float64Array', Float64Array.from(labels)],
    ['Uint8Array', Uint8Array.from(labels)],
    ['Uint8ClampedArray', Uint8ClampedArray.from(labels)],
    ['Int8Array', Int8Array.from(labels)],
    ['Int32Array', Int32Array.from(labels)],
    ['Int16Array', Int16Array.from(labels)],
    ['Uint16Array', Uint16Array.from(labels)],
    ['Uint32Array', Uint32Array.from(labels)],
    ['BigInt64Array', BigInt64Array.from(labels.map(BigInt))],
    ['BigUint64Array', BigUint64Array.from(labels.map(BigInt))],
    ['bigint[]', labels.map(BigInt)],
    ['nested', [labels.slice(0, 3), labels.slice(3)]],
    ['number[]', labels],
    ['boolean[]', labels.map(Boolean)],
    ['SharedArrayBuffer', shared(Uint8Array.from(labels), Uint8Array)],
    ['tensor with dims', { data: BigInt64Array.from(labels.map(BigInt)), dims: [6, 1] }],
    ['tensor with shape', { data: labels.map(Boolean), shape: [6] }],
  ];
  test.each(kinds)('%s', (_, targets) => {
    const got = criterion.forward(Float32Array.from(values), targets as Uint8Array);
    got.forEach((value, k) => {
      expect(Math.abs(value - expected[k])).toBeLessThanOrEqual(1e-6 * expected[k]);
    });
  });

  test('the integer kinds share their bits, and the soft kinds theirs', () => {
    const logits = Float32Array.from(values);
    const integers = [Int8Array, Int32Array, Uint8ClampedArray].map((kind) => kind.from(labels));
    for (const targets of [...integers, BigInt64Array.from(labels.map(BigInt)), labels.map(Boolean)]) {
      expect(firstDifference(criterion.forward(logits, targets), expected)).toBe(-1);
    }
    const soft = [0.5, 0.25, 1, 0, 0.1, 0.9];
    const floats = criterion.forward(logits, Float32Array.from(soft));
    expect(firstDifference(criterion.forward(logits, soft), floats)).toBe(-1);
    expect(firstDifference(criterion.forward(logits, Float64Array.from(soft)), floats)).toBe(-1);
  });

  test('each kind over more than two segments', () => {
    const n = ACROSS;
    const logits = Float32Array.from({ length: n }, (_, k) => Math.sin(k) * 9);
    const long = Array.from({ length: n }, (_, k) => (k % 3 === 0 ? 1 : 0));
    const bytes = criterion.forward(logits, Uint8Array.from(long));
    for (const targets of [Int8Array.from(long), Int32Array.from(long), BigInt64Array.from(long.map(BigInt))]) {
      expect(firstDifference(criterion.forward(logits, targets), bytes)).toBe(-1);
    }
    expect(firstDifference(criterion.forward(logits, long.map(Boolean)), bytes)).toBe(-1);
    const floats = criterion.forward(logits, Float32Array.from(long));
    expect(firstDifference(criterion.forward([...logits], long), floats)).toBe(-1);
    expect(firstDifference(criterion.forward(Float64Array.from(logits), Float64Array.from(long)), floats)).toBe(-1);
  });

  const refused: [string, unknown][] = [
    ['strings', labels.map(String)],
    ['null', [null, null, null, null, null, null]],
    ['holes', Array(6)],
    ['DataView', new DataView(new ArrayBuffer(6))],
  ];
  test.each(refused)('refused: %s', (_, targets) => {
    const error = errorOf(() => criterion.forward(values, targets as Uint8Array));
    expect(error.message).toMatch(/^"targets/);
  });
});

test('inputs are never written to', () => {
  const n = ACROSS;
  const logits = Float32Array.from({ length: n }, (_, k) => Math.cos(k) * 9);
  const weight = new Float32Array(n).fill(0.5);
  for (const targets of [new Uint8Array(n).fill(1), new Float32Array(n).fill(0.25), new Int32Array(n).fill(1)]) {
    const before = [logits.slice(), targets.slice(), weight.slice()];
    const loss = new FocalLoss({ labelSmoothing: 0.1, posWeight: 2 });
    loss.forward(logits, targets, { weight });
    loss.valueAndGrad(logits, targets, { weight });
    loss.gradHess(logits, targets, { weight });
    expect([logits, targets, weight].every((array, k) => array.every((v, i) => v === before[k][i]))).toBe(true);
  }
});

test("results are the caller's own: a later call leaves them alone", () => {
  const first = criterion.valueAndGrad(values, labels);
  const kept = [first.value.slice(), first.grad.slice()];
  criterion.valueAndGrad(
    values.map((x) => -x),
    labels,
  );
  expect(firstDifference(first.value, kept[0])).toBe(-1);
  expect(firstDifference(first.grad, kept[1])).toBe(-1);
  expect(first.value.buffer.byteLength).toBe(4 * values.length);
});

test('an array that has lost its buffer is not an empty one', () => {
  const lost = () => {
    const array = new Float32Array(2);
    structuredClone(array.buffer, { transfer: [array.buffer] });
    return array;
  };
  for (const [name, run] of [
    ['logits', () => criterion.forward(lost(), [])],
    ['logits.data', () => criterion.forward({ data: lost(), dims: [2] }, [])],
    ['targets', () => criterion.forward([], lost())],
    ['out', () => criterion.forward([], [], { out: lost() })],
    ['logits', () => focalPosterior(lost(), { gamma: 2 })],
    ['losses', () => hardest(lost(), 0)],
  ] as const) {
    expect(errorOf(run).message).toMatch(new RegExp(`^"${name}" expected .*buffer`));
  }
  expect(criterion.forward({ data: [], dims: [0] }, [])).toHaveLength(0);
});
