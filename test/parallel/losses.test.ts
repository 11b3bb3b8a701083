// Every loss over several threads has the bits of one thread, however its logits lie and wherever its arrays are.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import * as double from '../../dist/float64.js';
import * as api from '../../dist/index.js';
import * as lite from '../../dist/lite.js';
import { Parallel, ParallelFocalLoss, SharedWorkspace } from '../../dist/parallel/index.js';
import * as relaxed from '../../dist/relaxed.js';
import { DEFINITIONS } from '../../src/losses/table.js';
import { ACROSS, errorOf, firstDifference, hardTargets, random, SEGMENT, softTargets, someLogits } from '../support.js';
import { whereOthersWork } from './support.js';

type Options = Record<string, unknown>;
type Call = { [key: string]: Float32Array | number };
type AnyLoss = api.Criterion<api.Reduction, never>;
type Input = { logits: unknown; targets: unknown; call?: Call };

const CLASSES = 5;
/** More segments than a call needs to be divided, the last of which is not full. */
const ROWS = Math.ceil((16 * SEGMENT + ACROSS) / CLASSES);
const ELEMENTS = ROWS * CLASSES;

const x = someLogits(ELEMENTS);
const weight = softTargets(ELEMENTS, 9).map((value) => 2 * value - 0.5);
const labels = Int32Array.from({ length: ROWS }, (_, row) => [(row * 7) % CLASSES, -1][Number(row % 11 === 0)]);
const next = random(5);
const shares = new Float32Array(ELEMENTS);
for (let row = 0; row < ROWS; row++) {
  const own = Array.from({ length: CLASSES }, () => next());
  const sum = own.reduce((a, b) => a + b, 0);
  own.forEach((value, j) => {
    shares[row * CLASSES + j] = value / sum;
  });
}

/** Names and options of each loss, and what it is given. */
const CASES = Object.values(DEFINITIONS).flatMap(({ name, placement, soft }): [string, string, Options, Input[]][] => {
  if (placement === 'elements') {
    const inputs: Input[] = [
      { logits: x, targets: hardTargets(ELEMENTS) },
      { logits: x, targets: Int32Array.from(hardTargets(ELEMENTS)), call: { weight } },
      { logits: Float64Array.from(x, (value) => value / 3), targets: hardTargets(ELEMENTS), call: { normalizer: 77 } },
    ];
    if (soft) inputs.push({ logits: x, targets: softTargets(ELEMENTS), call: { weight } });
    return [[name, 'elements', {}, inputs]];
  }
  const options = { numClasses: CLASSES, ignoreIndex: -1 };
  // planes that are cut, planes of which a segment has several, and one that is not a multiple of anything
  const planes = [ROWS, 1001, 12].map((pixels) => {
    const rows = pixels * Math.floor(ROWS / pixels);
    return { rows, dims: [rows / pixels, CLASSES, pixels] };
  });
  const byLabel = (rows: number, dims: number[]): Input[] => {
    const logits = { data: x.subarray(0, rows * CLASSES), dims };
    return [
      { logits, targets: labels.subarray(0, rows) },
      {
        logits,
        targets: BigInt64Array.from(labels.subarray(0, rows), BigInt),
        call: { weight: weight.subarray(0, rows) },
      },
    ];
  };
  const cases: [string, string, Options, Input[]][] = [
    [name, 'rows of labels', options, byLabel(ROWS, [ROWS, CLASSES])],
    ...planes.map(({ rows, dims }): [string, string, Options, Input[]] => [
      name,
      `planes ${dims.join(' x ')}`,
      { ...options, classAxis: 1 },
      byLabel(rows, dims),
    ]),
  ];
  if (placement === 'rows') {
    const targets = { data: shares, dims: [ROWS, CLASSES] };
    cases.push([name, 'rows of shares', { numClasses: CLASSES }, [{ logits: x, targets: shares }]]);
    cases.push([
      name,
      'planes of shares',
      { numClasses: CLASSES, classAxis: 1, labelSmoothing: 0.1 },
      [{ logits: { data: x, dims: [1, CLASSES, ROWS] }, targets: planesOf(targets.data) }],
    ]);
  } else {
    cases.push([name, 'a weight for each logit', options, [{ logits: x, targets: labels, call: { weight } }]]);
    const classWeight = [1, 2, 0.5, 0, 3];
    cases.push([name, 'a weight for each class', { ...options, classWeight }, byLabel(ROWS, [ROWS, CLASSES])]);
  }
  return cases;
});

/** Rows as planes of classes. */
function planesOf(rows: Float32Array): Float32Array {
  return Float32Array.from(rows, (_, k) => rows[(k % ROWS) * CLASSES + Math.floor(k / ROWS)]);
}

/** The same on a SharedArrayBuffer. */
function shared(value: unknown): unknown {
  if (ArrayBuffer.isView(value)) {
    const source = value as Float32Array;
    const Type = source.constructor as new (buffer: SharedArrayBuffer) => Float32Array;
    const copy = new Type(new SharedArrayBuffer(source.byteLength));
    copy.set(source);
    return copy;
  }
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, own]) => [key, key === 'dims' ? own : shared(own)]));
}

const create = (name: string, options: Options) =>
  new (api as unknown as Record<string, new (options: Options) => AnyLoss>)[name](options);

const open: Parallel<api.Reduction, never>[] = [];
afterAll(() => Promise.all(open.map((loss) => loss.close())));

async function parallel(criterion: AnyLoss, threads: number) {
  const loss = new Parallel(criterion, { threads });
  open.push(loss);
  await loss.ready();
  return loss;
}

function expectSame(actual: unknown, expected: unknown): void {
  if (typeof expected === 'number') expect(actual).toBe(expected);
  else expect(firstDifference(actual as Float32Array, expected as Float32Array)).toBe(-1);
}

describe.each(CASES)('%s: %s', (name, _, options, inputs) => {
  test.each([
    ['mean', 2],
    ['none', 3],
  ] as const)("reduction '%s', %i threads", async (reduction, threads) => {
    const one = create(name, { ...options, reduction });
    const many = await parallel(one, threads);
    for (const input of inputs) {
      const { logits, targets, call } = input;
      const given = [logits, targets, call] as [never, never, never];
      const expected = [one.forward(...given), one.valueAndGrad(...given), one.gradHess(...given)] as const;
      const mixed = input === inputs[0] ? [{ ...input, logits: shared(logits) }] : [];
      for (const memory of [input, shared(input) as Input, ...mixed]) {
        const own = [memory.logits, memory.targets, memory.call] as [never, never, never];
        await whereOthersWork(async () => {
          expectSame(await many.forward(...own), expected[0]);
          const { value, grad } = await many.valueAndGrad(...own);
          expectSame(value, expected[1].value);
          expectSame(grad, expected[1].grad);
        });
        const { grad: first, hess } = await many.gradHess(...own);
        expectSame(first, expected[2].grad);
        expectSame(hess, expected[2].hess);
      }
    }
    await many.close();
  });
});

describe('a loss over threads', () => {
  let softmax: Parallel<'mean', api.Labels>;
  beforeAll(async () => {
    softmax = new Parallel(new api.SoftmaxFocalLoss({ numClasses: CLASSES }), { threads: 2 });
    open.push(softmax as never);
    await softmax.ready();
  });

  test('shows its criterion, which a meter takes', () => {
    expect(softmax.criterion).toBeInstanceOf(api.SoftmaxFocalLoss);
    const focal = new ParallelFocalLoss({ gamma: 3, threads: 1 });
    expect(focal.criterion.options).toMatchObject({ gamma: 3 });
    const meter = new api.LossMeter(focal.criterion);
    meter.update([1, -1], [1, 0]);
    expect(meter.compute().count).toBe(2);
    const { message } = errorOf(() => new api.LossMeter(focal as never));
    expect(message).toMatch(/^"criterion" expected .*; give its "criterion"$/);
  });

  test('of another entry runs with the kernel of that entry', async () => {
    const one = new relaxed.FocalLoss({ gamma: 1.7, reduction: 'sum' });
    const many = await parallel(one as never, 2);
    const targets = hardTargets(ELEMENTS);
    expect(await many.forward(x, targets as never)).toBe(one.forward(x, targets));
  });

  test('of double precision gives float64 with the bits of one thread, on shared memory as well', async () => {
    const one = new double.FocalLoss({ gamma: 1.7, reduction: 'none' });
    const many = await parallel(one as never, 2);
    const logits = Float64Array.from(x, (value) => value * (1 + 2 ** -40));
    const targets = hardTargets(ELEMENTS);
    const expected = one.valueAndGrad(logits, targets);
    const workspace = new SharedWorkspace(9 * ELEMENTS);
    const [sharedLogits, sharedTargets] = [workspace.float64(ELEMENTS), workspace.uint8(ELEMENTS)];
    sharedLogits.set(logits);
    sharedTargets.set(targets);
    for (const given of [
      [logits, targets],
      [sharedLogits, sharedTargets],
    ]) {
      const { value, grad } = await many.valueAndGrad(given[0] as never, given[1] as never);
      expect(grad).toBeInstanceOf(Float64Array);
      expect(firstDifference(value as never, expected.value as never)).toBe(-1);
      expect(firstDifference(grad as never, expected.grad as never)).toBe(-1);
    }
  });

  test('names the first bad label, and what is wrong with a call, as one thread does', async () => {
    const bad = Int32Array.from(labels, (label) => Math.max(label, 0));
    for (const row of [ROWS - 3, 40_001, 40_000]) bad[row] = CLASSES;
    const { criterion } = softmax;
    for (const memory of [(value: Int32Array) => value, shared as (value: Int32Array) => Int32Array]) {
      const { message } = errorOf(() => criterion.forward(x, memory(bad)));
      expect(message).toContain('at row 40000');
      const expected = { message, code: 'FOCAL_LOSS_ARGUMENT', argument: 'targets', index: 40_000 };
      await expect(softmax.forward(x, memory(bad))).rejects.toMatchObject(expected);
      await expect(softmax.gradHess(x, memory(bad))).rejects.toMatchObject(expected);
    }
    const { message } = errorOf(() => criterion.forward(x, bad.subarray(1)));
    await expect(softmax.gradHess(x, bad.subarray(1))).rejects.toMatchObject({ message });
  });

  test.each<[unknown, RegExp]>([
    [{}, /^"criterion" expected a loss, such as a FocalLoss, got an object$/],
    [undefined, /^"criterion" expected a loss, such as a FocalLoss, got undefined$/],
    [new ParallelFocalLoss({ threads: 1 }), /; give its "criterion"$/],
    [new lite.FocalLoss(), /^"criterion" .*, got a FocalLoss; losses of focal-loss-wasm\/lite do not divide: take /],
  ])('is refused for what is none: %o', (criterion, message) => {
    expect(errorOf(() => new Parallel(criterion as never)).message).toMatch(message);
  });

  test.each([
    [{ threads: 0 }, '"threads" expected an integer in [1, 256], got 0'],
    [{ thread: 2 }, '"options" expected keys among threads, got \'thread\''],
  ])('refuses options %o', (options, message) => {
    expect(errorOf(() => new Parallel(softmax.criterion, options as never)).message).toBe(message);
  });

  test('rows that are wider than a segment, of which each takes a thread longer than the caller waits for it', async () => {
    const numClasses = 300_000;
    const rows = 17;
    const one = new api.SoftmaxFocalLoss({ numClasses, reduction: 'sum', gamma: 1.3 });
    const many = await parallel(one as never, 2);
    const logits = someLogits(rows * numClasses);
    const targets = Int32Array.from({ length: rows }, (_, row) => row * 17_000);
    const expected = one.valueAndGrad(logits, targets);
    for (const own of [logits, shared(logits) as Float32Array]) {
      const { value, grad } = await many.valueAndGrad(own, targets as never);
      expect(value).toBe(expected.value);
      expect(firstDifference(grad, expected.grad)).toBe(-1);
    }
  });
});
