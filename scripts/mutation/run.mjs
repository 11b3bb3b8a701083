// Measures the tests: how many small faults of src/ and of the kernel make a test fail.
//   npm run mutation [-- src | kernel | rows] [--files PATTERN] [--survivors] [--resume] [--tests PATTERN] [--sample N] [--seed N]
//   rows         only names the rows of test/mutation/survivors.md whose mutants of the kernel there are no more
//   --files      a regular expression of the paths to mutate
//   --survivors  those that lived through the last run, of the kernel those of them that are not explained; of src/ each in a process of its own, by all tests, however slow they are
//   --resume     of the kernel: goes on with a run that was cut off, whose results are written as it goes, but for what is explained
//   --tests      of the kernel: a regular expression of the test files to meet, to see quickly what a new one kills
//   --sample     of the kernel: so many mutants, chosen by the seed (default all)
// Results of src/ are kept in build/mutation: a run of other files adds to them, and what has not changed since is not tried again.
// Prints the score and the survivors that test/mutation/survivors.md does not explain. Needs `npm run build`, and for src/
// `npm ci --prefix test/mutation`.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { mutateKernel } from './kernel.mjs';
import { isAlive, kernelMutants } from './sources.mjs';

/** What other processes run, and test: threads, and entries whose kernel is chosen by flags of the engine. */
const ELSEWHERE = /^src\/(parallel\/|wasm\/fused|fused|relaxed)/;
const root = new URL('../..', import.meta.url).pathname;
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    files: { type: 'string', default: '' },
    tests: { type: 'string', default: '' },
    sample: { type: 'string', default: 'Infinity' },
    seed: { type: 'string', default: '1' },
    resume: { type: 'boolean', default: false },
    survivors: { type: 'boolean', default: false },
  },
});
const parts = positionals.length === 0 ? ['src', 'kernel'] : positionals;
const pattern = new RegExp(values.files);
const rows = readFileSync(join(root, 'test/mutation/survivors.md'), 'utf8')
  .replaceAll('\\|', '|')
  .split('\n')
  .filter((line) => line.startsWith('| `'));
mkdirSync(join(root, 'build/mutation'), { recursive: true });

for (const part of parts) {
  if (part === 'src') print('src', runStryker());
  else if (part === 'kernel') {
    const { tried, all } = await mutateKernel({
      files: (name) => pattern.test(name),
      tests: new RegExp(values.tests),
      sample: Number(values.sample),
      seed: Number(values.seed),
      resume: values.resume,
      survivors: values.survivors,
      isExplained,
      report: ({ file, line, status, time }, k, of) =>
        console.log(`${k}/${of} ${status.padEnd(8)} ${file}:${line} ${time} ms`),
    });
    print(`kernel, ${tried.length} of ${all} mutants`, tried);
    printStaleRows();
  } else if (part === 'rows') printStaleRows();
  else throw new Error(`expected src, kernel or rows, got ${part}`);
}

/** Explanations of lines that have changed since. */
function printStaleRows() {
  const mutants = kernelMutants();
  const isOf = (row) => (mutant) => explains(row, mutant);
  for (const row of rows.filter((line) => line.startsWith('| `assembly/') && !mutants.some(isOf(line)))) {
    console.log(`there is no such mutant: ${row}`);
    process.exitCode = 1;
  }
}

/** Whether a row has the mutant, among others of the same reason. Of src/ a short line may be made of many, and stands behind the one it is made of. */
function explains(row, { file, before, after }) {
  const mutant = after.length > 20 || !file.startsWith('src/') ? after : `${before} -> ${after}`;
  return row.startsWith(`| \`${file}\` | `) && row.includes(`\`${mutant}\``);
}

function isExplained(mutant) {
  return rows.some((row) => explains(row, mutant));
}

/** The places of mutants that lived or were not tried; of a file that has changed since there is none. */
function survivors(chosen) {
  const { files } = JSON.parse(readFileSync(join(root, 'build/mutation/src.json'), 'utf8'));
  return chosen.flatMap((file) => {
    const { source, mutants = [] } = files[file] ?? {};
    if (source !== readFileSync(join(root, file), 'utf8')) return [];
    const wanted = mutants.filter((mutant) => isAlive(mutant) || mutant.status === 'Ignored');
    return wanted.map((mutant) => `${file}:${rangeOf(mutant)}`);
  });
}

/** A report counts columns from 1, and an argument from 0. */
function rangeOf({ location: { start, end } }) {
  return `${start.line}:${start.column - 1}-${end.line}:${end.column - 1}`;
}

/** Stryker's mutants in the form of the kernel's. */
function runStryker() {
  const stryker = join(root, 'test/mutation/node_modules/@stryker-mutator/core/bin/stryker.js');
  if (!existsSync(stryker)) throw new Error('there is no Stryker: run `npm ci --prefix test/mutation` first');
  const config = join(root, 'test/mutation/stryker.config.mjs');
  const args = ['run', config];
  const chosen = readdirSync(join(root, 'src'), { recursive: true })
    .map((name) => `src/${name}`)
    .filter((name) => /(?<!\.d)\.ts$/.test(name) && !ELSEWHERE.test(name) && pattern.test(name));
  if (values.survivors) args.push('--force', '--mutate', survivors(chosen).join());
  else args.push('--mutate', chosen.join());
  const env = { ...process.env, MUTANT_PATIENCE_MS: '5000' };
  if (values.survivors) Object.assign(env, { MUTANT_PATIENCE_MS: '60000', MUTANTS_APART: '1' });
  const { status } = spawnSync(process.execPath, [stryker, ...args], { cwd: root, stdio: 'inherit', env });
  if (status !== 0) throw new Error('Stryker could not go on');
  const { files } = JSON.parse(readFileSync(join(root, 'build/mutation/src.json'), 'utf8'));
  return Object.entries(files).flatMap(([file, { source, mutants }]) => {
    const lines = source.split('\n');
    return mutants.map(({ location: { start, end }, replacement, mutatorName, status }) => {
      const line = lines[start.line - 1];
      const rest = start.line === end.line ? line.slice(end.column - 1) : ' ...';
      const after = `${line.slice(0, start.column - 1)}${replacement ?? ''}${rest}`.trim();
      return { file, line: start.line, kind: mutatorName, before: line.trim(), after, status };
    });
  });
}

/** The score, of those that could be killed, in all and of each folder, and who survived without a word in survivors.md. */
function print(title, mutants) {
  const open = mutants.filter((mutant) => isAlive(mutant) && !isExplained(mutant));
  for (const { file, line, kind, before, after, status } of open) {
    console.log(`\n${status} ${file}:${line} (${kind})\n- ${before}\n+ ${after}`);
  }
  console.log();
  const folders = new Set(mutants.map(({ file }) => dirname(file)));
  if (folders.size > 1) {
    for (const folder of folders) {
      const within = mutants.filter(({ file }) => dirname(file) === folder);
      report(folder, within);
    }
  }
  report(title, mutants);
  if (open.length > 0) process.exitCode = 1;
}

function report(title, mutants) {
  const alive = mutants.filter(isAlive);
  const killed = mutants.filter(({ status }) => status === 'Killed' || status === 'Timeout').length;
  const score = ((100 * killed) / (killed + alive.length)).toFixed(1);
  const known = alive.filter(isExplained).length;
  console.log(
    `${title}: ${score} % of ${killed + alive.length} mutants die; ${known} survivors are explained, ${alive.length - known} ` +
      `are not; ${mutants.length - killed - alive.length} did not compile, were ignored or changed nothing`,
  );
}
