// How fast the command line is, and what memory it takes, beside the kernel on the same machine at the same time.
//
//   npm run bench -w focal-loss-cli -- [FOLDER] [SCALE]
//
// FOLDER keeps the data, which is 4 GB at SCALE 1.
import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { FocalLoss } from 'focal-loss-wasm';
import { makeData } from './data.mjs';

const [folder = join(tmpdir(), 'focal-loss-bench'), scale = '1'] = process.argv.slice(2);
const COMMAND = fileURLToPath(new URL('../dist/main.js', import.meta.url));
// Reported by the process itself at its end: the most memory it had, and the processor time it took.
const REPORT = `process.on('exit', () => {
  const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage();
  process.stderr.write('\\nusage ' + maxRSS / 1024 + ' ' + (userCPUTime + systemCPUTime) / 1e6);
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

/** Elements a second of the kernel on one thread, from ordinary arrays that are too long for a cache. */
function kernelRate() {
  const length = 1 << 24;
  const logits = Float32Array.from({ length }, (_, i) => Math.sin(i) * 4 - 2);
  const targets = Uint8Array.from({ length }, (_, i) => (i % 5 === 0 ? 1 : 0));
  const criterion = new FocalLoss({ gamma: 2, reduction: 'sum' });
  criterion.forward(logits, targets);
  const times = Array.from({ length: 9 }, () => {
    const begin = performance.now();
    criterion.forward(logits, targets);
    return (performance.now() - begin) / 1000;
  }).sort((a, b) => a - b);
  return length / times[4];
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
  `Node ${process.versions.node}, ${availableParallelism()} processors, the kernel alone ${millions(kernelRate())}\n`,
);
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
