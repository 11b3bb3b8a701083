import { symlinkSync } from 'node:fs';
import { expect, test } from 'vitest';
import { run } from '../../src/cli/run.js';
import { cli, float32, folder, npy, Sink, uint8 } from './support.js';

const files = folder();
const x = files.write('x.npy', float32(1, 2));
const y = files.write('y.npy', uint8(0, 1));
const single = files.write('single.csv', 'logit\n1\n');
const csv = files.write('pair.csv', 'logit,target\n1,0\n');

test('faults in the command exit 2, with one line that names the option', async () => {
  const listed = 'the columns "logit", "target"';
  const cases: [string[], string | RegExp][] = [
    [[], 'expected a command, score or calibrate; see focal-loss --help'],
    [['evaluate'], "unknown command 'evaluate'"],
    [['scor', x, y], "unknown command 'scor' (Did you mean score?)"],
    [['score'], "missing required argument 'LOGITS'"],
    [['calibrate'], "missing required argument 'LOGITS'"],
    [['score', x, y, y], "too many arguments for 'score'. Expected 2 arguments but got 3."],
    [['score', x, y, '--gama', '2'], "unknown option '--gama' (Did you mean --gamma?)"],
    [['score', x, y, '--gamma'], "option '--gamma <number>' argument missing"],
    [['score', x, y, '--gamma', 'two'], "option '--gamma <number>' argument 'two' is invalid. Expected a number."],
    [['score', x, y, '--gamma', ''], "option '--gamma <number>' argument '' is invalid. Expected a number."],
    [['score', x, y, '--gamma', '-1'], /^--gamma expected .*, got -1/],
    [['score', x, y, '--gamma', 'inf'], /^--gamma expected .*, got Infinity/],
    [['score', x, y, '--gamma', 'nan'], /^--gamma expected .*, got NaN/],
    [['score', x, y, '--alpha', '1.5'], /^--alpha expected .*, got 1\.5/],
    [['score', x, y, '--alpha', '-1'], /^--alpha expected .*, got -1; .*none/],
    [['score', x, y, '--alpha', 'off'], "option '--alpha <number|none>' argument 'off' is invalid. Expected a number."],
    [['score', x, y, '--pos-weight', '-2'], /^--pos-weight expected .*, got -2/],
    [['calibrate', x, '--gamma', '-1'], /^--gamma expected .*, got -1/],
    [['calibrate', x, '--reduction', 'sum'], "unknown option '--reduction'"],
    [
      ['score', x, y, '--reduction', 'avg'],
      "option '--reduction <how>' argument 'avg' is invalid. Allowed choices are mean, sum, none.",
    ],
    [
      ['score', x, y, '--top', '0'],
      "option '--top <k>' argument '0' is invalid. Expected a whole number of at least 1.",
    ],
    [
      ['score', x, y, '--top', '1.5'],
      "option '--top <k>' argument '1.5' is invalid. Expected a whole number of at least 1.",
    ],
    [
      ['score', x, y, '--out', 'losses.txt'],
      "option '--out <file>' argument 'losses.txt' is invalid. Expected a name that ends with .npy or .csv.",
    ],
    [['score', x, y, '--out', x], '--out expected another file than the input x.npy'],
    [['score', x, y, '--out', files.path('./y.npy')], '--out expected another file than the input y.npy'],
    [['score', x], 'TARGETS is missing: x.npy holds one array'],
    [['score', single], 'TARGETS is missing: single.csv has one column'],
    [['score', single, single], 'TARGETS is missing: single.csv has one column'],
    [['score', 'x.txt', y], 'LOGITS expected a .npy, .csv or .parquet file, got x.txt'],
    [['score', x, 'y'], 'TARGETS expected a .npy, .csv or .parquet file, got y'],
    [
      ['score', x, y, '--logits-column', 'a'],
      '--logits-column expected a .csv or .parquet file, got x.npy, which has no columns',
    ],
    [
      ['score', csv, y, '--targets-column', 'a'],
      '--targets-column expected a .csv or .parquet file, got y.npy, which has no columns',
    ],
    [
      ['score', csv, '--targets-column', 'logit'],
      `--targets-column expected another column than that of the logits; pair.csv has ${listed}`,
    ],
  ];
  for (const [argv, expected] of cases) {
    const { code, out, err } = await cli(...argv);
    expect([code, out], argv.join(' ')).toEqual([2, '']);
    expect(err.startsWith('focal-loss: ') && err.indexOf('\n') === err.length - 1, err).toBe(true);
    const message = files.plain(err.slice('focal-loss: '.length, -1));
    if (typeof expected === 'string') expect(message).toBe(expected);
    else expect(message).toMatch(expected);
  }
});

test('an output that is the input through a linked folder', async () => {
  symlinkSync(files.path('.'), files.path('link'));
  const { code, err } = await cli('score', x, y, '--out', files.path('link/y.npy'));
  expect([code, files.plain(err)]).toEqual([2, 'focal-loss: --out expected another file than the input y.npy\n']);
});

test('faults in a file exit 1, whatever the file', async () => {
  const cases: [string[], string][] = [
    [['score', files.path('none.npy'), y], 'none.npy: no such file or directory'],
    [['score', x, files.path('none.csv')], 'none.csv: no such file or directory'],
    [['calibrate', files.path('none.parquet')], 'none.parquet: no such file or directory'],
    [['score', x, y, '--out', files.path('none/l.npy')], 'none/l.npy: no such file or directory'],
    [
      ['score', csv, '--logits-column', 'z'],
      'pair.csv: expected a column "z" (--logits-column), got the columns "logit", "target"',
    ],
    [
      ['score', files.write('big.npy', npy('>f8', [1], new Float64Array(1))), y],
      'big.npy: expected little-endian data, got dtype ">f8"; save array.astype("<f8")',
    ],
  ];
  for (const [argv, message] of cases) {
    const { code, out, err } = await cli(...argv);
    expect([code, out, files.plain(err)]).toEqual([1, '', `focal-loss: ${message}\n`]);
  }
});

test('help teaches by example, and tells every option', async () => {
  const [main, score, calibrate] = [await cli('--help'), await cli('score', '--help'), await cli('calibrate', '-h')];
  for (const { code, err } of [main, score, calibrate]) expect([code, err]).toEqual([0, '']);
  expect(main.out).toContain('focal-loss score logits.npy targets.npy --gamma 2 --alpha 0.75\n');
  for (const option of [
    ...['--gamma', '--alpha', '--pos-weight', '--reduction', '--top', '--logits-column', '--targets-column', '--out'],
    '--json',
  ]) {
    expect(score.out).toMatch(new RegExp(`^ {2}${option}\\b`, 'm'));
  }
  for (const option of ['--gamma', '--alpha', '--pos-weight', '--logits-column', '--out', '--json']) {
    expect(calibrate.out).toMatch(new RegExp(`^ {2}${option}\\b`, 'm'));
  }
  expect(score.out).toContain('(default: 1.5)');
  expect(calibrate.out).toContain('focal-loss calibrate logits.npy --gamma 2 --alpha 0.25\n');
});

test('--version', async () => {
  expect(await cli('--version')).toEqual({ code: 0, out: 'dev\n', err: '' });
});

test('work that is stopped midway leaves no file', async () => {
  const controller = new AbortController();
  // The first logit is NaN: its warning comes when the first of several blocks is done.
  const length = 600_000;
  const argv = [
    'score',
    files.write('long-x.npy', npy('<f4', [length], new Float32Array(length).fill(NaN, 0, 1))),
    files.write('long-y.npy', npy('|u1', [length], new Uint8Array(length))),
    '--out',
    files.path('stopped.npy'),
  ];
  const [stdout, stderr] = [new Sink(), new Sink()];
  stderr.on('text', () => controller.abort());
  expect(await run(argv, { stdout, stderr, signal: controller.signal })).toBe(130);
  expect(stdout.text).toBe('');
  expect(stderr.text).toContain('row 0: the logit is NaN');
  expect(files.names().filter((name) => name.startsWith('stopped'))).toEqual([]);
});
