// What a unit costs, and how a run scales from one worker process to several on this machine.
//   node scale.mjs [--workers 1,2,4] [--files 24] [--rows 2000000]      needs redis-server on the PATH
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { link, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { readRows } from './npy.mjs';
import { scoreUnit, unitsOf } from './units.mjs';

const { values } = parseArgs({
  options: {
    workers: { type: 'string', default: '1,2,4' },
    files: { type: 'string', default: '24' },
    rows: { type: 'string', default: '2000000' },
  },
});
const rows = Number(values.rows);
const loss = { gamma: 2, alpha: 0.75 };
const scratch = await mkdtemp(join(tmpdir(), 'focal-scale-'));
const children = [];
const start = (command, ...args) => {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'], env: process.env });
  children.push(child);
  return child;
};
const node = (script, ...args) => start(process.execPath, join(import.meta.dirname, script), ...args);

try {
  await once(node('make-data.mjs', join(scratch, 'seeds'), '1', String(rows)), 'exit');
  const data = join(scratch, 'data');
  await mkdir(data);
  for (let file = 0; file < Number(values.files); file++) {
    for (const kind of ['logits', 'targets']) {
      await link(join(scratch, 'seeds', `part-0000.${kind}.npy`), join(data, `part-${file}.${kind}.npy`));
    }
  }
  const units = await unitsOf(data, rows);
  const reading = await median(9, () =>
    Promise.all([units[0].logits, units[0].targets].map((path) => readRows(path, 0, rows))),
  );
  const scoring = await median(9, () => scoreUnit(units[0], loss));
  console.log(`a unit of ${rows} rows: ${scoring.toFixed(1)} ms, of which reading ${reading.toFixed(1)} ms`);

  process.env.REDIS_URL = 'redis://127.0.0.1:7399';
  const redis = start('redis-server', '--port', '7399', '--dir', scratch, '--appendonly', 'yes', '--save', '');
  for await (const chunk of redis.stdout) if (/Ready to accept/.test(chunk)) break;
  redis.stdout.resume();
  for (const count of values.workers.split(',').map(Number)) {
    const workers = Array.from({ length: count }, () => node('worker.mjs'));
    await Promise.all(workers.map((worker) => once(worker.stdout, 'data')));
    // small units cost what the queue costs
    const queue = await timed('queue', count, '--rows', String(Math.ceil(rows / 20)));
    const whole = await timed('whole', count, '--rows', String(rows));
    const rate = (rows * units.length) / whole / 1e6;
    console.log(
      `${count} workers: ${units.length} units in ${whole.toFixed(2)} s, ${rate.toFixed(0)} M rows/s; ` +
        `cut into ${20 * units.length} units ${queue.toFixed(2)} s`,
    );
    for (const worker of workers) worker.kill('SIGTERM');
    await Promise.all(workers.map((worker) => once(worker, 'exit')));
  }

  async function timed(name, count, ...options) {
    const submit = node('submit.mjs', data, '--run', `${name}-${count}`, ...options);
    const from = performance.now();
    await once(submit, 'exit');
    return (performance.now() - from) / 1000;
  }
} finally {
  for (const child of children) child.kill('SIGKILL');
  await rm(scratch, { recursive: true, force: true });
}

async function median(times, run) {
  const all = [];
  for (let k = 0; k < times; k++) {
    const from = performance.now();
    await run();
    all.push(performance.now() - from);
  }
  return all.sort((a, b) => a - b)[times >> 1];
}
