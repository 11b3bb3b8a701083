// Shapes: what is read in the order that its dims say, and what is refused rather than read in another.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FocalLoss, hardest, OneHotFocalLoss, SoftmaxFocalLoss } from '../src/index.js';
import { CalibrationMeter } from '../src/metrics.js';
import { errorOf, firstDifference, someLogits } from './support.js';

const six = Float32Array.of(-3.25, 0.1, 0, 5, -0.7, 12);
const focal = new FocalLoss({ reduction: 'none' });
const softmax = new SoftmaxFocalLoss({ numClasses: 3, reduction: 'none' });
const message = (run: () => unknown) => errorOf(run).message;

describe('a tensor', () => {
  const bits = Uint8Array.of(1, 0, 1, 1, 0, 0);
  const expected = focal.forward(six, bits);
  const same = (logits: unknown, targets: unknown = bits) =>
    expect(firstDifference(focal.forward(logits as never, targets as never), expected)).toBe(-1);

  test('is read in C order, whatever its strides are called', () => {
    same({ data: six, dims: [2, 3] });
    same({ data: six, shape: Int32Array.of(3, 2), strides: [2, 1] });
    same({ data: six, shape: [1, 6, 1], stride: [99, 1, 7], offset: 0 });
    same({ data: six, dims: [6n, 1n] as never });
  });

  test('of which axes of size 1 differ agrees with its targets', () => {
    same({ data: six, dims: [2, 3] }, { data: bits, dims: [2, 1, 3] });
    same({ data: six, dims: [6, 1] }, { data: bits, dims: [6] });
    same({ data: six, dims: [2, 3] }, bits);
    same(
      [
        [-3.25, Math.fround(0.1), 0],
        [5, Math.fround(-0.7), 12],
      ],
      [
        [true, false, true],
        [true, false, false],
      ],
    );
  });

  test('whose dims contradict its data is an error', () => {
    expect(message(() => focal.forward({ data: six, dims: [2, 4] }, bits))).toBe(
      '"logits.dims" expected sizes whose product is 6 (the length of its data), got [2, 4], whose product is 8',
    );
    expect(message(() => focal.forward({ data: six, shape: [-2, -3] }, bits))).toMatch(/^"logits.shape" expected/);
    expect(message(() => focal.forward({ data: six, dims: [1.5, 4] }, bits))).toMatch(/^"logits.dims" expected/);
  });

  test('that is transposed, stepped or a part of its data is an error that says to copy it', () => {
    for (const bad of [{ stride: [1, 2] }, { strides: [4, 1] }, { strides: [1] }, { offset: 3 }]) {
      const tensor = { data: six, shape: [2, 3], ...bad };
      expect(message(() => focal.forward(tensor, bits))).toMatch(/; copy it to C order$/);
    }
  });

  test('whose dims do not agree with those of the logits is an error', () => {
    const logits = { data: six, dims: [2, 3] };
    expect(message(() => focal.forward(logits, { data: bits, dims: [3, 2] }))).toBe(
      '"targets" expected dims [2, 3] (those of "logits"), got [3, 2]',
    );
    const weight = { data: six, dims: [3, 2] };
    expect(message(() => focal.forward(logits, bits, { weight }))).toMatch(/^"weight" expected dims \[2, 3\]/);
    const labels = { data: Int32Array.of(0, 1), dims: [1, 1, 2] };
    expect(softmax.forward(logits, labels)).toHaveLength(2);
    const planes = { data: new Float32Array(24), dims: [2, 3, 2, 2] };
    const map = { data: new Uint8Array(8), dims: [2, 4] };
    const criterion = new SoftmaxFocalLoss({ numClasses: 3, classAxis: 1 });
    expect(message(() => criterion.forward(planes, map))).toBe(
      '"targets" expected dims [2, 2, 2] (those of "logits" without the class axis), got [2, 4]',
    );
  });

  test('says of which type its numbers are, which only bits need', () => {
    same({ data: six, dims: [6], type: 'float16' });
    const nested = { data: Array(2).fill([1, 2, 3]), dims: [2] };
    expect(message(() => focal.forward(nested as never, bits))).toBe(
      '"logits.data" expected a number at index 0, got an array of length 3',
    );
  });

  test('has at most 64 axes, told by an array', () => {
    same({ data: six, dims: [...Array(63).fill(1), 6] });
    for (const dims of [{ length: 1, 0: 6 }, Object.defineProperty(Int32Array.of(6), 'length', { value: '1' })]) {
      expect(message(() => focal.forward({ data: six, dims } as never, bits))).toMatch(/^"logits" .*, got an object$/);
    }
  });

  test('says of itself what is null as what is not there', () => {
    same({ data: six, dims: null, shape: [6], strides: null, stride: null, offset: null });
  });

  test.each([
    [{ dims: [1, 1, 1, 1, 1, 1, 1, 7] }, 'dims', '[1, 1, 1, 1, 1, 1, 1, 7], whose product is 7'],
    [{ dims: [1, 1, 1, 1, 1, 1, 1, 1, 7] }, 'dims', '[1, 1, 1, 1, 1, 1, 1, 1, ...], whose product is 7'],
    [{ dims: Array(65).fill(1) }, 'dims', 'an array of length 65'],
    [{ dims: { length: 1, 0: 6 }, shape: [6] }, 'dims', 'an object'],
    [{ dims: [2, 3], strides: [3, 1, 9] }, 'strides', '[3, 1, 9]; copy it to C order'],
    [{ dims: [2, 3], stride: [1] }, 'stride', '[1]; copy it to C order'],
    [{ dims: ['6'] }, 'dims', "'6'"],
    [{ dims: [6], offset: 3 }, 'offset', '3; copy it to C order'],
    [{ dims: [6], offset: '0' }, 'offset', 'string; copy it to C order'],
  ])('with %j is an error', (of, key, got) => {
    const text = message(() => focal.forward({ data: six, ...of } as never, bits));
    expect(text).toMatch(new RegExp(`^"logits.${key}" expected `));
    expect(text.split(', got ')[1]).toBe(got);
  });

  test('has the length of its array, whatever the array says, and no tensor inside', () => {
    class Short extends Float32Array {
      override get length(): number {
        return 3;
      }
    }
    same({ data: new Short(six.buffer), dims: [6] });
    expect(message(() => focal.forward({ data: 'ab', dims: [2] } as never, bits))).toBe(
      '"logits.data" expected a Float32Array, Float64Array, Float16Array, number[], got \'ab\'',
    );
  });

  test('that cannot give its data is an error that says why', () => {
    const errorFor = (thrown: unknown) =>
      errorOf(() =>
        focal.forward(
          {
            dims: [6],
            get data() {
              throw thrown;
            },
          } as never,
          bits,
        ),
      );
    const onGPU = new Error('the data are on the GPU');
    const error = errorFor(onGPU);
    expect(error.message).toBe(
      '"logits.data" expected data in memory, got an error: the data are on the GPU; fetch the data first',
    );
    expect(error.cause).toBe(onGPU);
    const long = errorFor(new Error('x'.repeat(101)));
    expect(long.message).toContain(`got an error: ${'x'.repeat(100)}; fetch`);
    expect(errorFor('text').message).toContain('got an error; fetch');
  });

  test('is an object that has data', () => {
    expect(message(() => focal.forward({ dims: [6] } as never, bits))).toMatch(/^"logits" expected .*, got an object$/);
  });
});

test('dims agree axis by axis, and in number', () => {
  const [data, targets] = [someLogits(24), new Uint8Array(24)];
  const refused = (dims: number[], others: number[], length = 24) =>
    message(() =>
      focal.forward({ data: data.subarray(0, length), dims }, { data: targets.subarray(0, length), dims: others }),
    );
  const those = 'dims [2, 3, 4] (those of "logits")';
  expect(refused([2, 3, 4], [2, 4, 3])).toBe(`"targets" expected ${those}, got [2, 4, 3]`);
  expect(refused([2, 3, 4], [2, 12])).toBe(`"targets" expected ${those}, got [2, 12]`);
  expect(refused([0, 5], [0], 0)).toBe('"targets" expected dims [0, 5] (those of "logits"), got [0]');
});

describe('nested arrays', () => {
  test('whose levels differ are an error that says where', () => {
    const first = ', as the first row has it, got';
    for (const [value, text] of [
      [
        [
          [1, 2],
          [3, [4]],
        ],
        `a value 2 levels deep at row 1${first} an array of length 1`,
      ],
      [[[1, 2], 3], `an array of length 2 at row 1${first} a single value`],
      [[[1, 2], [3]], `an array of length 2 at row 1${first} one of length 1`],
      [[[[1], [2, 3]]], `an array of length 1 at row 0${first} one of length 2`],
    ] as const) {
      expect(message(() => focal.forward(value as never, []))).toBe(`"logits" expected ${text}`);
    }
    expect(focal.forward([[], []], [])).toHaveLength(0);
  });

  test('that are ragged are an error with the row', () => {
    const error = errorOf(() => focal.forward([[1, 2], [3, 4], [5]] as never, [1, 0, 1, 0, 1]));
    expect(error.message).toBe(
      '"logits" expected an array of length 2 at row 2, as the first row has it, got one of length 1',
    );
    expect(error).toMatchObject({ code: 'FOCAL_LOSS_ARGUMENT', argument: 'logits', index: 2 });
    errorOf(() => focal.forward([[1, 2], 3] as never, [1, 0, 1]));
    errorOf(() =>
      focal.forward(
        [
          [1, 2],
          [3, [4]],
        ] as never,
        [1, 0, 1, 0],
      ),
    );
  });

  test('and class indices given to FocalLoss name OneHotFocalLoss', () => {
    const rows = [
      [1, 2, 3],
      [4, 5, 6],
    ];
    expect(message(() => focal.forward(rows, [0, 2]))).toMatch(/OneHotFocalLoss/);
    expect(message(() => new FocalLoss({ numClasses: 3 }).forward(six, [0, 2]))).toMatch(/OneHotFocalLoss/);
    expect(message(() => focal.forward(six, Int32Array.of(0, 1, 2, 0, 0, 7)))).toMatch(/OneHotFocalLoss/);
    expect(message(() => new FocalLoss({ numClasses: 3 }).forward(six, [0, 1, 2]))).toBe(
      '"targets" expected length 6 (the length of "logits"), got 3',
    );
  });

  test('and bytes that may be floats are told how to be viewed', () => {
    const expected = '"targets" expected length 6 (the length of "logits"), got 24';
    const remedy = 'bytes of float32 are viewed by new Float32Array(b.buffer, b.byteOffset, b.length / 4)';
    expect(message(() => focal.forward(six, new Uint8Array(24)))).toBe(`${expected}; ${remedy}`);
    expect(message(() => focal.forward(six, new Int8Array(24)))).toBe(expected);
    expect(message(() => focal.forward(six, new Uint8Array(12)))).toBe(expected.replace('24', '12'));
  });
});

describe('classAxis', () => {
  test('is an axis of the logits, the first among them', () => {
    const [data, labels] = [someLogits(12), [0, 2, 1, 1]];
    const of = (classAxis: number) => new SoftmaxFocalLoss({ numClasses: 3, classAxis });
    const expected = of(1).forward({ data, dims: [1, 3, 4] }, labels);
    expect(of(0).forward({ data, dims: [3, 4] }, labels)).toBe(expected);
    expect(of(-2).forward({ data, dims: [3, 4] }, labels)).toBe(expected);
    for (const classAxis of [-3, 2]) {
      expect(message(() => of(classAxis).forward({ data, dims: [3, 4] }, labels))).toBe(
        `"classAxis" expected an axis of "logits", whose dims are [3, 4], got ${classAxis}`,
      );
    }
  });

  test('needs dims, and a class axis of numClasses', () => {
    const criterion = new SoftmaxFocalLoss({ numClasses: 3, classAxis: 1 });
    expect(message(() => criterion.forward(six, [0, 1]))).toBe(
      '"logits" expected a tensor with dims beside "classAxis" 1, got no dims; give { data, dims }',
    );
    expect(message(() => softmax.forward({ data: six, dims: [3, 2] }, [0, 1]))).toBe(
      '"logits" expected 3 (numClasses) elements along axis 1, the class axis, got dims [3, 2]; "classAxis" 0 has 3',
    );
    expect(message(() => criterion.forward({ data: six, dims: [6] }, [0, 1]))).toMatch(/^"classAxis" expected an axis/);
    expect(message(() => new FocalLoss({ classAxis: 1 }))).toMatch(/^"numClasses" expected/);
    expect(
      message(() => new FocalLoss({ numClasses: 3 }).forward({ data: six, dims: [3, 2] }, new Uint8Array(6))),
    ).toMatch(/; "classAxis" 0 has 3$/);
  });

  /** [images, pixels, classes] as [images, classes, pixels]. */
  function toPlanes(rows: Float32Array, images: number, classes: number, pixels: number): Float32Array {
    const planes = new Float32Array(rows.length);
    for (let n = 0; n < images; n++) {
      for (let p = 0; p < pixels; p++) {
        for (let c = 0; c < classes; c++) planes[(n * classes + c) * pixels + p] = rows[(n * pixels + p) * classes + c];
      }
    }
    return planes;
  }

  test('weights of rows, of elements and of classes multiply', () => {
    const powers = (length: number) => Float32Array.from({ length }, (_, k) => 2 ** (((k * k) % 7) - 3));
    const classWeight = [1, 2, 0.25];
    const criterion = new FocalLoss({ numClasses: 3, classAxis: 1, classWeight, reduction: 'none' });
    for (const dims of [
      [2, 3, 4],
      [8, 3, 1],
      [1, 3, 8],
    ]) {
      const data = someLogits(24);
      const targets = Uint8Array.from({ length: 24 }, (_, k) => (k % 5 === 1 ? 1 : 0));
      const plain = focal.forward(data, targets);
      const at = (k: number) => {
        const [, classes, pixels] = dims;
        return { row: Math.floor(k / (classes * pixels)) * pixels + (k % pixels), class: Math.floor(k / pixels) % 3 };
      };
      const ofRows = powers(8);
      const ofElements = powers(24);
      const weighed = (weight?: Float32Array) => criterion.forward({ data, dims }, targets, { weight });
      const expected = (of: (k: number) => number) => plain.map((loss, k) => loss * of(k) * classWeight[at(k).class]);
      expect(weighed(ofRows)).toEqual(expected((k) => ofRows[at(k).row]));
      expect(weighed(ofElements)).toEqual(expected((k) => ofElements[k]));
      expect(weighed()).toEqual(expected(() => 1));
    }
  });

  test('puts per-class and per-row values of sigmoids where their elements are', () => {
    const shape = fc.tuple(
      fc.integer({ min: 1, max: 3 }),
      fc.integer({ min: 1, max: 5 }),
      fc.integer({ min: 1, max: 90 }),
    );
    fc.assert(
      fc.property(shape, ([images, classes, pixels]) => {
        const rows = someLogits(images * classes * pixels);
        const targets = Float32Array.from(rows, (x) => (x > 2 ? 1 : 0));
        const weight = Float32Array.from({ length: images * pixels }, (_, k) => 0.5 + (k % 7));
        const perClass = Array.from({ length: classes }, (_, c) => (c + 1) / (classes + 1));
        const options = {
          numClasses: classes,
          alpha: perClass,
          posWeight: perClass,
          classWeight: perClass,
          reduction: 'none',
        } as const;
        const expected = new FocalLoss(options).forward(rows, targets, { weight });
        const planes = { data: toPlanes(rows, images, classes, pixels), dims: [images, classes, pixels] };
        const got = new FocalLoss({ ...options, classAxis: 1 }).forward(
          planes,
          toPlanes(targets, images, classes, pixels),
          { weight },
        );
        expect(firstDifference(got, toPlanes(expected, images, classes, pixels))).toBe(-1);
      }),
      { numRuns: 30 },
    );
  });
});

test('hints name the way from what other libraries hold', () => {
  const cases: [unknown, RegExp][] = [
    [Promise.resolve(six), /await it$/],
    [{ dataSync() {}, shape: [6], data() {} }, /dataSync\(\)/],
    [{ toArray() {}, data: [] }, /toArray\(\)$/],
    [Buffer.from(six.buffer), /new Float32Array\(b\.buffer/],
    [new Uint16Array(6), /type: 'float16'/],
    [six.buffer, /new Float32Array\(buffer\)$/],
    [new SharedArrayBuffer(24), /new Float32Array\(buffer\)$/],
    [new DataView(six.buffer), /new Float32Array\(buffer\)$/],
    [
      Object.create(null, {
        dataSync: {
          get() {
            throw new Error('asked');
          },
        },
        toArray: { value() {} },
      }),
      /toArray\(\)$/,
    ],
    [Object.create(null, { dataSync: { value: 1 } }), /got an object$/],
    [new (class Foo {})(), /got a Foo$/],
  ];
  for (const [value, hint] of cases)
    expect(message(() => focal.forward(value as never, new Uint8Array(6)))).toMatch(hint);
});

test('an error says what may have been meant, and nothing where that is unknown', () => {
  const usual = 'leaves such';
  for (const [bad, elements, rows] of [
    [255, `ignoreIndex: 255 ${usual} elements out`, `ignoreIndex: 255 ${usual} rows out`],
    [-1, `ignoreIndex: -1 ${usual} elements out`, `ignoreIndex: -1 ${usual} rows out`],
    [-100, `ignoreIndex: -100 ${usual} elements out`, `ignoreIndex: -100 ${usual} rows out`],
    [7, 'class indices are for OneHotFocalLoss or SoftmaxFocalLoss', undefined],
    [-2, undefined, undefined],
  ] as const) {
    const targets = Int32Array.of(0, bad);
    const hint = (remedy: string | undefined) => (remedy === undefined ? '' : `; ${remedy}`);
    expect(message(() => focal.forward([1, 2], targets))).toBe(
      `"targets" expected 0 or 1 at index 1, got ${bad}${hint(elements)}`,
    );
    expect(message(() => softmax.forward(six, targets))).toBe(
      `"targets" expected a class index in [0, 3) at row 1, got ${bad}${hint(rows)}`,
    );
  }
  expect(message(() => focal.forward([1, 2], Float64Array.of(0, 255)))).toBe(
    '"targets" expected a number in [0, 1] at index 1, got 255',
  );
  expect(message(() => focal.forward(new Int32Array(6) as never, new Uint8Array(6)))).toMatch(
    /, got an Int32Array of length 6$/,
  );
  expect(message(() => softmax.forward({ data: six, dims: [3, 2] }, [0, 0]))).toBe(
    '"logits" expected 3 (numClasses) elements along axis 1, the class axis, got dims [3, 2]; "classAxis" 0 has 3',
  );
  expect(message(() => softmax.forward({ data: six, dims: [6, 1] }, [0, 0]))).toBe(
    '"logits" expected 3 (numClasses) elements along axis 1, the class axis, got dims [6, 1]',
  );
});

test('probabilities have one meaning of soft targets', () => {
  expect(message(() => new FocalLoss({ fromLogits: false, softTargets: 'split' }))).toMatch(
    /^"softTargets" expected 'linear'/,
  );
});

test('a background that is also left out is an error', () => {
  expect(message(() => new OneHotFocalLoss({ numClasses: 3, background: 0, ignoreIndex: 0 }))).toMatch(
    /^"background" expected another label/,
  );
});

test('half floats that are read one by one are the numbers that they stand for', () => {
  const half = (type: string, ...bits: number[]) => ({ data: Uint16Array.from(bits), dims: [bits.length], type });
  // 1, -2, 65504, 2^-24, -2^-24, -Infinity, Infinity, NaN, -1024, 0.333251953125
  const bits = [0x3c00, 0xc000, 0x7bff, 0x0001, 0x8001, 0xfc00, 0x7c00, 0x7e00, 0xe400, 0x3555];
  expect([...hardest(half('float16', ...bits), 10)]).toEqual([7, 6, 2, 0, 9, 3, 4, 1, 8, 5]);
  // 1, -2, Infinity, NaN, 3e38 or so, -0.25
  expect([...hardest(half('bfloat16', 0x3f80, 0xc000, 0x7f80, 0x7fc0, 0x7f61, 0xbe80), 6)]).toEqual([3, 2, 4, 0, 5, 1]);
  const weights = [0x3c00, 0x3555, 0x0001, 0x03ff, 0x7bff];
  const values = Float32Array.of(1, 0.333251953125, 2 ** -24, 1023 * 2 ** -24, 65504);
  const [got, expected] = [half('float16', ...weights), values].map((weight) => {
    const meter = new CalibrationMeter({ bins: 1 });
    meter.update(new Float32Array(5).fill(0.5), [0, 1, 0, 1, 0], { weight: weight as Float32Array });
    return JSON.stringify(meter);
  });
  expect(got).toBe(expected);
  for (const [bits, value] of [
    [0x7e00, 'NaN'],
    [0x7c00, 'Infinity'],
    [0xfc00, '-Infinity'],
  ] as const) {
    expect(message(() => new CalibrationMeter().update(half('float16', bits) as never, [1]))).toBe(
      `"probabilities" expected a number in [0, 1] at index 0, got ${value}`,
    );
  }
});

test('half floats as bits are the numbers that they stand for', () => {
  // 1, -2, 65504, 2^-24, -Infinity, 0.333251953125
  const bits = Uint16Array.of(0x3c00, 0xc000, 0x7bff, 0x0001, 0xfc00, 0x3555);
  const values = Float32Array.of(1, -2, 65504, 2 ** -24, Number.NEGATIVE_INFINITY, 0.333251953125);
  const targets = Uint8Array.of(1, 0, 1, 0, 0, 1);
  const expected = focal.forward(values, targets);
  expect(firstDifference(focal.forward({ data: bits, dims: [6], type: 'float16' } as never, targets), expected)).toBe(
    -1,
  );
  const brain = Uint16Array.of(0x3f80, 0xc000, 0x4000, 0x0000, 0xff80, 0x3eab);
  const floats = Float32Array.of(1, -2, 2, 0, Number.NEGATIVE_INFINITY, 0.333984375);
  const tensor = { data: brain, dims: [2, 3], type: 'bfloat16' };
  expect(firstDifference(focal.forward(tensor as never, targets), focal.forward(floats, targets))).toBe(-1);
  const rows = new SoftmaxFocalLoss({ numClasses: 3, reduction: 'none' });
  expect(firstDifference(rows.forward(tensor as never, [0, 2]), rows.forward(floats, [0, 2]))).toBe(-1);
});
