// What a unit costs in processor time, and how a run scales from one worker process to several on this machine.
//   node scale.mjs [--workers 1,2,4] [--files 16] [--rows 2000000]      needs redis-server and focal-loss on the PATH
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { link, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { FlowProducer, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { connectionOf } from './queues.mjs';

const { values } = parseArgs({
  options: {
    workers: { type: 'string', default: '1,2,4' },
    files: { type: 'string', default: '16' },
    rows: { type: 'string', default: '2000000' },
  },
});
const UNITS = 1000;
const files = Number(values.files);
const scratch = await mkdtemp(join(tmpdir(), 'focal-scale-'));
const children = [];
const start = (command, ...args) => {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'ignore'], env: process.env });
  children.push(child);
  child.stdout.resume();
  return child;
};
const node = (script, ...args) => start(process.execPath, join(import.meta.dirname, script), ...args);

try {
  const data = join(scratch, 'data');
  await mkdir(data);
  for (const rows of ['1', values.rows]) {
    await once(node('make-data.mjs', join(scratch, rows), '1', rows), 'exit');
    const seconds = processorTime('focal-loss', ['score', join(scratch, rows, 'part-0000.parquet'), '--gamma', '2']);
    console.log(`focal-loss score of ${rows} rows: ${seconds.toFixed(2)} s of processor time`);
  }
  for (let file = 0; file < files; file++) {
    await link(join(scratch, values.rows, 'part-0000.parquet'), join(data, `part-${file}.parquet`));
  }
  process.env.REDIS_URL = 'redis://127.0.0.1:7399';
  const redis = spawn('redis-server', ['--port', '7399', '--dir', scratch, '--appendonly', 'yes', '--save', '']);
  children.push(redis);
  for await (const chunk of redis.stdout) if (/Ready to accept/.test(chunk)) break;
  redis.stdout.resume();
  await queueCost();

  for (const count of values.workers.split(',').map(Number)) {
    const workers = Array.from({ length: count }, () => node('worker.mjs'));
    await Promise.all(workers.map((worker) => once(worker.stdout, 'data')));
    const from = performance.now();
    await once(node('submit.mjs', data, '--run', `scale-${count}`), 'exit');
    const seconds = (performance.now() - from) / 1000;
    const rate = (Number(values.rows) * files) / seconds / 1e6;
    console.log(`${count} workers: ${files} units in ${seconds.toFixed(1)} s, ${rate.toFixed(1)} M rows/s`);
    for (const worker of workers) worker.kill('SIGTERM');
    await Promise.all(workers.map((worker) => once(worker, 'exit')));
  }
} finally {
  for (const child of children) child.kill('SIGKILL');
  await rm(scratch, { recursive: true, force: true });
}

/** User and system seconds of a command, whatever else the machine does. */
function processorTime(command, args) {
  const { stderr, status } = spawnSync(
    'bash',
    ['-c', 'TIMEFORMAT="%U %S"; time "$@" >/dev/null', '-', command, ...args],
    {
      encoding: 'utf8',
    },
  );
  if (status !== 0) throw new Error(`${command} ended with ${status}: ${stderr.trim()}`);
  const [user, system] = stderr.trim().split('\n').at(-1).split(' ').map(Number);
  return user + system;
}

/** What a unit costs that does nothing: of the processes that submit and work, and of Redis. */
async function queueCost() {
  const connection = connectionOf();
  const client = new Redis(process.env.REDIS_URL);
  const redisTime = async () => {
    const info = await client.info('cpu');
    return ['user', 'sys'].reduce((sum, kind) => sum + Number(new RegExp(`used_cpu_${kind}:(\\S+)`).exec(info)[1]), 0);
  };
  const before = [process.cpuUsage(), await redisTime()];
  const state = { terms: Array(60).fill(Math.PI) };
  const workers = ['nothing', 'total'].map((name) => new Worker(name, async () => state, { connection }));
  const producer = new FlowProducer({ connection });
  const done = once(workers[1], 'completed');
  const children = Array.from({ length: UNITS }, () => ({ name: 'unit', queueName: 'nothing', data: {} }));
  await producer.add({ name: 'total', queueName: 'total', data: {}, children });
  await done;
  const { user, system } = process.cpuUsage(before[0]);
  const ours = (user + system) / 1000 / UNITS;
  const redis = (1000 * ((await redisTime()) - before[1])) / UNITS;
  console.log(`the queue, for each unit: ${ours.toFixed(2)} ms of ours, ${redis.toFixed(2)} ms of Redis`);
  await Promise.all([...workers, producer].map((part) => part.close()));
  client.disconnect();
}
