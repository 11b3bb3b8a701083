import { expect, test } from 'vitest';
import { exact, posterior, sigmoid } from '../../test/oracle.js';
import { cli, float32, folder, uint8 } from './support.js';

const files = folder();
const logits = [2.5, -0.25, 0.5, -3, 0.25];
const logitsFile = files.write('logits.npy', float32(...logits));
const mean = (values: number[]) => values.reduce((a, b) => a + b, 0) / values.length;

const OPTIONS = { gamma: 2, alpha: 0.25, posWeight: 3 };
const FLAGS = ['--gamma', '2', '--alpha', '0.25', '--pos-weight', '3'];
const probabilities = logits.map((x) => posterior(x, OPTIONS).toNumber());

test('--out holds the probabilities, and --json sums them up', async () => {
  const { code, out, err } = await cli('calibrate', logitsFile, ...FLAGS, '--out', files.path('p.csv'), '--json');
  expect([code, err]).toEqual([0, '']);
  const [header, ...lines] = files.read('p.csv').toString().trim().split('\n');
  expect(header).toBe('index,score,probability');
  expect(lines.length).toBe(5);
  for (const [i, line] of lines.entries()) expect(Number(line.split(',')[2])).toBeCloseTo(probabilities[i], 6);
  expect(JSON.parse(out)).toMatchObject({
    count: 5,
    meanScore: expect.closeTo(mean(logits.map((x) => sigmoid(exact(x)).toNumber())), 6),
    meanProbability: expect.closeTo(mean(probabilities), 6),
    scoresAboveHalf: 3,
    probabilitiesAboveHalf: probabilities.filter((p) => p > 0.5).length,
  });
});

test('the summary shows what scores stand for', async () => {
  const { code, out } = await cli('calibrate', logitsFile, '--gamma', '2', '--alpha', '0.25');
  expect(code).toBe(0);
  const lines = out.split('\n').map((line) => line.trim().split(/ {2,}/));
  expect(lines[0]).toEqual(['probabilities of 5 elements, trained with gamma 2, alpha 0.25']);
  const curve = lines.slice(lines.findIndex(([cell]) => cell === 'score') + 1, -1);
  expect(curve).toEqual(
    [0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95].map((score) => {
      const logit = Math.log(score / (1 - score));
      return [String(score), posterior(logit, { gamma: 2, alpha: 0.25 }).toFixed(4)];
    }),
  );
});

test('with targets, how good the scores were before and after', async () => {
  const csv = files.write('known.csv', `score,y\n${logits.map((x, i) => `${x},${i % 2}`).join('\n')}\n`);
  const { code, out } = await cli('calibrate', csv, '--logits', 'score', ...FLAGS, '--json');
  expect(code).toBe(0);
  const { before, after } = JSON.parse(out);
  const brier = (values: number[]) => mean(values.map((p, i) => (p - (i % 2)) ** 2));
  const logLoss = (values: number[]) => mean(values.map((p, i) => -Math.log(i % 2 ? p : 1 - p)));
  const scores = logits.map((x) => sigmoid(exact(x)).toNumber());
  expect(before.metrics).toMatchObject({
    brier: expect.closeTo(brier(scores), 6),
    logLoss: expect.closeTo(logLoss(scores), 6),
  });
  expect(after.metrics).toMatchObject({
    brier: expect.closeTo(brier(probabilities), 6),
    logLoss: expect.closeTo(logLoss(probabilities), 6),
  });
  expect(after.reliability).toHaveLength(15);
  expect((await cli('calibrate', csv, '--logits', 'score', ...FLAGS)).out).toMatch(
    /^probability +[\d.]+ +[\d.]+ +[\d.]+$/m,
  );
});

test('columns and faults are those of score', async () => {
  const csv = files.write('table.csv', 'score,other\n2.5,0\nx,0\n');
  const { code, err } = await cli('calibrate', csv, '--logits', 'score', '--out', files.path('q.npy'));
  expect([code, files.plain(err)]).toEqual([
    1,
    'focal-loss: table.csv, line 3: expected a number in column "score", got "x"\n',
  ]);
  expect(files.names()).not.toContain('q.npy');
  const nan = files.write('nan.csv', 'logit\n1\nnan\n');
  expect((await cli('calibrate', nan)).code).toBe(1);
  const kept = await cli('calibrate', nan, '--json', '--nan', 'keep');
  expect(JSON.parse(kept.out).meanProbability).toBe('NaN');
});

test('targets that are none are refused, and of targets in between there are no metrics', async () => {
  const complaint = async (...targets: string[]) => {
    const { code, err } = await cli('calibrate', logitsFile, ...targets);
    expect(code).toBe(1);
    return files.plain(err);
  };
  const rule = 'expected a target of 0 or 1, or a probability between them';
  const bytes = files.write('bytes.npy', uint8(0, 1, 0, 2, 1));
  expect(await complaint(bytes)).toBe(`focal-loss: bytes.npy, row 3: ${rule}, got 2\n`);
  const floats = files.write('floats.npy', float32(0, -1, 0, 1, 1));
  expect(await complaint(floats)).toBe(`focal-loss: floats.npy, row 1: ${rule}, got -1\n`);
  for (const [name, code] of [
    [bytes, '2'],
    [floats, '-1'],
  ]) {
    const { out } = await cli('calibrate', logitsFile, name, '--ignore-index', code, '--json');
    const { reliability } = JSON.parse(out).before;
    expect(reliability.reduce((sum: number, { count }: { count: number }) => sum + count, 0)).toBe(4);
  }
  const soft = await cli('calibrate', logitsFile, files.write('soft.npy', float32(0, 1, 0, 0.5, 1)), '--json');
  expect([soft.code, JSON.parse(soft.out).before]).toEqual([0, undefined]);
});
