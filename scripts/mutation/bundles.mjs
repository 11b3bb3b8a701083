// The test files as scripts that a thread runs again and again, each time on other kernels: in them `vitest` is what runner.mjs
// gives, and `kernels` has the module and the bytes of each build.
import { mkdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const root = new URL('../..', import.meta.url).pathname;

/** Entries of dist/ that tests import, made anew of their source. */
const ENTRIES = ['index', 'lite', 'float64'];
const EMBEDDED = {
  index: '{ module: kernels.float32.module }',
  lite: '{ module: kernels.lite.module }',
  float64: '{ module: kernels.float64.module, float64: true }',
  checked: '{ module: kernels.checked.module }',
};

/** What a test file has of the machine, and what it has here. */
const REPLACED = [
  [
    /readFileSync\(new URL\('\.\.\/(?:build|dist\/wasm)\/kernel\.wasm', import\.meta\.url\)\)/g,
    'kernels.float32.bytes',
  ],
  [/readFileSync\(new URL\('\.\.\/build\/kernel-float64\.wasm', import\.meta\.url\)\)/g, 'kernels.float64.bytes'],
  [/\bimport\.meta\.url\b/g, (path) => JSON.stringify(pathToFileURL(path).href)],
  ['checked.module = compile();', 'checked.module = kernels.checked.module;'],
  ["await import('../src/index.js')", "require('../src/index.js')"],
];

/** Bundles each test file, and returns the paths of the bundles. */
export async function bundleTests(files, folder) {
  mkdirSync(folder, { recursive: true });
  for (const entry of ENTRIES) {
    await bundle(`src/${entry}.ts`, join(folder, `${entry}.js`), { format: 'esm', plugins: [embed(EMBEDDED[entry])] });
  }
  const made = [];
  for (const file of files) {
    const outfile = join(folder, `${basename(file, '.ts')}.cjs`);
    const external = ['fast-check', 'decimal.js', 'esbuild'];
    const plugins = [tests(folder), embed(file.endsWith('slots.test.ts') ? EMBEDDED.checked : EMBEDDED.index)];
    await bundle(file, outfile, { format: 'cjs', platform: 'node', external, plugins });
    made.push(outfile);
  }
  return made;
}

async function bundle(entry, outfile, options) {
  await build({ entryPoints: [join(root, entry)], outfile, bundle: true, logLevel: 'error', ...options });
}

function embed(wasm) {
  return virtual('#wasm', `export const wasm = ${wasm};`);
}

/** A module that is no file. */
function virtual(name, contents) {
  return {
    name,
    setup({ onResolve, onLoad }) {
      const filter = new RegExp(`^${name}$`);
      onResolve({ filter }, () => ({ path: name, namespace: name }));
      onLoad({ filter: /./, namespace: name }, () => ({ contents }));
    },
  };
}

function tests(folder) {
  return {
    name: 'tests',
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /^vitest$/ }, () => ({ path: 'vitest', namespace: 'vitest' }));
      onLoad({ filter: /./, namespace: 'vitest' }, () => ({ contents: 'module.exports = vitest;' }));
      onResolve({ filter: /^\.\.\/dist\/\w+\.js$/ }, ({ path }) => ({ path: join(folder, basename(path)) }));
      onLoad({ filter: /\/(test|bench)\/.*\.(ts|mjs)$/ }, ({ path }) => {
        let contents = readFileSync(path, 'utf8');
        for (const [from, to] of REPLACED) contents = contents.replaceAll(from, typeof to === 'string' ? to : to(path));
        return { contents, loader: 'ts' };
      });
    },
  };
}
