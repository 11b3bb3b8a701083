// The life of the threads: how many, until when, and what a death means.
import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { FocalLoss } from '../../dist/index.js';
import { ParallelFocalLoss } from '../../dist/parallel/index.js';
import { ACROSS, firstDifference, hardTargets, someLogits } from '../support.js';
import { COPIED, DIVIDED, settlesHere, shared, threadsOf } from './support.js';

const run = promisify(execFile);

const n = COPIED + ACROSS;
const x = shared(someLogits(n));
const labels = shared(hardTargets(n));
const expected = new FocalLoss().forward(x, labels);

test('threads start once, and end with close', async () => {
  const { result, threads } = await threadsOf(() => new ParallelFocalLoss({ threads: 3 }));
  expect(result.threads).toBe(3);
  expect(threads).toHaveLength(3);
  const again = await threadsOf(() => [1, 2, 3].map(() => result.forward(x, labels)));
  expect(await Promise.all(again.result)).toEqual([expected, expected, expected]);
  expect(again.threads).toHaveLength(0);
  await result.close();
  expect(threads.map(({ threadId }) => threadId)).toEqual([-1, -1, -1]);
  await result.close();
});

test('one thread is the calling one', async () => {
  const { result, threads } = await threadsOf(() => new ParallelFocalLoss({ threads: 1 }));
  expect(threads).toHaveLength(0);
  const value = result.forward(x, labels);
  expect(await settlesHere(value)).toBe(true);
  expect(await value).toBe(expected);
  await result.close();
});

test('there are as many threads as the processor runs, by default', async () => {
  const { result, threads } = await threadsOf(() => new ParallelFocalLoss());
  expect(result.threads).toBeGreaterThanOrEqual(1);
  expect(threads).toHaveLength(result.threads === 1 ? 0 : result.threads);
  await result.close();
});

test('close waits for the calls that were made, and refuses later ones', async () => {
  const loss = new ParallelFocalLoss({ threads: 2 });
  const ordinary = [x.slice(), labels.slice()] as const;
  const calls = [loss.forward(x, labels), loss.forward(...ordinary), loss.forward([1], [1])];
  const closed = loss[Symbol.asyncDispose]();
  const refused = { name: 'Error', message: '"ParallelFocalLoss" expected a call before close(), got one after it' };
  await expect(loss.forward(x, labels)).rejects.toMatchObject(refused);
  await expect(loss.valueAndGrad([1], [1])).rejects.toMatchObject(refused);
  await closed;
  const settled = await Promise.all(calls.map(settlesHere));
  expect(settled).toEqual([true, true, true]);
  expect(await Promise.all(calls)).toEqual([expected, expected, new FocalLoss().forward([1], [1])]);
});

test('calls of all sizes at once', async () => {
  const loss = new ParallelFocalLoss({ threads: 2 });
  const one = new FocalLoss();
  const inputs = [n, 5, DIVIDED, ACROSS, n - 1, DIVIDED + 7].flatMap((length) => {
    const [logits, targets] = [x.subarray(0, length), labels.subarray(0, length)];
    return [
      { logits, targets },
      { logits: logits.slice(), targets: targets.slice() },
    ];
  });
  const actual = await Promise.all(inputs.map(({ logits, targets }) => loss.valueAndGrad(logits, targets)));
  for (const [k, { logits, targets }] of inputs.entries()) {
    const { value, grad } = one.valueAndGrad(logits, targets);
    expect(actual[k].value).toBe(value);
    expect(firstDifference(actual[k].grad, grad)).toBe(-1);
  }
  await loss.close();
});

const DEATH = /^a thread of ParallelFocalLoss has failed: worker exited with code: \d+$/;

test.each([
  ['shared', x, labels],
  ['ordinary', x.slice(), labels.slice()],
])('a thread that dies before it has done its part: %s arrays', async (_, logits, targets) => {
  const { result: loss, threads } = await threadsOf(() => new ParallelFocalLoss({ threads: 2 }));
  const calls = [loss.forward(logits, targets), loss.valueAndGrad(logits, targets)];
  void threads[0].terminate();
  const outcomes = await Promise.allSettled(calls);
  expect(outcomes.map(({ status }) => status)).toContain('rejected');
  for (const outcome of outcomes) if (outcome.status === 'rejected') expect(outcome.reason.message).toMatch(DEATH);
  expect(await loss.forward(logits, targets)).toBe(expected);
  await loss.close();
});

test('a thread that dies at work', async () => {
  const { result: loss, threads } = await threadsOf(() => new ParallelFocalLoss({ threads: 2 }));
  await loss.forward(x, labels);
  const length = 2 ** 24;
  const [logits, targets] = [new SharedArrayBuffer(4 * length), new SharedArrayBuffer(length)];
  const call = loss.forward(new Float32Array(logits), new Uint8Array(targets));
  void threads[1].terminate();
  await expect(call).rejects.toThrow(DEATH);
  expect(await loss.forward(x, labels)).toBe(expected);
  await loss.close();
});

test('all threads die, again and again', async () => {
  const { result: loss, threads } = await threadsOf(() => new ParallelFocalLoss({ threads: 2 }));
  const late = (thread: (typeof threads)[number]) => void thread.terminate();
  process.on('worker', late);
  const calls = [loss.forward(x, labels), loss.forward(x, labels)];
  threads.forEach(late);
  for (const call of calls) await expect(call).rejects.toThrow('a thread of ParallelFocalLoss has failed');
  process.off('worker', late);
  // whether or not there are threads again, a call ends
  const value = await loss.forward(x, labels).catch(({ message }) => message);
  expect([expected, 'a thread of ParallelFocalLoss has failed: no thread is left']).toContain(value);
  await loss.close();
});

const cwd = fileURLToPath(new URL('../..', import.meta.url));
const IMPORT = "import { ParallelFocalLoss } from 'focal-loss-wasm/parallel';";
const REQUIRE = "const { ParallelFocalLoss } = require('focal-loss-wasm/parallel');";
const USE =
  'const x = new Float32Array(3 * 2 ** 20), y = new Uint8Array(3 * 2 ** 20), loss = new ParallelFocalLoss({ threads: 2 });';

test.each([
  ['an import', ['--input-type=module', '-e', `${IMPORT} ${USE} console.log(await loss.forward(x, y));`]],
  [
    'close',
    ['--input-type=module', '-e', `${IMPORT} ${USE} console.log(await loss.forward(x, y)); await loss.close();`],
  ],
  ['require', ['-e', `${REQUIRE} ${USE} loss.forward(x, y).then(console.log); loss.close();`]],
])('a process with %s ends by itself, and when its calls are done', async (_, argv) => {
  const { stdout, stderr } = await run(process.execPath, argv, { cwd, timeout: 20_000 });
  expect(stderr).toBe('');
  expect(Number(stdout)).toBe(new FocalLoss().forward(new Float32Array(3 * 2 ** 20), new Uint8Array(3 * 2 ** 20)));
});

test('threads that cannot start: each call is rejected, and close ends', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'focal-loss-'));
  try {
    for (const name of ['dist', 'package.json']) cpSync(join(cwd, name), join(folder, name), { recursive: true });
    symlinkSync(join(cwd, 'node_modules'), join(folder, 'node_modules'));
    rmSync(join(folder, 'dist/parallel/worker.js'));
    const call = 'console.log(await loss.forward(x, y).catch(({ message }) => message));';
    const code = `${IMPORT} ${USE} ${call} ${call} await loss.close(); console.log('closed');`;
    const { stdout } = await run(process.execPath, ['--input-type=module', '-e', code], { cwd: folder });
    const [first, second, ...rest] = stdout.split('\n');
    for (const line of [first, second])
      expect(line).toMatch(/^a thread of ParallelFocalLoss has failed: Cannot find module/);
    expect(rest).toEqual(['closed', '']);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
