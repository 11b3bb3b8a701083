import * as library from 'focal-loss-wasm';
import { FocalLoss } from 'focal-loss-wasm';
import { expect, test } from 'vitest';
import { focalLoss, posterior } from '../../test/oracle.js';
import { hardTargets, someLogits } from '../../test/support.js';
import { cli, float32, folder, npy, parquet, readArray, uint8, zip } from './support.js';

const files = folder();

async function json(...argv: string[]) {
  const { code, out, err } = await cli('score', ...argv, '--json');
  expect({ code, err }, argv.join(' ')).toEqual({ code: 0, err: '' });
  return JSON.parse(out);
}

async function complaint(...argv: string[]): Promise<string> {
  const { code, err } = await cli('score', ...argv);
  expect(code).toBeGreaterThan(0);
  return files.plain(err.replace(/^focal-loss: /, '').trimEnd());
}

const sum = (values: number[]) => values.reduce((a, b) => a + b, 0);
const logits = [2.5, -1.25, 0.5, -3, 4, -0.5];
const other = [1.5, -2.25, -0.5, 1, 2, -1];
const targets = [1, 0, 0, 1, 0, 0];
const kind = ['cat', 'dog', 'cat', 'dog', 'cat', 'cow'];
const weights = [1, 2, 0.5, 1, 3, 1];
const table = files.write(
  'table.csv',
  `id,old,new,label,kind,w\n${logits.map((x, i) => `n${i},${x},${other[i]},${targets[i]},${kind[i]},${weights[i]}`).join('\n')}\n`,
);
const BASE = [table, '--logits', 'old'];
const truth = (x = logits, options: Parameters<typeof focalLoss>[2] = { gamma: 1.5, alpha: 0.25 }) =>
  x.map((z, i) => focalLoss(z, targets[i], options).toNumber());

test('a limit is for every model, a .npy for one, and rows of elements for one gamma', async () => {
  const both = [table, '--logits', 'old', '--logits', 'new', '--json'];
  const { models } = await json(...both);
  const [old, second] = models.map(({ mean }: { mean: number }) => mean);
  const limit = (old + second) / 2;
  const { code, err } = await cli('score', ...both, '--fail-above', String(limit));
  const [worse, name] = old > second ? [old, 'old'] : [second, 'new'];
  expect([code, err]).toEqual([3, `focal-loss: the loss of ${name}, ${worse}, is above --fail-above ${limit}\n`]);
  const swapped = [table, '--logits', 'new', '--logits', 'old', '--fail-above', String(limit)];
  expect((await cli('score', ...swapped)).code).toBe(3);
  expect(await complaint(...both, '--out', files.path('both.npy'))).toBe(
    '--out expected a .csv or .parquet file for several models; a .npy has room for one',
  );
  const several = await cli('score', ...BASE, '--gamma', '2,5', '--top', '1');
  expect([several.code, several.err]).toEqual([0, 'focal-loss: warning: --top and --out are of gamma 2, the first\n']);
});

test('several models, side by side', async () => {
  const { models } = await json(table, '--logits', 'old', '--logits', 'new', '--top', '1');
  expect(models.map(({ model }: { model: string }) => model)).toEqual(['old', 'new']);
  expect(models[0].sum).toBeCloseTo(sum(truth()), 6);
  expect(models[1].sum).toBeCloseTo(sum(truth(other)), 6);
  expect(models[1].hardest).toEqual([
    { index: 4, id: 'n4', score: 2, target: 0, loss: expect.closeTo(truth(other)[4], 6) },
  ]);
  const { out } = await cli('score', table, '--logits', 'old', '--logits', 'new');
  expect(out).toMatch(/^model +mean loss +to the best\nold +[\d.]+ +\+[\d.]+ %\nnew +[\d.]+ +\+0\.00 %$/m);
  await cli('score', table, '--logits', 'old', '--logits', 'new', '--out', files.path('both.csv'));
  expect(files.read('both.csv').toString().split('\n')[0]).toBe(
    'index,id,score_old,probability_old,score_new,probability_new,target,loss_old,loss_new',
  );
});

test('several gammas in one pass', async () => {
  const { loss, gammas } = await json(...BASE, '--gamma', '0,1,2.5');
  expect(gammas.map(({ gamma }: { gamma: number }) => gamma)).toEqual([0, 1, 2.5]);
  for (const each of gammas) expect(each.sum).toBeCloseTo(sum(truth(logits, { gamma: each.gamma, alpha: 0.25 })), 6);
  expect(loss).toBe(gammas[0].mean);
});

test('slices by columns and by expressions, those that carry most of the loss first', async () => {
  const { slices } = await json(...BASE, '--by', 'kind');
  const losses = truth();
  const expected = ['cat', 'dog', 'cow'].map((slice) => ({
    slice,
    count: kind.filter((each) => each === slice).length,
    sum: expect.closeTo(sum(losses.filter((_, i) => kind[i] === slice)), 6),
  }));
  expect(slices).toHaveLength(3);
  for (const each of expected) expect(slices).toContainEqual(expect.objectContaining(each));
  expect(slices.map(({ sum: each }: { sum: number }) => each)).toEqual(
    slices.map(({ sum: each }: { sum: number }) => each).sort((a: number, b: number) => b - a),
  );
  const two = await json(...BASE, '--by', 'kind, old > 0');
  expect(two.slices.map(({ slice }: { slice: string }) => slice).sort()).toEqual([
    'cat, true',
    'cow, false',
    'dog, false',
  ]);
  expect((await cli('score', ...BASE, '--by', 'kind')).out).toMatch(
    /^slice +count +positive +mean loss +share of loss$/m,
  );
});

test('a filter, expressions for columns, and a query in place of files', async () => {
  const part = await json(...BASE, '--where', "kind = 'cat'");
  expect(part.sum).toBeCloseTo(sum(truth().filter((_, i) => kind[i] === 'cat')), 6);
  const half = await json(table, '--logits', 'old / 2', '--targets', '1 - label');
  expect(half.sum).toBeCloseTo(
    sum(logits.map((x, i) => focalLoss(x / 2, 1 - targets[i], { gamma: 1.5, alpha: 0.25 }).toNumber())),
    6,
  );
  const query = await json('--sql', `SELECT old AS logit, label FROM '${table}' WHERE kind = 'cat';`);
  expect(query.sum).toBe(part.sum);
});

test('weights, one for each row', async () => {
  const { sum: total, metrics } = await json(...BASE, '--weight', 'w');
  expect(total).toBeCloseTo(sum(truth().map((loss, i) => loss * weights[i])), 6);
  const plain = logits.map((x, i) => weights[i] * Math.log1p(Math.exp(targets[i] ? -x : x)));
  expect(metrics.logLoss).toBeCloseTo(sum(plain) / sum(weights), 6);
});

test('labels as text: one of them positive, or each of them a class', async () => {
  const cats = await json(...BASE, '--targets', 'kind', '--positive-label', 'cat');
  expect([cats.positives, cats.negatives]).toEqual([3, 3]);
  const { code, err } = await cli('score', ...BASE, '--targets', 'kind', '--positive-label', 'Cat');
  expect([code, err]).toEqual([0, 'focal-loss: warning: no target is "Cat", the --positive-label\n']);
  expect(await complaint(...BASE, '--targets', 'kind')).toBe(
    'table.csv, line 2: expected a number in column "kind", got "cat"',
  );
  const rows = files.write('rows.csv', 'z_cat,z_dog,z_cow,kind\n1,0,0,cat\n0,2,0,dog\n0,0,0,cow\n');
  const argv = [
    rows,
    '--logits',
    'z_*',
    '--targets',
    'kind',
    '--classes',
    'cow,cat,dog',
    '--loss',
    'softmax',
    '--gamma',
    '0',
  ];
  const { count, metrics } = await json(...argv);
  const logLoss = (own: number) => Math.log(Math.exp(own) + 2) - own;
  expect([count, metrics.logLoss]).toEqual([3, expect.closeTo((logLoss(1) + logLoss(2) + logLoss(0)) / 3, 6)]);
  expect(
    await complaint(rows, '--logits', 'z_*', '--targets', 'kind', '--classes', 'cat,dog,hen', '--loss', 'softmax'),
  ).toBe('rows.csv, row 2: expected one of the --classes, "cat", "dog", "hen", got another label');
});

test('rows of classes as lists, as patterns and as arrays', async () => {
  const rows = 40;
  const [x, labels] = [someLogits(rows * 3), Array.from({ length: rows }, (_, i) => (i * 7) % 3)];
  const list = files.write(
    'list.jsonl',
    labels.map((label, i) => JSON.stringify({ logits: Array.from(x.slice(3 * i, 3 * i + 3)), label })).join('\n'),
  );
  const columns = parquet([
    ...[2, 0, 1].map((j) => ({
      name: `logit_${j}`,
      data: Float32Array.from(labels, (_, i) => x[3 * i + j]),
      type: 'FLOAT' as const,
    })),
    { name: 'label', data: labels, type: 'INT32' as const },
  ]);
  const array = [
    files.write('r.npy', npy('<f4', [rows, 3], x)),
    files.write('l.npy', npy('<i4', [rows], Int32Array.from(labels))),
  ];
  for (const loss of ['softmax', 'onehot']) {
    const expected = await json(...array, '--loss', loss, '--gamma', '2', '--top', '2');
    for (const argv of [
      [list],
      [files.write('columns.parquet', columns), '--logits', 'logit_*'],
      ['--sql', `SELECT CAST(logits AS FLOAT[3]) AS logits, label FROM '${list}'`],
    ]) {
      const found = await json(...argv, '--loss', loss, '--gamma', '2', '--top', '2');
      expect({ ...found, sources: 0 }, `${loss} ${argv}`).toEqual({ ...expected, sources: 0 });
    }
    expect(expected.count).toBe(loss === 'softmax' ? rows : 3 * rows);
  }
  for (const [name, lists, problem] of [
    ['none', '[[1, 2, 3], []]', 'expected 3 numbers, as in the first row, got 0'],
    ['more', '[[1, 2], NULL, [1, 2, 3]]', 'expected 2 numbers, as in the first row, got 3'],
  ]) {
    const sql = `SELECT unnest(${lists}::FLOAT[][]) AS logits, 0 AS label`;
    const err = await complaint('--sql', sql, '--loss', 'softmax', '--null', 'skip');
    expect(err, name).toMatch(new RegExp(`row [12]: ${problem}`));
  }
  expect(await complaint(list)).toMatch(
    /^--logits expected numbers in "logits", got lists of them; for classes there is --loss softmax/,
  );
  expect(await complaint(files.path('columns.parquet'), '--logits', 'logit_*')).toMatch(
    /^--logits expected one column for "logit_\*", got 3; for classes/,
  );
});

test('missing values of several columns are left out wherever they are', async () => {
  // more than one of the words in which the engine marks them, and of its chunks
  const rows = 5000;
  const holes = (i: number) => i % 33 === 0 || (i > 2000 && i < 2100);
  const many = parquet([
    { name: 'logit', data: Array.from({ length: rows }, (_, i) => (holes(i) ? null : i / 1000)), type: 'FLOAT' },
    { name: 'label', data: Array.from({ length: rows }, (_, i) => (i % 50 === 7 ? null : i % 2)), type: 'INT32' },
  ]);
  const left = Array.from({ length: rows }, (_, i) => i).filter((i) => !holes(i) && i % 50 !== 7);
  const result = await json(files.write('holes.parquet', many), '--null', 'skip', '--top', '1');
  expect(result).toMatchObject({ count: left.length, skipped: { null: rows - left.length, nan: 0, unmatched: 0 } });
  expect(result.hardest[0].score).toBe(Math.fround(Math.max(...left.filter((i) => i % 2 === 0)) / 1000));
});

test('missing values are an error, or left out and counted', async () => {
  const gaps = files.write('gaps.csv', 'logit,label\n1,0\n,1\n2,\n3,1\n');
  expect(await complaint(gaps)).toBe('gaps.csv, row 1: a value is missing; --null skip leaves such rows out');
  const { count, rows, skipped } = await json(gaps, '--null', 'skip');
  expect([count, rows, skipped.null]).toEqual([2, 4, 2]);
  expect((await cli('score', gaps, '--null', 'skip')).out).toMatch(/^left out: 2 with a missing value$/m);
  const { hardest } = await json(gaps, '--null', 'skip', '--top', '2');
  expect(hardest.map(({ index }: { index: number }) => index).sort()).toEqual([0, 3]);
});

test('slices are told apart whatever their names are, short or long, alike or not', async () => {
  const names = Array.from(
    { length: 600 },
    (_, i) => `${'é'.repeat(i % 4)}${'x'.repeat(i % 17)}${i % 3 === 0 ? '' : i}`,
  );
  const rows = Array.from({ length: 9000 }, (_, i) => names[(i * 7919) % names.length]);
  const counts = new Map<string, number>();
  for (const name of rows) counts.set(name, (counts.get(name) ?? 0) + 1);
  const data = parquet([
    { name: 'logit', data: Float32Array.from(rows, (_, i) => (i % 7) - 3), type: 'FLOAT' },
    { name: 'label', data: rows.map((_, i) => i % 2), type: 'INT32' },
    { name: 'place', data: rows, type: 'STRING' },
  ]);
  const { slices } = await json(files.write('places.parquet', data), '--by', 'place');
  const found = slices.map(({ slice, count }: { slice: string; count: number }) => [slice, count]);
  expect(new Map(found)).toEqual(counts);
});

test('targets that are to be ignored', async () => {
  const file = files.write('ignored.csv', 'logit,label\n1,0\n2,-1\n3,1\n');
  expect(await complaint(file)).toBe(
    'ignored.csv, row 1: expected a target of 0 or 1, or a probability between them, got -1',
  );
  const { count, metrics } = await json(file, '--ignore-index', '-1');
  expect(count).toBe(2);
  expect(metrics.logLoss).toBeCloseTo((Math.log1p(Math.exp(1)) + Math.log1p(Math.exp(-3))) / 2, 6);
});

test('thresholds and costs are of probabilities, after the posterior where a model was trained with focal loss', async () => {
  const trained = { gamma: 2, alpha: 0.25 };
  const found = await json(
    ...BASE,
    '--thresholds',
    '0.3,0.6',
    '--cost-miss',
    '5',
    '--cost-alarm',
    '1',
    '--trained-with',
    '2,0.25',
  );
  const p = logits.map((x) => posterior(x, trained).toNumber());
  for (const each of found.thresholds) {
    const acts = p.map((one) => one >= each.threshold);
    const hits = acts.filter((act, i) => act && targets[i] === 1).length;
    expect(each).toMatchObject({
      truePositives: hits,
      falsePositives: acts.filter(Boolean).length - hits,
      cost: 5 * (2 - hits) + acts.filter(Boolean).length - hits,
    });
  }
  expect(found.metrics.brier).toBeCloseTo(sum(p.map((one, i) => (one - targets[i]) ** 2)) / 6, 6);
  expect(found.cheapest.cost).toBeLessThanOrEqual(
    Math.min(...found.thresholds.map(({ cost }: { cost: number }) => cost)),
  );
});

test('results of elements in every format hold the same', async () => {
  const length = 3000;
  const pair = [
    files.write('x.npy', npy('<f4', [length], someLogits(length))),
    files.write('y.npy', npy('|u1', [length], hardTargets(length))),
  ];
  for (const name of ['e.npy', 'e.csv', 'e.parquet'])
    expect((await cli('score', ...pair, '--out', files.path(name))).code).toBe(0);
  const { values } = await readArray(files.path('e.npy'));
  const lines = files.read('e.csv').toString().trim().split('\n');
  expect(lines[0]).toBe('index,score,probability,target,loss');
  expect(lines.slice(1).map((line) => Math.fround(Number(line.split(',')[4])))).toEqual(values);
  // read back, the file of elements is a file of predictions
  for (const name of ['e.csv', 'e.parquet']) {
    const again = await json(files.path(name), '--logits', 'score');
    const { sum: total } = await json(...pair);
    expect(again.sum).toBeCloseTo(total, 9);
    // a probability near 1 has fewer digits than its logit
    const byProbability = (await json(files.path(name), '--probabilities', 'probability')).sum;
    expect(Math.abs(byProbability / total - 1)).toBeLessThan(1e-4);
  }
});

test('a hundred thousand of the hardest come in order', async () => {
  const length = 400_000;
  const x = someLogits(length);
  const pair = [
    files.write('x.npy', npy('<f4', [length], x)),
    files.write('y.npy', npy('|u1', [length], new Uint8Array(length))),
  ];
  const { hardest } = await json(...pair, '--top', '100000');
  const losses = new FocalLoss({ gamma: 1.5, alpha: 0.25, reduction: 'none' }).forward(x, new Uint8Array(length));
  const order = [...x.keys()].sort((a, b) => losses[b] - losses[a] || a - b).slice(0, 100_000);
  expect(hardest.findIndex(({ index }: { index: number }, i: number) => index !== order[i])).toBe(-1);
  expect(hardest.findIndex(({ score }: { score: number }, i: number) => score !== x[order[i]])).toBe(-1);
});

test('arrays in an archive, by their usual names or by those given', async () => {
  const arrays = { 'a.npy': float32(1, -1), 'b.npy': float32(2, -2), 'truth.npy': uint8(1, 0), 'w.npy': float32(1, 3) };
  const file = files.write('named.npz', zip(arrays, true));
  expect(await complaint(file)).toBe(
    '--logits is needed: named.npz has the arrays "a", "b", "truth", "w"'
      .replace('named.npz', files.path('named.npz'))
      .replaceAll(files.path(''), '')
      .replace(/^--logits is needed: \/?/, '--logits is needed: '),
  );
  const { models } = await json(file, '--logits', 'a', '--logits', 'b', '--targets', 'truth', '--weight', 'w');
  expect(models.map(({ model }: { model: string }) => model)).toEqual(['a', 'b']);
  const damaged = Buffer.from(
    zip({ 'logits.npy': float32(...Array(100).fill(1)), 'targets.npy': uint8(...Array(100).fill(1)) }, true),
  );
  damaged.fill(255, 45, 80);
  expect(await complaint(files.write('damaged.npz', damaged))).toMatch(/^damaged\.npz.*(archive|readable)/);
  expect(await complaint(files.write('cut.npz', damaged.subarray(0, 100)))).toMatch(
    /^cut\.npz: not a readable \.npz file: /,
  );
});

const NAMES: Readonly<Record<string, string>> = {
  quality: 'QualityFocalLoss',
  varifocal: 'VarifocalLoss',
  asymmetric: 'AsymmetricLoss',
  heatmap: 'HeatmapFocalLoss',
};
type Loss = new (options: object) => { forward(x: Float32Array, y: Float32Array | Uint8Array): number };
const FAMILY: [string, string[], number[]][] = [
  ['quality', ['--beta', '2'], [0.5, 0, 0.25, 1, 0, 0]],
  ['varifocal', ['--alpha', '0.5'], [0.5, 0, 0.25, 1, 0, 0]],
  ['asymmetric', ['--gamma-positive', '1', '--gamma-negative', '3', '--margin', '0.1'], targets],
  ['heatmap', ['--alpha', '2', '--beta', '4'], [1, 0, 0.25, 1, 0, 0]],
];

test.each(FAMILY.filter(([loss]) => NAMES[loss] in library))(
  '--loss %s is that of the library',
  async (loss, options, y) => {
    const Loss = (library as unknown as Record<string, Loss>)[NAMES[loss]];
    const camel = (flag: string) => flag.slice(2).replace(/-(.)/g, (_, letter) => letter.toUpperCase());
    const made = Object.fromEntries(
      options.flatMap((option, i) => (i % 2 ? [] : [[camel(option), Number(options[i + 1])]])),
    );
    const file = files.write(`${loss}.csv`, `logit,target\n${logits.map((x, i) => `${x},${y[i]}`).join('\n')}\n`);
    const hard = y.every((value) => value === 0 || value === 1);
    const criterion = new Loss({ ...made, reduction: 'sum' });
    const expected = criterion.forward(Float32Array.from(logits), hard ? Uint8Array.from(y) : Float32Array.from(y));
    const { sum: total, options: said } = await json(file, '--loss', loss, ...options, '--top', '2');
    expect(total).toBeCloseTo(expected, 6);
    expect(said).toMatchObject({ loss, ...made });
  },
);

test('slices of several columns are told apart, and a text from a value that is missing', async () => {
  const text = 'logit,label,a,b\n1,1,"x, y",z\n2,1,x,"y, z"\n3,1,null,z\n4,1,,z\n';
  const { slices } = await json(files.write('slices.csv', text), '--by', 'a,b');
  const counts = slices.map(({ slice, count }: { slice: string; count: number }) => [slice, count]);
  expect((await json(files.path('slices.csv'), '--by', 'l*')).slices).toHaveLength(4);
  expect(counts.sort()).toEqual([
    ['"null", z', 1],
    ['"x, y", z', 1],
    ['null, z', 1],
    ['x, "y, z"', 1],
  ]);
});

test('what is no probability is refused by every loss, and by calibrate', async () => {
  const file = files.write('outside.csv', 'p0,p1,label\n0.5,0.5,1\n-0.25,1.25,1\n');
  const message = 'outside.csv, row 1: expected a probability in [0, 1], got';
  for (const loss of ['focal', 'quality', 'asymmetric'])
    expect(await complaint(file, '--probabilities', 'p1', '--loss', loss), loss).toBe(`${message} 1.25`);
  for (const loss of ['softmax', 'onehot'])
    expect(await complaint(file, '--probabilities', 'p*', '--loss', loss), loss).toBe(`${message} -0.25`);
  const { code, err } = await cli('calibrate', file, '--probabilities', 'p1');
  expect([code, files.plain(err)]).toEqual([1, `focal-loss: ${message} 1.25\n`]);
  const rows = files.write('rows.csv', 'p0,p1,label\n0.49,0.5,1\n0.7,0.9,1\n');
  expect(await complaint(rows, '--probabilities', 'p*', '--loss', 'softmax')).toMatch(
    /^rows\.csv, row 1: expected probabilities of all classes, whose sum is 1, got 1\.6/,
  );
});

test('what is not finite is named, be it score, target or weight', async () => {
  const of = (row: string) => complaint(files.write('odd.csv', `logit,label,w\n1,1,1\n${row}\n`), '--weight', 'w');
  const remedy = 'is NaN; --nan skip leaves such rows out, --nan keep makes the loss NaN';
  expect(await of('nan,1,1')).toBe(`odd.csv, row 1: the score ${remedy}`);
  expect(await of('1,1,nan')).toBe(`odd.csv, row 1: the weight ${remedy}`);
  expect(await of('1,1,inf')).toBe('odd.csv, row 1: expected a finite weight, got Infinity');
});

test('a class index that is none is looked for in the file of targets, and rows of one class are no rows', async () => {
  const scores = files.write('four.npy', npy('<f4', [2, 2], new Float32Array(4)));
  const labels = files.write('indices.npy', npy('<i8', [2], BigInt64Array.of(1n, 1n << 40n)));
  expect(await complaint(scores, labels, '--loss', 'softmax')).toBe(
    'indices.npy, row 1: expected a class index, got 1099511627776',
  );
  const one = files.write('one.npy', npy('<f4', [2, 1], new Float32Array(2)));
  expect(await complaint(one, labels, '--loss', 'softmax')).toBe(
    'one.npy: expected rows of at least two classes, got rows of one',
  );
});

test('thresholds of targets between 0 and 1 are said not to be there', async () => {
  const soft = files.write('soft.csv', 'logit,label\n1,0.5\n');
  const { code, err } = await cli('score', soft, '--thresholds', '0.5');
  expect([code, err]).toEqual([
    0,
    'focal-loss: warning: some targets are neither 0 nor 1: there are no metrics, thresholds and costs of these\n',
  ]);
});

test('text whose lines end in different ways is named', async () => {
  expect(await complaint(files.write('ends.csv', 'logit,label\r\n1,1\n2,1\r\n'))).toMatch(
    /^ends\.csv: expected rows of cells; lines end in different ways/,
  );
});

/** Rows whose first 21,000, by which types are guessed, look otherwise than the last one. */
const late = (header: string, first: string, last: string) => `${header}\n${`${first}\n`.repeat(21_000)}${last}\n`;

test('a number that first looks whole is read with its decimals, whatever it is used in', async () => {
  const csv = files.write('whole.csv', late('logit,label,w', '1,0,2', '1.7,0.4,2.5'));
  const own = (x: number, y: number) => focalLoss(x, y, { gamma: 1.5, alpha: 0.25 }).toNumber();
  const expected = 21_000 * 2 * own(1, 0) + 2.5 * own(1.7, 0.4);
  const used = ['--logits', '(logit)', '--targets', 'label * 1', '--weight', 'w + 0'];
  expect((await json(csv, ...used)).sum / expected).toBeCloseTo(1, 6);
  const row = (x: number, y: number, w: number) => JSON.stringify({ logit: x, label: y, w, list: [x, 0] });
  const lines = files.write('whole.jsonl', late(row(1, 0, 2), row(1, 0, 2), row(1.7, 0.4, 2.5)));
  const both = await json(lines, '--weight', 'w');
  expect(both.sum / (expected + 2 * own(1, 0))).toBeCloseTo(1, 6);
  const softmax = ['--loss', 'softmax', '--gamma', '0', '--where', 'w > 2.25'];
  const { sum: ofList } = await json(lines, '--logits', 'list', '--targets', '(label > 0)::INT', ...softmax);
  expect(ofList).toBeCloseTo(Math.log(1 + Math.exp(1.7)), 6);
});

test('what names a row, a slice or a class is taken as it is written', async () => {
  const text = files.write(
    'names.csv',
    'id,logit,label,day\n12e4,1,yes,31/12/2024\n120000.0,2,no,1/1/2025\n1e5,3,yes,31/12/2024\n',
  );
  const { hardest, slices, positives } = await json(text, '--positive-label', 'yes', '--by', 'day,label', '--top', '3');
  expect(hardest.map(({ id }: { id: string }) => id)).toEqual(['120000.0', '12e4', '1e5']);
  expect(slices.map(({ slice, count }: { slice: string; count: number }) => [slice, count]).sort()).toEqual([
    ['1/1/2025, no', 1],
    ['31/12/2024, yes', 2],
  ]);
  expect(positives).toBe(2);
  expect((await json(text, '--classes', 'no,yes')).positives).toBe(2);
  expect(await complaint(text, '--classes', 'no,maybe')).toBe(
    'names.csv, row 0: expected one of the --classes, "no", "maybe", got another label',
  );
  const pandas = files.write(
    'pandas.parquet',
    parquet([
      { name: 'logit', data: [1, 2], type: 'FLOAT' },
      { name: 'label', data: [true, false], type: 'BOOLEAN' },
      { name: 'kind', data: [1, 0], type: 'DOUBLE' },
    ]),
  );
  for (const argv of [
    ['--targets', 'label', '--classes', 'False,True'],
    ['--targets', 'kind', '--classes', '0,1', '--by', 'kind'],
  ])
    expect((await json(pandas, ...argv)).positives).toBe(1);
});

test('several text files with slices, each of its own guess, and shards of them', async () => {
  const [a, b] = [
    files.write('one-a.csv', 'logit,label,zip\n1,1,5\n'),
    files.write('one-b.csv', 'logit,label,zip\n2,1,05\n3,0,x\n'),
  ];
  const { slices } = await json(a, b, '--by', 'zip', '--where', 'logit < 2.5');
  expect(slices.map(({ slice }: { slice: string }) => slice).sort()).toEqual(['05', '5']);
  const { count, slices: second } = await json(a, b, '--by', 'zip', '--shard', '2/2');
  expect([count, second.map(({ slice }: { slice: string }) => slice).sort()]).toEqual([2, ['05', 'x']]);
});

test('two columns of one name are told apart by their position', async () => {
  const twice = files.write('twice.csv', 'logit,logit,label\n1,2,1\n');
  expect(await complaint(twice)).toBe('--logits or --probabilities is needed: twice.csv has "logit", "logit_1"');
  expect(await complaint(twice, '--logits', 'logit')).toBe(
    '--logits expected one column, got "logit", "logit_1" of twice.csv; a position from 0 tells them apart',
  );
  const stored = parquet([
    { name: 'list', data: [[1, 2]] },
    { name: 'logit', data: [1], type: 'FLOAT' },
    { name: 'Logit', data: [2], type: 'FLOAT' },
    { name: 'label', data: [1], type: 'INT32' },
    { name: 'label_1', data: [0], type: 'INT32' },
  ]);
  expect(await complaint(files.write('twice.parquet', stored))).toBe(
    '--logits or --probabilities is needed: twice.parquet has "logit", "Logit_1"',
  );
  expect((await json(files.path('twice.parquet'), '--logits', 'Logit')).positives).toBe(1);
  const of = (x: number) => focalLoss(x, 1, { gamma: 1.5, alpha: 0.25 }).toNumber();
  expect((await json(twice, '--logits', '1')).sum).toBeCloseTo(of(2), 6);
  const ids = ['12345678901234567891', '12345678901234567892'];
  const base = files.write('join-x.csv', `id,logit,label\n${ids[0]},1,0\n`);
  const other = files.write('join-y.csv', `id,label\n${ids[1]},0\n${ids[0]},1\n`);
  expect(await complaint(base, '--join', other, '--on', 'id')).toBe(
    '--targets is needed: join-x.csv has "label", "label_joined"',
  );
  const { sum: joined, positives } = await json(
    base,
    '--join',
    other,
    '--on',
    'id',
    '--targets',
    'label_joined',
    '--top',
    '1',
  );
  expect([joined, positives]).toEqual([expect.closeTo(of(1), 6), 1]);
});

test('no rows are said, and files of none have columns', async () => {
  const argv = ['--logits', 'old', '--where', 'w > 99'];
  const warning = `focal-loss: warning: ${table}: there is no row for which --where holds\n`;
  for (const [command, columns] of [
    ['score', 'index,id,score,probability,target,loss'],
    ['calibrate', 'index,id,score,probability'],
  ]) {
    const [text, stored] = [files.path(`none-${command}.csv`), files.path(`none-${command}.parquet`)];
    for (const out of [text, stored])
      expect(await cli(command, table, ...argv, '--out', out), command).toMatchObject({ code: 0, err: warning });
    expect(files.read(`none-${command}.csv`).toString()).toBe(`${columns}\n`);
    const { err } = await cli('score', stored, '--logits', 'score', '--targets', 'no');
    expect(err).toContain(`it has the columns "${columns.replaceAll(',', '", "')}"`);
  }
});
