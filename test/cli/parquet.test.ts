import { brotliCompressSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { type ColumnSource, parquetWriteBuffer } from 'hyparquet-writer';
import { expect, test } from 'vitest';
import type { ColumnRequest } from '../../src/cli/columns.js';
import { DataError, UsageError } from '../../src/cli/errors.js';
import { openParquet } from '../../src/cli/parquet.js';
import { folder, readTable } from './support.js';

const files = folder();

const LOGITS: ColumnRequest[] = [{ role: 'logits' }];
const BOTH: ColumnRequest[] = [{ role: 'logits' }, { role: 'targets' }];

function parquet(columnData: ColumnSource[], rowGroupSize?: number): Uint8Array {
  return new Uint8Array(parquetWriteBuffer({ columnData, rowGroupSize }));
}

const open = (bytes: Uint8Array, requests = LOGITS) => openParquet(files.write('table.parquet', bytes), requests);
const read = async (bytes: Uint8Array, requests = LOGITS) => readTable(await open(bytes, requests));

async function complaint(bytes: Uint8Array, requests = LOGITS): Promise<[string, string]> {
  const error = await read(bytes, requests).then(String, (error) => error);
  return [error.constructor.name, files.plain(error.message)];
}

test('the types of a column', async () => {
  const cases: [ColumnSource['type'], ColumnSource['data'], number[], string][] = [
    ['FLOAT', [1.5, -2], [1.5, -2], 'Float32Array'],
    ['DOUBLE', [0.1, NaN], [0.1, NaN], 'Float64Array'],
    ['INT32', [1, -2], [1, -2], 'Float64Array'],
    ['INT64', [1n, -2n], [1, -2], 'Float64Array'],
    ['BOOLEAN', [true, false], [1, 0], 'Float64Array'],
    ['FLOAT16', [0.5, -Infinity], [0.5, -Infinity], 'Float64Array'],
  ];
  for (const nullable of [true, false]) {
    for (const [type, data, values, kind] of cases) {
      const bytes = parquet([{ name: 'logit', data, type, nullable }]);
      expect(await read(bytes), `${type} ${nullable}`).toEqual({ columns: [values], types: [kind] });
    }
  }
});

test('columns by name, usual or given, in row groups', async () => {
  const rows = 1000;
  const bytes = parquet(
    [
      { name: 'label', data: Array.from({ length: rows }, (_, i) => i % 2), type: 'INT32' },
      { name: 'logit', data: Float32Array.from({ length: rows }, (_, i) => i), type: 'FLOAT' },
      { name: 'text', data: Array.from({ length: rows }, String), type: 'STRING' },
    ],
    300,
  );
  const table = await open(bytes, BOTH);
  expect(table.shape).toEqual([rows]);
  const lengths: number[] = [];
  let next = 0;
  for await (const [logits, targets] of table.blocks()) {
    lengths.push(logits.length);
    for (let i = 0; i < logits.length; i++, next++) {
      if (logits[i] !== next || targets[i] !== next % 2) expect.fail(`row ${next}`);
    }
    expect(table.progress()).toBe(next / rows);
  }
  await table.close();
  expect(lengths).toEqual([300, 300, 300, 100]);
  const named = await read(bytes, [
    { role: 'logits', column: 'label' },
    { role: 'targets', column: 'logit' },
  ]);
  expect(named.columns.map((column) => column.slice(0, 3))).toEqual([
    [0, 1, 0],
    [0, 1, 2],
  ]);
});

test.each([
  ['UNCOMPRESSED', undefined],
  ['SNAPPY', undefined],
  ['GZIP', gzipSync],
  ['BROTLI', brotliCompressSync],
] as const)('codec %s', async (codec, compress) => {
  const columnData: ColumnSource[] = [{ name: 'logits', data: Float32Array.of(1.5, -2, 3), type: 'FLOAT' }];
  const compressors = compress && { [codec]: compress };
  expect((await read(new Uint8Array(parquetWriteBuffer({ columnData, codec, compressors })))).columns).toEqual([
    [1.5, -2, 3],
  ]);
});

test('faults name the row, from 0', async () => {
  const cases: [ColumnSource, string][] = [
    [
      { name: 'logit', data: [1, 2, null, 4], type: 'DOUBLE' },
      'table.parquet, row 2: expected a number in column "logit", got a null',
    ],
    [
      { name: 'logit', data: ['1', '2', '3'], type: 'STRING' },
      'table.parquet, row 0: expected a number in column "logit", got "1"',
    ],
    [
      { name: 'logit', data: [new Date(0), new Date(0)], type: 'TIMESTAMP' },
      'table.parquet, row 0: expected a number in column "logit", got a value of another type',
    ],
  ];
  for (const [column, message] of cases) {
    expect(await complaint(parquet([column]))).toEqual(['DataError', message]);
  }
});

test('columns that are not there', async () => {
  const bytes = parquet([
    { name: 'a', data: [1], type: 'DOUBLE' },
    { name: 'b', data: [1], type: 'DOUBLE' },
  ]);
  expect(await complaint(bytes, [{ role: 'logits', column: 'c' }])).toEqual([
    'DataError',
    'table.parquet: expected a column "c" (--logits-column), got the columns "a", "b"',
  ]);
  expect(await complaint(bytes)).toEqual([
    'UsageError',
    '--logits-column is needed: table.parquet has the columns "a", "b"',
  ]);
});

test('files that are broken, or without rows', async () => {
  const data = Float32Array.from({ length: 5000 }, (_, i) => Math.sqrt(i));
  const bytes = parquet([{ name: 'logit', data, type: 'FLOAT' }], 5000);
  const broken = async (bytes: Uint8Array) => {
    const [kind, message] = await complaint(bytes);
    expect(kind, message).toBe('DataError');
    return message;
  };
  expect(await broken(new Uint8Array(0))).toBe('table.parquet: the file is empty');
  expect(await broken(Buffer.from('PAR1'))).toBe(
    'table.parquet: not a readable parquet file: Offset is outside the bounds of the DataView',
  );
  expect(await broken(Buffer.from('logit\n1.5\n-2.5\n'))).toBe(
    'table.parquet: not a readable parquet file: invalid (footer != PAR1)',
  );
  expect(await broken(bytes.subarray(0, bytes.length - 100))).toBe(
    'table.parquet: not a readable parquet file: invalid (footer != PAR1)',
  );
  // The footer is whole, the data is not.
  const shifted = Buffer.concat([bytes.subarray(0, 4), bytes.subarray(10_000)]);
  expect(await broken(shifted)).toBe('table.parquet: the file is truncated or corrupt');
  // The footer counts another row: of the file, or of its row group and column as well.
  const [count, another] = [Buffer.of(0x90, 0x4e), Buffer.of(0x92, 0x4e)];
  const more = Buffer.from(bytes);
  another.copy(more, more.indexOf(count, 19_900));
  expect(await broken(more)).toBe('table.parquet: expected 5001 rows, got 5000');
  for (let at = more.indexOf(count, 19_900); at >= 0; at = more.indexOf(count, at)) another.copy(more, at);
  expect(await broken(more)).toBe('table.parquet: not a readable parquet file: its pages have 5000 of 5001 values');
  expect(await broken(parquet([{ name: 'logit', data: [], type: 'FLOAT' }]))).toBe(
    'table.parquet: the file has no rows',
  );
});

test('bytes damaged at random: read or refused, and never read for ever', async () => {
  const rows = 200;
  const columnData = [true, false].map((nullable): ColumnSource[] => [
    { name: 'logit', data: Array.from({ length: rows }, (_, i) => i / 10), type: 'FLOAT', nullable },
    { name: 'label', data: Array.from({ length: rows }, (_, i) => i % 2), type: 'INT32', nullable },
  ]);
  const whole = columnData.map((columns) => parquet(columns, 90));
  const change = fc.tuple(fc.nat(), fc.nat(255));
  await fc.assert(
    fc.asyncProperty(fc.nat(1), fc.array(change, { minLength: 1, maxLength: 3 }), async (which, changes) => {
      const bytes = whole[which].slice();
      for (const [at, value] of changes) bytes[at % bytes.length] = value;
      try {
        const { columns } = await read(bytes, BOTH);
        expect(columns.map((column: readonly number[]) => column.length)).toEqual([rows, rows]);
      } catch (error) {
        expect(error).toSatisfy((each) => each instanceof DataError || each instanceof UsageError);
      }
    }),
    { seed: 1, numRuns: 700 },
  );
});

test('headers of pages that cannot be right are refused', async () => {
  const bytes = parquet([{ name: 'logit', data: [1.5, null, 3], type: 'FLOAT', nullable: true }]);
  // in the header, which is the first thing after the magic, the kind of a field and how far its number is from the last one
  const refused = async (at: number, value: number) => {
    const damaged = bytes.slice();
    damaged[at] = value;
    return (await complaint(damaged))[1];
  };
  const found = new Set<string>();
  for (let at = 4; at < 40; at++)
    for (const value of [0x14, 0x15, 0x25, 0x7f, 0xff]) found.add(await refused(at, value));
  for (const name of ['compressed_page_size', 'num_rows', 'definition_levels_byte_length', 'num_values']) {
    expect([...found].filter((message) => message.includes(`a page header has the ${name} `))).not.toEqual([]);
  }
});
