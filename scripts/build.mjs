// Builds dist/: the kernels, the modules that embed them, the bundles and their declarations.   node scripts/build.mjs
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { build, transformSync } from 'esbuild';
import { declare } from './bundle/declarations.mjs';
import { choose, compile, decode, double } from './bundle/embedded.mjs';
import { at, run, write } from './bundle/files.mjs';
import { shorten } from './bundle/shorten.mjs';

const require = createRequire(import.meta.url);

rmSync(at('dist'), { recursive: true, force: true });
const kernel = compileKernel('release', 'build/kernel.wasm');
const relaxed = compileKernel('relaxed', 'build/kernel-relaxed.wasm');
const float64 = compileKernel('float64', 'build/kernel-float64.wasm');
const lite = compileKernel('release', 'build/kernel-lite.wasm', 'asconfig.lite.json');
publishBinaries();
embedBinaries();
await bundleLibraries();
await bundleThreads();
declare(['index', 'lite', 'relaxed', 'fused', 'float64', 'metrics', 'parallel/index']);

/** The bytes of a kernel. asc exits with 0 when it does not know the target, so what counts is the file. */
function compileKernel(target, file, config = 'asconfig.json') {
  rmSync(at(file), { force: true });
  run(require.resolve('assemblyscript/bin/asc.js'), ['--config', config, '--target', target]);
  if (!existsSync(at(file))) throw new Error(`asc has written no ${file}: is there a target "${target}" in ${config}?`);
  return readFileSync(at(file));
}

/** The binaries as files, for other hosts and for runtimes that import them. */
function publishBinaries() {
  const imported = (name) => `import module from './${name}.wasm?module';\nexport const wasm = { module };\n`;
  write('dist/wasm/kernel.wasm', kernel);
  write('dist/wasm/kernel.wasm.d.ts', 'declare const module: WebAssembly.Module;\nexport default module;\n');
  write('dist/wasm/edge.js', imported('kernel'));
  write('dist/wasm/lite.wasm', lite);
  write('dist/wasm/lite-edge.js', imported('lite'));
}

/** The modules that "#wasm" stands for, with a binary inside. A literal is an argument: bundlers inline a constant wherever it is used. */
function embedBinaries() {
  const inline = (bytes) => embedding([decode, compile], `export const wasm = ${pure('compile', literal(bytes))};`);
  const fused = `${pure('compile', literal(relaxed))}, ${literal(kernel)}`;
  embed('inline', inline(kernel));
  embed('lite', inline(lite));
  embed('relaxed', embedding([decode, compile, choose], `export const wasm = ${pure('choose', fused)};`));
  embed(
    'float64',
    embedding([decode, compile, double], `export const wasm = ${pure('double', pure('compile', literal(float64)))};`),
  );
  // The entry that sets a flag of V8 compiles for itself, and puts something of its own behind the binary.
  embed('binary', embedding([decode], `export const decoded = (tail) => decode(${literal(kernel)} + tail);`));
  write('dist/wasm/inline.js', inline(kernel)); // for the sources as they are, in tests
}

/** Hexadecimal digits keep bytes apart, which gzip needs: 3 KB less than as base64. */
function literal(bytes) {
  return `'${bytes.toString('hex')}'`;
}

function pure(name, argument) {
  return `/* @__PURE__ */ ${name}(${argument})`;
}

function embedding(functions, line) {
  return `${functions.join('\n')}\n${line}\n`;
}

function embed(name, source) {
  write(`build/wasm/${name}.js`, source);
  write(`build/wasm/${name}.cjs`, transformSync(source, { format: 'cjs', platform: 'node' }).code);
}

/** One file each, since another costs a process that only wants one result a quarter of its start. */
async function bundleLibraries() {
  const embedded = (name) => (extension) => [resolveTo('#wasm', { path: at(`build/wasm/${name}.${extension}`) })];
  const beside = (path) => () => [resolveTo('#wasm', { path, external: true })];
  const compiledByItself = (extension) => [
    resolveTo('#wasm', { path: at('src/wasm/fused.ts') }),
    resolveTo('#binary', { path: at(`build/wasm/binary.${extension}`) }),
  ];
  await library('index', 'index', embedded('inline'));
  await library('index', 'edge', beside('./wasm/edge.js'), ['esm']);
  await library('relaxed', 'relaxed', embedded('relaxed'));
  await library('fused', 'fused', compiledByItself);
  await library('float64', 'float64', embedded('float64'));
  await library('lite', 'lite', embedded('lite'));
  await library('lite', 'lite-edge', beside('./wasm/lite-edge.js'), ['esm']);
  await library('metrics', 'metrics', () => []);
}

async function library(entry, name, plugins, formats = ['esm', 'cjs']) {
  for (const format of formats) {
    const extension = format === 'esm' ? 'js' : 'cjs';
    // for Node, so that the names of the exports can be read by those who import it
    const platform = format === 'esm' ? 'neutral' : 'node';
    await small(`src/${entry}.ts`, `dist/${name}.${extension}`, { format, platform, plugins: plugins(extension) });
  }
}

/** The pool, which has one copy of the library with whoever else imports it, and its threads. */
async function bundleThreads() {
  const node = { target: 'node20.19', platform: 'node', packages: 'external' };
  await output('src/parallel/index.ts', 'dist/parallel/index.js', {
    ...node,
    format: 'esm',
    external: ['../index.js'],
  });
  await output('src/parallel/index.ts', 'dist/parallel/index.cjs', {
    ...node,
    format: 'cjs',
    plugins: [resolveTo('../index.js', { path: '../index.cjs', external: true })],
    define: { 'import.meta.url': 'moduleUrl' },
    banner: { js: "'use strict';\nconst moduleUrl = require('node:url').pathToFileURL(__filename).href;" },
  });
  // a thread has nothing but what calls the kernel, which it is given
  await small('src/parallel/worker.ts', 'dist/parallel/worker.js', {
    format: 'esm',
    platform: 'neutral',
    external: ['node:worker_threads'],
    plugins: [resolveTo('#wasm', { path: at('src/parallel/given-kernel.ts') })],
  });
}

async function small(entry, outfile, options) {
  await output(entry, outfile, { target: 'es2022', ...options });
  await shorten(outfile);
}

async function output(entry, outfile, options) {
  await build({ entryPoints: [at(entry)], outfile: at(outfile), bundle: true, logLevel: 'warning', ...options });
}

/** What a specifier stands for in a bundle. */
function resolveTo(specifier, result) {
  const filter = new RegExp(`^${specifier.replaceAll('.', '\\.')}$`);
  return { name: specifier, setup: ({ onResolve }) => onResolve({ filter }, () => result) };
}
