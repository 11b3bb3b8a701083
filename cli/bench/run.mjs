// How fast the command line is, and what memory it takes, beside the kernel on the same machine at the same time.
//
//   npm run bench -w focal-loss-cli -- [FOLDER] [SCALE]
//
// FOLDER keeps the data, which is 3.2 GB at SCALE 1.
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DuckDBInstance } from '@duckdb/node-api';
import { FocalLoss } from 'focal-loss-wasm';
import { makeData } from './data.mjs';

const [folder = join(tmpdir(), 'focal-loss-bench'), scale = '1'] = process.argv.slice(2);
const COMMAND = fileURLToPath(new URL('../dist/main.js', import.meta.url));
// Reported by the process itself at its end: the most memory it had, and the processor time it took. What resourceUsage calls
// the most memory counts that of the process which has started it, so that Linux is asked in another way.
const REPORT = `import { readFileSync } from 'node:fs';
process.on('exit', () => {
  const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage();
  let kilobytes = maxRSS;
  try {
    kilobytes = Number(/^VmHWM:\\s*(\\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'))[1]);
  } catch {}
  process.stderr.write('\\nusage ' + kilobytes / 1024 + ' ' + (userCPUTime + systemCPUTime) / 1e6);
})`;

function run(...argv) {
  const begin = performance.now();
  const child = spawn(process.execPath, [
    '--import',
    `data:text/javascript,${encodeURIComponent(REPORT)}`,
    COMMAND,
    ...argv,
  ]);
  let [err, first] = ['', 0];
  child.stderr.on('data', (text) => {
    err += text;
  });
  child.stdout.on('data', () => {
    first ||= performance.now() - begin;
  });
  return new Promise((resolve, reject) => {
    child.on('close', (code) => {
      if (code !== 0) reject(new Error(err));
      const [, memory, cpu] = /usage (\S+) (\S+)/.exec(err);
      resolve({
        wall: (performance.now() - begin) / 1000,
        memory: Number(memory),
        cpu: Number(cpu),
        first: first / 1000,
      });
    });
  });
}

const LENGTH = 1 << 24;
const logits = Float32Array.from({ length: LENGTH }, (_, i) => Math.sin(i) * 4 - 2);
const targets = Uint8Array.from({ length: LENGTH }, (_, i) => (i % 5 === 0 ? 1 : 0));
const criterion = new FocalLoss({ gamma: 2, reduction: 'sum' });

/** Elements a second of the kernel on one thread, from ordinary arrays that are too long for a cache. */
function kernelRate() {
  criterion.forward(logits, targets);
  const times = Array.from({ length: 9 }, () => {
    const begin = performance.now();
    criterion.forward(logits, targets);
    return (performance.now() - begin) / 1000;
  }).sort((a, b) => a - b);
  return LENGTH / times[4];
}

/** Rows a second that the engine hands over in order, of which nothing is looked at. */
async function engineRate(name, count) {
  const instance = await DuckDBInstance.create(':memory:', { memory_limit: '192MB' });
  const connection = await instance.connect();
  const begin = performance.now();
  const result = await connection.stream(`SELECT logit, label FROM '${file(name)}'`);
  for (let chunk = await result.fetchChunk(); chunk !== null && chunk.rowCount > 0; ) chunk = await result.fetchChunk();
  const wall = (performance.now() - begin) / 1000;
  connection.closeSync();
  instance.closeSync();
  return count / wall;
}

/** How long Node takes to do nothing, in seconds: the least of several. */
function nodeStart() {
  const times = Array.from({ length: 7 }, () => {
    const begin = performance.now();
    spawnSync(process.execPath, ['-e', '0']);
    return performance.now() - begin;
  });
  return Math.min(...times) / 1000;
}

const { file, rows, elements } = await prepared();
const millions = (rate) => `${(rate / 1e6).toFixed(1)} M/s`;

async function prepared() {
  mkdirSync(folder, { recursive: true });
  return makeData(folder, Number(scale));
}

/** Runs a case three times beside the kernel, and prints the median. */
async function measure(name, count, ...argv) {
  const runs = [];
  for (let i = 0; i < 3; i++) runs.push({ ...(await run(...argv)), kernel: kernelRate() });
  const median = (of) => runs.map(of).sort((a, b) => a - b)[1];
  const wall = median((each) => each.wall);
  const cells = [
    name,
    `${wall.toFixed(2)} s`,
    millions(count / wall),
    `${median((each) => count / each.wall / each.kernel).toFixed(2)}`,
    `${median((each) => each.cpu).toFixed(2)} s`,
    `${Math.round(Math.max(...runs.map((each) => each.memory)))} MB`,
    `${median((each) => each.first).toFixed(2)} s`,
  ];
  console.log(`| ${cells.join(' | ')} |`);
}

console.log(
  `Node ${process.versions.node}, which starts in ${nodeStart().toFixed(2)} s, ${availableParallelism()} processors`,
);
console.log(`the kernel alone ${millions(kernelRate())}, one thread`);
for (const [name, count] of [
  ['rows.parquet', rows(50e6)],
  ['one-group.parquet', rows(90e6)],
  ['rows.csv', rows(20e6)],
]) {
  console.log(`the engine alone hands over ${name} at ${millions(await engineRate(name, count))}`);
}
console.log();
console.log('| what | time | elements | beside the kernel | processor time | memory | first output |');
console.log('| --- | --- | --- | --- | --- | --- | --- |');
await measure(`.npy, ${rows(1000)} MB`, elements, 'score', file('logits.npy'), file('targets.npy'), '--gamma', '2');
await measure('.npy, 40 KB', 10_000, 'score', file('small-x.npy'), file('small-y.npy'));
await measure('Parquet', rows(50e6), 'score', file('rows.parquet'));
await measure('Parquet, one row group', rows(90e6), 'score', file('one-group.parquet'));
await measure('Parquet, all the same', rows(100e6), 'score', file('constant.parquet'));
await measure('CSV', rows(20e6), 'score', file('rows.csv'));
await measure('CSV, gzip', rows(5e6), 'score', file('rows.csv.gz'));
await measure(
  'Parquet, --top 1000000',
  rows(50e6),
  'score',
  file('rows.parquet'),
  '--top',
  String(rows(1e6)),
  '--json',
);
await measure(
  'Parquet, --by and 4 gammas',
  rows(50e6),
  'score',
  file('rows.parquet'),
  '--by',
  'id % 10',
  '--gamma',
  '0,1,2,5',
);
