import { fileURLToPath } from 'node:url';

export default {
  mode: 'production',
  entry: './main.mjs',
  output: { path: fileURLToPath(new URL('dist', import.meta.url)), filename: 'main.js' },
};
