// The life of the threads: how many, until when, and what a death means.
import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { FocalLoss } from '../../dist/index.js';
import { ParallelFocalLoss } from '../../dist/parallel/index.js';
import { firstDifference, hardTargets, SEGMENT, someLogits } from '../support.js';
import { DIVIDED, shared, threadsOf } from './support.js';

const run = promisify(execFile);

const n = 60 * SEGMENT + 4097;
const x = shared(someLogits(n));
const labels = shared(hardTargets(n));
/** Threads of this process, whoever started them. */
const threadCount = () => readdirSync('/proc/self/task').length;

const expected = new FocalLoss().forward(x, labels);

test('threads start once, and end with close', async () => {
  const { result, threads } = await threadsOf(() => new ParallelFocalLoss({ threads: 3 }));
  expect(result.threads).toBe(3);
  // the calling one is the third
  expect(threads).toHaveLength(2);
  const again = await threadsOf(() => [1, 2, 3].map(() => result.forward(x, labels)));
  expect(await Promise.all(again.result)).toEqual([expected, expected, expected]);
  expect(again.threads).toHaveLength(0);
  await result.close();
  expect(threads.map(({ threadId }) => threadId)).toEqual([-1, -1]);
  await result.close();
});

test('one thread is the calling one', async () => {
  const { result, threads } = await threadsOf(() => new ParallelFocalLoss({ threads: 1 }));
  expect(threads).toHaveLength(0);
  await result.ready();
  expect(await result.forward(x, labels)).toBe(expected);
  await result.close();
});

test('there are as many threads as the processor runs, by default', async () => {
  const { result, threads } = await threadsOf(() => new ParallelFocalLoss());
  expect(result.threads).toBe(availableParallelism());
  expect(threads).toHaveLength(result.threads - 1);
  await result.close();
});

test.skipIf(!existsSync('/proc/self/task'))('creating and closing leaves no threads and no memory behind', async () => {
  const cycle = async (k: number) => {
    const loss = new ParallelFocalLoss({ threads: 3 });
    // closed before its threads have started, when they have, and after a call
    if (k % 3 > 0) await loss.ready();
    if (k % 3 > 1) expect(await loss.forward(x, labels)).toBe(expected);
    await loss.close();
  };
  for (let k = 0; k < 6; k++) await cycle(k);
  const before = { threads: threadCount(), memory: process.memoryUsage.rss() };
  for (let k = 0; k < 24; k++) await cycle(k);
  expect(threadCount()).toBe(before.threads);
  // an instance of the kernel alone is half a MiB in each of 48 threads
  expect(process.memoryUsage.rss() - before.memory).toBeLessThan(20 * 2 ** 20);
});

test('close waits for the calls that were made, and refuses later ones', async () => {
  const loss = new ParallelFocalLoss({ threads: 2 });
  const ordinary = [x.slice(), labels.slice()] as const;
  const calls = [loss.forward(x, labels), loss.forward(...ordinary), loss.forward([1], [1])];
  const closed = loss[Symbol.asyncDispose]();
  const refused = {
    code: 'FOCAL_LOSS_THREAD',
    message: '"close" expected no call after it, got one; make a new loss',
    argument: 'close',
  };
  await expect(loss.forward(x, labels)).rejects.toMatchObject(refused);
  await expect(loss.valueAndGrad([1], [1])).rejects.toMatchObject(refused);
  let done = 0;
  for (const call of calls) call.then(() => done++);
  await closed;
  expect(done).toBe(3);
  expect(await Promise.all(calls)).toEqual([expected, expected, new FocalLoss().forward([1], [1])]);
});

test('calls of all sizes at once', async () => {
  const loss = new ParallelFocalLoss({ threads: 2 });
  const one = new FocalLoss();
  const inputs = [n, 5, DIVIDED, 4096, n - 1, DIVIDED + 7].flatMap((length) => {
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

const DEATH = {
  code: 'FOCAL_LOSS_THREAD',
  message: expect.stringMatching(/^"threads" expected threads that start and live, got one that failed: /),
};

/** A call that takes long, and that threads are at work on. */
async function longCall(loss: ParallelFocalLoss, isShared: boolean) {
  const length = 2 ** 24;
  const [logits, targets] = isShared
    ? [new SharedArrayBuffer(4 * length), new SharedArrayBuffer(length)]
    : [new ArrayBuffer(4 * length), new ArrayBuffer(length)];
  const call = loss.forward(new Float32Array(logits), new Uint8Array(targets));
  call.catch(() => {});
  await new Promise((resolve) => setImmediate(resolve));
  return { call };
}

test.each([
  ['shared', true],
  ['ordinary', false],
])('a thread that dies at work: its call is rejected, and others run later; %s arrays', async (_, isShared) => {
  const { result: loss, threads } = await threadsOf(() => new ParallelFocalLoss({ threads: 2 }));
  await loss.ready();
  const { call } = await longCall(loss, isShared);
  const waiting = loss.forward(x, labels);
  void threads[0].terminate();
  await expect(call).rejects.toMatchObject(DEATH);
  // those that were not at work have new threads
  expect(await waiting).toBe(expected);
  expect(await loss.forward(x, labels)).toBe(expected);
  await loss.close();
});

test('the other threads end when one dies at work, before its call is rejected', async () => {
  const { result: loss, threads } = await threadsOf(() => new ParallelFocalLoss({ threads: 3 }));
  await loss.ready();
  const { call } = await longCall(loss, true);
  void threads[1].terminate();
  await expect(call).rejects.toMatchObject(DEATH);
  expect(threads.map(({ threadId }) => threadId)).toEqual([-1, -1]);
  await loss.close();
});

test('a thread that dies asleep is replaced', async () => {
  const { result: loss, threads } = await threadsOf(() => new ParallelFocalLoss({ threads: 2 }));
  await loss.ready();
  await threads[0].terminate();
  const again = await threadsOf(() => loss.ready());
  await again.result;
  expect(again.threads).toHaveLength(1);
  expect(await loss.forward(x, labels)).toBe(expected);
  await loss.close();
});

test('close while a thread dies at work ends all the same', async () => {
  const { result: loss, threads } = await threadsOf(() => new ParallelFocalLoss({ threads: 3 }));
  await loss.ready();
  const { call } = await longCall(loss, true);
  const closed = loss.close();
  void threads[0].terminate();
  await expect(call).rejects.toMatchObject(DEATH);
  await closed;
  expect(threads.map(({ threadId }) => threadId)).toEqual([-1, -1]);
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

test('threads that cannot start: ready and later calls that they were to share are rejected, and close ends', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'focal-loss-'));
  try {
    for (const name of ['dist', 'package.json']) cpSync(join(cwd, name), join(folder, name), { recursive: true });
    rmSync(join(folder, 'dist/parallel/worker.js'));
    const show = '.then(console.log, ({ code, message }) => console.log(code, message));';
    const code = `${IMPORT} ${USE}
      await loss.ready()${show}
      await loss.forward(x, y)${show}
      await loss.forward(x.subarray(0, ${DIVIDED}), y.subarray(0, ${DIVIDED}))${show}
      await loss.forward(x.subarray(0, ${DIVIDED - SEGMENT}), y.subarray(0, ${DIVIDED - SEGMENT}))${show}
      await loss.close();
      console.log('closed');`;
    const { stdout } = await run(process.execPath, ['--input-type=module', '-e', code], { cwd: folder });
    const lines = stdout.split('\n');
    for (const line of lines.slice(0, 3)) {
      expect(line).toMatch(/^FOCAL_LOSS_THREAD "threads" expected .*, got one that failed: Cannot find module/);
    }
    // too small a call to be shared
    expect(Number(lines[3])).toBeGreaterThan(0);
    expect(lines.slice(4)).toEqual(['closed', '']);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
