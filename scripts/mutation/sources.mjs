// The kernel's sources and their mutants.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { mutantsOf } from './operators.mjs';

const root = new URL('../..', import.meta.url).pathname;

export function kernelSources() {
  return readdirSync(join(root, 'assembly'), { recursive: true })
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.d.ts'))
    .map((name) => `assembly/${name.replaceAll('\\', '/')}`);
}

/** Every mutant of the kernel. */
export function kernelMutants() {
  return kernelSources().flatMap(mutantsOfFile);
}

const texts = new Map();

export function sourceText(file) {
  if (!texts.has(file)) texts.set(file, readFileSync(join(root, file), 'utf8'));
  return texts.get(file);
}

/** Mutants of a file. */
export function mutantsOfFile(file) {
  return numbered(mutantsOf(file, sourceText(file)));
}

/** Mutants of one file with numbers, and a key that stays when lines are added above. */
function numbered(mutants) {
  const count = new Map();
  return mutants.map((mutant, id) => {
    const name = [mutant.file, mutant.kind, mutant.before, mutant.after].join('\n');
    count.set(name, (count.get(name) ?? 0) + 1);
    return { ...mutant, id, key: `${name}\n${count.get(name)}` };
  });
}

/** Whether a mutant has been tried, and no test has failed so far. */
export function isAlive(mutant) {
  return ['Open', 'Survived', 'NoCoverage'].includes(mutant?.status);
}
