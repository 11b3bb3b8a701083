// A host without JavaScript gets the numbers of the JavaScript API, bit for bit.
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './process.mjs';
import { check, equal } from './report.mjs';
import { here, libraryOf } from './setup.mjs';
import { SEGMENT } from './workload.mjs';

/** Two segments and a rest. */
const COUNT = 2 * SEGMENT + 1001;

export async function checkAbi(project) {
  const kernel = join(project, 'node_modules/focal-loss-wasm/dist/wasm/kernel.wasm');
  const host = join(project, 'abi');
  const version = existsSync('/usr/bin/wasm-interp') ? (await run(['wasm-interp', '--version'])).trim() : '';
  let ready = false;
  await check('WABT', version, 'a host in C++ compiles', async () => {
    if (version === '') throw new Error('no wabt: run `apt-get install -y --no-install-recommends wabt g++`');
    await run(['g++', '-std=c++17', '-O2', '-Wall', join(here, 'abi.cpp'), '-o', host, '-lwabt']);
    ready = true;
  });
  const library = await libraryOf(project);
  for (const gamma of ready ? [2, 1.5, 0, 1.7] : []) {
    await check('WABT', version, `binary(frame), gamma ${gamma}`, () => compare(library, host, kernel, gamma));
  }
}

function compare({ FocalLoss, LossMeter }, host, kernel, gamma) {
  const [alpha, posWeight] = [0.75, 3];
  const logits = Float32Array.from({ length: COUNT }, (_, k) => (((k * 7919) % COUNT) / COUNT - 0.5) * 40);
  logits.set([0, -0, 1e-45, 104, -104, 3e38, -3e38], SEGMENT - 3);
  const targets = Uint8Array.from({ length: COUNT }, (_, k) => (k % 11 === 0 ? 1 : 0));
  const input = Buffer.concat(
    [Uint32Array.of(COUNT), Float64Array.of(gamma, alpha, posWeight), logits, targets].map(bytesOf),
  );
  const output = Uint8Array.from(execFileSync(host, [kernel], { input, maxBuffer: 1e8 }));

  const none = new FocalLoss({ gamma, alpha, posWeight, reduction: 'none' });
  const meter = new LossMeter(none);
  const losses = meter.update(logits, targets);
  const { grad, hess } = none.gradHess(logits, targets);
  const { sumPositives, sumNegatives, positives, negatives } = meter.compute();
  const floats = [losses, grad, hess];
  floats.forEach((values, k) => {
    const found = new Float32Array(output.buffer, 4 * COUNT * k, COUNT);
    const at = values.findIndex((value, index) => !Object.is(value, found[index]));
    if (at >= 0) throw new Error(`${['loss', 'grad', 'hess'][k]} ${at} is ${found[at]}, in JavaScript ${values[at]}`);
  });
  const sums = new Float64Array(output.slice(12 * COUNT).buffer);
  [sumPositives, sumNegatives, positives, negatives].forEach((value, k) => {
    equal(sums[k], value, ['sumPositives', 'sumNegatives', 'positives', 'negatives'][k]);
  });
  return `${3 * COUNT} values and 4 sums are the same`;
}

function bytesOf({ buffer, byteOffset, byteLength }) {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
