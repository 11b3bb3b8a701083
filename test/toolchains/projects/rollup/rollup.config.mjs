import { readFileSync } from 'node:fs';
import { nodeResolve } from '@rollup/plugin-node-resolve';

const json = {
  name: 'json',
  load: (id) => (id.endsWith('.json') ? `export default ${readFileSync(id, 'utf8')}` : null),
};

export default { input: 'main.mjs', output: { file: 'dist/main.js' }, plugins: [nodeResolve({ browser: true }), json] };
