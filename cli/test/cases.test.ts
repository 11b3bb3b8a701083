// What files that people have really written taught: each case once.
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { expect, test } from 'vitest';
import { duckError } from '../src/duck-errors.js';
import { cli, float32, folder, npy, parquet, uint8 } from './support.js';

const files = folder();

async function json(...argv: string[]) {
  const { code, out, err } = await cli('score', ...argv, '--json');
  expect({ code, err }, argv.join(' ')).toEqual({ code: 0, err: '' });
  return JSON.parse(out);
}

async function refused(...argv: string[]): Promise<[number, string]> {
  const { code, out, err } = await cli('score', ...argv);
  expect([out, err.endsWith('\n'), err.trimEnd().includes('\n')]).toEqual(['', true, false]);
  return [code, files.plain(err.replace(/^focal-loss: /, '').trimEnd())];
}

const whole = files.write('whole.csv', 'logit,target\n2.5,1\n-1.25,0\n0.5,0\n-3,1\n');

test('two files that both hold logits and targets are one data set', async () => {
  const a = files.write('a.csv', 'logit,target\n2.5,1\n-1.25,0\n');
  const b = files.write('b.csv', 'logit,target\n0.5,0\n-3,1\n');
  const [one, two] = [await json(whole), await json(a, b)];
  expect([two.count, two.positives]).toEqual([4, 2]);
  expect(two.sum).toBeCloseTo(one.sum, 9);
  expect(await json(files.path('[ab].csv'))).toEqual({ ...two, sources: [a, b] });
  // columns in another order, and another delimiter, are the same columns
  const c = files.write('c.csv', 'target;logit\n0;0.5\n1;-3\n');
  expect((await json(a, c)).sum).toBe(two.sum);
});

test('a first line that counts 0, 1, 2 may be a header or a row', async () => {
  const series = files.write('series.csv', '0\n0.5\n-1.2\n');
  const frame = files.write('frame.csv', '0,1\n0.5,1\n-1.2,0\n');
  const indexed = files.write('indexed.csv', ',0,1\n0,0.5,1\n1,-1.2,0\n');
  for (const [file, line, ...columns] of [
    [series, '0', '0', '0'],
    [frame, '0,1', '0', '1'],
    [indexed, ',0,1', '0', '1'],
  ]) {
    expect(await refused(file, '--logits', columns[0], '--targets', columns[1])).toEqual([
      2,
      `--header or --no-header is needed: the first line of ${files.plain(file)}, "${line}", may name columns by number or be a row`,
    ]);
  }
  expect((await json(frame, '--header', '--logits', '0', '--targets', '1')).count).toBe(2);
  expect((await json(frame, '--no-header', '--logits', '0', '--targets', '1')).count).toBe(3);
});

test('NA in a first row of numbers is a cell, not a header', async () => {
  const file = files.write('na.csv', 'NA,1\n0.5,0\n');
  expect(await refused(file, '--logits', '0', '--targets', '1')).toEqual([
    1,
    'na.csv, line 1: expected a number in column "0", got "NA"',
  ]);
});

test('a file whose logits are all in [0, 1] is asked whether they are probabilities', async () => {
  const file = files.write('inside.csv', 'logit,target\n0.9,1\n0.25,0\n');
  const { code, err } = await cli('score', file);
  expect([code, files.plain(err)]).toEqual([
    0,
    'focal-loss: warning: inside.csv: every logit is in [0, 1]; are these probabilities? Then name the column by --probabilities\n',
  ]);
  expect((await json(file, '--probabilities', 'logit')).metrics.logLoss).toBeCloseTo(-Math.log(0.9 * 0.75) / 2, 6);
  const beyond = files.write('beyond.csv', 'p,target\n0.9,1\n1.5,0\n');
  expect(await refused(beyond)).toEqual([1, 'beyond.csv, row 1: expected a probability in [0, 1], got 1.5']);
});

test('two files in different order are matched by id, and refused without', async () => {
  const scores = files.write('scores.csv', 'id,logit\nx,2.5\ny,-1.25\nz,0.5\n');
  const labels = files.write('labels.csv', 'id,label\nz,0\nx,1\ny,1\n');
  expect(await refused(scores, labels)).toEqual([
    1,
    'scores.csv, row 0: id x, but labels.csv has id z; the files are in different order: --join labels.csv --on ID matches their rows',
  ]);
  const matched = await json(scores, '--join', labels, '--on', 'ID', '--top', '3');
  const byHand = await json(files.write('matched.csv', 'id,logit,label\nx,2.5,1\ny,-1.25,1\nz,0.5,0\n'), '--top', '3');
  expect({ ...matched, sources: 0 }).toEqual({ ...byHand, sources: 0 });
  // in the same order they are one table
  const same = files.write('same.csv', 'id,label\nx,1\ny,1\nz,0\n');
  expect((await json(scores, same)).sum).toBe(byHand.sum);
});

test('ids without a match, and ids that are there twice', async () => {
  const scores = files.write('left.csv', 'id,logit\n1,2.5\n2,-1.25\n3,0.5\n');
  const labels = files.write('right.csv', 'id,label\n3,0\n1,1\n');
  expect((await refused(scores, '--join', labels, '--on', 'id'))[1]).toBe(
    `left.csv, row 1: its id is not in right.csv; --null skip leaves such rows out`,
  );
  const { count, skipped } = await json(scores, '--join', labels, '--on', 'id', '--null', 'skip');
  expect([count, skipped]).toEqual([2, { null: 0, nan: 0, unmatched: 1 }]);
  const twice = files.write('twice.csv', 'id,label\n3,0\n1,1\n3,1\n');
  expect((await refused(scores, '--join', twice, '--on', 'id'))[1]).toBe(
    'twice.csv: expected every "id" once, got "3" more than once',
  );
});

test('every delimiter, comments, decimal commas, a byte order mark', async () => {
  const expected = (await json(whole)).sum;
  const text = 'logit,target\n2.5,1\n-1.25,0\n0.5,0\n-3,1\n';
  const cases: Record<string, string> = {
    'semicolon.csv': text.replaceAll(',', ';'),
    'tab.tsv': text.replaceAll(',', '\t'),
    'pipe.txt': text.replaceAll(',', '|'),
    'spaces.txt': text.replaceAll(',', ' '),
    'comment.csv': `# written by a tool\n${text}`,
    'comma.csv': text.replaceAll(',', ';').replaceAll('.', ','),
    'excel.csv': `sep=;\r\n${text.replaceAll(',', ';').replaceAll('.', ',').replaceAll('\n', '\r\n')}`,
    'bom.csv': `\ufeff${text}`,
    'windows.csv': text.replaceAll('\n', '\r\n'),
    'ends.csv': `${text}\n\n`,
    'quoted.csv': text.replace(/[\d.-]+/g, '"$&"'),
    'case.csv': text.replace('logit,target', 'LOGIT, Y_True '),
  };
  for (const [name, content] of Object.entries(cases)) {
    expect((await json(files.write(name, content))).sum, name).toBeCloseTo(expected, 12);
  }
  const odd = files.write('odd.csv', text.replaceAll(',', '~'));
  expect((await json(odd, '--delimiter', '~')).sum).toBe(expected);
  const wide = files.write('wide.txt', '2.5   1\n-1.25 0\n');
  expect((await refused(wide, '--logits', '0', '--targets', '1'))[1]).toBe(
    'wide.txt, line 1: expected one space between cells, got several; write the file with another delimiter',
  );
});

test('columns of times are no numbers, whatever they are stored as', async () => {
  const text = files.write('time.csv', 'logit,target\n12:30:00,1\n13:45:10,0\n');
  expect((await refused(text))[1]).toMatch(/^time.csv, line 2: expected a number in column "logit", got "12:30:00"$/);
  const stored = files.write(
    'time.parquet',
    parquet([
      { name: 'logit', data: [new Date(0), new Date(1)], type: 'TIMESTAMP' },
      { name: 'target', data: [1, 0], type: 'INT32' },
    ]),
  );
  expect((await refused(stored))[1]).toMatch(/^time.parquet: expected numbers in column "logit", got type TIMESTAMP/);
  const pandas = {
    columns: [{ name: 'logit', field_name: 'logit', pandas_type: 'timedelta', numpy_type: 'timedelta64[ns]' }],
  };
  const duration = parquetWriteBuffer({
    columnData: [
      { name: 'logit', data: [5n, 7n], type: 'INT64' },
      { name: 'target', data: [1, 0], type: 'INT32' },
    ],
    kvMetadata: [{ key: 'pandas', value: JSON.stringify(pandas) }],
  });
  expect((await refused(files.write('duration.parquet', new Uint8Array(duration))))[1]).toBe(
    'duration.parquet: expected numbers in column "logit", got type DURATION',
  );
  // what polars writes for logit and target of float64, and wait of duration[ms]
  const polars =
    '//////4AAAAEAAAA8v///xQAAAAEAAEAAAAKAAsACAAKAAQA+P///wwAAAAIAAgAAAAEAAQAAACQAAAAYAAAADAAAAAEAAAAbP///xwAAAAQAAAACAAAAAEDAAAAAAAA' +
    'av///wIAAAABAAAAeAAAAJT///8cAAAAEAAAAAgAAAABEgAAAAAAAPz///8EAAQABAAAAHdhaXQAAAAAwP///xwAAAAQAAAACAAAAAEDAAAAAAAAvv///wIAAAAGAAAA' +
    'dGFyZ2V0AADs////MAAAACAAAAAYAAAAAQMAABAAEgAEABAAEQAIAAAADAAAAAAA+v///wIABgAGAAQABQAAAGxvZ2l0AA==';
  const withSchema = (value: string) =>
    files.write(
      'polars.parquet',
      new Uint8Array(
        parquetWriteBuffer({
          columnData: [
            { name: 'logit', data: [5, 7], type: 'DOUBLE' },
            { name: 'target', data: [1, 0], type: 'DOUBLE' },
            { name: 'wait', data: [5n, 7n], type: 'INT64' },
          ],
          kvMetadata: [{ key: 'ARROW:schema', value }],
        }),
      ),
    );
  expect((await refused(withSchema(polars), '--logits', 'wait'))[1]).toBe(
    'polars.parquet: expected numbers in column "wait", got type DURATION',
  );
  expect((await cli('score', withSchema(polars))).code).toBe(0);
  for (const damaged of ['', 'AAAA', polars.slice(0, 200), `/////${'/'.repeat(300)}`]) {
    expect((await cli('score', withSchema(damaged))).code).toBe(0);
  }
  const sql = 'SELECT INTERVAL 3 SECOND AS logit, 1 AS target';
  expect((await refused('--sql', sql))[1]).toBe('--sql: expected numbers in column "logit", got type INTERVAL');
});

test('rows of classes with one label a row name the losses that are for them', async () => {
  const logits = files.write('rows.npy', npy('<f4', [6, 4], new Float32Array(24)));
  const labels = files.write('labels.npy', npy('<i8', [6], BigInt64Array.of(0n, 1n, 2n, 3n, 0n, 1n)));
  expect(await refused(logits, labels)).toEqual([
    1,
    'labels.npy: expected shape (6, 4), as in rows.npy, got shape (6,); for 4 classes with one label a row there is --loss softmax, or onehot',
  ]);
  const { sum, count, metrics } = await json(logits, labels, '--loss', 'softmax', '--gamma', '0');
  expect([count, sum / 6, metrics.logLoss]).toEqual([
    6,
    expect.closeTo(Math.log(4), 6),
    expect.closeTo(Math.log(4), 6),
  ]);
});

test('control bytes and colours in names and cells are shown, not sent to the terminal', async () => {
  const evil = '\x1b[31mred\x07\u202e';
  const file = files.write('evil.csv', `${evil},target\n1,0\n2,1\n`);
  const { err } = await cli('score', file);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
  expect(err.trimEnd()).not.toMatch(/[\x00-\x1f\x7f\u202e]/);
  expect(err).toContain('\\x1b[31mred\\x07\\u202e');
  const cell = files.write('cell.csv', `logit,target\n${'9'.repeat(500)}${evil}x,0\n`);
  const said = (await cli('score', cell)).err;
  expect(said.length).toBeLessThan(300);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
  expect(said.trimEnd()).not.toMatch(/[\x00-\x1f\x7f\u202e]/);
});

test('cells of any length are refused in linear time', async () => {
  const started = process.cpuUsage().user;
  for (const cell of [
    `${'1'.repeat(80_000)}x`,
    ' '.repeat(80_000),
    `${'1'.repeat(80_000)}`,
    '-'.repeat(80_000),
    '1,'.repeat(40_000),
  ]) {
    for (const text of [`logit,target\n${cell},1\n`, `${cell}\n1\n`]) {
      const { code } = await cli('score', files.write('long.csv', text), '--logits', '0', '--targets', '1');
      // digits alone are a number, if an infinite one
      expect(code, text.slice(0, 30)).toBeGreaterThanOrEqual(/^1*$/.test(cell) ? 0 : 1);
    }
  }
  // a quadratic expression takes minutes for these
  expect(process.cpuUsage().user - started).toBeLessThan(30e6);
});

test('forty columns are enough to read', async () => {
  const { Sink } = await import('./support.js');
  const { run } = await import('../src/run.js');
  const [stdout, stderr] = [Object.assign(new Sink(true), { columns: 40 }), new Sink()];
  expect(await run(['score', whole, '--top', '2', '--thresholds', '0.5'], { stdout, stderr })).toBe(0);
  for (const line of stdout.text.split('\n')) expect(line.length, line).toBeLessThanOrEqual(46);
  expect(stdout.text).not.toContain('\x1b');
  expect(stdout.text).toContain('class         positive\n');
});

test('a folder, compressed files, partitions as slices', async () => {
  for (const part of ['a', 'b']) mkdirSync(files.path(`data/part=${part}`), { recursive: true });
  files.write('data/part=a/1.csv', 'logit,target\n2.5,1\n-1.25,0\n');
  files.write('data/part=b/1.csv', 'logit,target\n0.5,0\n-3,1\n');
  const { count, slices } = await json(files.path('data'), '--by', 'part');
  expect([count, slices.map(({ slice }: { slice: string }) => slice)]).toEqual([4, ['b', 'a']]);
  const packed = files.write('packed.csv.gz', gzipSync('logit,target\n2.5,1\n-1.25,0\n0.5,0\n-3,1\n'));
  expect((await json(packed)).sum).toBe((await json(whole)).sum);
});

test('what can be read once only: a pipe by name, standard input, a process substitution', () => {
  const main = new URL('../dist/main.js', import.meta.url).pathname;
  const shell = (command: string) => execFileSync('bash', ['-c', command], { encoding: 'utf8', cwd: files.path('.') });
  const expected = JSON.parse(shell(`node ${main} score whole.csv --json`)).sum;
  const [x, y] = [files.write('x.npy', float32(2, -2)), files.write('y.npy', uint8(1, 0))];
  const arrays = JSON.parse(shell(`node ${main} score ${x} ${y} --json`)).sum;
  for (const [command, sum] of [
    [`mkfifo pipe && (cat whole.csv > pipe &) ; node ${main} score pipe --json`, expected],
    [`cat whole.csv | node ${main} score - --format csv --json`, expected],
    [`node ${main} score /dev/stdin --json < <(cat whole.csv)`, expected],
    [`node ${main} score <(cat ${x}) <(cat ${y}) --json`, arrays],
  ] as const) {
    expect(JSON.parse(shell(command)).sum, command).toBe(sum);
  }
});

test('a position that there is not is an error, and no constant', async () => {
  expect(await refused(whole, '--targets', '2')).toEqual([
    2,
    '--targets expected a column of whole.csv, got 2; it has the columns "logit", "target", counted from 0',
  ]);
});

test('several text files are read within the memory that the engine is given by default', async () => {
  const rows = Array.from({ length: 2000 }, (_, k) => `${((k * 37) % 100) / 10 - 5},${k % 7 === 0 ? 1 : 0}`).join('\n');
  const several = Array.from({ length: 6 }, (_, k) => files.write(`text-${k}.csv`, `logit,target\n${rows}\n`));
  for (let turn = 0; turn < 6; turn++) expect((await json(...several)).count).toBe(12_000);
});

test('a URL that the engine cannot read for want of its extension says what to do', () => {
  const said =
    "An error occurred while trying to automatically install the required extension 'httpfs':\nFailed to download";
  expect(duckError(new Error(said), 'https://example.org/a.parquet')).toMatchObject({
    message:
      "https://example.org/a.parquet: reading it needs the engine's extension httpfs, which could not be fetched; " +
      'download the file, or let the engine reach its extensions',
  });
});
