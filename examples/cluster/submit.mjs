// Submits a run, shows how far it is, and prints the totals. Submitted again, a run goes on where it is and is not done twice.
//   node submit.mjs DIRECTORY [--run NAME] [--shards 1] [--gamma 2] [--alpha 0.75] [--state FILE] [--no-wait]
import { createHash } from 'node:crypto';
import { rename, rm, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { FlowProducer, Job, Queue } from 'bullmq';
import { connectionOf, MERGE, reportLoss, SCORE, unitId } from './queues.mjs';
import { totalsOf, unitsOf } from './units.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    run: { type: 'string' },
    shards: { type: 'string', default: '1' },
    gamma: { type: 'string', default: '2' },
    alpha: { type: 'string', default: '0.75' },
    state: { type: 'string' },
    'no-wait': { type: 'boolean', default: false },
  },
});
const [directory] = positionals;
if (directory === undefined) {
  console.error(
    'usage: node submit.mjs DIRECTORY [--run NAME] [--shards N] [--gamma G] [--alpha A] [--state FILE] [--no-wait]',
  );
  process.exit(2);
}

const loss = { gamma: Number(values.gamma), alpha: Number(values.alpha) };
const units = await unitsOf(directory, Number(values.shards));
// the same files and options are the same run, however often it is submitted
const content = createHash('sha256')
  .update(JSON.stringify([units, loss]))
  .digest('hex')
  .slice(0, 16);
const run = values.run ?? content;

const connection = connectionOf();
const producer = new FlowProducer({ connection });
const queue = new Queue(MERGE, { connection });
const isBack = reportLoss(producer);
reportLoss(queue, () => {});

// a week, in which a run that is submitted again is not done again
const keep = { removeOnComplete: { age: 7 * 24 * 3600 } };
const attempts = { attempts: 10, backoff: { type: 'exponential', delay: 500 } };
let job = await Job.fromId(queue, run);
if ((await job?.getState()) === 'failed') {
  await job.remove({ removeChildren: true });
  job = undefined;
}
if (job !== undefined && job.data.content !== content) {
  console.error(`run ${run} was submitted with other files or options; give this one another name`);
  process.exit(1);
}
job ??= (
  await producer.add({
    name: 'merge',
    queueName: MERGE,
    data: { run, content, count: units.length, loss },
    opts: { jobId: run, ...keep },
    children: units.map((unit, k) => ({
      name: 'score',
      queueName: SCORE,
      data: { unit, loss },
      opts: { jobId: unitId(run, k), failParentOnFailure: true, ...keep, ...attempts },
    })),
  })
).job;
isBack();
console.log(`run ${run}: ${units.length} units`);
if (!values['no-wait']) await follow();
await Promise.all([producer.close(), queue.close()]);

async function follow() {
  const started = performance.now();
  for (let last = -1; ; await new Promise((resolve) => setTimeout(resolve, 200))) {
    const state = await job.getState();
    const { processed = 0 } = state === 'completed' ? { processed: units.length } : await job.getDependenciesCount();
    if (processed !== last) progress(processed, (performance.now() - started) / 1000);
    last = processed;
    if (state === 'completed' || state === 'failed') break;
  }
  process.stderr.write('\n');
  const { returnvalue, failedReason } = await Job.fromId(queue, run);
  if (failedReason) {
    console.error(`run ${run} failed: ${await reasonOf(failedReason)}`);
    process.exitCode = 1;
    return;
  }
  if (values.state !== undefined) await write(values.state, JSON.stringify(returnvalue));
  console.log(JSON.stringify(totalsOf(returnvalue, loss)));
}

/** Of a run that a unit has failed, what the unit says. */
async function reasonOf(failedReason) {
  const [, id] = /^child .*:(\S+) failed$/.exec(failedReason) ?? [];
  if (id === undefined) return failedReason;
  const scores = new Queue(SCORE, { connection });
  const unit = await Job.fromId(scores, id);
  await scores.close();
  return unit?.failedReason ?? failedReason;
}

function progress(done, seconds) {
  const bar = '#'.repeat(Math.round((40 * done) / units.length)).padEnd(40, '.');
  process.stderr.write(
    `${process.stderr.isTTY ? '\r' : '\n'}[${bar}] ${done} of ${units.length} units, ${seconds.toFixed(1)} s`,
  );
}

/** Whole or not at all: what reads the file never sees half of it. */
async function write(path, text) {
  const part = `${path}.${process.pid}.part`;
  try {
    await writeFile(part, text, { flush: true });
    await rename(part, path);
  } catch (error) {
    await rm(part, { force: true }).catch(() => {});
    console.error(
      `${path} was not written: ${error.message}; run ${run} is done, and submitting it again writes its state`,
    );
    process.exitCode = 1;
  }
}
