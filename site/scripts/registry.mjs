// losses/registry.ts, which Node 20 cannot import by itself.
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from './paths.mjs';

export async function loadRegistry() {
  const esbuild = createRequire(join(root, 'package.json')).resolve('esbuild');
  const {
    default: { build },
  } = await import(pathToFileURL(esbuild));
  const { outputFiles } = await build({
    entryPoints: [join(root, 'losses/registry.ts')],
    bundle: true,
    format: 'esm',
    write: false,
  });
  return import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].text).toString('base64')}`);
}
