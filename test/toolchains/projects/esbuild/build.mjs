import { build } from 'esbuild';

await build({ entryPoints: ['main.mjs'], bundle: true, minify: true, format: 'esm', outfile: 'dist/main.js' });
