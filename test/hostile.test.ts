// One table of values that no argument expects, put in every place of every entry point.
import { describe, expect, test } from 'vitest';
import { FocalLoss, hardest } from '../src/index.js';
import { errorOf, FORM } from './support.js';
import { WIDTHS } from './widths.js';

function detached(): Float32Array {
  const array = new Float32Array(2);
  structuredClone(array.buffer, { transfer: [array.buffer] });
  return array;
}

function shrunken(): Float32Array {
  type Resizable = ArrayBuffer & { resize(bytes: number): void };
  const Buffer = ArrayBuffer as unknown as new (bytes: number, options: { maxByteLength: number }) => Resizable;
  const buffer = new Buffer(8, { maxByteLength: 8 });
  const array = new Float32Array(buffer, 0, 2);
  buffer.resize(4);
  return array;
}

function circular(): unknown[] {
  const array: unknown[] = [];
  array.push(array, array);
  return array;
}

const revoked = Proxy.revocable([], {});
revoked.revoke();

const HOSTILE: [string, unknown][] = [
  ['undefined', undefined],
  ['null', null],
  ['true', true],
  ['NaN', Number.NaN],
  ['-1', -1],
  ['0.5', 0.5],
  ['2^53', 2 ** 53],
  ['Infinity', Number.POSITIVE_INFINITY],
  ['1n', 1n],
  ["''", ''],
  ["'01'", '01'],
  ['long string', 'x'.repeat(1e6)],
  ['symbol', Symbol('s')],
  ['function', () => 1],
  ['function without a prototype', Object.setPrototypeOf(() => 1, null)],
  ['class', class Foo {}],
  ['{}', {}],
  ['no prototype', Object.create(null)],
  ['toString throws', { toString: () => expect.fail('called'), toJSON: () => expect.fail('called') }],
  ['valueOf', { valueOf: () => 2 }],
  ['[]', []],
  ['[undefined]', [undefined, undefined]],
  ['[null]', [null, null]],
  ['[symbol]', [Symbol('a'), Symbol('b')]],
  ['[{}]', [{}, {}]],
  ['[strings]', ['0', '1']],
  ['[bigints]', [0n, 1n]],
  ['[object that throws]', [{ valueOf: () => expect.fail('called') }, 0]],
  ['sparse', Array(2)],
  ['sparse and huge', Array(2 ** 32 - 1)],
  ['circular', circular()],
  ['array-like', { length: 2, 0: 1, 1: 0 }],
  ['huge length', { length: Number.MAX_SAFE_INTEGER }],
  ['negative length', { length: -1 }],
  ['tensor of nothing', { data: null, dims: [] }],
  ['tensor of a string', { data: 'ab', dims: [2] }],
  ['tensor of a tensor', { data: { data: [0, 1], dims: [2] }, dims: [2] }],
  ['tensor with huge dims', { data: [0, 1], dims: [2 ** 53] }],
  ['tensor with bad dims', { data: [0, 1], dims: 'two' }],
  ['proxy of an object', new Proxy({}, {})],
  ['proxy of a typed array', new Proxy(new Float32Array(2), {})],
  ['revoked proxy', revoked.proxy],
  ['detached', detached()],
  ['out of bounds', shrunken()],
  ['DataView', new DataView(new ArrayBuffer(8))],
  ['ArrayBuffer', new ArrayBuffer(8)],
  ['Float32Array.prototype', Float32Array.prototype],
  ['pretender', Object.create(Float32Array.prototype)],
  ['Uint32Array', new Uint32Array(2)],
  ['BigUint64Array', new BigUint64Array(2)],
  ['Map', new Map([[0, 1]])],
  ['Date', new Date(Number.NaN)],
  ['RegExp', /x/],
  ['Promise', Promise.resolve([0, 1])],
  ['WeakMap', new WeakMap()],
  ['globalThis', globalThis],
];

const GOOD = Float32Array.of(0.5, -1);
const LABELS = Uint8Array.of(1, 0);
// biome-ignore lint/suspicious/noExplicitAny: the point is to pass what the types forbid
type Any = any;

/** Runs every hostile value; `fine` names those that this place may accept. Returns how many it did. */
function expectRefused(run: (value: Any) => unknown, fine: readonly string[] = []): number {
  const faults: string[] = [];
  let accepted = 0;
  for (const [name, value] of HOSTILE) {
    try {
      run(value);
      accepted++;
      if (!fine.includes(name)) faults.push(`${name}: accepted`);
    } catch (error) {
      const ours = error instanceof TypeError || error instanceof RangeError;
      if (!ours) faults.push(`${name}: threw ${error}`);
      else if (!FORM.test(error.message)) faults.push(`${name}: ${error.message.slice(0, 100)}`);
      else if (error.message.length > 400) faults.push(`${name}: a message of ${error.message.length} characters`);
    }
  }
  expect(faults).toEqual([]);
  return accepted;
}

describe.each(WIDTHS)('%s', (_, { library }) => {
  const { BCEWithLogitsLoss, FocalLoss, LossMeter, SoftmaxFocalLoss, Workspace } = library;

  const criteria = {
    FocalLoss: new FocalLoss({ reduction: 'none' }),
    'mean FocalLoss': new FocalLoss(),
    BCEWithLogitsLoss: new BCEWithLogitsLoss({ reduction: 'sum' }),
    SoftmaxFocalLoss: new SoftmaxFocalLoss({ numClasses: 2 }),
  };
  // an option that is undefined is not given, and an object without keys gives nothing
  const NO_OPTIONS = ['undefined', '{}', 'no prototype', 'proxy of an object'];
  // no elements; an array without its buffer has its own test, since an engine's warm code may see it as either
  /** Kinds of integers that are fine as targets. */
  const INTEGERS = ['[bigints]', 'Uint32Array', 'BigUint64Array'];
  const EMPTY = ['[]', 'detached', 'out of bounds'];

  for (const [name, criterion] of Object.entries(criteria) as [string, Any][]) {
    const rows = name === 'SoftmaxFocalLoss' ? Float32Array.of(1, 2, 3, 4) : GOOD;
    for (const method of ['forward', 'valueAndGrad', 'gradHess']) {
      test(`${name}.${method}`, () => {
        expectRefused((value) => criterion[method](value, LABELS));
        expectRefused((value) => criterion[method](rows, value), INTEGERS);
        expectRefused((value) => criterion[method](value, value), EMPTY);
        expectRefused((value) => criterion[method](rows, LABELS, value), NO_OPTIONS);
        expectRefused((weight) => criterion[method](rows, LABELS, { weight }), ['undefined']);
        expectRefused((validate) => criterion[method](rows, LABELS, { validate }), ['undefined', 'true']);
      });
    }
  }

  test('out, gradOut and hessOut', () => {
    const { FocalLoss: focal, SoftmaxFocalLoss: softmax } = criteria;
    expectRefused((out) => focal.forward(GOOD, LABELS, { out }), ['undefined']);
    expectRefused((gradOut) => focal.valueAndGrad(GOOD, LABELS, { gradOut }), ['undefined']);
    expectRefused((gradOut) => criteria['mean FocalLoss'].valueAndGrad(GOOD, LABELS, { gradOut }), ['undefined']);
    expectRefused((hessOut) => focal.gradHess(GOOD, LABELS, { hessOut }), ['undefined']);
    expectRefused((gradOut) => softmax.valueAndGrad(Float32Array.of(1, 2, 3, 4), LABELS, { gradOut }), ['undefined']);
  });

  const options: [key: string, fine: string[]][] = [
    ['gamma', ['0.5']],
    ['alpha', ['null', '0.5']],
    ['reduction', []],
    ['posWeight', ['0.5', '2^53']],
    ['lossFcn', []],
    ['fromLogits', ['true']],
    ['ignoreIndex', ['null', '-1', '0.5', '2^53']],
    ['labelSmoothing', ['0.5']],
    ['numClasses', []],
    ['normalizer', ['0.5', '2^53']],
    ['hessian', []],
  ];

  test.each(options)('FocalLoss({ %s })', (key, fine) => {
    const accepted = ['undefined', ...fine];
    expectRefused((value) => new FocalLoss({ [key]: value }), accepted);
    expectRefused((value) => library.sigmoidFocalLoss(GOOD, LABELS, { [key]: value } as Any), accepted);
  });

  test('per-class options', () => {
    for (const key of ['alpha', 'posWeight']) {
      const fine = ['undefined', '0.5', ...(key === 'alpha' ? ['null'] : ['2^53']), 'array-like', 'Uint32Array'];
      expectRefused((value) => new FocalLoss({ [key]: value, numClasses: 2 } as Any), fine);
    }
  });

  test('SoftmaxFocalLoss options', () => {
    for (const [key, fine] of options) {
      if (['posWeight', 'lossFcn', 'fromLogits', 'hessian', 'numClasses'].includes(key)) continue;
      const accepted = [
        'undefined',
        ...(key === 'alpha' ? ['null', '0.5', '2^53', 'array-like', 'Uint32Array'] : fine),
      ];
      expectRefused((value) => new SoftmaxFocalLoss({ numClasses: 2, [key]: value } as Any), accepted);
    }
    expectRefused((numClasses) => new SoftmaxFocalLoss({ numClasses }));
  });

  test('constructors and functions', () => {
    const { focalPosterior, hardest, sigmoidFocalLoss, softmaxFocalLoss, softmaxFocalPosterior } = library as Any;
    expectRefused((value) => new FocalLoss(value), NO_OPTIONS);
    expectRefused((value) => new BCEWithLogitsLoss(value), NO_OPTIONS);
    expectRefused((value) => new SoftmaxFocalLoss(value));
    expectRefused((value) => sigmoidFocalLoss(value, LABELS));
    expectRefused((value) => sigmoidFocalLoss(GOOD, value), INTEGERS);
    expectRefused((value) => sigmoidFocalLoss(GOOD, LABELS, value), NO_OPTIONS);
    expectRefused((value) => softmaxFocalLoss(value, LABELS, { numClasses: 2 }));
    expectRefused((value) => softmaxFocalLoss(Float32Array.of(1, 2, 3, 4), value, { numClasses: 2 }), INTEGERS);
    expectRefused((value) => softmaxFocalLoss(GOOD, LABELS, value));
    expectRefused((value) => focalPosterior(value, { gamma: 2 }), EMPTY);
    expectRefused((value) => focalPosterior(GOOD, value), NO_OPTIONS);
    expectRefused((gamma) => focalPosterior(GOOD, { gamma }), ['undefined', '0.5']);
    expectRefused((out) => focalPosterior(GOOD, { gamma: 2, out }), ['undefined']);
    expectRefused((value) => softmaxFocalPosterior(value, { gamma: 2, numClasses: 2 }), EMPTY);
    expectRefused((value) => softmaxFocalPosterior(GOOD, value));
    expectRefused((numClasses) => softmaxFocalPosterior(GOOD, { gamma: 2, numClasses }));
    expectRefused((value) => hardest(value, 1), EMPTY);
    expectRefused((k) => hardest(GOOD, k), ['2^53']);
  });

  test('LossMeter', () => {
    const meter = new LossMeter(new FocalLoss()) as Any;
    expectRefused((value) => new LossMeter(value));
    let updates = 0;
    updates += expectRefused((value) => meter.update(value, LABELS));
    updates += expectRefused((value) => meter.update(GOOD, value), INTEGERS);
    updates += expectRefused((value) => meter.update(GOOD, LABELS, value), NO_OPTIONS);
    expectRefused((value) => meter.merge(value));
    expectRefused((value) => LossMeter.fromJSON(new FocalLoss(), value));
    expectRefused((value) => LossMeter.fromJSON(value, meter.toJSON()));
    // what was refused was not counted
    expect(meter.compute().count).toBe(2 * updates);
  });

  test('Workspace', () => {
    expectRefused((bytes) => new Workspace(bytes));
    const workspace = new Workspace(4096);
    for (const kind of ['float32', 'float64', 'uint8', 'int32'] as const) {
      expectRefused((length) => workspace[kind](length));
    }
    expect(workspace.float32(1)).toHaveLength(1);
  });
});

test('options are read of an object without a prototype too', () => {
  expect(new FocalLoss(Object.assign(Object.create(null), { gamma: 3 })).options.gamma).toBe(3);
});

test('a message names the class of an object, unless the name is none, or would have to be asked for', () => {
  const named = (name: unknown) => {
    const make = class {};
    Object.defineProperty(make, 'name', { value: name });
    return new make();
  };
  for (const [value, got] of [
    [new (class Foo {})(), 'a Foo'],
    [named('Ear'), 'an Ear'],
    [named('x'.repeat(40)), `a ${'x'.repeat(40)}`],
    [named('x'.repeat(41)), 'an object'],
    [named('an error: x'), 'an object'],
    [named(' x'), 'an object'],
    [named('x '), 'an object'],
    [named({ toString: () => expect.fail('called') }), 'an object'],
    [named(['x']), 'an object'],
    [Object.create({ constructor: 'Foo' }), 'an object'],
    [Object.create({}, { constructor: { value: class Foo {} } }), 'an object'],
    [Object.create(Object.create(null)), 'an object'],
  ] as const) {
    const [, message] = errorOf(() => hardest(value as never, 1)).message.split(', got ');
    expect(message).toBe(got);
  }
});
