import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DataError } from '../src/errors.js';
import { npyHeader, parseNpyHeader } from '../src/npy.js';
import { cli, folder, npy, npyFile, openFile, readArray } from './support.js';

const files = folder();

async function read(bytes: Uint8Array) {
  return readArray(files.write('array.npy', bytes));
}

/** The message for a file of these bytes, after the file's name. */
async function complaint(bytes: Uint8Array): Promise<string> {
  const file = files.write('bad.npy', bytes);
  const error = await readArray(file).then(String, (error) => error);
  expect(error).toBeInstanceOf(DataError);
  expect(error.message.startsWith(`${file}: `)).toBe(true);
  return error.message.slice(file.length + 2);
}

test('every supported dtype, with its type kept where it matters', async () => {
  const cases: [string, ArrayBufferView, number[], string][] = [
    ['|b1', Uint8Array.of(0, 1), [0, 1], 'Uint8Array'],
    ['|u1', Uint8Array.of(0, 255), [0, 255], 'Uint8Array'],
    ['|i1', Int8Array.of(-128, 1), [-128, 1], 'Float64Array'],
    ['<i1', Int8Array.of(-128, 1), [-128, 1], 'Float64Array'],
    ['<u2', Uint16Array.of(65535, 1), [65535, 1], 'Float64Array'],
    ['<i2', Int16Array.of(-32768, 1), [-32768, 1], 'Float64Array'],
    ['<u4', Uint32Array.of(4294967295, 1), [4294967295, 1], 'Float64Array'],
    ['<i4', Int32Array.of(-2147483648, 1), [-2147483648, 1], 'Float64Array'],
    ['<u8', BigUint64Array.of(2n ** 64n - 1n, 1n), [2 ** 64, 1], 'Float64Array'],
    ['<i8', BigInt64Array.of(-(2n ** 63n), 1n), [-(2 ** 63), 1], 'Float64Array'],
    ['<f4', Float32Array.of(-2.5, Infinity), [-2.5, Infinity], 'Float32Array'],
    ['<f8', Float64Array.of(0.1, -Infinity), [0.1, -Infinity], 'Float64Array'],
  ];
  for (const [descr, data, values, type] of cases) {
    expect(await read(npy(descr, [2], data)), descr).toEqual({ values, type });
  }
});

// Written by NumPy 2.4: numpy.lib.format.write_array(file, array, version=version).
const FROM_NUMPY = {
  float16:
    'k05VTVBZAQB2AHsnZGVzY3InOiAnPGYyJywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDEwLCksIH0gICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAAACAADwAwf97AQD/AwB8APwAfg==',
  1: 'k05VTVBZAQB2AHsnZGVzY3InOiAnPGY0JywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDIsKSwgfSAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAAMA/AAAAwA==',
  2: 'k05VTVBZAgB0AAAAeydkZXNjcic6ICc8ZjQnLCAnZm9ydHJhbl9vcmRlcic6IEZhbHNlLCAnc2hhcGUnOiAoMiwpLCB9ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAAMA/AAAAwA==',
  3: 'k05VTVBZAwB0AAAAeydkZXNjcic6ICc8ZjQnLCAnZm9ydHJhbl9vcmRlcic6IEZhbHNlLCAnc2hhcGUnOiAoMiwpLCB9ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAAMA/AAAAwA==',
};

test('files written by NumPy', async () => {
  for (const version of [1, 2, 3] as const) {
    expect((await read(Buffer.from(FROM_NUMPY[version], 'base64'))).values).toEqual([1.5, -2]);
  }
  const halves = await read(Buffer.from(FROM_NUMPY.float16, 'base64'));
  expect(halves.values).toEqual([0, -0, 1, -2.5, 65504, 2 ** -24, 1023 * 2 ** -24, Infinity, -Infinity, NaN]);
});

test('other spellings of the header that NumPy loads', async () => {
  for (const dict of [
    `{"shape": (2,), "descr": "<f4", "fortran_order": False}`,
    `  { 'fortran_order':False , 'shape' : ( 2 , ) , 'descr':'<f4' , } `,
    `{'descr': '<f4', 'fortran_order': False, 'shape': (2L,), }`,
    `{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2), }`,
    `{'descr': '<f4', 'fortran_order': True, 'shape': (2, 1), }`,
  ]) {
    expect((await read(npyFile(dict, Float32Array.of(1, 2)))).values, dict).toEqual([1, 2]);
  }
});

test('places count rows from 0, and columns where there are several', async () => {
  const place = async (shape: number[], element: number) => {
    const count = shape.reduce((a, b) => a * b);
    const targets = new Uint8Array(count);
    targets[element] = 9;
    const x = files.write('x.npy', npy('<f4', shape, new Float32Array(count)));
    const y = files.write('y.npy', npy('|u1', shape, targets));
    return files.plain((await cli('score', x, y)).err).split(/, (?=row)|: /)[2];
  };
  expect(await place([6], 5)).toBe('row 5');
  expect(await place([6, 1], 5)).toBe('row 5');
  expect(await place([2, 3], 5)).toBe('row 1, column 2');
  expect(await place([2, 1, 3], 5)).toBe('row 1, position (0, 2)');
});

test('an array is read in order, whatever is read at once', async () => {
  const data = Float64Array.from({ length: 70_001 }, (_, i) => i);
  const file = files.write('long.npy', npy('<f8', [data.length], data));
  for (const step of [1009, 1 << 16, 1 << 20]) {
    const { values } = await readArray(file, step);
    expect(values.findIndex((value, i) => value !== i)).toBe(-1);
    expect(values.length).toBe(data.length);
  }
});

test('what is refused, and why', async () => {
  const one = Float32Array.of(1);
  const dict = (descr: string, order: string, shape: string) =>
    npyFile(`{'descr': ${descr}, 'fortran_order': ${order}, 'shape': ${shape}, }`, one);
  const cases: [string, Uint8Array][] = [
    ['not a .npy file: it does not start with "\\x93NUMPY"', Buffer.from('logit\n1.5\n')],
    ['the file is truncated: it ends within the header', npy('<f4', [1], one).slice(0, 8)],
    ['the file is truncated: it ends within the header', npy('<f4', [1], one).slice(0, 100)],
    ['the file is truncated: expected 132 bytes for shape (1,), got 131', npy('<f4', [1], one).slice(0, 131)],
    ['expected the file to end after its array, got 4 more bytes', npy('<f4', [1], Float32Array.of(1, 2))],
    ['expected .npy version 1.0, 2.0 or 3.0, got 4.0', npyFile('{}', one, 4)],
    ['expected a header of at most 10000 bytes, got 10038', npyFile(' '.repeat(10_000), one)],
    [
      'expected C order, got Fortran order; save numpy.ascontiguousarray(array)',
      npyFile("{'descr': '<f4', 'fortran_order': True, 'shape': (2, 2), }", new Float32Array(4)),
    ],
    ['expected little-endian data, got dtype ">f4"; save array.astype("<f4")', npy('>f4', [1], Float32Array.of(1))],
    [
      'expected float16, float32, float64, bool or an integer dtype, got "|O"; save array.astype("float32")',
      npy('|O', [1], one),
    ],
    [
      'expected float16, float32, float64, bool or an integer dtype, got "<c8"; save array.astype("float32")',
      npy('<c8', [1], one),
    ],
    [
      'expected float16, float32, float64, bool or an integer dtype, got "<toString"; save array.astype("float32")',
      npy('<toString', [1], one),
    ],
    [
      'expected a plain dtype, got a structured one; save each field on its own',
      dict("[('a', '<f4'), ('b', '<f4')]", 'False', '(1,)'),
    ],
    ['expected an array of at least one dimension, got a scalar', dict("'<f4'", 'False', '()')],
    ['the array is empty: its shape is (0, 3)', npy('<f4', [0, 3], new Uint8Array(0))],
    [
      'the file is truncated: expected 73786976294838210000 bytes for shape (4503599627370496, 4096), got 132',
      dict("'<f4'", 'False', '(4503599627370496, 4096)'),
    ],
    [
      `the header is malformed: "{'descr': '<f4', 'fortran_order': False, 'shape': (1), }"`,
      dict("'<f4'", 'False', '(1)'),
    ],
    [`the header is malformed: "{'descr': '<f4', 'fortran_order': 0, 'shape': (1,), }"`, dict("'<f4'", '0', '(1,)')],
    [
      `the header is malformed: "{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }"`,
      dict("'<f4'", 'False', '(-1,)'),
    ],
    [
      `the header is malformed: "{'descr': '<f4', 'fortran_order': False, 'shape': (1, , 1..."`,
      dict("'<f4'", 'False', '(1, , 1)'),
    ],
    [
      `the header is malformed: "{'shape': (1,), 'descr': '<f4', 'shape': (1,), 'fortran_o..."`,
      npyFile("{'shape': (1,), 'descr': '<f4', 'shape': (1,), 'fortran_order': False}", one),
    ],
    ['the header is malformed: "{}"', npyFile('{}', one)],
    ['the header is malformed: ""', npyFile('', one)],
  ];
  for (const [message, bytes] of cases) expect(await complaint(bytes)).toBe(message);
});

test('a missing file, an empty one, and a folder', async () => {
  await expect(openFile(files.path('none.npy'))).rejects.toThrow(
    `${files.path('none.npy')}: no such file or directory`,
  );
  const y = files.write('y.npy', npy('|u1', [1], new Uint8Array(1)));
  const { err } = await cli('score', files.write('empty.npy', ''), y);
  expect(files.plain(err)).toBe('focal-loss: empty.npy: the file is empty\n');
});

test('a file cut short while it is read', async () => {
  const bytes = npy('<f8', [300_000], new Float64Array(300_000));
  const array = await openFile(files.write('cut.npy', bytes));
  await array.read(100_000);
  files.write('cut.npy', bytes.subarray(0, 2_000_000));
  await expect(array.read(200_000)).rejects.toThrow('cut.npy: the file is truncated: it ends at byte 2000000');
  await array.close();
});

test('any bytes give a header that fits the file, or a DataError', () => {
  const valid = npy('<f4', [2, 3], new Float32Array(6));
  const mutated = fc
    .array(fc.record({ at: fc.nat(valid.length - 1), byte: fc.integer({ min: 0, max: 255 }) }), { maxLength: 4 })
    .map((changes) => {
      const bytes = Uint8Array.from(valid);
      for (const { at, byte } of changes) bytes[at] = byte;
      return bytes;
    });
  const part = fc.constantFrom(
    ...["'descr'", "'fortran_order'", "'shape'", ': ', ', ', '(', ')', '{', '}', '[', "'<f4'", "'|u1'", 'False'],
    ...['True', '2', '12', '99999999999999999999', 'L', "'", '"', '\\', ' ', '\n', '\0'],
  );
  const composed = fc.array(part, { maxLength: 24 }).map((parts) => npyFile(parts.join(''), new Uint8Array(8)));
  const raw = fc.uint8Array({ maxLength: 300 });
  fc.assert(
    fc.property(fc.oneof(mutated, composed, raw), fc.nat(400), (bytes, more) => {
      const size = bytes.length + (more % 3 === 0 ? more : 0);
      try {
        const header = parseNpyHeader(bytes, size, 'fuzz.npy');
        const width = Number(header.dtype.slice(1));
        expect(header.offset + header.count * width).toBe(size);
        expect(header.count).toBe(header.shape.reduce((a, b) => a * b));
      } catch (error) {
        if (!(error instanceof DataError)) throw error;
      }
    }),
    { numRuns: 3000 },
  );
});

test('a hostile header takes no more than linear time', () => {
  for (const filler of [' ', "'descr'", '{', '[', '(', '1,', "'descr':'<f4',", '1L, ', "{'shape': ("]) {
    const bytes = npyFile(`{${filler.repeat(Math.floor(9_900 / filler.length))}`);
    expect(() => parseNpyHeader(bytes, bytes.length, 'long.npy')).toThrow(DataError);
  }
});

test('the header that is written is read back, and keeps its length as an array grows', () => {
  for (const shape of [
    [0],
    [1],
    [2 ** 53 - 1],
    [3, 4],
    [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18],
  ]) {
    const header = npyHeader(shape);
    expect(header.length % 64).toBe(0);
    expect(Buffer.from(header).toString('latin1')).toBe(
      Buffer.from(npyFile(Buffer.from(header).subarray(10).toString('latin1').trimEnd())).toString('latin1'),
    );
    const count = shape.reduce((a, b) => a * b);
    if (count === 0) continue;
    expect(parseNpyHeader(header, header.length + 4 * count, 'out.npy')).toEqual({
      dtype: 'f4',
      shape,
      count,
      offset: header.length,
    });
  }
  expect(npyHeader([0]).length).toBe(npyHeader([2 ** 53 - 1]).length);
});
