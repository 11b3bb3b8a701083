// The kernel's builds from sources in memory, by a compiler that stays warm.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import asc from 'assemblyscript/asc';

const root = new URL('../..', import.meta.url).pathname;
const config = (name) => JSON.parse(readFileSync(join(root, name), 'utf8'));
const whole = config('asconfig.json');
const small = config('asconfig.lite.json');

/** What is compiled of one source: the two widths, the small kernel, and the one that checks its slots. */
export const BUILDS = {
  float32: buildOf(whole, 'release'),
  float64: buildOf(whole, 'float64'),
  lite: buildOf(small, 'release'),
  checked: buildOf(whole, 'release', ['CHECK_SLOTS=1']),
};

function buildOf({ entries, options, targets }, target, more = []) {
  const use = [...options.use, ...(targets[target].use ?? []), ...more];
  return { entry: entries[0], enable: options.enable, use };
}

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
  const { entry, enable, use } = BUILDS[build];
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
