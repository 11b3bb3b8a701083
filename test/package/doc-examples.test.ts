// Every example in a doc comment of what is published runs, in one process, as a file beside the package.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { transformSync } from 'esbuild';
import { afterAll, expect, test } from 'vitest';
import * as library from '../../src/index.js';
import * as metrics from '../../src/metrics.js';
import { root, runModule } from './support.js';

const folder = `${root}build/examples`;
const declarations = readdirSync(`${root}dist`, { recursive: true, encoding: 'utf8' }).filter((name) =>
  name.endsWith('.d.ts'),
);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('every example in a doc comment runs', () => {
  mkdirSync(folder, { recursive: true });
  const written = declarations.flatMap((name) =>
    examplesIn(readFileSync(`${root}dist/${name}`, 'utf8')).map((example, index, [first]) => {
      // a method's example goes on from that of its class
      const alone = example === first || example.includes('import ');
      const code = alone || !first.includes('import ') ? example : `${first}\n{\n${example}\n}`;
      const file = `${folder}/${name.replaceAll('/', '-').replace('.d.ts', '')}-${index}.mjs`;
      writeFileSync(
        file,
        transformSync(`${missing(code)}${code}`, { loader: 'ts', format: 'esm', target: 'es2022' }).code,
      );
      return file;
    }),
  );
  expect(written.length).toBeGreaterThan(15);
  const run = `const failed = [];
    for (const file of ${JSON.stringify(written)})
      await import(file).catch((error) => failed.push(file.replace(/.*\\//, '') + ': ' + error.message));
    console.log('failed: ' + failed.join('; '));
    process.exit();`;
  expect(runModule(run).split('\n').at(-1)).toBe('failed:');
});

function examplesIn(text: string): string[] {
  return [...text.matchAll(/@example\n\s*\* ```ts\n([\s\S]*?)\n\s*\* ```/g)].map(([, code]) =>
    code.replace(/^\s*\* ?/gm, ''),
  );
}

const MODULES = { '': library, '/metrics': metrics };
const DATA = {
  logits: 'new Float32Array(20)',
  targets: 'new Uint8Array(20)',
  labels: 'new Uint8Array(2)',
  criterion: 'new FocalLoss({ gamma: 2 })',
};

/** What an example takes for granted: a method's goes on from its class, and arrays are the reader's. */
function missing(code: string): string {
  const declared = (name: string) => new RegExp(`(import [^;]*|(?:const|using) (\\{[^}]*)?)\\b${name}\\b`).test(code);
  const used = (name: string) => new RegExp(`\\b${name}\\b`).test(code) && !declared(name);
  const imports = Object.entries(MODULES).flatMap(([path, module]) => {
    const names = Object.keys(module).filter(used);
    return names.length === 0 ? [] : [`import { ${names.join(', ')} } from 'focal-loss-wasm${path}';\n`];
  });
  const data = Object.entries(DATA).filter(([name]) => used(name));
  return imports.join('') + data.map(([name, value]) => `const ${name} = ${value};\n`).join('');
}
