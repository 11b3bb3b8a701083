// Scores units until it is told to stop. Start any number, on any number of machines that see the files and have `focal-loss` (npm install --global focal-loss-cli).
//   node worker.mjs [--concurrency 1] [--lock-seconds 30]      REDIS_URL=redis://host:6379
import { hostname } from 'node:os';
import { parseArgs } from 'node:util';
import { UnrecoverableError, Worker } from 'bullmq';
import { connectionOf, MERGE, reportLoss, SCORE, unitId } from './queues.mjs';
import { DataError, mergeStates, scoreUnit } from './units.mjs';

const { values } = parseArgs({
  options: {
    concurrency: { type: 'string', default: '1' },
    'lock-seconds': { type: 'string', default: '30' },
  },
});
const seconds = Number(values['lock-seconds']);
const name = `${hostname()}/${process.pid}`;
const say = (text) => console.log(`${name} ${text}`);

const options = {
  connection: connectionOf(),
  // a worker that has not been heard of for so long has lost its job to another one
  lockDuration: 1000 * seconds,
  stalledInterval: 500 * seconds,
  // machines that die are no fault of the job's
  maxStalledCount: 1000,
  name,
};

const scorer = new Worker(
  SCORE,
  async (job) => {
    const { unit, loss } = job.data;
    say(`scores ${job.id}`);
    try {
      return await scoreUnit(unit, loss);
    } catch (error) {
      // values that are wrong stay wrong; a file system may come back
      if (error instanceof DataError) throw new UnrecoverableError(error.message);
      throw error;
    }
  },
  { ...options, concurrency: Number(values.concurrency) },
);

const merger = new Worker(
  MERGE,
  async (job) => {
    const { run, count, loss } = job.data;
    // by the jobs' keys: a unit that was scored twice has one value here
    const children = await job.getChildrenValues();
    const states = new Map(Object.entries(children).map(([key, state]) => [key.split(':').at(-1), state]));
    const missing = Array.from({ length: count }, (_, k) => unitId(run, k)).filter((id) => !states.has(id));
    if (missing.length > 0 || states.size !== count) {
      throw new UnrecoverableError(
        `expected the states of ${count} units, got ${states.size}; missing: ${missing.slice(0, 5)}`,
      );
    }
    say(`merges ${count} states`);
    return mergeStates(states.values(), loss);
  },
  options,
);

for (const worker of [scorer, merger]) {
  const isBack = reportLoss(worker, say);
  worker.on('ready', isBack);
  worker.on('active', isBack);
  worker.on('completed', (job) => say(`finished ${job.id}`));
  worker.on('stalled', (id) => say(`takes ${id} from a worker that was not heard of`));
  worker.on('failed', (job, error) => say(`failed ${job?.id}: ${error.message}`));
}
say('is ready');

for (const signal of ['SIGINT', 'SIGTERM']) {
  // units in progress are finished first
  process.once(signal, async () => {
    await Promise.all([scorer.close(), merger.close()]);
    process.exit(0);
  });
}
