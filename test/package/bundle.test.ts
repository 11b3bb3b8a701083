import { readFileSync, statSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { build, type Plugin } from 'esbuild';
import { expect, test } from 'vitest';
import { root } from './support.js';

async function bundle(code: string, conditions: string[] = [], plugins: Plugin[] = []) {
  const { outputFiles, metafile } = await build({
    stdin: { contents: code, resolveDir: root },
    bundle: true,
    minify: true,
    write: false,
    metafile: true,
    format: 'esm',
    platform: 'neutral',
    target: 'es2022',
    logLevel: 'silent',
    conditions,
    plugins,
  });
  const inputs = Object.keys(metafile.inputs).filter((name) => name !== '<stdin>');
  return { text: outputFiles[0].text, inputs: inputs.sort() };
}

test('the core entry needs nothing but itself, for at most 44 KiB', async () => {
  const { text, inputs } = await bundle("export * from 'focal-loss-wasm'");
  // a platform that knows no module of Node's would have refused one
  expect(inputs).toEqual(['dist/index.js']);
  expect(text).not.toMatch(/\bnode:|commander|duckdb|piscina|\brequire\(/);
  const size = gzipSync(text, { level: 9 }).length;
  console.info(`core entry, minified with the binary, gzip: ${size} bytes`);
  expect(size).toBeLessThanOrEqual(44 * 1024);
});

test('the lite entry needs nothing but itself, for at most 12 KiB', async () => {
  const { text, inputs } = await bundle("export * from 'focal-loss-wasm/lite'");
  expect(inputs).toEqual(['dist/lite.js']);
  const size = gzipSync(text, { level: 9 }).length;
  console.info(`lite entry, minified with the binary, gzip: ${size} bytes`);
  expect(size).toBeLessThanOrEqual(12 * 1024);
});

test('the binary is at most 58 KiB, and embedded once', async () => {
  const binary = readFileSync(`${root}dist/wasm/kernel.wasm`);
  console.info(`kernel.wasm: ${binary.length} bytes`);
  expect(binary.length).toBeLessThanOrEqual(58 * 1024);
  const { text } = await bundle("export * from 'focal-loss-wasm'");
  expect(text.split(binary.toString('hex').slice(0, 1000))).toHaveLength(2);
  expect(statSync(`${root}dist/index.js`).size).toBeLessThan(binary.length * 5);
});

test('imports that are not used leave nothing', async () => {
  expect((await bundle("import 'focal-loss-wasm'")).text).toBe('');
  expect((await bundle("import { FocalLoss } from 'focal-loss-wasm'; export const x = 1")).text.length).toBeLessThan(
    40,
  );
});

test.each([
  ['workerd', 'focal-loss-wasm', 'edge', 'kernel'],
  ['edge-light', 'focal-loss-wasm', 'edge', 'kernel'],
  ['workerd', 'focal-loss-wasm/lite', 'lite-edge', 'lite'],
  ['edge-light', 'focal-loss-wasm/lite', 'lite-edge', 'lite'],
])('for %s %s imports the binary', async (condition, entry, file, binary) => {
  const imported: string[] = [];
  const external: Plugin = {
    name: 'wasm',
    setup: ({ onResolve }) =>
      onResolve({ filter: /\.wasm/ }, ({ path }) => {
        imported.push(path);
        return { path, external: true };
      }),
  };
  // as a bundler for the edge sets them, with the browser's among them
  const conditions = [condition, 'browser', 'worker'];
  const { inputs } = await bundle(`export * from '${entry}'`, conditions, [external]);
  expect(inputs).toEqual([`dist/${file}.js`, `dist/wasm/${file}.js`]);
  expect(imported).toEqual([`./${binary}.wasm?module`]);
  const inline = await bundle("export * from 'focal-loss-wasm/inline'", conditions);
  expect(inline.inputs).toEqual(['dist/index.js']);
});
