import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { defineConfig, type Plugin } from 'vitest/config';

const at = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));

/** Tests of an entry of dist/ see the sources that it is made of; those of double precision a copy of their own, over their own kernel. */
function sources(): Plugin {
  const entries = new Map([
    ['../dist/index.js', at('src/index.ts')],
    ['../dist/lite.js', at('src/lite.ts')],
    ['../dist/float64.js', at('double/float64.ts')],
  ]);
  const [source, copy] = [at('src/'), at('double/')];
  return {
    name: 'sources',
    enforce: 'pre',
    async resolveId(specifier, importer) {
      const entry = entries.get(specifier);
      if (entry !== undefined) return entry;
      if (!importer?.startsWith(copy)) return undefined;
      if (specifier === '#wasm') return at('build/wasm/float64.js');
      const resolved = await this.resolve(specifier, importer.replace(copy, source));
      return resolved?.id.replace(source, copy);
    },
    load: (id) => (id.startsWith(copy) ? readFileSync(id.replace(copy, source), 'utf8') : undefined),
  };
}

/** What resident.ts chooses. */
export default defineConfig({
  plugins: [sources()],
  test: {
    include: ['test/mutation/resident.ts'],
    pool: 'threads',
    maxWorkers: 1,
    isolate: false,
    testTimeout: 0,
  },
});
