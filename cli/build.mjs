// Builds dist/ of the command line: one module for each thing that is loaded only when needed.   node cli/build.mjs
import { readFileSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const at = (path) => fileURLToPath(new URL(path, import.meta.url));
const { version } = JSON.parse(readFileSync(at('package.json'), 'utf8'));

rmSync(at('dist'), { recursive: true, force: true });
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
