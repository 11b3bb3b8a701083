// Builds dist/: the kernel, the modules that embed it, the bundles and their declarations.   node scripts/build.mjs
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, transformSync } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const at = (...names) => join(root, ...names);
const require = createRequire(import.meta.url);
const { version } = JSON.parse(readFileSync(at('package.json'), 'utf8'));
const KERNEL = at('build/kernel.wasm');
const LOADER = '@assemblyscript/loader';
const loader = JSON.parse(readFileSync(at('node_modules', LOADER, 'package.json'), 'utf8'));
const NOTICE = `/*! Includes ${LOADER} ${loader.version}, (c) the AssemblyScript authors, ${loader.license}: see LICENSE-assemblyscript.txt */`;

const RELATIVE = /from '(\.{1,2}\/[^']+)\.js'/g;

mkdirSync(at('dist/wasm'), { recursive: true });
compileKernel();
embedKernel();
await bundle();
declare();

/** asc exits with 0 when it does not know the target, so what counts is the file. */
function compileKernel() {
  const started = Date.now();
  run(require.resolve('assemblyscript/bin/asc.js'), ['--config', 'asconfig.json', '--target', 'release']);
  // the clock of a file system may be coarser than ours
  if (!existsSync(KERNEL) || statSync(KERNEL).mtimeMs < started - 2000) {
    throw new Error(`asc has written no ${relative(root, KERNEL)}: is there a target "release" in asconfig.json?`);
  }
}

function embedKernel() {
  const base64 = readFileSync(KERNEL).toString('base64');
  // The literal is an argument: bundlers inline a constant wherever it is used. Compiled at once, since Cloudflare Workers
  // compile only while the script starts; a refusal is kept for the first use.
  const inline = `function compile(base64) {
  try {
    let bytes;
    if (typeof Uint8Array.fromBase64 === 'function') bytes = Uint8Array.fromBase64(base64);
    else {
      const text = atob(base64);
      bytes = new Uint8Array(text.length);
      for (let i = 0; i < bytes.length; i++) bytes[i] = text.charCodeAt(i);
    }
    return { module: new WebAssembly.Module(bytes) };
  } catch (error) {
    return { error };
  }
}
export const wasm = /* @__PURE__ */ compile('${base64}');
`;
  write('dist/wasm/inline.js', inline);
  write('dist/wasm/inline.cjs', transformSync(inline, { format: 'cjs' }).code);
  write('dist/wasm/edge.js', "import module from './kernel.wasm?module';\nexport const wasm = { module };\n");
  copyFileSync(KERNEL, at('dist/wasm/kernel.wasm'));
  write('dist/wasm/kernel.wasm.d.ts', 'declare const module: WebAssembly.Module;\nexport default module;\n');
  copyFileSync(at('node_modules/assemblyscript/LICENSE'), at('dist/LICENSE-assemblyscript.txt'));
}

async function bundle() {
  const library = { target: 'es2022', platform: 'neutral', inject: [at('src/wasm/text-decoder.ts')] };
  const banner = { js: NOTICE };
  const both = async (entry, name, options) => {
    await output(entry, `dist/${name}.js`, { ...library, banner, format: 'esm', ...options('js') });
    await output(entry, `dist/${name}.cjs`, { ...library, banner, format: 'cjs', ...options('cjs') });
  };
  await both('src/index.ts', 'index', () => ({ external: ['#wasm'] }));
  await both('src/inline.ts', 'inline', (extension) => ({
    plugins: [resolveTo('#wasm', { path: at(`dist/wasm/inline.${extension}`) })],
  }));
  const node = { target: 'node20.19', platform: 'node', format: 'esm', packages: 'external' };
  const library_ = resolveTo('../index.js', { path: './index.js', external: true });
  await output('src/parallel/index.ts', 'dist/parallel.js', { ...node, plugins: [library_] });
  await output('src/cli/main.ts', 'dist/cli.js', {
    ...node,
    plugins: [library_],
    define: { __VERSION__: JSON.stringify(version) },
  });
}

async function output(entry, outfile, options) {
  if (!existsSync(at(entry))) return console.log(`skipped ${outfile}: there is no ${entry}`);
  await build({ entryPoints: [at(entry)], outfile: at(outfile), bundle: true, logLevel: 'warning', ...options });
  console.log(`${outfile} ${statSync(at(outfile)).size} bytes`);
}

/** What a specifier stands for in a bundle. */
function resolveTo(specifier, result) {
  const filter = new RegExp(`^${specifier.replaceAll('.', '\\.')}$`);
  return { name: specifier, setup: ({ onResolve }) => onResolve({ filter }, () => result) };
}

/** The declarations that the entries reach, for either kind of module. */
function declare() {
  const entries = ['index', 'parallel/index'].filter((name) => existsSync(at('src', `${name}.ts`)));
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
  const reached = new Set(entries);
  for (const name of reached) {
    const text = readFileSync(join(outDir, `${name}.d.ts`), 'utf8');
    write(`dist/${name}.d.ts`, text);
    write(
      `dist/${name}.d.cts`,
      text.replace(RELATIVE, (_, path) => `from '${path}.cjs'`),
    );
    for (const [, path] of text.matchAll(RELATIVE)) reached.add(join(dirname(name), path));
  }
}

function run(script, args) {
  execFileSync(process.execPath, [script, ...args], { cwd: root, stdio: 'inherit' });
}

function write(name, text) {
  mkdirSync(dirname(at(name)), { recursive: true });
  writeFileSync(at(name), text);
}
