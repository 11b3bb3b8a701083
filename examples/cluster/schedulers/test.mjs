// Runs the recipes for real: GNU parallel, and Slurm with its controller and a node on this machine. Both give the bits of one
// command over all files.
//   node --test schedulers/test.mjs      needs parallel, and slurm-wlm with the right to be root; what is missing is skipped
import assert from 'node:assert/strict';
import { execFile, spawn, spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { cpus, hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);
const here = import.meta.dirname;
const scratch = await mkdtemp(join(tmpdir(), 'focal-schedulers-'));
const OPTIONS = ['--gamma', '2', '--alpha', '0.75'];
const SHARDS = 2;
const missing = (...commands) => commands.find((command) => spawnSync('which', [command]).status !== 0);
const children = [];
let want;

before(async () => {
  await mkdir(join(scratch, 'bin'));
  const command = join(here, '../../../cli/dist/main.js');
  const script = `#!/bin/sh\nexec "${process.execPath}" "${command}" "$@"\n`;
  await writeFile(join(scratch, 'bin/focal-loss'), script, { mode: 0o755 });
  process.env.PATH = `${join(scratch, 'bin')}:${process.env.PATH}`;
  let state = 1;
  const random = () => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return state / 2 ** 31;
  };
  await mkdir(join(scratch, 'data with space'));
  for (let file = 0; file < 4; file++) {
    const rows = Array.from({ length: 3000 }, () => `${(8 * random() - 5).toFixed(3)},${random() < 0.1 ? 1 : 0}`);
    await writeFile(join(scratch, 'data with space', `part-${file}.csv`), `logit,label\n${rows.join('\n')}\n`);
  }
  const { stdout } = await run('focal-loss', ['score', source(), ...OPTIONS, '--json']);
  want = totals(stdout);
  assert.equal(want.count, 12_000);
});
after(async () => {
  for (const child of children) child.kill('SIGKILL');
  await rm(scratch, { recursive: true, force: true, maxRetries: 5 });
});

const source = () => join(scratch, 'data with space', '*.csv');
const totals = (text) => {
  const { count, positives, sum, sumPositives, sumNegatives, mean } = JSON.parse(text.trim().split('\n').at(-1));
  return { count, positives, sum, sumPositives, sumNegatives, mean };
};

test('GNU parallel', { skip: missing('parallel') }, async () => {
  const states = join(scratch, 'states of parallel');
  const { stdout } = await run(join(here, 'parallel.sh'), [source(), String(SHARDS), states, ...OPTIONS]);
  assert.deepEqual(totals(stdout), want);
  // what is left of a state by a machine that was cut off is refused
  const path = join(states, '2.json');
  await writeFile(path, (await readFile(path)).subarray(0, 300));
  const merge = await run('focal-loss', ['merge', ...[1, 2].map((k) => join(states, `${k}.json`))]).catch(
    (error) => error,
  );
  assert.notEqual(merge.code, 0);
  assert.match(merge.stderr, /2\.json/);
});

test('Slurm', {
  skip: missing('slurmctld', 'slurmd', 'sbatch') ?? (process.getuid() !== 0 && 'not root'),
}, async () => {
  await startSlurm();
  const states = join(scratch, 'states of slurm');
  const { stdout } = await run(join(here, 'slurm.sh'), [source(), String(SHARDS), states, ...OPTIONS]);
  assert.deepEqual(totals(stdout), want);
});

/** A cluster of this machine alone, without accounting and authentication. */
async function startSlurm() {
  const directory = join(scratch, 'slurm');
  await mkdir(join(directory, 'state'), { recursive: true });
  const [controller, node] = [await freePort(), await freePort()];
  const configuration = join(directory, 'slurm.conf');
  await writeFile(
    configuration,
    `ClusterName=focal
SlurmctldHost=${hostname()}(127.0.0.1)
SlurmctldPort=${controller}
SlurmdPort=${node}
AuthType=auth/none
CredType=cred/none
SlurmUser=root
StateSaveLocation=${directory}/state
SlurmdSpoolDir=${directory}/spool
SlurmctldPidFile=${directory}/slurmctld.pid
SlurmdPidFile=${directory}/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SwitchType=switch/none
SelectType=select/cons_tres
SchedulerParameters=sched_interval=1,batch_sched_delay=0,sched_min_interval=100000
ReturnToService=2
NodeName=${hostname()} NodeAddr=127.0.0.1 CPUs=${cpus().length} State=UNKNOWN
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
`,
  );
  process.env.SLURM_CONF = configuration;
  for (const daemon of ['slurmctld', 'slurmd']) {
    children.push(spawn(daemon, ['-D', '-f', configuration], { stdio: ['ignore', 'ignore', 'ignore'] }));
    await sleep(500);
  }
  for (let tries = 0; tries < 100; tries++) {
    const { stdout } = await run('sinfo', ['--noheader', '--format=%T']).catch(() => ({ stdout: '' }));
    if (/idle/.test(stdout)) return;
    await sleep(200);
  }
  throw new Error('slurmd has not become idle');
}

function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}
