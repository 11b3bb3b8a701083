import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import * as library from '../dist/index.js';
import * as relaxed from '../dist/relaxed.js';

interface Sweep {
  relaxed: boolean;
  worst: Record<string, number>;
  bits: number;
}

const script = fileURLToPath(new URL('./relaxed-sweep.mjs', import.meta.url));
const needsFlag = Number(process.versions.node.split('.')[0]) < 22;
const sweep = (...flags: string[]): Sweep =>
  JSON.parse(execFileSync(process.execPath, [...flags, script], { encoding: 'utf8' }));
const withRelaxed = needsFlag ? ['--experimental-wasm-relaxed-simd'] : [];

// The relaxed build promises what the default one does; only the bits may differ.
const bound = (gamma: string) => 2 * (Number(gamma) + 2);

test.each([
  ['fused', withRelaxed],
  ['not fused', [...withRelaxed, '--no-enable-fma3']],
])('%s: the relaxed build runs, and is within 2 (gamma + 2) ulp', (_, flags) => {
  const result = sweep(...flags);
  console.log(`${flags.join(' ')}: ${JSON.stringify(result.worst)}`);
  expect(result.relaxed).toBe(true);
  for (const [gamma, ulps] of Object.entries(result.worst)) expect(ulps).toBeLessThanOrEqual(bound(gamma));
});

test.runIf(needsFlag)('an engine without relaxed SIMD gets the default build, and is told so', () => {
  const result = sweep();
  expect(result.relaxed).toBe(false);
  const words = new Float32Array([0.5, -2, 30]);
  expect(new relaxed.FocalLoss().forward(words, [1, 0, 1])).toBe(new library.FocalLoss().forward(words, [1, 0, 1]));
});

test('it exports what the core entry does, and whether it is relaxed', () => {
  expect(Object.keys(relaxed).sort()).toEqual([...Object.keys(library), 'relaxed'].sort());
});
