// Kills, freezes and cuts off what a run needs, and compares its total with that of a single process, bit for bit.
//   node --test test.mjs      needs redis-server on the PATH
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { link, mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Job, Queue } from 'bullmq';
import { connectionOf, MERGE, SCORE } from './queues.mjs';

const run = promisify(execFile);
const here = import.meta.dirname;
const scratch = await mkdtemp(join(tmpdir(), 'focal-cluster-'));
const ROWS = 20_000;
const FILES = 4;
/** Of each file, by row groups. */
const SHARDS = 2;
const LOCK = ['--lock-seconds', '3'];

let redis;
let port;
let url;
const children = new Set();

before(async () => {
  const command = join(here, '../../cli/dist/main.js');
  await mkdir(join(scratch, 'bin'));
  await writeFile(join(scratch, 'bin/focal-loss'), `#!/bin/sh\nexec "${process.execPath}" "${command}" "$@"\n`, {
    mode: 0o755,
  });
  process.env.PATH = `${join(scratch, 'bin')}:${process.env.PATH}`;
  await run(process.execPath, [join(here, 'make-data.mjs'), join(scratch, 'seeds'), '2', String(ROWS)]);
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  port = server.address().port;
  server.close();
  url = `redis://127.0.0.1:${port}`;
  process.env.REDIS_URL = url;
  await startRedis();
});
after(async () => {
  for (const child of children) child.kill('SIGKILL');
  redis?.kill('SIGKILL');
  await rm(scratch, { recursive: true, force: true });
});
beforeEach(() => {
  for (const child of children) child.kill('SIGKILL');
  children.clear();
});

async function startRedis() {
  const options = ['--port', port, '--dir', scratch, '--appendonly', 'yes', '--save', '', '--bind', '127.0.0.1'];
  redis = spawn('redis-server', options.map(String), { stdio: ['ignore', 'pipe', 'inherit'] });
  for await (const chunk of redis.stdout) if (/Ready to accept connections/.test(chunk)) break;
  redis.stdout.resume();
}

async function killRedis() {
  redis.kill('SIGKILL');
  await once(redis, 'exit');
}

function startWorker() {
  const child = spawn(process.execPath, [join(here, 'worker.mjs'), ...LOCK], { stdio: ['ignore', 'pipe', 'inherit'] });
  children.add(child);
  const worker = { child, lines: [], waiting: [] };
  let rest = '';
  child.stdout.on('data', (chunk) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop();
    for (const line of lines) {
      const text = line.replace(/^\S+ /, '');
      worker.lines.push(text);
      worker.waiting = worker.waiting.filter(({ pattern, resolve }) => !pattern.test(text) || resolve(text));
    }
  });
  return worker;
}

/** The next line that matches, from now on or among those that were. */
function line(worker, pattern, fromNow = false) {
  const found = fromNow ? undefined : worker.lines.find((text) => pattern.test(text));
  if (found !== undefined) return found;
  return new Promise((resolve) => worker.waiting.push({ pattern, resolve }));
}

/** Stops a worker in the middle of a unit, and says which. */
async function freeze(worker, queue) {
  for (;;) {
    const id = (await line(worker, /^scores /, true)).replace('scores ', '');
    worker.child.kill('SIGSTOP');
    await sleep(100);
    if ((await (await Job.fromId(queue, id)).getState()) === 'active') return id;
    worker.child.kill('SIGCONT');
  }
}

const submit = (directory, ...options) =>
  run(process.execPath, [join(here, 'submit.mjs'), directory, '--shards', String(SHARDS), ...options]);
/** One command over all files, by which every total is measured. */
async function single(directory) {
  const { stdout } = await run('focal-loss', ['score', directory, '--gamma', '2', '--alpha', '0.75', '--json']);
  return totals(stdout);
}
const totals = (text) => {
  const { mean, sum, count, positives, negatives, sumPositives, sumNegatives } = JSON.parse(last(text));
  return { mean, sum, count, positives, negatives, sumPositives, sumNegatives };
};
const last = (text) => text.trim().split('\n').at(-1);

async function dataOf(name, files) {
  const directory = join(scratch, name);
  await mkdir(directory);
  for (let file = 0; file < files; file++) {
    const name = `part-${String(file).padStart(4, '0')}.parquet`;
    await link(join(scratch, 'seeds', `part-000${file % 2}.parquet`), join(directory, name));
  }
  return directory;
}

test('workers that are killed or late, Redis that restarts, a run that is submitted twice: the bits of one process', async () => {
  const directory = await dataOf('chaos', FILES);
  const want = await single(directory);
  const submitted = await Promise.all([submit(directory, '--no-wait'), submit(directory, '--no-wait')]);
  assert.equal(submitted[0].stdout, submitted[1].stdout);
  const queue = new Queue(SCORE, { connection: connectionOf(url) });
  queue.on('error', () => {});

  const killed = startWorker();
  const first = await freeze(killed, queue);
  killed.child.kill('SIGKILL');

  const late = startWorker();
  const second = await freeze(late, queue);
  assert.notEqual(second, first);

  const third = startWorker();
  await line(third, /^finished /);
  const twice = startWorker();
  await killRedis();
  await Promise.race([third, twice].map((worker) => line(worker, /Redis is away/)));
  await sleep(1000);
  await startRedis();

  // what both had begun is done by others
  const others = [third, twice];
  await Promise.race(others.map((worker) => line(worker, new RegExp(`^finished ${first}$`))));
  await Promise.race(others.map((worker) => line(worker, new RegExp(`^finished ${second}$`))));
  late.child.kill('SIGCONT');
  await line(late, new RegExp(`^(failed|error).*${second}`));

  const { stdout } = await submit(directory);
  assert.deepEqual(totals(stdout), want);
  const finished = [killed, late, third, twice].flatMap(({ lines }) =>
    lines.filter((text) => /^finished .*unit/.test(text)),
  );
  assert.equal(new Set(finished).size, finished.length, 'no unit was finished twice');
  assert.equal(finished.length, SHARDS * FILES);
  assert.equal((await submit(directory)).stdout, stdout, 'submitted again, it is not done again');
  await queue.close();
});

test('a run that is submitted while Redis is away waits for it', async () => {
  const directory = await dataOf('away', 3);
  const want = await single(directory);
  await killRedis();
  const worker = startWorker();
  const running = submit(directory);
  await line(worker, /Redis is away/);
  await sleep(1000);
  await startRedis();
  const { stdout, stderr } = await running;
  assert.deepEqual(totals(stdout), want);
  assert.match(stderr, /Redis is away .*waiting for it[\s\S]*Redis is back/);
});

test('data that are wrong end the run with the file, the row and the value; mended, it is done', async () => {
  const directory = await dataOf('wrong', 0);
  const path = join(directory, 'part-0001.csv');
  await writeFile(path, 'logit,label\n1.5,1\n-2,0\n0.5,7\n');
  startWorker();
  const error = await submit(directory).catch((thrown) => thrown);
  assert.equal(error.code, 1);
  assert.match(error.stderr, /run \w+ failed: .*part-0001\.csv.* got 7/);
  await writeFile(path, 'logit,label\n1.5,1\n-2,0\n0.5,1\n');
  assert.deepEqual(totals((await submit(directory)).stdout), await single(directory));
});

test('a file that is still written, and one that changes, are errors', async () => {
  const directory = await dataOf('cut', 1);
  const path = join(directory, 'part-0000.parquet');
  const good = await readFile(path);
  await rm(path);
  await writeFile(path, good.subarray(0, good.length - 100));
  startWorker();
  const cut = await submit(directory).catch((thrown) => thrown);
  assert.equal(cut.code, 1);
  assert.match(cut.stderr, /run \w+ failed: .*part-0000\.parquet/);

  for (const child of children) child.kill('SIGKILL');
  await writeFile(path, good);
  const waiting = submit(directory, '--run', 'changing').catch((thrown) => thrown);
  const queue = new Queue(MERGE, { connection: connectionOf(url) });
  while ((await Job.fromId(queue, 'changing')) === undefined) await sleep(50);
  await queue.close();
  await utimes(path, 0, 0);
  startWorker();
  assert.match((await waiting).stderr, /part-0000\.parquet changed after the run was submitted/);
  // the files are others now, and the run that failed starts again with them
  assert.deepEqual(totals((await submit(directory, '--run', 'changing')).stdout), await single(directory));
  const other = await submit(directory, '--run', 'changing', '--gamma', '5').catch((thrown) => thrown);
  assert.equal(other.stderr, 'run changing was submitted with other files or options; give this one another name\n');
});

test('a full disk leaves the old state file whole, and the run can be asked for its state again', async () => {
  const directory = await dataOf('full', 1);
  startWorker();
  const state = join(scratch, 'state.json');
  await submit(directory, '--state', state);
  const before = await readFile(state, 'utf8');
  assert.equal(JSON.parse(before).positives > 0, true);
  // no file may grow, as on a disk that is full
  const command = `ulimit -f 0; exec "${process.execPath}" "${join(here, 'submit.mjs')}" "${directory}" --shards ${SHARDS} --state "${state}"`;
  const error = await run('bash', ['-c', command]).catch((thrown) => thrown);
  assert.equal(error.code, 1);
  assert.match(error.stderr, /was not written: .*; run \w+ is done, and submitting it again writes its state/);
  assert.equal(await readFile(state, 'utf8'), before);
  assert.deepEqual(
    (await readdir(scratch)).filter((name) => name.endsWith('.part')),
    [],
  );
});
