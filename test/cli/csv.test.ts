import { expect, test } from 'vitest';
import type { ColumnRequest } from '../../src/cli/columns.js';
import { openCsv } from '../../src/cli/csv.js';
import { DataError, UsageError } from '../../src/cli/errors.js';
import { folder, readTable } from './support.js';

const files = folder();

const LOGITS: ColumnRequest[] = [{ role: 'logits' }];
const both = (logits?: string, targets?: string): ColumnRequest[] => [
  { role: 'logits', column: logits },
  { role: 'targets', column: targets },
];

async function read(text: string | Uint8Array, requests = LOGITS): Promise<number[][]> {
  return (await readTable(await openCsv(files.write('table.csv', text), requests))).columns;
}

/** The class and the message of what goes wrong, without the file's folder. */
async function complaint(text: string | Uint8Array, requests = LOGITS): Promise<[string, string]> {
  const error = await read(text, requests).then(String, (error) => error);
  return [error.constructor.name, files.plain(error.message)];
}

test('one column, with and without a header', async () => {
  expect(await read('logit\n1.5\n-2\n')).toEqual([[1.5, -2]]);
  expect(await read('score\n1.5\n-2')).toEqual([[1.5, -2]]);
  expect(await read('1.5\n-2\n')).toEqual([[1.5, -2]]);
});

test('columns by their usual names, by name and by index', async () => {
  const text = 'id,logit,label,other\na,1,0,9\nb,2,1,8\n';
  const [logit, label, other] = [
    [1, 2],
    [0, 1],
    [9, 8],
  ];
  expect(await read(text, both())).toEqual([logit, label]);
  expect(await read(text, both('other', 'logit'))).toEqual([other, logit]);
  expect(await read(text, both(undefined, '3'))).toEqual([logit, other]);
  expect(await read(text, both('3', '1'))).toEqual([other, logit]);
  expect(await read('a,1,0\nb,2,1\n', both('1', '2'))).toEqual([logit, label]);
  expect(await read('1,0\n2,1\n', both('0', '1'))).toEqual([logit, label]);
  expect(await read(' targets , logits \n0,1\n1,2\n', both())).toEqual([logit, label]);
});

test('what counts as a number', async () => {
  expect(await read('+1\n .5 \n1.\n-1e-3\n1E+2\nnan\nNaN\ninf\n-Infinity\nTrue\nfalse\n"7"\n')).toEqual([
    [1, 0.5, 1, -0.001, 100, NaN, NaN, Infinity, -Infinity, 1, 0, 7],
  ]);
  for (const cell of ['0x10', '1_000', '1,5', '--1', '1e', '.', 'e5', 'infinite', 'none', '1 2', 'constructor']) {
    expect(await complaint(`logit\n"${cell}"\n`), cell).toEqual([
      'DataError',
      `table.csv, line 2: expected a number in column "logit", got "${cell}"`,
    ]);
  }
});

test('byte order mark, carriage returns, quotes and empty lines at the end', async () => {
  expect(await read('\ufeff"logits",targets\r\n1,0\r\n2,1\r\n\r\n', both())).toEqual([
    [1, 2],
    [0, 1],
  ]);
  expect(await read('text,logit\n"a ""quoted"", cell",1\nb,2\n\n\n')).toEqual([[1, 2]]);
});

test('faults name the line, counted from 1, cells of several lines included', async () => {
  const cases: [string, string][] = [
    ['logit\n1\nx\n', 'line 3: expected a number in column "logit", got "x"'],
    ['1\n2\nx\n', 'line 3: expected a number in column "0", got "x"'],
    ['text,logit\n"two\nlines",1\nb,x\n', 'line 4: expected a number in column "logit", got "x"'],
    ['id,logit\na,1\nb,\n', 'line 3: expected a number in column "logit", got an empty cell'],
    ['id,logit\na,1\nb,  \n', 'line 3: expected a number in column "logit", got an empty cell'],
    ['logit\n1\n""\n', 'line 3: expected a number in column "logit", got an empty cell'],
    ['logit\n1\n\n2\n', 'line 4: an empty line comes before it'],
    ['\n1\n', 'line 2: an empty line comes before it'],
    ['id,logit\na,1\nb,2,3\n', 'line 3: expected 2 cells, as on the first line, got 3'],
    ['id,logit\na,1\nb\n', 'line 3: expected 2 cells, as on the first line, got 1'],
    ['id,logit\na,"1\n', 'line 2: malformed: Quote Not Closed: the parsing is finished with an opening quote'],
    [
      `logit\n${'1'.repeat(1 << 21)}`,
      'line 2: malformed: Max Record Size: record exceed the maximum number of tolerated bytes of 1048576',
    ],
  ];
  for (const [text, message] of cases) {
    expect(await complaint(text), message).toEqual(['DataError', `table.csv, ${message}`]);
  }
});

test('files without rows', async () => {
  expect(await complaint('')).toEqual(['DataError', 'table.csv: the file is empty']);
  expect(await complaint('logit\n')).toEqual(['DataError', 'table.csv: the file has no rows']);
  expect(await complaint('\n\n')).toEqual(['DataError', 'table.csv: the file has no rows']);
});

test('columns that are not there, or not told apart', async () => {
  const text = 'a,b,a\n1,2,3\n';
  const listed = 'the columns "a", "b", "a"';
  const cases: [ColumnRequest[], string, string][] = [
    [both('c', 'b'), 'DataError', `table.csv: expected a column "c" (--logits-column), got ${listed}`],
    [both('b', 'c'), 'DataError', `table.csv: expected a column "c" (--targets-column), got ${listed}`],
    [both('b', '3'), 'DataError', `table.csv: expected a column "3" (--targets-column), got ${listed}`],
    [both('a', 'b'), 'DataError', 'table.csv: more than one column is called "a"'],
    [both(undefined, 'b'), 'UsageError', `--logits-column is needed: table.csv has ${listed}`],
    [
      both('b', 'b'),
      'UsageError',
      `--targets-column expected another column than that of the logits; table.csv has ${listed}`,
    ],
  ];
  for (const [requests, kind, message] of cases) {
    expect(await complaint(text, requests)).toEqual([kind, message]);
  }
  expect(await complaint('1,2\n', both('0', '2'))).toEqual([
    'DataError',
    'table.csv: expected a column "2" (--targets-column), got the columns 0, 1',
  ]);
  expect(await complaint('1,2\n', both('logit', '1'))).toEqual([
    'DataError',
    'table.csv: expected a column "logit" (--logits-column), got the columns 0, 1',
  ]);
  expect(await complaint('logit,logits\n1,2\n')).toEqual([
    'UsageError',
    '--logits-column is needed: table.csv has the columns "logit", "logits"',
  ]);
  expect(await complaint('1\n2\n', both())).toEqual(['UsageError', 'TARGETS is missing: table.csv has one column']);
});

test('a file of several blocks keeps its order and its lines', async () => {
  const rows = 40_000;
  const lines = Array.from({ length: rows }, (_, i) => `${i},${i % 2}`);
  const table = await openCsv(files.write('long.csv', `logits,targets\n${lines.join('\n')}\n`), both());
  let next = 0;
  for await (const [logits, targets] of table.blocks()) {
    expect(table.place(next)).toBe(`line ${next + 2}`);
    for (let i = 0; i < logits.length; i++, next++) {
      if (logits[i] !== next || targets[i] !== next % 2) expect.fail(`row ${next}`);
    }
    expect(table.place(next - 1)).toBe(`line ${next + 1}`);
  }
  expect([next, table.progress()]).toEqual([rows, 1]);
  await table.close();
});

test('a table that is closed early leaves nothing open', async () => {
  const table = await openCsv(files.write('early.csv', `logit\n${'1\n'.repeat(100_000)}`), LOGITS);
  for await (const _ of table.blocks()) break;
  await table.close();
  await expect(openCsv(files.path('none.csv'), LOGITS)).rejects.toThrow(DataError);
  expect(new UsageError('x')).not.toBeInstanceOf(DataError);
});
