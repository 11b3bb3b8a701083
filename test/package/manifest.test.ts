import { existsSync } from 'node:fs';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { expect, test } from 'vitest';
import * as source from '../../src/index.js';
import { manifest, root, runModule } from './support.js';

/** Every path that a map of exports or imports ends in. */
function paths(node: unknown): string[] {
  return typeof node === 'string' ? [node] : Object.values(node as object).flatMap(paths);
}

test('every path of package.json is there', () => {
  const { exports, imports, main, module, types } = manifest;
  const named = [main, module, types, ...paths(exports), ...paths(imports)];
  expect(named.length).toBeGreaterThan(12);
  expect(named.filter((path) => !existsSync(`${root}${path}`))).toEqual([]);
});

test('publint has nothing to say', async () => {
  const { messages } = await publint({ pkgDir: root, pack: false });
  expect(messages.map((message) => formatMessage(message, manifest, { color: false }))).toEqual([]);
});

test('the binary is imported as a file where bytes cannot be compiled, and nowhere else', () => {
  for (const [entry, name, edge] of [
    ['.', 'index', 'edge'],
    ['./lite', 'lite', 'lite-edge'],
  ]) {
    expect(Object.entries(manifest.exports[entry].import)).toEqual([
      ['types', `./dist/${name}.d.ts`],
      ['workerd', `./dist/${edge}.js`],
      ['edge-light', `./dist/${edge}.js`],
      ['default', `./dist/${name}.js`],
    ]);
  }
});

test.each(['focal-loss-wasm', 'focal-loss-wasm/inline'])('%s is the same library, imported or required', (name) => {
  const names = Object.keys(source).sort().join();
  const probe = `const loss = (library) => new library.FocalLoss({ gamma: 2 }).forward([0.5, -1], [1, 0]);
    const names = (library) => Object.keys(library).filter((name) => name !== 'default').sort().join();`;
  const value = new source.FocalLoss({ gamma: 2 }).forward([0.5, -1], [1, 0]);
  const imported = runModule(`${probe} import * as library from '${name}'; console.log(names(library), loss(library))`);
  const required = runModule(`${probe} import { createRequire } from 'node:module';
    const library = createRequire(process.cwd() + '/x.js')('${name}'); console.log(names(library), loss(library))`);
  expect([imported, required]).toEqual([`${names} ${value}`, `${names} ${value}`]);
});
