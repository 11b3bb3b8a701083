import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { focalLoss } from '../../test/oracle.js';
import { hardTargets, someLogits } from '../../test/support.js';
import { cli, float32, folder, npy, parquet, uint8, zip } from './support.js';

const files = folder();
const logits = [2.5, -1.25, 0.5, -3, 4];
const targets = [1, 0, 0, 1, 0];
const logitsFile = files.write('logits.npy', float32(...logits));
const targetsFile = files.write('targets.npy', uint8(...targets));

type Options = Parameters<typeof focalLoss>[2];
const truth = (options: Options, x = logits, y = targets) => x.map((z, i) => focalLoss(z, y[i], options).toNumber());
const sum = (values: number[]) => values.reduce((a, b) => a + b, 0);

async function json(...argv: string[]) {
  const { code, out, err } = await cli('score', ...argv, '--json');
  expect({ code, err }).toEqual({ code: 0, err: '' });
  expect(out.endsWith('}\n') && !out.slice(0, -1).includes('\n')).toBe(true);
  return JSON.parse(out);
}

/** Hard targets and soft ones are computed in different ways, which round differently. */
function near(value: unknown): unknown {
  if (typeof value === 'number') return expect.closeTo(value, 6);
  if (Array.isArray(value)) return value.map(near);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, near(item)]));
}

test('the JSON object: its keys, in their order, and its values', async () => {
  const result = await json(logitsFile, targetsFile);
  expect(Object.keys(result)).toEqual([
    ...['loss', 'reduction', 'count', 'positives', 'negatives', 'mean', 'sum', 'sumPositives', 'sumNegatives'],
    ...['metrics', 'command', 'options', 'sources', 'versions', 'rows', 'skipped'],
  ]);
  expect(result).toMatchObject({
    command: 'score',
    options: { loss: 'focal', gamma: 1.5, alpha: 0.25 },
    sources: [logitsFile, targetsFile],
    rows: 5,
    skipped: { null: 0, nan: 0, unmatched: 0 },
  });
  const losses = truth({ gamma: 1.5, alpha: 0.25 });
  expect(result).toMatchObject({ reduction: 'mean', count: 5, positives: 2, negatives: 3 });
  expect(result.loss).toBe(result.mean);
  expect(result.mean).toBeCloseTo(sum(losses) / 5, 6);
  expect(result.sum).toBeCloseTo(sum(losses), 6);
  expect(result.sumPositives).toBeCloseTo(losses[0] + losses[3], 6);
  expect(result.sumNegatives).toBeCloseTo(losses[1] + losses[2] + losses[4], 6);
});

test('gamma, alpha, pos-weight and reduction', async () => {
  const cases: [string[], Options][] = [
    [['--gamma', '2', '--alpha', '0.75'], { gamma: 2, alpha: 0.75 }],
    [['--gamma', '0', '--alpha', 'none'], { gamma: 0, alpha: null }],
    [['--alpha', '1', '--pos-weight', '3'], { gamma: 1.5, alpha: 1, posWeight: 3 }],
  ];
  for (const [argv, options] of cases) {
    const total = sum(truth(options));
    const results = [];
    for (const reduction of ['mean', 'sum', 'none']) {
      results.push(await json(logitsFile, targetsFile, ...argv, '--reduction', reduction));
    }
    expect(results.map(({ reduction }) => reduction)).toEqual(['mean', 'sum', 'none']);
    expect(results[0].loss).toBeCloseTo(total / 5, 6);
    expect(results[1].loss).toBeCloseTo(total, 6);
    expect(results[2].loss).toBe(null);
    for (const result of results) expect(result.sum).toBeCloseTo(total, 6);
  }
});

test('every format, alone and mixed, gives the same', async () => {
  const reference = await json(logitsFile, targetsFile, '--top', '2');
  const rows = logits.map((logit, i) => [logit, targets[i]]);
  const csv = files.write('both.csv', `target,logit\n${rows.map(([x, y]) => `${y},${x}`).join('\n')}\n`);
  const bare = files.write('bare.csv', rows.map(([x, y]) => `${y},${x}`).join('\n'));
  const apart = ['logit', 'target'].map((name, i) =>
    files.write(`${name}.csv`, `${name}\n${rows.map((row) => row[i]).join('\n')}\n`),
  );
  const lines = rows.map(([logit, target]) => JSON.stringify({ logit, target })).join('\n');
  const columns = parquet([
    { name: 'targets', data: targets, type: 'INT32' },
    { name: 'logits', data: Float32Array.from(logits), type: 'FLOAT' },
  ]);
  const binary = files.write('both.parquet', columns);
  const float64 = files.write('logits64.npy', npy('<f8', [5, 1], Float64Array.from(logits)));
  const arrays = { 'logits.npy': float32(...logits), 'targets.npy': uint8(...targets) };
  for (const argv of [
    [csv],
    apart,
    [binary],
    [bare, '--logits', '1', '--targets', '0'],
    [csv, targetsFile],
    [float64, targetsFile],
    [files.write('both.jsonl', `${lines}\n`)],
    [files.write('both.csv.gz', gzipSync(`target,logit\n${rows.map(([x, y]) => `${y},${x}`).join('\n')}\n`))],
    [files.write('stored.npz', zip(arrays))],
    [files.write('deflated.npz', zip(arrays, true))],
    ['--sql', `SELECT * FROM '${binary}'`],
  ]) {
    const found = await json(...argv, '--top', '2');
    expect({ ...found, sources: 0 }, argv.join(' ')).toEqual(near({ ...reference, sources: 0 }));
  }
});

test('soft targets', async () => {
  const soft = [0.9, 0.1, 0.5, 0.75, 0];
  const file = files.write('soft.npy', npy('<f8', [5], Float64Array.from(soft)));
  const result = await json(logitsFile, file, '--gamma', '2');
  expect(result.sum).toBeCloseTo(
    sum(
      truth(
        { gamma: 2, alpha: 0.25 },
        logits,
        soft.map((y) => Math.fround(y)),
      ),
    ),
    6,
  );
  expect(result.positives).toBe(2);
});

test('the hardest elements, hardest first, ties by index, over many blocks', async () => {
  const length = 300_000;
  const [x, y] = [someLogits(length), hardTargets(length)];
  const highest = [7, 123_456, 262_144, 299_999];
  for (const i of highest) [x[i], y[i]] = [20, 0];
  [x[250_000], y[250_000]] = [30, 0];
  const argv = [files.write('x.npy', npy('<f4', [length], x)), files.write('y.npy', npy('|u1', [length], y))];
  const { hardest, ...totals } = await json(...argv, '--gamma', '2', '--alpha', 'none', '--top', '4');
  expect(hardest.map(({ index }: { index: number }) => index)).toEqual([250_000, 7, 123_456, 262_144]);
  const loss = focalLoss(20, 0, { gamma: 2, alpha: null }).toNumber();
  expect(hardest[1]).toEqual({ index: 7, score: 20, target: 0, loss: expect.closeTo(loss, 5) });
  expect(await json(...argv, '--gamma', '2', '--alpha', 'none')).toEqual(totals);
  const all = await json(logitsFile, targetsFile, '--top', '100');
  expect(all.hardest.map(({ index }: { index: number }) => index)).toEqual([4, 3, 2, 1, 0]);
});

test('--out writes the losses that --json sums up', async () => {
  const losses = truth({ gamma: 1.5, alpha: 0.25 });
  for (const name of ['losses.npy', 'losses.csv']) {
    const result = await json(logitsFile, targetsFile, '--out', files.path(name));
    const bytes = files.read(name);
    const values =
      name === 'losses.csv'
        ? bytes
            .toString()
            .trim()
            .split('\n')
            .slice(1)
            .map((line) => Number(line.split(',')[4]))
        : [...new Float32Array(bytes.buffer.slice(bytes.byteOffset + 128, bytes.byteOffset + bytes.length))];
    expect(values.length).toBe(5);
    for (const [i, value] of values.entries()) expect(value).toBeCloseTo(losses[i], 6);
    expect(result.sum).toBeCloseTo(sum(values), 6);
  }
  const csv = files.write('pair.csv', 'logit,target\n1,1\n2,0\n');
  await json(csv, '--out', files.path('from-csv.npy'));
  expect(files.read('from-csv.npy').toString('latin1')).toContain("'shape': (2,), }");
  expect(files.names().filter((name) => name.endsWith('.tmp'))).toEqual([]);
});

test('the report', async () => {
  const { code, out } = await cli('score', logitsFile, targetsFile, '--gamma', '2', '--alpha', 'none', '--top', '2');
  const losses = truth({ gamma: 2, alpha: null });
  const [positive, negative] = [losses[0] + losses[3], losses[1] + losses[2] + losses[4]];
  const digits = (value: number) => String(Number(value.toPrecision(6)));
  const share = (value: number) => `${((100 * value) / (positive + negative)).toFixed(2)} %`;
  const lines = out.split('\n').map((line) => line.trim().split(/ {2,}/));
  expect(code).toBe(0);
  expect(lines).toEqual([
    [`loss ${digits(sum(losses) / 5)} (mean)`],
    ['of 5 elements, gamma 2, alpha none'],
    [''],
    ['class', 'count', 'share', 'mean loss', 'share of loss'],
    ['positive', '2', '40.00 %', digits(positive / 2), share(positive)],
    ['negative', '3', '60.00 %', digits(negative / 3), share(negative)],
    [''],
    ['log loss', expect.any(String)],
    ['Brier score', expect.any(String)],
    ['ECE', expect.any(String)],
    ['ROC AUC', '0.333333'],
    ['average precision', expect.any(String)],
    [''],
    ['hardest'],
    ['index', 'score', 'target', 'loss'],
    ['4', '4', '0', digits(losses[4])],
    ['3', '-3', '1', digits(losses[3])],
    [''],
  ]);
});

test('a class that is missing, and no single loss', async () => {
  const [x, y] = [files.write('one.npy', float32(1)), files.write('zero.npy', uint8(0))];
  const { out } = await cli('score', x, y, '--reduction', 'none');
  const loss = String(Number(focalLoss(1, 0, { gamma: 1.5, alpha: 0.25 }).toNumber().toPrecision(6)));
  expect(out).toContain(`mean ${loss}, sum ${loss}\nof 1 element, gamma 1.5, alpha 0.25\n`);
  expect(out).toMatch(/^positive +0 +0\.00 % +- +0\.00 %$/m);
});

test('a NaN is an error with its place, unless it is to be skipped or kept', async () => {
  const x = files.write('nan.csv', 'logit,target\n1,0\nnan,1\nnan,0\n');
  const refused = await cli('score', x, '--json');
  expect([refused.code, refused.out, files.plain(refused.err)]).toEqual([
    1,
    '',
    'focal-loss: nan.csv, row 1: the score is NaN; --nan skip leaves such rows out, --nan keep makes the loss NaN\n',
  ]);
  const kept = await cli('score', x, '--json', '--nan', 'keep');
  expect([kept.code, files.plain(kept.err)]).toEqual([
    0,
    'focal-loss: warning: nan.csv, row 1: the score is NaN, and the loss NaN\n',
  ]);
  expect(JSON.parse(kept.out)).toMatchObject({ loss: 'NaN', mean: 'NaN', sum: 'NaN', count: 3 });
  const text = await cli('score', x, '--nan', 'keep');
  expect(text.out).toMatch(/^loss NaN \(mean\)$/m);
  const skipped = await cli('score', x, '--nan', 'skip');
  expect(skipped.out).toMatch(/^of 1 element,[\s\S]*^left out: 2 with NaN$/m);
});

test('an infinite loss is told, and JSON names it', async () => {
  const x = files.write('infinite.csv', 'logit,target\n1,0\ninf,0\n');
  const { code, out, err } = await cli('score', x, '--json');
  expect([code, files.plain(err)]).toEqual([
    0,
    'focal-loss: warning: infinite.csv, row 1: the score is Infinity, and the loss Infinity\n',
  ]);
  expect(JSON.parse(out).loss).toBe('Infinity');
});

test('the place of a NaN is right in any block', async () => {
  const length = 600_000;
  const data = new Float32Array(length);
  data[280_001] = data[590_000] = NaN;
  const x = files.write('late-x.npy', npy('<f4', [length], data));
  const y = files.write('late-y.npy', npy('|u1', [length], new Uint8Array(length)));
  const { err } = await cli('score', x, y);
  expect(files.plain(err)).toContain('late-x.npy, row 280001: the score is NaN');
});

test('bad targets name the file and the row', async () => {
  const length = 300_000;
  const x = files.write('many-logits.npy', npy('<f4', [length], someLogits(length)));
  const y = new Uint8Array(length);
  y[280_001] = 255;
  y[280_002] = 2;
  const at = (name: string, bytes: Uint8Array | string) => files.write(name, bytes);
  const soft = Float32Array.from(targets);
  const got = (value: number) => `expected a target of 0 or 1, or a probability between them, got ${value}`;
  const cases: [string[], string][] = [
    [[x, at('label.npy', npy('|u1', [length], y))], `label.npy, row 280001: ${got(255)}`],
    [[logitsFile, at('two.npy', uint8(1, 0, 2, 0, 0))], `two.npy, row 2: ${got(2)}`],
    [
      [logitsFile, at('minus.npy', npy('<i8', [5], BigInt64Array.of(0n, -1n, 1n, 1n, 1n)))],
      `minus.npy, row 1: ${got(-1)}`,
    ],
    [
      [
        logitsFile,
        at(
          'nan.npy',
          npy(
            '<f4',
            [5],
            soft.map((t, i) => (i === 4 ? NaN : t)),
          ),
        ),
      ],
      `nan.npy, row 4: ${got(NaN)}`,
    ],
    [[logitsFile, at('soft.csv', 'target\n0\n1\n0.5\n1.5\n0\n')], `soft.csv, row 3: ${got(1.5)}`],
    [[at('pair2.csv', 'a,logit,target\n"x\ny",1,1\nz,1,7\n')], `pair2.csv, row 1: ${got(7)}`],
    [
      [
        at('2d-x.npy', npy('<f4', [2, 3], new Float32Array(6))),
        at('2d.npy', npy('|i1', [2, 3], Int8Array.of(0, 0, 0, 0, 0, 3))),
      ],
      `2d.npy, row 1, column 2: ${got(3)}`,
    ],
  ];
  for (const extra of [[], ['--top', '1'], ['--out', files.path('never.npy')]]) {
    for (const [argv, message] of cases) {
      const { code, out, err } = await cli('score', ...argv, ...extra);
      expect({ code, out, err: files.plain(err) }).toEqual({ code: 1, out: '', err: `focal-loss: ${message}\n` });
    }
  }
  expect(files.names().filter((name) => name === 'never.npy' || name.endsWith('.tmp'))).toEqual([]);
});

test('files that do not match', async () => {
  const three = files.write('three.npy', uint8(1, 0, 1));
  const csv = files.write('three.csv', 'target\n1\n0\n1\n');
  const long = files.write('long.csv', 'target\n1\n0\n1\n1\n1\n1\n');
  for (const [file, message] of [
    [three, 'three.npy: expected 5 elements, as in logits.npy, got 3 elements'],
    [csv, 'three.csv: ends after 3 elements, but logits.npy goes on (from row 3)'],
    [long, 'logits.npy: ends after 5 elements, but long.csv goes on (from row 5)'],
  ]) {
    const { code, err } = await cli('score', logitsFile, file);
    expect([code, files.plain(err)]).toEqual([1, `focal-loss: ${message}\n`]);
  }
});
