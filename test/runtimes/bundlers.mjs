// Bundles for browsers. Each is a function (entry, outfile) in a project's folder.
import { basename, dirname } from 'node:path';
import { promisify } from 'node:util';
import { tool } from './setup.mjs';

export const bundlers = {
  async esbuild(entry, outfile) {
    const { build } = await tool('esbuild');
    await build({ entryPoints: [entry], outfile, bundle: true, minify: true, format: 'esm' });
  },

  async rolldown(entry, outfile) {
    const { build } = await tool('rolldown');
    await build({ input: entry, platform: 'browser', logLevel: 'warn', output: { file: outfile, minify: true } });
  },

  async vite(entry, outfile) {
    const { build } = await tool('vite');
    await build({
      configFile: false,
      root: dirname(entry),
      logLevel: 'warn',
      build: {
        outDir: dirname(outfile),
        emptyOutDir: false,
        modulePreload: false,
        rolldownOptions: { input: entry, output: { entryFileNames: basename(outfile) } },
      },
    });
  },

  async webpack(entry, outfile) {
    const { default: webpack } = await tool('webpack');
    const output = { path: dirname(outfile), filename: basename(outfile), module: true, chunkFormat: 'module' };
    const compiler = webpack({ mode: 'production', target: 'web', entry, output, experiments: { outputModule: true } });
    const stats = await promisify(compiler.run.bind(compiler))();
    await promisify(compiler.close.bind(compiler))();
    if (stats.hasErrors()) throw new Error(stats.toString('errors-only'));
  },
};
