import { fileURLToPath } from 'node:url';
import { rspack } from '@rspack/core';

const options = {
  mode: 'production',
  context: fileURLToPath(new URL('.', import.meta.url)),
  entry: './main.mjs',
  output: { path: fileURLToPath(new URL('dist', import.meta.url)), filename: 'main.js' },
};
rspack(options, (error, stats) => {
  if (error === null && !stats.hasErrors()) return;
  console.error(error ?? stats.toString());
  process.exitCode = 1;
});
