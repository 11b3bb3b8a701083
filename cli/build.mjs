// Builds dist/ of the command line: one module for each thing that is loaded only when needed.   node cli/build.mjs
import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const at = (path) => fileURLToPath(new URL(path, import.meta.url));
const { version } = JSON.parse(readFileSync(at('package.json'), 'utf8'));

for (const folder of ['dist', 'build']) rmSync(at(folder), { recursive: true, force: true });
compileCounter();
await build({
  entryPoints: [at('src/main.ts'), at('src/worker.ts')],
  outdir: at('dist'),
  bundle: true,
  splitting: true,
  chunkNames: 'chunks/[name]-[hash]',
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  packages: 'external',
  logLevel: 'warning',
  define: { __VERSION__: JSON.stringify(version) },
});

/** The module build/counter.js: the bytes of assembly/counter.ts. */
function compileCounter() {
  const asc = createRequire(import.meta.url).resolve('assemblyscript/bin/asc.js');
  execFileSync(process.execPath, [asc, '--config', 'asconfig.json', '--target', 'release'], {
    cwd: at('.'),
    stdio: 'inherit',
  });
  const digits = readFileSync(at('build/counter.wasm')).toString('hex');
  writeFileSync(at('build/counter.js'), `export const binary = Buffer.from('${digits}', 'hex');\n`);
  writeFileSync(at('build/counter.d.ts'), 'export declare const binary: Uint8Array<ArrayBuffer>;\n');
}
