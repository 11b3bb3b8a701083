// Speed beside other libraries on the same inputs, by size, loss alone and with its gradient: `npm run bench:peers`, after
// `npm ci` in bench/peers. What is not installed is named and left out. Peers of several threads are measured on one and on
// all; the results have the machine in their name.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { FocalLoss, Workspace } from 'focal-loss-wasm';
import { ParallelFocalLoss } from 'focal-loss-wasm/parallel';
import { binaryInputs } from './inputs.mjs';
import { interleave } from './interleave.mjs';
import { machine, machineName } from './machine.mjs';
import { round } from './round.mjs';
import * as scalar from './scalar.mjs';

const { values } = parseArgs({ options: { quick: { type: 'boolean' } } });
const ALPHA = 0.25;
const LENGTHS = values.quick ? [256, 65_536, 1_048_576] : [1, 16, 256, 4096, 65_536, 1_048_576, 16_777_216];
const SECONDS = values.quick ? 5 : 15;
const KINDS = ['loss', 'gradient'];
const ALL_THREADS = ', all threads';
/** Of a sum: some peers add in float32, one after the other. */
const SUM_TOLERANCE = 2e-2;
/** Of a derivative: some peers subtract p_t from 1. */
const GRADIENT_TOLERANCE = 1e-5;

const run = machine();
console.log(`${run.processor}, ${run.cores} cores, Node ${run.node}, ${run.date}, gamma 2`);

const inputs = binaryInputs(LENGTHS.at(-1));
const floats = Float32Array.from(inputs.targets);
const folder = mkdtempSync(join(tmpdir(), 'focal-loss-bench-'));
writeFileSync(join(folder, 'logits.f32'), inputs.logits);
writeFileSync(join(folder, 'targets.f32'), floats);

const criterion = new FocalLoss({ gamma: 2, alpha: ALPHA, reduction: 'sum' });

/** This package and its base, in the shape of a peer. */
const ours = [
  {
    name: 'focal-loss-wasm, workspace',
    version: run.package,
    prepare({ logits, targets }) {
      const workspace = new Workspace(9 * logits.length);
      const x = workspace.float32(logits.length);
      const y = workspace.uint8(logits.length);
      const call = { gradOut: workspace.float32(logits.length) };
      x.set(logits);
      y.set(targets);
      return {
        loss: () => criterion.forward(x, y),
        gradient: () => criterion.valueAndGrad(x, y, call),
        release() {},
      };
    },
  },
  {
    name: 'focal-loss-wasm, ordinary arrays',
    version: run.package,
    prepare({ logits, targets }) {
      return {
        loss: () => criterion.forward(logits, targets),
        gradient: () => criterion.valueAndGrad(logits, targets),
        release() {},
      };
    },
  },
  {
    name: 'scalar JavaScript',
    version: run.node,
    prepare({ logits, targets }) {
      const grad = new Float32Array(logits.length);
      return {
        loss: () => scalar.focalSum(logits, targets, ALPHA),
        gradient: () => ({ value: scalar.focalGrad(logits, targets, ALPHA, grad), grad }),
        release() {},
      };
    },
  },
];

const onnxruntime = (name) => async (options) => (await import('./peers/onnxruntime.mjs')).open(name, options);
const python = (name) => async (options) => (await import('./peers/python.mjs')).open(name, options);
/** On one thread and, where there are more, on all. */
const THREADED = ['torch.compile', 'torchvision', 'optax'];
const openers = {
  ...Object.fromEntries(THREADED.map((name) => [name, python(name)])),
  'onnxruntime-node': onnxruntime('onnxruntime-node'),
  'onnxruntime-web': onnxruntime('onnxruntime-web'),
  'TensorFlow.js': async (options) => (await import('./peers/tensorflow.mjs')).open(options),
};

if (run.cores > 1) ours.splice(2, 0, await ofAllThreads());
const peers = [...ours];
const missing = [];
for (const [name, open] of Object.entries(openers)) {
  for (const threads of THREADED.includes(name) && run.cores > 1 ? [1, run.cores] : [1]) {
    try {
      const peer = await open({ alpha: ALPHA, folder, threads });
      peers.push({ ...peer, threads, name: threads === 1 ? peer.name : `${peer.name}${ALL_THREADS}` });
    } catch (error) {
      missing.push({ name, reason: firstLine(error) });
      console.log(`left out: ${name}: ${firstLine(error)}`);
      break;
    }
  }
}

const rows = [];
try {
  for (const length of LENGTHS) await measure(length);
} finally {
  for (const { close } of peers) await close?.();
  rmSync(folder, { recursive: true });
}

const file = new URL(`results/peers-${machineName(run)}.json`, import.meta.url);
mkdirSync(new URL('.', file), { recursive: true });
const versions = Object.fromEntries(peers.map(({ name, version }) => [name, version]));
writeFileSync(file, `${JSON.stringify({ ...run, quick: values.quick === true, versions, missing, rows }, null, 2)}\n`);

async function measure(length) {
  const part = (array) => array.subarray(0, length);
  const arrays = { logits: part(inputs.logits), targets: part(inputs.targets), floats: part(floats) };
  const expected = { grad: new Float32Array(length) };
  expected.value = scalar.focalGrad(arrays.logits, arrays.targets, ALPHA, expected.grad);
  const ready = [];
  for (const { name, prepare, threads = 1 } of peers) {
    try {
      const prepared = prepare(arrays);
      ready.push({ name, threads, ...prepared, error: await compare(name, prepared, expected) });
    } catch (error) {
      console.log(`left out at ${length}: ${name}: ${firstLine(error)}`);
      rows.push({ length, name, reason: firstLine(error) });
    }
  }
  const cases = ready.flatMap(({ name, asynchronous, time, ...each }) =>
    KINDS.map((kind) => ({
      name: `${name}|${kind}`,
      run: each[kind],
      asynchronous,
      time: time === undefined ? undefined : (calls) => time(kind, calls),
    })),
  );
  const rounds = length > 1e7 ? 3 : undefined;
  const times = await interleave(cases, { seconds: SECONDS, rounds });
  console.log(
    `\n${`${length.toLocaleString('en')} elements`.padEnd(50)}loss M/s    gradient M/s   slower than the first   error of the sum`,
  );
  for (const { name, threads, error, release } of ready) {
    const row = { length, name, threads, error: round(error) };
    for (const kind of KINDS) row[kind] = { nanoseconds: round(times[`${name}|${kind}`]) };
    for (const kind of KINDS) row[kind].megaPerSecond = round((1000 * length) / row[kind].nanoseconds);
    rows.push(row);
    const slower = KINDS.map((kind) => times[`${name}|${kind}`] / times[`${ready[0].name}|${kind}`]);
    const cells = KINDS.map((kind) => row[kind].megaPerSecond.toFixed(2).padStart(12)).join('   ');
    console.log(
      `  ${name.padEnd(44)}${cells}${slower.map((each) => each.toFixed(2).padStart(12)).join('')}   ${error.toExponential(1)}`,
    );
    release();
  }
}

/** This package over all threads, arrays in shared memory. */
async function ofAllThreads() {
  const parallel = new ParallelFocalLoss({ gamma: 2, alpha: ALPHA, reduction: 'sum' });
  await parallel.ready();
  return {
    name: `focal-loss-wasm, shared memory${ALL_THREADS}`,
    version: run.package,
    threads: parallel.threads,
    prepare({ logits, targets }) {
      const shared = (array) => {
        const copy = new array.constructor(new SharedArrayBuffer(array.byteLength));
        copy.set(array);
        return copy;
      };
      const [x, y] = [shared(logits), shared(targets)];
      const call = { gradOut: shared(logits) };
      return {
        asynchronous: true,
        loss: () => parallel.forward(x, y),
        gradient: () => parallel.valueAndGrad(x, y, call),
        release() {},
      };
    },
    close: () => parallel.close(),
  };
}

/** The relative error of the sum, after the numbers were found to be those of the scalar base. */
async function compare(name, { loss, gradient }, expected) {
  const { value, grad } = await gradient();
  const error = Math.abs((await loss()) / expected.value - 1);
  const worst = Math.max(error, Math.abs(value / expected.value - 1));
  if (!(worst <= SUM_TOLERANCE)) throw new Error(`${name} gives a loss of ${value}, expected ${expected.value}`);
  for (let k = 0; k < grad.length; k++) {
    if (Math.abs(grad[k] - expected.grad[k]) <= GRADIENT_TOLERANCE) continue;
    throw new Error(`${name} gives a gradient of ${grad[k]} at ${k}, expected ${expected.grad[k]}`);
  }
  return error;
}

function firstLine(error) {
  return String(error?.message ?? error).split('\n')[0];
}
