// What a user sees of the bundles: errors and names.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import * as source from '../../src/index.js';
import { root, runModule } from './support.js';

const BUNDLES = [
  'index.js',
  'index.cjs',
  'edge.js',
  'lite.js',
  'lite.cjs',
  'lite-edge.js',
  'relaxed.js',
  'relaxed.cjs',
  'fused.js',
  'fused.cjs',
  'parallel/worker.js',
];
const binary = readFileSync(`${root}dist/wasm/kernel.wasm`).toString('hex');

test.each(['index.js', 'index.cjs', 'relaxed.js', 'parallel/index.js'])(
  'an error that nobody catches prints little of %s',
  (bundle) => {
    const name = bundle.startsWith('parallel') ? 'ParallelFocalLoss' : 'FocalLoss';
    const script = `import('./dist/${bundle}').then((library) => new library.${name}({ gamma: -1 }))`;
    const { stderr, status } = spawnSync(process.execPath, ['-e', script], { cwd: root, encoding: 'utf8' });
    expect(status).toBe(1);
    expect(stderr).toContain('RangeError: "gamma" expected');
    expect(stderr.length).toBeLessThan(2500);
  },
);

test.each(BUNDLES)('%s has short lines, and an embedded binary on one of its own', (bundle) => {
  const lines = readFileSync(`${root}dist/${bundle}`, 'utf8').split('\n');
  const long = lines.filter((line) => line.length > 600);
  expect(long.filter((line) => !/^"0061736d[0-9a-f]*"$/.test(line))).toEqual([]);
  if (bundle.startsWith('index')) expect(long).toEqual([`"${binary}"`]);
});

test.each(['index.js', 'index.cjs', 'lite.js', 'lite.cjs', 'relaxed.js', 'parallel/index.js'])(
  'classes of %s keep their names',
  (bundle) => {
    const found = runModule(`const library = await import('./dist/${bundle}');
    const classes = Object.entries(library).filter(([, value]) => /^class/.test(String(value)));
    console.log(JSON.stringify(classes.map(([key, value]) => [key, value.name])));`);
    const names: [string, string][] = JSON.parse(found);
    const expected = Object.entries(source).filter(([, value]) => /^class/.test(String(value)));
    if (!/^(parallel|lite)/.test(bundle)) {
      expect(names.map(([key]) => key)).toEqual(expect.arrayContaining(expected.map(([key]) => key)));
    }
    expect(names.length).toBeGreaterThan(1);
    for (const [key, name] of names) expect(name).toBe(key);
  },
);
