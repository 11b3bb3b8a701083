import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test, vi } from 'vitest';
import { defaultsOf, LOSSES } from '../losses/registry.js';
import { SoftTargets } from '../src/abi.js';
import type * as api from '../src/index.js';
import { call, useBuild } from './raw-kernel.js';
import { posteriorRows, softmaxRows, useKernel } from './rows-kernel.js';
import { digest } from './runtimes/workload.mjs';

// The terms of a block lie over each other in scratch memory (assembly/slots.ts). This file runs on a kernel that notes for
// every vector which term was written there last, and traps where a stage reads another.

const checked = vi.hoisted(() => ({ module: undefined as unknown as WebAssembly.Module }));
vi.mock('#wasm', () => ({ wasm: checked }));

const root = fileURLToPath(new URL('..', import.meta.url));

function compile(): WebAssembly.Module {
  const asc = createRequire(import.meta.url).resolve('assemblyscript/bin/asc.js');
  const folder = mkdtempSync(join(tmpdir(), 'slots-'));
  const file = join(folder, 'checked.wasm');
  const fast = ['--optimizeLevel', '0', '--shrinkLevel', '0'];
  const kept = ['--config', 'asconfig.json', '--target', 'release', '--textFile', join(folder, 'checked.wat')];
  execFileSync(process.execPath, [asc, ...kept, '--outFile', file, '--use', 'CHECK_SLOTS=1', ...fast], { cwd: root });
  const module = new WebAssembly.Module(readFileSync(file));
  rmSync(folder, { recursive: true });
  return module;
}

checked.module = compile();
useBuild(checked.module);
const library = await import('../src/index.js');
const { FocalLoss, LossMeter, SoftmaxFocalLoss, focalPosterior, softmaxFocalPosterior } = library;
const COUNT = 700; // two blocks and some
const logits = Float32Array.from({ length: COUNT }, (_, k) => ((k * 37) % 400) / 20 - 10);
const soft = Float32Array.from({ length: COUNT }, (_, k) => ((k * 13) % 101) / 100);
const hard = Uint8Array.from(soft, (y) => Math.round(y));
const ones = new Float32Array(COUNT).fill(1);

test('what is computed with checked slots has the bits of the release', () => {
  const expected = JSON.parse(readFileSync(new URL('./runtimes/expected.json', import.meta.url), 'utf8'));
  expect(digest(library).parts).toEqual(expected.parts);
});

test('no stage reads an overwritten slot, whatever the options', () => {
  for (const gamma of [0, 1, 1.7, 2, 4.5])
    for (const hessian of ['exact', 'clip', 'gaussNewton', 'absGrad'] as const)
      for (const labelSmoothing of [0, 0.1])
        for (const targets of [hard, soft])
          for (const fromLogits of [true, false]) {
            const loss = new FocalLoss({ gamma, hessian, labelSmoothing, fromLogits, reduction: 'none' });
            const call = { weight: ones };
            const first = fromLogits ? logits : soft;
            expect(loss.forward(first, targets, call).length).toBe(COUNT);
            loss.valueAndGrad(first, targets, call);
            loss.gradHess(first, targets, call);
          }
});

test.each(LOSSES.map((entry) => [entry.title, entry] as const))('nor do those of %s', (_, entry) => {
  const Loss = (library as never)[entry.name] as new (options: object) => api.Criterion<'none'>;
  // whole exponents, and others
  const grid = [{}, Object.fromEntries(Object.entries(entry.options).map(([key, { max }]) => [key, max * 0.48]))];
  for (const numbers of grid)
    for (const hessian of ['exact', 'gaussNewton', 'absGrad'] as const)
      for (const targets of entry.soft ? [hard, soft] : [hard])
        for (const call of [{}, { weight: ones }]) {
          const policy = entry.name === 'BCEWithLogitsLoss' ? {} : { hessian };
          const loss = new Loss({ ...defaultsOf(entry), ...numbers, ...entry.fixed, ...policy, reduction: 'none' });
          expect(loss.forward(logits, targets, call).length).toBe(COUNT);
          loss.valueAndGrad(logits, targets, call);
          loss.gradHess(logits, targets, call);
          new LossMeter(loss).update(logits, targets, call);
        }
});

test('nor do other meanings of soft targets, nor Poly-1', () => {
  for (const gamma of [0, 1.7, 2])
    for (const hessian of ['exact', 'gaussNewton'] as const)
      for (const softTargets of [SoftTargets.linear, SoftTargets.split, SoftTargets.crossEntropy])
        for (const polyEpsilon of [0, 1, -2])
          for (const want of [[], ['loss'], ['grad'], ['loss', 'grad', 'hess']] as const) {
            const given = { gamma, hessian, softTargets, polyEpsilon, want, logits };
            expect(call('binary', { ...given, targets: soft }).sum).not.toBe(0);
            expect(call('binary', { ...given, targets: hard, weight: ones }).sum).not.toBe(0);
          }
});

test.each([2, 3, 40, 350])('nor do rows of %d classes', (numClasses) => {
  const rows = Math.floor(COUNT / numClasses);
  const z = logits.subarray(0, rows * numClasses);
  const labels = Int32Array.from({ length: rows }, (_, row) => (row % 3 === 0 ? -1 : row % numClasses));
  for (const gamma of [0, 1.7, 2])
    for (const labelSmoothing of [0, 0.1]) {
      const options = { numClasses, gamma, labelSmoothing, ignoreIndex: -1, alpha: ones.subarray(0, numClasses) };
      const loss = new SoftmaxFocalLoss({ ...options, reduction: 'sum' });
      expect(loss.forward(z, labels)).toBeGreaterThan(0);
      loss.valueAndGrad(z, labels, { weight: ones.subarray(0, rows) });
      loss.gradHess(z, labels);
      softmaxFocalPosterior(z, { numClasses, gamma });
    }
  focalPosterior(z, { gamma: 2 });
});

test.each([2, 3, 40, 90, 350])('nor do planes of %d classes', (classes) => {
  useKernel(checked.module);
  const rows = Math.floor(COUNT / classes);
  const z = logits.subarray(0, rows * classes);
  const targets = Int32Array.from({ length: rows }, (_, row) => (row % 3 === 0 ? -1 : row % classes));
  for (const gamma of [0, 1.7, 2])
    for (const labelSmoothing of [0, 0.1]) {
      const call = {
        classes,
        logits: z,
        targets,
        gamma,
        labelSmoothing,
        stride: rows + 1,
        weight: ones.subarray(0, rows),
      };
      for (const outputs of [[], ['loss', 'grad'], ['hess']] as const) {
        expect(softmaxRows({ ...call, outputs }).positives).toBeGreaterThan(0);
      }
      posteriorRows(z, classes, { gamma, stride: rows + 1 });
      const shares = Float32Array.from(z, (_, k) => (k % classes < 2 ? 0.5 : 0));
      for (const softTargets of [0, 1, 2])
        for (const hessian of [0, 2, 3])
          expect(softmaxRows({ ...call, targets: shares, softTargets, hessian, polyEpsilon: 1 }).bad).toBe(0);
    }
});
