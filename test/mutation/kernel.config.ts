import { defineConfig } from 'vitest/config';

/** The tests that see what the kernel computes, cheap ones first; a mutant needs only one that fails. */
export const FILES = [
  'values',
  'reductions',
  'targets',
  'softmax',
  'posterior',
  'parity',
  'infinities',
  'properties',
  'loss-meter',
  'workspace',
  'lengths',
  'bounds',
  'sweep',
].map((name) => `test/${name}.test.ts`);

export default defineConfig({
  test: { include: FILES, isolate: false, maxWorkers: 1, fileParallelism: false, bail: 1, testTimeout: 120_000 },
});
