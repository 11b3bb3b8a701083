// Mutants of the kernel: each is compiled and given to the tests that see what the kernel computes.
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import asc from 'assemblyscript/asc';
import { mutantsOf } from './operators.mjs';

const root = new URL('../..', import.meta.url).pathname;
const sandbox = join(root, 'build/mutation/kernel');
/** Far more than a test run takes. */
const TIMEOUT = 600_000;

/**
 * @param {{ files: (name: string) => boolean, sample: number, seed: number, report: (mutant: object) => void }} options
 * @returns every mutant that was tried, with its `status`: Killed, Survived, Timeout, Invalid (does not compile), Equal (the
 * same binary)
 */
export async function mutateKernel({ files, sample, seed, report }) {
  const sources = readdirSync(join(root, 'assembly'), { recursive: true })
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.d.ts'))
    .map((name) => join('assembly', name));
  const all = sources.filter(files).flatMap((name) => mutantsOf(name, readFileSync(join(root, name), 'utf8')));
  const chosen = choose(all, sample, seed);
  prepare();
  const original = await compile();
  if (original.binary === undefined) throw new Error(original.error);
  const first = test(original.binary);
  if (first.status !== 'Survived') throw new Error(`the tests fail without a mutant:\n${first.output}`);
  const tried = [];
  for (const mutant of chosen) {
    const { binary } = await compile(mutant);
    const status =
      binary === undefined ? 'Invalid' : Buffer.compare(binary, original.binary) === 0 ? 'Equal' : test(binary).status;
    const { text, ...rest } = mutant;
    tried.push({ ...rest, status });
    report(tried.at(-1), tried.length, chosen.length);
  }
  return { tried, all: all.length };
}

/** A part of the mutants, the same for the same seed. */
function choose(all, sample, seed) {
  if (sample >= all.length) return all;
  let state = seed;
  const next = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
  return all
    .map((mutant) => ({ mutant, key: next() }))
    .sort((a, b) => a.key - b.key)
    .slice(0, sample)
    .map(({ mutant }) => mutant);
}

/** Everything that the tests read, with a binary of its own. */
function prepare() {
  rmSync(sandbox, { recursive: true, force: true });
  mkdirSync(join(sandbox, 'dist/wasm'), { recursive: true });
  for (const name of ['src', 'assembly', 'docs', 'losses', 'package.json', 'tsconfig.json', 'test']) {
    if (!existsSync(join(root, name))) continue;
    cpSync(join(root, name), join(sandbox, name), {
      recursive: true,
      filter: (path) => !path.includes('node_modules'),
    });
  }
  symlinkSync(join(root, 'node_modules'), join(sandbox, 'node_modules'));
}

/** The release build without its search for the smallest code, which takes most of the time and changes no result. */
async function compile(mutant) {
  const config = JSON.parse(readFileSync(join(root, 'asconfig.json'), 'utf8'));
  const flags = ['assembly/index.ts', '--outFile', 'mutant.wasm', '--runtime', 'stub', '--noAssert', '-O1'];
  flags.push('--enable', config.options.enable.join(), '--initialMemory', '1');
  for (const use of [...config.options.use, ...config.targets.release.use]) flags.push('--use', use);
  let binary;
  const stderr = asc.createMemoryStream();
  const { error } = await asc.main(flags, {
    stderr,
    stdout: asc.createMemoryStream(),
    readFile: (name, base) => {
      const path = join(base === '.' ? '' : base, name);
      if (mutant !== undefined && relative('.', path) === mutant.file) return mutant.text;
      const full = join(root, path);
      return existsSync(full) ? readFileSync(full, 'utf8') : null;
    },
    writeFile: (name, contents) => {
      if (name.endsWith('.wasm')) binary = contents;
    },
    listFiles: () => [],
  });
  return { binary: error ? undefined : binary, error: `${error?.message}\n${stderr.toString()}` };
}

function test(binary) {
  const base64 = Buffer.from(binary).toString('base64');
  writeFileSync(
    join(sandbox, 'dist/wasm/inline.js'),
    `export const wasm = { module: new WebAssembly.Module(Buffer.from('${base64}', 'base64')) };\n`,
  );
  const run = spawnSync(
    process.execPath,
    ['node_modules/vitest/vitest.mjs', 'run', '--config', 'test/mutation/kernel.config.ts', '--reporter=dot'],
    { cwd: sandbox, encoding: 'utf8', timeout: TIMEOUT, killSignal: 'SIGKILL' },
  );
  const status = run.error?.code === 'ETIMEDOUT' ? 'Timeout' : run.status === 0 ? 'Survived' : 'Killed';
  return { status, output: run.stdout + run.stderr };
}
