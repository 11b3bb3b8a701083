import { symlinkSync } from 'node:fs';
import * as library from 'focal-loss-wasm';
import { expect, test } from 'vitest';
import { OPTION_HELP } from '../src/option-help.js';
import { run } from '../src/run.js';
import { cli, float32, folder, npy, Sink, uint8 } from './support.js';

const files = folder();
const x = files.write('x.npy', float32(1, 2));
const y = files.write('y.npy', uint8(0, 1));
const single = files.write('single.csv', 'logit\n1\n');
const csv = files.write('pair.csv', 'logit,target\n1,0\n');

test('faults in the command exit 2, with one line that names the option', async () => {
  const listed = 'the columns "logit", "target"';
  const invalid = (option: string, value: string, rule: string) =>
    `option '${option}' argument '${value}' is invalid. ${rule}`;
  const cases: [string[], string | RegExp][] = [
    [[], 'expected a command: score, calibrate, report or merge; see focal-loss --help'],
    [['evaluate'], "unknown command 'evaluate'"],
    [['scor', x, y], "unknown command 'scor' (Did you mean score?)"],
    [['score'], 'SOURCE is missing: a file, a pattern, a folder, a URL, or -'],
    [['merge'], "missing required argument 'STATE'"],
    [['report', x, y], "required option '--out <file>' not specified"],
    [['score', x, y, '--gama', '2'], "unknown option '--gama' (Did you mean --gamma?)"],
    [['score', x, y, '--gamma'], "option '--gamma <numbers>' argument missing"],
    [['score', x, y, '--gamma', 'two'], invalid('--gamma <numbers>', 'two', 'Expected a number.')],
    [['score', x, y, '--gamma', '1,,2'], invalid('--gamma <numbers>', '1,,2', 'Expected values between commas.')],
    [['score', x, y, '--gamma', '-1'], /^--gamma expected .*, got -1/],
    [['score', x, y, '--gamma', 'inf'], /^--gamma expected .*, got Infinity/],
    [['score', x, y, '--gamma', 'nan'], /^--gamma expected .*, got NaN/],
    [['score', x, y, '--alpha', '1.5'], /^--alpha expected .*, got 1\.5/],
    [['score', x, y, '--alpha', '-1'], /^--alpha expected .*, got -1; .*none/],
    [['score', x, y, '--alpha', 'off'], invalid('--alpha <number|none>', 'off', 'Expected a number.')],
    [['score', x, y, '--pos-weight', '-2'], /^--pos-weight expected .*, got -2/],
    [['score', x, y, '--beta', '2'], /^--beta expected another --loss than focal, which has --gamma, --alpha/],
    [
      ['score', x, y, '--loss', 'quality', '--gamma', '2'],
      '--gamma expected another --loss than quality, which has --beta',
    ],
    [
      ['score', x, y, '--loss', 'hinge'],
      /^option '--loss <loss>' argument 'hinge' is invalid. Allowed choices are focal, bce/,
    ],
    [['calibrate', x, '--gamma', '-1'], /^--gamma expected .*, got -1/],
    [['calibrate', x, '--reduction', 'sum'], "unknown option '--reduction'"],
    [
      ['score', x, y, '--reduction', 'avg'],
      invalid('--reduction <how>', 'avg', 'Allowed choices are mean, sum, none.'),
    ],
    [['score', x, y, '--fail-above', 'nan'], invalid('--fail-above <loss>', 'nan', 'Expected a number.')],
    [['score', x, y, '--top', '0'], invalid('--top <k>', '0', 'Expected a whole number of at least 1.')],
    [['score', x, y, '--top', '1.5'], invalid('--top <k>', '1.5', 'Expected a whole number of at least 1.')],
    [
      ['score', x, y, '--shard', '4/3'],
      invalid('--shard <i/n>', '4/3', 'Expected a shard such as 3/16, counted from 1.'),
    ],
    [['score', x, y, '--thresholds', '2'], invalid('--thresholds <numbers>', '2', 'Expected probabilities in [0, 1].')],
    [['score', x, y, '--cost-miss', '2'], '--cost-alarm is needed: a threshold is cheap by both costs'],
    [
      ['score', x, y, '--out', 'losses.txt'],
      invalid('--out <file>', 'losses.txt', 'Expected a name that ends with .npy, .csv or .parquet, or -.'),
    ],
    [['score', x, y, '--out', x, '--force'], '--out expected another file than the input x.npy'],
    [['score', x, y, '--out', files.path('./y.npy'), '--force'], '--out expected another file than the input y.npy'],
    [['score', x], 'TARGETS is missing: x.npy holds one array'],
    [['score', x, x, y], /^SOURCE expected one array of logits and one of targets, got 3 \.npy files/],
    [['score', single], '--targets is needed: single.csv has the columns "logit"'],
    [['score', '-'], '--format is needed for standard input: npy, npz, csv, json or parquet'],
    [['score', csv, '--logits', 'a', '--probabilities', 'b'], /^--probabilities expected no --logits beside it/],
    [['score', csv, '--sql', 'SELECT 1'], '--sql expected no SOURCE beside it; name files in the query'],
    [['score', csv, '--join', csv], '--on is needed: --join FILE --on ID go together'],
    [['score', csv, '--memory', 'much'], '--memory expected a size such as 512MB, got much'],
    [['score', x, y, '--logits', 'a'], '--logits expected a file with columns, got x.npy, which holds one array'],
    [['score', csv, y, '--targets', 'a'], '--targets expected a file with columns, got y.npy, which holds one array'],
    [
      ['score', files.path('[xy].npy')],
      'SOURCE expected a name for each array, got [xy].npy, which stands for 2 .npy files; name the logits, then the targets',
    ],
    [
      ['score', csv, '--positive-label', '1', '--classes', '0,1'],
      '--positive-label expected no --classes beside it; either says what labels mean',
    ],
    [['score', csv, '--positive-label', '1', '--loss', 'onehot'], /^--positive-label expected a loss of positives and/],
    ...[
      ['--thresholds', '0.5'],
      ['--cost-miss', '1', '--cost-alarm', '2'],
      ['--trained-with', '2,0.25'],
    ].map((flags): [string[], string] => [
      ['score', csv, '--loss', 'softmax', ...flags],
      `${flags[0]} expected a loss of positives and negatives, got --loss softmax`,
    ]),
    [
      ['score', x, y, '--out', files.path('same.csv'), '--state', files.path('./same.csv')],
      '--state expected another file than same.csv, which is written as well',
    ],
    [['calibrate', csv, '--by', 'target'], "unknown option '--by'"],
    [['calibrate', csv, '--logits', 'logit', '--logits', 'target'], /^--logits expected one column; calibrate/],
    [
      ['score', single, '--join', csv, '--on', 'logit', '--out', csv, '--force'],
      '--out expected another file than the input pair.csv',
    ],
    [['score', x, y, '--by', 'a'], '--by expected a file with columns, such as .csv or .parquet, got arrays'],
    [
      ['score', csv, '--targets', 'logit'],
      `--targets expected another column than that of the scores, "logit"; pair.csv has ${listed}`,
    ],
    [
      ['score', csv, '--logits', 'z'],
      `--logits expected a column or a SQL expression of pair.csv, got "z"; it has ${listed}`,
    ],
    [
      ['score', csv, '--logits', '1.5'],
      `--logits expected a column of pair.csv, got 1.5; it has ${listed}, counted from 0`,
    ],
    [['score', csv, '--id', '*t', '--top', '1'], '--id expected one column for "*t", got 2'],
    [
      ['score', csv, '--where', 'z > 1'],
      `--where expected a column or a SQL expression of pair.csv, got "z > 1"; it has ${listed}`,
    ],
    [['score', csv, '--by', 'z'], `--by expected a column or a SQL expression of pair.csv, got "z"; it has ${listed}`],
    [
      ['score', files.write('data.unknown', 'logit\n1\n')],
      /^SOURCE expected a \.npy, .* file .*, got data.unknown; --format says/,
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
  const { code, err } = await cli('score', x, y, '--force', '--out', files.path('link/y.npy'));
  expect([code, files.plain(err)]).toEqual([2, 'focal-loss: --out expected another file than the input y.npy\n']);
});

test('faults in a file exit 1, whatever the file', async () => {
  const cases: [string[], string][] = [
    [['score', files.path('none.npy'), y], 'none.npy: no such file or directory'],
    [['score', x, files.path('none.csv')], 'none.csv: no such file or directory'],
    [['calibrate', files.path('none.parquet')], 'none.parquet: no such file or directory'],
    [['score', x, y, '--out', files.path('none/l.npy')], 'none/l.npy: no such file or directory'],
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
  const commands = ['score', 'calibrate', 'report', 'merge'];
  const helps = await Promise.all([['--help'], ...commands.map((name) => [name, '-h'])].map((argv) => cli(...argv)));
  for (const { code, err } of helps) expect([code, err]).toEqual([0, '']);
  const [main, score, calibrate] = helps.map(({ out }) => out);
  expect(main).toContain('focal-loss score logits.npy targets.npy --gamma 2 --alpha 0.75\n');
  expect(main).toMatch(/alpha_t \(1 - p_t\)\^gamma[\s\S]*gamma 1.5, alpha 0.25[\s\S]*gamma 2/);
  for (const option of [
    ...[
      '--logits',
      '--probabilities',
      '--targets',
      '--weight',
      '--id',
      '--loss',
      '--gamma',
      '--by',
      '--where',
      '--join',
    ],
    ...[
      '--ignore-index',
      '--null',
      '--nan',
      '--thresholds',
      '--cost-miss',
      '--trained-with',
      '--top',
      '--out',
      '--json',
    ],
    ...[
      '--fail-above',
      '--shard',
      '--state',
      '--format',
      '--delimiter',
      '--header',
      '--no-header',
      '--memory',
      '--sql',
    ],
  ]) {
    expect(score).toMatch(new RegExp(`^ {2}${option}\\b`, 'm'));
  }
  for (const option of ['--gamma', '--alpha', '--pos-weight', '--logits', '--out', '--json']) {
    expect(calibrate).toMatch(new RegExp(`^ {2}${option}\\b`, 'm'));
  }
  expect(calibrate).toContain('focal-loss calibrate logits.npy --gamma 2 --alpha 0.25');
});

test('every option of every loss has a flag, whose help tells what it does and each default', async () => {
  const { out } = await cli('score', '--help');
  const help = out.replaceAll(/\s+/g, ' ');
  for (const [key, { text }] of Object.entries(OPTION_HELP)) {
    const flag = key.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    expect(help).toMatch(new RegExp(` --${flag} <[a-z|]+> `));
    expect(help).toContain(text);
  }
  expect(help).toContain('(default: 0.25; heatmap 2, softmax none, varifocal 0.75)');
  expect(help).toContain('(asymmetric 0.05)');
  const losses = Object.keys(library).filter((name) => /^[A-Z]\w+Loss$/.test(name));
  expect(help.match(/which loss \(choices: ([^)]*?), default/)?.[1].split(', ')).toHaveLength(losses.length);
});

test('the help of a command, and the version, by each of their names', async () => {
  expect(await cli('help', 'score')).toEqual(await cli('score', '--help'));
  expect((await cli('help')).out).toBe((await cli('--help')).out);
  for (const name of ['--version', '-V', '-v'])
    expect(await cli(name), name).toEqual({ code: 0, out: 'dev\n', err: '' });
});

test('work that is stopped midway leaves no file', async () => {
  const controller = new AbortController();
  // The first logit is infinite: its warning comes when the first of several blocks is done.
  const length = 600_000;
  const argv = [
    'score',
    files.write('long-x.npy', npy('<f4', [length], new Float32Array(length).fill(Infinity, 0, 1))),
    files.write('long-y.npy', npy('|u1', [length], new Uint8Array(length))),
    '--out',
    files.path('stopped.npy'),
  ];
  const [stdout, stderr] = [new Sink(), new Sink()];
  stderr.on('text', () => controller.abort());
  expect(await run(argv, { stdout, stderr, signal: controller.signal })).toBe(130);
  expect(stdout.text).toBe('');
  expect(stderr.text).toContain('row 0: the score is Infinity');
  expect(files.names().filter((name) => name.startsWith('stopped'))).toEqual([]);
});
