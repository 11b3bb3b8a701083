import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { SEGMENT } from '../../src/abi.js';
import { root, runModule } from './support.js';

test.each([
  ['test/runtimes/workload.mjs', /export const SEGMENT = ([\d_]+);/],
  ['test/runtimes/abi.cpp', /constexpr uint32_t kSegment = (\d+);/],
])('%s, which cannot read src/abi.ts, has its segment', (file, pattern) => {
  const [, found] = pattern.exec(readFileSync(`${root}${file}`, 'utf8')) ?? expect.fail('no segment');
  expect(Number(found.replaceAll('_', ''))).toBe(SEGMENT);
});

test('this Node gives the bits that every runtime is held to: node test/runtimes/accept.mjs takes new ones', () => {
  const differences = runModule(`
    import { readFileSync } from 'node:fs';
    import * as library from 'focal-loss-wasm';
    import { digest } from './test/runtimes/workload.mjs';
    const expected = JSON.parse(readFileSync('test/runtimes/expected.json', 'utf8'));
    const { hash, parts } = digest(library);
    const { hash: float64 } = digest(await import('focal-loss-wasm/float64'), 'float64');
    const names = Object.keys({ ...expected.parts, ...parts });
    console.log(JSON.stringify([hash === expected.hash, float64 === expected.float64, names.filter((name) => parts[name] !== expected.parts[name])]));`);
  expect(JSON.parse(differences)).toEqual([true, true, []]);
});
