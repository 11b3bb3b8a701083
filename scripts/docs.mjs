// Writes what documents show of the losses:   node scripts/docs.mjs
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { curves } from './curves.mjs';

const at = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));

const { LOSSES } = await load('losses/registry.ts');
writeFileSync(at('docs/curves.svg'), curves(LOSSES));

/** A module in TypeScript, which Node 20 does not run. */
async function load(path) {
  const { outputFiles } = await build({ entryPoints: [at(path)], bundle: true, format: 'esm', write: false });
  return import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].text).toString('base64')}`);
}
