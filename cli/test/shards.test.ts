import { writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { hardTargets, someLogits } from '../../test/support.js';
import { start } from './process.js';
import { cli, folder, npy, parquet } from './support.js';

const files = folder();
const rows = 200_000;
const [x, y] = [someLogits(rows), hardTargets(rows)];
const region = Array.from({ length: rows }, (_, i) => ['north', 'south', 'east'][(i * 7) % 3]);

function part(from: number, to: number, group: number): Uint8Array {
  return parquet(
    [
      { name: 'logit', data: x.slice(from, to), type: 'FLOAT' },
      { name: 'label', data: Array.from(y.subarray(from, to)), type: 'INT32' },
      { name: 'region', data: region.slice(from, to), type: 'STRING' },
    ],
    group,
  );
}

const groups = files.write('groups.parquet', part(0, rows, 30_000));
for (let i = 0; i < 5; i++) files.write(`part-${i}.parquet`, part(i * 40_000, (i + 1) * 40_000, 25_000));
const arrays = [files.write('x.npy', npy('<f4', [rows], x)), files.write('y.npy', npy('|u1', [rows], y))];

async function run(...argv: string[]) {
  const { code, out, err } = await cli(...argv);
  expect({ code, err }, argv.join(' ')).toEqual({ code: 0, err: '' });
  return JSON.parse(out);
}

/** What is the same, whoever computed it. */
function numbers({ command, sources, versions, hardest, ...rest }: Record<string, unknown>) {
  return rest;
}

test.each([
  ['row groups', [groups], 3],
  ['files', [files.path('part-*.parquet')], 2],
  ['more shards than files', [files.path('part-*.parquet')], 7],
  ['arrays', arrays, 2],
  ['one file that cannot be shared', [files.write('few.csv', 'logit,label,region\n1,0,a\n2,1,b\n')], 2],
])('shards by %s have the bits of the whole', async (_, sources, count) => {
  const by = sources.some((name) => name.endsWith('.npy')) ? [] : ['--by', 'region'];
  const options = ['--gamma', '2,0.3', ...by, '--json'];
  const whole = await run('score', ...sources, ...options);
  const states: string[] = [];
  let seen = 0;
  for (let i = count; i > 0; i--) {
    states.push(files.path(`state-${i}.json`));
    const shard = await run(
      'score',
      ...sources,
      ...options,
      '--shard',
      `${i}/${count}`,
      '--state',
      states[count - i],
      '--force',
    );
    seen += shard.count;
  }
  expect(seen).toBe(whole.count);
  const merged = await run('merge', ...states, '--json', '--state', files.path('all.json'), '--force');
  expect(numbers(merged)).toEqual(numbers(whole));
  expect(numbers(await run('merge', files.path('all.json'), '--json'))).toEqual(numbers(whole));
});

test('shards of rows of classes take the labels of their own rows', async () => {
  const [many, classes] = [60_000, 40];
  const logits = Float32Array.from({ length: many * classes }, (_, i) => ((i * 7919) % 1001) / 250 - 2);
  const labels = Int32Array.from({ length: many }, (_, i) => (i * 31) % classes);
  const sources = [
    files.write('rows.npy', npy('<f4', [many, classes], logits)),
    files.write('labels.npy', npy('<i4', [many], labels)),
  ];
  for (const loss of ['softmax', 'onehot']) {
    const whole = await run('score', ...sources, '--loss', loss, '--json');
    const states = [1, 2, 3].map((i) => files.path(`rows-${i}.json`));
    for (const [i, state] of states.entries()) {
      await run('score', ...sources, '--loss', loss, '--json', '--shard', `${i + 1}/3`, '--state', state, '--force');
    }
    const { sum, count, metrics } = await run('merge', ...states, '--json');
    expect([sum, count], loss).toEqual([whole.sum, whole.count]);
    // of a softmax its metrics are but rounded
    for (const [name, value] of Object.entries(whole.metrics).filter(([name]) => name !== 'error'))
      expect(Math.abs(metrics[name] / Number(value) - 1), `${loss} ${name}`).toBeLessThan(1e-9);
  }
});

test('rows end a unit at the same place whether they are counted or say where they are from', async () => {
  for (const name of ['part-.parquet', 'part-2-none.parquet']) files.write(name, part(0, 0, 1000));
  for (const source of [groups, files.path('part-*.parquet')]) {
    const counted = await run('score', source, '--gamma', '0.3', '--json');
    const told = await run('score', source, '--gamma', '0.3', '--where', 'true', '--json');
    expect({ ...told, options: 0 }, source).toEqual({ ...counted, options: 0 });
    expect(counted.count).toBe(rows);
  }
});

test('rows in one file or in several give the same but for rounding', async () => {
  const [one, several] = [
    await run('score', groups, '--json'),
    await run('score', files.path('part-*.parquet'), '--json'),
  ];
  expect(several.count).toBe(rows);
  expect(Math.abs(several.mean / one.mean - 1)).toBeLessThan(1e-9);
  expect(several.metrics).toEqual(one.metrics);
});

test('the hardest rows of a shard have their place in the whole', async () => {
  const whole = await run('score', groups, '--top', '6', '--json');
  const found = [];
  for (const i of [1, 2])
    found.push(...(await run('score', groups, '--shard', `${i}/2`, '--top', '6', '--json')).hardest);
  const sorted = found.sort((a, b) => b.loss - a.loss || a.index - b.index).slice(0, 6);
  expect(sorted).toEqual(whole.hardest);
});

test('a state that is there twice, also within a merged one, is refused, and missing shards are named', async () => {
  const few = [0, 1, 2].map((i) => files.write(`twin-${i}.csv`, `logit,label\n${i === 2 ? '' : '1,0\n2,1\n'}3,1\n`));
  const states = [1, 2, 3].map((i) => files.path(`twin-${i}.json`));
  for (const [i, state] of states.entries())
    await run('score', ...few, '--shard', `${i + 1}/3`, '--state', state, '--json');
  const all = files.path('twins.json');
  // the first two are alike, and yet two
  expect((await run('merge', ...states, '--json', '--state', all)).count).toBe(7);
  const refusal = (name: string, shard: string) =>
    `focal-loss: ${name}: expected what is in no other state, got the same rows, shard ${shard}, again\n`;
  const twice = await cli('merge', states[0], states[2], states[0]);
  expect([twice.code, twice.out, files.plain(twice.err)]).toEqual([1, '', refusal('twin-1.json', '1/3')]);
  const within = await cli('merge', all, states[1]);
  expect([within.code, within.out, files.plain(within.err)]).toEqual([1, '', refusal('twin-2.json', '2/3')]);
  const { code, err } = await cli('merge', states[1]);
  expect([code, err]).toEqual([0, 'focal-loss: warning: no state is of the shards 1, 3 of 3\n']);
});

test('states that do not belong together, or are none', async () => {
  const state = async (name: string, ...options: string[]) => {
    await run('score', ...arrays, '--json', '--state', files.path(name), '--force', ...options);
    return files.path(name);
  };
  const two = await state('two.json', '--gamma', '2');
  const complaint = async (...names: string[]) => {
    const { code, err } = await cli('merge', ...names);
    expect(code).toBe(1);
    return files.plain(err);
  };
  expect(await complaint(two, await state('five.json', '--gamma', '5'))).toBe(
    'focal-loss: five.json: expected options [{"gamma":2,"alpha":0.25}], as in two.json, got [{"gamma":5,"alpha":0.25}]\n',
  );
  expect(await complaint(files.path('none.json'))).toBe('focal-loss: none.json: no such file or directory\n');
  expect(await complaint(arrays[0])).toBe(
    'focal-loss: x.npy: expected a state that --state wrote, got text that is no JSON\n',
  );
  expect(await complaint(files.write('other.json', '{}'))).toBe(
    'focal-loss: other.json: expected a state that --state wrote, got other JSON\n',
  );
  const damaged = JSON.parse(files.read('two.json').toString());
  for (const change of [
    (json: typeof damaged) => (json.version = 99),
    (json: typeof damaged) => (json.models[0].meters[0].positives = -5),
    (json: typeof damaged) => (json.models[0].histogram.count = 7),
    (json: typeof damaged) => (json.models = 3),
    (json: typeof damaged) => (json.parts = [null]),
    (json: typeof damaged) => (json.models[0].options = [{ gamma: 'two' }]),
  ]) {
    const copy = structuredClone(damaged);
    change(copy);
    expect(await complaint(files.write('damaged.json', JSON.stringify(copy)))).toMatch(
      /^focal-loss: damaged\.json: (?:the state is damaged: |expected a state of version 1, got 99)/,
    );
  }
});

test('--fail-above exits with 3, for continuous integration', async () => {
  const { mean } = await run('score', ...arrays, '--json');
  expect((await cli('score', ...arrays, '--fail-above', String(mean * 1.01))).code).toBe(0);
  const failed = await cli('score', ...arrays, '--fail-above', String(mean * 0.99));
  expect([failed.code, failed.err]).toEqual([
    3,
    `focal-loss: the loss, ${mean}, is above --fail-above ${mean * 0.99}\n`,
  ]);
  const nan = files.write('nan.csv', 'logit,label\nnan,1\n');
  expect((await cli('score', nan, '--nan', 'keep', '--fail-above', '1e9')).code).toBe(3);
});

test('several threads have the bits of one, and name the right row', async () => {
  const length = 9_000_000;
  const logits = new Float32Array(length);
  for (let i = 0; i < length; i += rows) logits.set(x.subarray(0, Math.min(rows, length - i)), i);
  const targets = new Uint8Array(length);
  for (let i = 0; i < length; i += rows) targets.set(y.subarray(0, Math.min(rows, length - i)), i);
  const names = [files.path('long-x.npy'), files.path('long-y.npy')];
  writeFileSync(names[0], npy('<f4', [length], logits));
  writeFileSync(names[1], npy('|u1', [length], targets));
  const options = ['--gamma', '2', '--json'];
  const threads = await start('score', ...names, ...options).ended;
  expect({ ...threads, out: '' }).toEqual({ code: 0, signal: null, out: '', err: '' });
  expect(JSON.parse(threads.out)).toEqual({
    ...(await run('score', ...names, ...options)),
    versions: expect.anything(),
  });
  targets[7_654_321] = 9;
  writeFileSync(names[1], npy('|u1', [length], targets));
  const { code, err } = await start('score', ...names).ended;
  expect([code, files.plain(err)]).toEqual([
    1,
    'focal-loss: long-y.npy, row 7654321: expected a target of 0 or 1, or a probability between them, got 9\n',
  ]);
});
