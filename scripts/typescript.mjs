import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

/** A module of this repository in TypeScript, which Node 20 does not run; `path` is from the repository's root. */
export async function load(path) {
  const file = fileURLToPath(new URL(`../${path}`, import.meta.url));
  const { outputFiles } = await build({ entryPoints: [file], bundle: true, format: 'esm', write: false });
  return import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].text).toString('base64')}`);
}
