import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { at, run, write } from './files.mjs';

const RELATIVE = /from '(\.{1,2}\/[^']+)\.js'/g;

/** In declarations, lines whose float32 stays in the entry that has float64: what is accepted, and a method of that name. */
const ACCEPTED = /\| Float64Array|float32\(/;

/** The declarations that the entries reach, for either kind of module. */
export function declare(entries) {
  const outDir = at('build/declarations');
  const config = at('build/tsconfig.declarations.json');
  const compilerOptions = {
    noEmit: false,
    declaration: true,
    emitDeclarationOnly: true,
    stripInternal: true,
    rootDir: at('src'),
    outDir,
  };
  const files = [...entries, 'wasm/embedded.d'].map((name) => at('src', `${name}.ts`));
  writeFileSync(config, JSON.stringify({ extends: '../tsconfig.json', compilerOptions, include: [], files }));
  run(at('node_modules/typescript/bin/tsc'), ['-p', config]);
  const publish = (names, folder, edit) => {
    const reached = new Set(names);
    for (const name of reached) {
      const text = edit(readFileSync(join(outDir, `${name}.d.ts`), 'utf8'));
      write(`dist/${folder}${name}.d.ts`, text);
      write(
        `dist/${folder}${name}.d.cts`,
        text.replace(RELATIVE, (_, path) => `from '${path}.cjs'`),
      );
      for (const [, path] of text.matchAll(RELATIVE)) reached.add(join(dirname(name), path));
    }
  };
  publish(
    entries.filter((name) => name !== 'float64'),
    '',
    (text) => text,
  );
  publish(['index'], 'float64/', inDoubles);
  const doubles = inDoubles(readFileSync(join(outDir, 'float64.d.ts'), 'utf8'));
  for (const [type, script] of [
    ['ts', 'js'],
    ['cts', 'cjs'],
  ]) {
    write(`dist/float64.d.${type}`, doubles.replace("'./index.js'", `'./float64/index.${script}'`));
  }
}

/** A declaration as the entry has it whose results are float64. */
function inDoubles(text) {
  const edit = (line) => (ACCEPTED.test(line) ? line : line.replaceAll('Float32Array', 'Float64Array'));
  return text
    .replace('All but `Float32Array` are converted to float32.', 'Every number keeps its value.')
    .replaceAll(/(?<=^ \* .*from )'focal-loss-wasm'/gm, "'focal-loss-wasm/float64'")
    .split('\n')
    .map(edit)
    .join('\n');
}
