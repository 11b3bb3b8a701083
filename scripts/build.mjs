// Builds dist/: the kernel, the modules that embed it, the bundles and their declarations.   node scripts/build.mjs
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, transformSync } from 'esbuild';
import { minify } from 'terser';

const root = fileURLToPath(new URL('..', import.meta.url));
const at = (...names) => join(root, ...names);
const require = createRequire(import.meta.url);
const KERNEL = at('build/kernel.wasm');
const RELAXED = at('build/kernel-relaxed.wasm');
const FLOAT64 = at('build/kernel-float64.wasm');
const LITE = at('build/kernel-lite.wasm');

/** Node prints the line that threw in front of an uncaught error, so lines end after the first token behind this column. */
const LINE = 200;

const RELATIVE = /from '(\.{1,2}\/[^']+)\.js'/g;

/** In declarations, lines whose float32 stays in the entry that has float64: what is accepted, and a method of that name. */
const ACCEPTED = /\| Float64Array|float32\(/;

// the clock of a file system may be coarser than ours
const started = Date.now() - 2000;
const isNew = (path) => statSync(path).mtimeMs >= started;

mkdirSync(at('dist/wasm'), { recursive: true });
compileKernel('release', KERNEL);
compileKernel('relaxed', RELAXED);
compileKernel('float64', FLOAT64);
compileKernel('release', LITE, 'asconfig.lite.json');
embedKernel();
await bundle();
declare();
removeLeftovers();

/** asc exits with 0 when it does not know the target, so what counts is the file. */
function compileKernel(target, file, config = 'asconfig.json') {
  run(require.resolve('assemblyscript/bin/asc.js'), ['--config', config, '--target', target]);
  if (!existsSync(file) || !isNew(file)) {
    throw new Error(`asc has written no ${relative(root, file)}: is there a target "${target}" in ${config}?`);
  }
}

function embedKernel() {
  // Hexadecimal digits keep bytes apart, which gzip needs: 3 KB less than as base64.
  const digits = (file) => readFileSync(file).toString('hex');
  // The literal is an argument: bundlers inline a constant wherever it is used. Compiled at once, since Cloudflare Workers
  // compile only while the script starts; a refusal is kept for the first use.
  const decode = `function decode(text) {
  if (Uint8Array.fromHex) return Uint8Array.fromHex(text);
  const buffer = globalThis.Buffer?.from?.(text, 'hex');
  if (buffer?.byteLength === text.length / 2) return buffer;
  const digit = (at) => (text.charCodeAt(at) & 15) + (text.charCodeAt(at) >> 6) * 9;
  return Uint8Array.from({ length: text.length / 2 }, (_, k) => digit(2 * k) * 16 + digit(2 * k + 1));
}
`;
  const compile = `${decode}function compile(text) {
  try {
    return { module: new WebAssembly.Module(decode(text)) };
  } catch (error) {
    return { error };
  }
}
`;
  const embed = (name, source) => {
    write(`build/wasm/${name}.js`, source);
    write(`build/wasm/${name}.cjs`, transformSync(source, { format: 'cjs', platform: 'node' }).code);
  };
  const inlined = (file) => `${compile}export const wasm = /* @__PURE__ */ compile('${digits(file)}');\n`;
  const inline = inlined(KERNEL);
  embed('inline', inline);
  embed('lite', inlined(LITE));
  write('dist/wasm/inline.js', inline); // for the sources as they are, in tests
  // Only an engine that refuses the one with fused operations is given the other.
  const choose = `function choose(first) {
  return first.error === undefined ? { ...first, relaxed: true } : compile('${digits(KERNEL)}');
}
`;
  embed('relaxed', `${compile}${choose}export const wasm = /* @__PURE__ */ choose(compile('${digits(RELAXED)}'));\n`);
  const double = 'function double(compiled) {\n  return { ...compiled, float64: true };\n}\n';
  embed('float64', `${compile}${double}export const wasm = /* @__PURE__ */ double(compile('${digits(FLOAT64)}'));\n`);
  // The entry that sets a flag of V8 compiles for itself, and puts something of its own behind the binary.
  embed('binary', `${decode}export const decoded = (tail) => decode('${digits(KERNEL)}' + tail);\n`);
  const imported = (name) => `import module from './${name}.wasm?module';\nexport const wasm = { module };\n`;
  write('dist/wasm/edge.js', imported('kernel'));
  write('dist/wasm/kernel.wasm', readFileSync(KERNEL));
  write('dist/wasm/lite-edge.js', imported('lite'));
  write('dist/wasm/lite.wasm', readFileSync(LITE));
  write('dist/wasm/kernel.wasm.d.ts', 'declare const module: WebAssembly.Module;\nexport default module;\n');
}

async function bundle() {
  const library = { isLibrary: true, target: 'es2022', platform: 'neutral' };
  const both = async (entry, name, options) => {
    await output(entry, `dist/${name}.js`, { ...library, format: 'esm', ...options('js') });
    // for Node, so that the names of the exports can be read by those who import it
    await output(entry, `dist/${name}.cjs`, { ...library, format: 'cjs', platform: 'node', ...options('cjs') });
  };
  // One file, since another costs a process that only wants one result a quarter of its start.
  await both('src/index.ts', 'index', (extension) => ({
    plugins: [resolveTo('#wasm', { path: at(`build/wasm/inline.${extension}`) })],
  }));
  await output('src/index.ts', 'dist/edge.js', {
    ...library,
    format: 'esm',
    plugins: [resolveTo('#wasm', { path: './wasm/edge.js', external: true })],
  });
  await both('src/relaxed.ts', 'relaxed', (extension) => ({
    plugins: [resolveTo('#wasm', { path: at(`build/wasm/relaxed.${extension}`) })],
  }));
  await both('src/fused.ts', 'fused', (extension) => ({
    plugins: [
      resolveTo('#wasm', { path: at('src/wasm/fused.ts') }),
      resolveTo('#binary', { path: at(`build/wasm/binary.${extension}`) }),
    ],
  }));
  await both('src/float64.ts', 'float64', (extension) => ({
    plugins: [resolveTo('#wasm', { path: at(`build/wasm/float64.${extension}`) })],
  }));
  await both('src/lite.ts', 'lite', (extension) => ({
    plugins: [resolveTo('#wasm', { path: at(`build/wasm/lite.${extension}`) })],
  }));
  await output('src/lite.ts', 'dist/lite-edge.js', {
    ...library,
    format: 'esm',
    plugins: [resolveTo('#wasm', { path: './wasm/lite-edge.js', external: true })],
  });
  // without the kernel
  await both('src/metrics.ts', 'metrics', () => ({}));
  const node = { target: 'node20.19', platform: 'node', format: 'esm', packages: 'external' };
  // one copy of the library, whoever imports it
  await output('src/parallel/index.ts', 'dist/parallel/index.js', { ...node, external: ['../index.js'] });
  await output('src/parallel/index.ts', 'dist/parallel/index.cjs', {
    ...node,
    format: 'cjs',
    plugins: [resolveTo('../index.js', { path: '../index.cjs', external: true })],
    define: { 'import.meta.url': 'moduleUrl' },
    banner: { js: "'use strict';\nconst moduleUrl = require('node:url').pathToFileURL(__filename).href;" },
  });
  // a thread has nothing but what calls the kernel, which it is given
  await output('src/parallel/worker.ts', 'dist/parallel/worker.js', {
    ...library,
    format: 'esm',
    external: ['node:worker_threads'],
    plugins: [resolveTo('#wasm', { path: at('src/parallel/given-kernel.ts') })],
  });
}

async function output(entry, outfile, options) {
  if (!existsSync(at(entry))) return console.log(`skipped ${outfile}: there is no ${entry}`);
  const { isLibrary, ...own } = options;
  await build({ entryPoints: [at(entry)], outfile: at(outfile), bundle: true, logLevel: 'warning', ...own });
  if (isLibrary) await shorten(outfile);
  console.log(`${outfile} ${statSync(at(outfile)).size} bytes`);
}

/** Makes a library file small, but for the names of classes, which users see. */
async function shorten(file) {
  const text = readFileSync(at(file), 'utf8');
  // an embedded binary is most of a file: it gets a line of its own
  const binaries = [];
  const code = text.replaceAll(/(["'])0061736d[0-9a-f]*\1/g, (literal) => `"binary ${binaries.push(literal) - 1}"`);
  // what tells Node the names of a CommonJS module's exports is dead code
  const names = code.match(/0 && \(module\.exports = \{[^}]*\}\);/)?.[0].replaceAll(/\s+/g, '') ?? '';
  const { code: small } = await minify(nameClasses(code), {
    module: file.endsWith('.js'),
    toplevel: true,
    keep_classnames: true,
    ecma: 2020,
    compress: { passes: 2, sequences: false },
    format: { max_line_len: LINE },
  });
  write(file, `${small.replaceAll(/"binary (\d+)"/g, (_, k) => `\n${binaries[k]}\n`)}\n${names}`);
}

/** In a bundle classes have no names of their own, or `_A` where `A` mentions itself: a class's `name` is what users see. */
function nameClasses(script) {
  const mentioned = [...script.matchAll(/\b(\w+) = class _\1\b/g)].map(([, name]) => name);
  const named = script.replaceAll(/\bvar (\w+) = class(?: _\1)?(?=[ {])/g, 'var $1 = class $1');
  return mentioned.reduce((code, name) => code.replaceAll(new RegExp(`\\b_${name}\\b`, 'g'), name), named);
}

/** What a specifier stands for in a bundle. */
function resolveTo(specifier, result) {
  const filter = new RegExp(`^${specifier.replaceAll('.', '\\.')}$`);
  return { name: specifier, setup: ({ onResolve }) => onResolve({ filter }, () => result) };
}

/** The declarations that the entries reach, for either kind of module. */
function declare() {
  const entries = ['index', 'lite', 'relaxed', 'fused', 'float64', 'metrics', 'parallel/index'].filter((name) =>
    existsSync(at('src', `${name}.ts`)),
  );
  const outDir = at('build/declarations');
  const config = at('build/tsconfig.declarations.json');
  const compilerOptions = {
    noEmit: false,
    declaration: true,
    emitDeclarationOnly: true,
    stripInternal: true,
    rootDir: at('src'),
    outDir,
  };
  const files = [...entries, 'wasm/embedded.d'].map((name) => at('src', `${name}.ts`));
  writeFileSync(config, JSON.stringify({ extends: '../tsconfig.json', compilerOptions, include: [], files }));
  run(at('node_modules/typescript/bin/tsc'), ['-p', config]);
  const publish = (names, folder, edit) => {
    const reached = new Set(names);
    for (const name of reached) {
      const text = edit(readFileSync(join(outDir, `${name}.d.ts`), 'utf8'));
      write(`dist/${folder}${name}.d.ts`, text);
      write(
        `dist/${folder}${name}.d.cts`,
        text.replace(RELATIVE, (_, path) => `from '${path}.cjs'`),
      );
      for (const [, path] of text.matchAll(RELATIVE)) reached.add(join(dirname(name), path));
    }
  };
  publish(
    entries.filter((name) => name !== 'float64'),
    '',
    (text) => text,
  );
  publish(['index'], 'float64/', inDoubles);
  const doubles = inDoubles(readFileSync(join(outDir, 'float64.d.ts'), 'utf8'));
  for (const [type, script] of [
    ['ts', 'js'],
    ['cts', 'cjs'],
  ]) {
    write(`dist/float64.d.${type}`, doubles.replace("'./index.js'", `'./float64/index.${script}'`));
  }
}

/** A declaration as the entry has it whose results are float64. */
function inDoubles(text) {
  const edit = (line) => (ACCEPTED.test(line) ? line : line.replaceAll('Float32Array', 'Float64Array'));
  return text
    .replace('All but `Float32Array` are converted to float32.', 'Every number keeps its value.')
    .replaceAll(/(?<=^ \* .*from )'focal-loss-wasm'/gm, "'focal-loss-wasm/float64'")
    .split('\n')
    .map(edit)
    .join('\n');
}

/** What an earlier build wrote and this one did not. */
function removeLeftovers() {
  for (const name of readdirSync(at('dist'), { recursive: true })) {
    const path = at('dist', name);
    if (statSync(path).isFile() && !isNew(path)) rmSync(path);
  }
}

function run(script, args) {
  execFileSync(process.execPath, [script, ...args], { cwd: root, stdio: 'inherit' });
}

function write(name, text) {
  mkdirSync(dirname(at(name)), { recursive: true });
  writeFileSync(at(name), text);
}
