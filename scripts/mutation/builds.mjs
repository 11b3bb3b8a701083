// The kernel's builds from sources in memory, by a compiler that stays warm.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import asc from 'assemblyscript/asc';

const root = new URL('../..', import.meta.url).pathname;
const enable = ['simd'];

/** What is compiled of one source: the two widths, the small kernel, and the one that checks its slots. */
export const BUILDS = {
  float32: { entry: 'assembly/index.ts', use: ['abort=', 'Float=f32'] },
  float64: { entry: 'assembly/index.ts', use: ['abort=', 'Float=f64'] },
  lite: { entry: 'assembly/lite.ts', use: ['abort=', 'Float=f32', 'LITE=1'] },
  checked: { entry: 'assembly/index.ts', use: ['abort=', 'Float=f32', 'CHECK_SLOTS=1'] },
};

const texts = new Map();

function sourceText(path) {
  if (!texts.has(path)) texts.set(path, existsSync(join(root, path)) ? readFileSync(join(root, path), 'utf8') : null);
  return texts.get(path);
}

/**
 * @param build a name of BUILDS
 * @param given texts that take the place of files
 * @param {{ optimize?: string, entries?: string[] }} options `-O0` changes no result and takes a fifth of the time
 * @returns the binary, or `error` and the `lines` of the given files that it names; `reads` are the sources that it needed
 */
export async function compile(build, given = new Map(), { optimize = '-O0', entries = [] } = {}) {
  const { entry, use } = BUILDS[build];
  const flags = [entry, ...entries, '--outFile', 'kernel.wasm', '--runtime', 'stub', '--noAssert', optimize];
  flags.push('--enable', enable.join(), '--initialMemory', '1');
  flags.push('--use', use.join());
  const reads = new Set();
  const stderr = asc.createMemoryStream();
  let binary;
  const readFile = (name, base) => {
    const path = join(base === '.' ? '' : base, name);
    const text = path.endsWith('.ts') ? (given.get(path) ?? sourceText(path)) : null; // no asconfig.json
    if (text !== null) reads.add(path);
    return text;
  };
  const writeFile = (name, contents) => {
    if (name.endsWith('.wasm')) binary = contents;
  };
  const stdout = asc.createMemoryStream();
  let failure;
  try {
    const { error } = await asc.main(flags, { stderr, stdout, readFile, writeFile, listFiles: () => [] });
    failure = error;
  } catch (error) {
    failure = error;
  }
  if (!failure && binary !== undefined) return { binary, reads };
  const text = stderr.toString();
  const lines = [...text.matchAll(/in (assembly\/[\w/-]+\.ts)\((\d+),/g)].map(([, file, line]) => ({
    file,
    line: Number(line),
  }));
  return { error: `${failure?.message}\n${text}`, lines, reads };
}
