// Mutants of the kernel: each is given to the tests that come by it, until one fails.
//
// A file is compiled once with all its mutants in it, and a number says which is on (switches.mjs); what cannot be switched, as
// the parts of a table, is compiled by itself. The tests are bundled once and run by a thread of their own (runner.mjs), with
// the kernels of both widths, of the lite entry and the one that checks its slots. Before, they run once on a kernel that says
// which places each of them comes by: a mutant meets only those that come by it, those first that have killed others of its file.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isAlive, kernelMutants, kernelSources } from './sources.mjs';
import { Tests } from './tests.mjs';

const root = new URL('../..', import.meta.url).pathname;
const results = join(root, 'build/mutation/kernel.json');
/** Parts that the mutants are tried in, each a fair sample of all, unless they are what a run before has left. */
const ROUNDS = 10;
/** Milliseconds of tests, without a mutant, that all mutants meet before those that are left meet the others. */
const FIRST_TESTS = 1_000;
const SAVED_EVERY = 5_000;

/**
 * @param {{ files: (name: string) => boolean, tests: RegExp, sample: number, seed: number, resume: boolean, survivors: boolean,
 *   isExplained: (mutant: object) => boolean, report: (mutant: object, done: number, of: number) => void }} options `tests`: their
 *   files, by name; `resume` keeps what build/mutation/kernel.json has and tries the rest; `survivors` keeps it and tries those again
 *   that no test has killed; neither tries what is explained
 * @returns every mutant that was tried, with its `status`: Killed, Survived, NoCoverage, Open (it has not met all tests), Timeout,
 * Invalid (does not compile), Equal (the same binary), and how many there are
 */
export async function mutateKernel({ files, tests: pattern, sample, seed, resume, survivors, isExplained, report }) {
  const sources = kernelSources();
  const all = kernelMutants();
  const isChosen = ({ file, key }) => files(file) && (!survivors || resume || isAlive(known.get(key)));
  const known = resume || survivors ? readResults() : new Map();
  const tried = new Map(
    all.filter(({ key }) => known.has(key)).map(({ key, line }) => [key, { ...known.get(key), line }]),
  );
  const isOpen = (mutant) => {
    const before = tried.get(mutant.key);
    if (before === undefined) return true;
    return (survivors ? isAlive(before) : before.status === 'Open') && !isExplained(mutant);
  };
  const chosen = choose(all.filter(isChosen), sample, seed).filter(isOpen);
  const tests = await Tests.surveyed(pattern);
  const settled = new Set();
  let saved = Date.now();
  const note = (mutant, result) => {
    // who has met a part of the tests has survived no more than that
    if (pattern.source !== '(?:)' && isAlive(result)) result.status = 'Open';
    if (result.status !== 'Open') settled.add(mutant.key);
    const { changed, id, ...rest } = mutant;
    if (result.status !== 'Open' || !tried.has(mutant.key)) tried.set(mutant.key, { ...rest, ...result });
    report({ ...rest, ...result }, settled.size, chosen.length);
    if (Date.now() - saved < SAVED_EVERY) return;
    save(tried);
    saved = Date.now();
  };
  // who is left of a run before has met the first tests
  const untried = chosen.filter(({ key }) => !tried.has(key));
  const rounds = untried.length < chosen.length ? 1 : ROUNDS;
  for (const [mutants, most] of [
    [untried, FIRST_TESTS],
    [chosen, Infinity],
  ]) {
    const perRound = Math.ceil(mutants.length / rounds);
    for (let round = 0; round < rounds; round++) {
      const part = mutants.slice(round * perRound, (round + 1) * perRound).filter(({ key }) => !settled.has(key));
      for (const file of sources) {
        const ofFile = part.filter((mutant) => mutant.file === file);
        if (ofFile.length > 0) await tests.meetAll(file, ofFile, most, note);
      }
    }
  }
  save(tried);
  await tests.close();
  return { tried: [...tried.values()], all: all.length };
}

/** A part of the mutants in an order that is the same for the same seed. */
function choose(all, sample, seed) {
  let state = seed;
  const next = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
  return all
    .map((mutant) => ({ mutant, order: next() }))
    .sort((a, b) => a.order - b.order)
    .slice(0, sample)
    .map(({ mutant }) => mutant);
}

function readResults() {
  if (!existsSync(results)) return new Map();
  return new Map(JSON.parse(readFileSync(results, 'utf8')).map((mutant) => [mutant.key, mutant]));
}

function save(tried) {
  writeFileSync(results, `${JSON.stringify([...tried.values()], null, 1)}\n`);
}
