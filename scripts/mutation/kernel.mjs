// Mutants of the kernel: each is given to the tests that come by it, until one fails.
//
// A file is compiled once with all its mutants in it, and a number says which is on (switches.mjs); what cannot be switched, as
// the parts of a table, is compiled by itself. The tests are bundled once and run by a thread of their own (runner.mjs), with
// the kernels of both widths, of the lite entry and the one that checks its slots. Before, they run once on a kernel that says
// which places each of them comes by: a mutant meets only those that come by it, those first that have killed others of its file.
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { deserialize, serialize } from 'node:v8';
import { BUILDS, compile } from './builds.mjs';
import { bundleTests } from './bundles.mjs';
import { mutantsOf, mutated } from './operators.mjs';
import { switchable, switchboard } from './switches.mjs';
import { Thread } from './thread.mjs';

const root = new URL('../..', import.meta.url).pathname;
const results = join(root, 'build/mutation/kernel.json');
const SWITCHBOARD = 'assembly/switchboard.ts';
const entries = [SWITCHBOARD];
/** Parts that the mutants are tried in, each a fair sample of all. */
const ROUNDS = 10;
/** Milliseconds of tests, without a mutant, that all mutants meet before those that are left meet the others. */
const FIRST_TESTS = 1_000;
const SAVED_EVERY = 5_000;

/** Tests that see nothing of what the kernel computes, or that run another kernel than they are given. */
const OTHERS = ['abi', 'fused', 'generated-docs', 'kernel-loops', 'options-docs', 'oracle', 'relaxed', 'vectors'];

/**
 * @param {{ files: (name: string) => boolean, tests: RegExp, sample: number, seed: number, resume: boolean, survivors: boolean,
 *   report: (mutant: object, done: number, of: number) => void }} options `tests`: their files, by name; `resume` keeps what
 *   build/mutation/kernel.json has and tries the rest; `survivors` keeps it and tries those again that no test has killed
 * @returns every mutant that was tried, with its `status`: Killed, Survived, NoCoverage, Open (it has not met all tests), Timeout,
 * Invalid (does not compile), Equal (the same binary), and how many there are
 */
export async function mutateKernel({ files, tests: pattern, sample, seed, resume, survivors, report }) {
  const sources = kernelSources();
  const all = kernelMutants();
  const isChosen = ({ file, key }) => files(file) && (!survivors || isAlive(known.get(key)));
  const known = resume || survivors ? readResults() : new Map();
  const tried = new Map(
    all.filter(({ key }) => known.has(key)).map(({ key, line }) => [key, { ...known.get(key), line }]),
  );
  const isOpen = ({ key }) => survivors || (tried.get(key)?.status ?? 'Open') === 'Open';
  const chosen = choose(all.filter(isChosen), sample, seed).filter(isOpen);
  const tests = await Tests.surveyed(sources, all, pattern);
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
  const perRound = Math.ceil(chosen.length / ROUNDS);
  for (const most of [FIRST_TESTS, Infinity]) {
    for (let round = 0; round < ROUNDS; round++) {
      const part = chosen.slice(round * perRound, (round + 1) * perRound).filter(({ key }) => !settled.has(key));
      for (const file of sources) {
        const mutants = part.filter((mutant) => mutant.file === file);
        if (mutants.length > 0) await tests.meetAll(file, mutants, most, note);
      }
    }
  }
  save(tried);
  await tests.close();
  return { tried: [...tried.values()], all: all.length };
}

function kernelSources() {
  return readdirSync(join(root, 'assembly'), { recursive: true })
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.d.ts'))
    .map((name) => `assembly/${name.replaceAll('\\', '/')}`);
}

/** Every mutant of the kernel. */
export function kernelMutants() {
  return kernelSources().flatMap((file) => numbered(mutantsOf(file, sourceText(file))));
}

const texts = new Map();

function sourceText(file) {
  if (!texts.has(file)) texts.set(file, readFileSync(join(root, file), 'utf8'));
  return texts.get(file);
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

/** Whether a mutant has been tried, and no test has failed so far. */
export function isAlive(mutant) {
  return ['Open', 'Survived', 'NoCoverage'].includes(mutant?.status);
}

function save(tried) {
  writeFileSync(results, `${JSON.stringify([...tried.values()], null, 1)}\n`);
}

/** The tests, what each of them comes by, and the kernels that they run on. */
class Tests {
  /** Of each file and test the milliseconds, at -1 those until the tests are known. */
  #times = [];
  /** Of each mutant, by file and number, the tests that come by it: [file, test]. */
  #comers = new Map();
  /** Of each file all of them. */
  #comersOfFile = new Map();
  #kills = new Map();
  #met = new Map();
  #thread;
  #originals = {};
  #switched = new Map();

  static async surveyed(sources, all, pattern) {
    const tests = new Tests();
    await tests.#survey(sources, all, pattern);
    return tests;
  }

  async #survey(sources, all, pattern) {
    const folder = join(root, 'build/mutation/tests');
    const files = readdirSync(join(root, 'test'))
      .filter((name) => name.endsWith('.test.ts') && !OTHERS.includes(name.slice(0, -8)) && pattern.test(name))
      .map((name) => `test/${name}`);
    const bundles = await bundleTests(files, folder);
    const at = [];
    const given = new Map();
    for (const file of sources) {
      const place = (mutants) => at.push(mutants) - 1;
      const own = all.filter((mutant) => mutant.file === file);
      given.set(file, switchable(sourceText(file), own, { left: new Set(), place, seenOnly: true }).text);
    }
    const places = (at.length + 63) & ~63;
    given.set(SWITCHBOARD, switchboard(places));
    this.#thread = new Thread({ places, bundles });
    this.places = places;
    const kernels = {};
    for (const build of Object.keys(BUILDS)) {
      this.#originals[build] = await compileOrThrow(build);
      this.#thread.give(`${build} seen`, (await compileOrThrow(build, given, { entries })).binary);
      this.#thread.give(build, this.#originals[build].binary);
      kernels[build] = `${build} seen`;
    }
    for (const [index, file] of files.entries()) {
      const { load, tests } = await this.#thread.survey(index, kernels);
      console.log(
        `${file}: ${tests.length} tests, ${Math.round(tests.reduce((sum, { time }) => sum + time, load.time))} ms`,
      );
      this.#times[index] = Object.assign(
        tests.map(({ time }) => time),
        { [-1]: load.time },
      );
      [{ ...load, title: '' }, ...tests].forEach(({ seen, error, title }, k) => {
        if (error !== undefined) console.log(`${file} > ${title} fails without a mutant, and is left out: ${error}`);
        else this.#note(at, seen, [index, k - 1]);
      });
    }
    this.#thread.forget(Object.values(kernels));
  }

  #note(at, seen, test) {
    const add = (map, key) => map.set(key, [...(map.get(key) ?? []), test]);
    const files = new Set();
    at.forEach((mutants, place) => {
      if (seen[place] === 0) return;
      for (const { file, id } of mutants) add(this.#comers, `${file} ${id}`);
      files.add(mutants[0].file);
    });
    for (const file of files) add(this.#comersOfFile, file);
  }

  /** Tries mutants of a file. */
  async meetAll(file, mutants, most, note) {
    const { inside, kernels, binaries } = await this.#switch(file);
    for (const [key, bytes] of binaries) this.#thread.give(key, bytes);
    for (const mutant of mutants) {
      const start = Date.now();
      const result = inside.has(mutant.id)
        ? await this.#meet(mutant, mutant.id, kernels, most)
        : await this.#meetAlone(mutant, most);
      if (isAlive(result) && result.status !== 'Open' && inside.has(mutant.id) && (await this.#isEqual(mutant)))
        result.status = 'Equal';
      note(mutant, { ...result, time: Date.now() - start });
    }
    this.#thread.forget(binaries.map(([key]) => key));
  }

  /** The builds of a file with its mutants in it. */
  async #switch(file) {
    if (!this.#switched.has(file)) {
      const { ids, builds } = await this.#compileSwitched(file);
      const kernels = Object.fromEntries(Object.keys(BUILDS).map((build) => [build, build]));
      for (const [build] of builds) kernels[build] = `${build} ${file}`;
      const binaries = builds.map(([build, binary]) => [`${build} ${file}`, binary]);
      this.#switched.set(file, { inside: new Set(ids), kernels, binaries });
    }
    return this.#switched.get(file);
  }

  /** As many mutants as can be switched, by number; kept from run to run as long as the sources are the same. */
  async #compileSwitched(file) {
    const { kept, board } = this.#keep(file);
    if (existsSync(kept)) return deserialize(readFileSync(kept));
    const own = numbered(mutantsOf(file, sourceText(file)));
    const left = new Set();
    for (;;) {
      let count = 0;
      const { text, inside } = switchable(sourceText(file), own, { left, place: () => count++ });
      const { builds, failed } = await this.#compileAll(file, new Map([[file, text], board]));
      if (failed === undefined) {
        const result = { ids: inside.map(({ id }) => id), builds };
        writeFileSync(kept, serialize(result));
        return result;
      }
      const before = left.size;
      for (const place of failed.lines) if (place.file === file) left.add(place.line);
      // an error that names no line of the file: nothing of it is switched
      if (left.size === before) for (const { line } of own) left.add(line);
    }
  }

  async #compileAll(file, given) {
    const builds = [];
    for (const [build, { reads }] of Object.entries(this.#originals)) {
      if (!reads.has(file)) continue;
      const result = await compile(build, given, { entries });
      if (result.binary === undefined) return { failed: result };
      builds.push([build, result.binary]);
    }
    return { builds };
  }

  #keep(file) {
    const board = [SWITCHBOARD, switchboard(this.places)];
    const hash = createHash('sha256').update(file).update(board[1]).update(sourceText('scripts/mutation/switches.mjs'));
    for (const source of [...kernelSources(), 'src/abi.ts', 'scripts/mutation/operators.mjs'])
      hash.update(sourceText(source));
    return { board, kept: join(root, `build/mutation/switched-${hash.digest('hex').slice(0, 16)}.bin`) };
  }

  async #meet(mutant, id, kernels, most = Infinity) {
    const { file } = mutant;
    const name = `${file} ${mutant.id}`;
    const comers = this.#comers.get(name) ?? (id < 0 ? this.#comersOfFile.get(file) : undefined) ?? [];
    if (comers.length === 0) return { status: 'NoCoverage' };
    const { plan, isWhole } = this.#plan(file, mutant.key, comers, most);
    const { killer, timeout, crash, error } = await this.#thread.meet({ id, kernels, plan }, this.#times);
    if (killer === undefined && !isWhole) {
      this.#met.set(mutant.key, new Set(plan));
      return { status: 'Open' };
    }
    if (killer === undefined) return { status: 'Survived' };
    const key = `${file} ${killer.join(' ')}`;
    this.#kills.set(key, (this.#kills.get(key) ?? 0) + 1);
    return { status: timeout ? 'Timeout' : 'Killed', killer, error: crash ?? error };
  }

  /** The tests that a mutant has not met, in their order, of `most` milliseconds without it. */
  #plan(file, key, comers, most) {
    const time = ([index, number]) => this.#times[index][number];
    // as if each had killed a hundredth of a mutant
    const worth = new Map(
      comers.map((test) => [test, ((this.#kills.get(`${file} ${test.join(' ')}`) ?? 0) + 0.01) / (time(test) + 5)]),
    );
    const met = this.#met.get(key);
    const rest = comers.filter((test) => !met?.has(test)).sort((a, b) => worth.get(b) - worth.get(a));
    const loaded = new Set();
    let sum = 0;
    const plan = rest.filter((test) => {
      sum += time(test) + (loaded.has(test[0]) ? 0 : this.#times[test[0]][-1]);
      loaded.add(test[0]);
      return sum <= most;
    });
    return { plan, isWhole: plan.length === rest.length };
  }

  /** A mutant that is compiled by itself. */
  async #meetAlone(mutant, most) {
    const first = await this.#differing(mutant, 1);
    if (first === undefined) return { status: 'Invalid' };
    if (first.length === 0) return { status: 'Equal' };
    const result = await this.#meetBuilds(mutant, first, most);
    if (result.status !== 'Survived') return result;
    this.#met.delete(mutant.key); // of other builds
    return this.#meetBuilds(mutant, await this.#differing(mutant), most);
  }

  async #meetBuilds(mutant, builds, most) {
    const kernels = Object.fromEntries(Object.keys(BUILDS).map((build) => [build, build]));
    for (const [build, binary] of builds) {
      kernels[build] = `${build} mutant`;
      this.#thread.give(kernels[build], binary);
    }
    const result = await this.#meet(mutant, -1, kernels, most);
    this.#thread.forget(builds.map(([build]) => `${build} mutant`));
    return result;
  }

  async #isEqual(mutant) {
    return (await this.#differing(mutant, 1))?.length === 0;
  }

  /** The builds that a mutant changes, `most` at most: [name, binary]; undefined where none compiles. */
  async #differing(mutant, most = Infinity) {
    const { file } = mutant;
    const given = new Map([[file, mutated(sourceText(file), mutant)]]);
    const differing = [];
    let count = 0;
    for (const [build, { binary: original, reads }] of Object.entries(this.#originals)) {
      if (!reads.has(file) || differing.length === most) continue;
      const { binary } = await compile(build, given);
      if (binary === undefined) continue;
      count++;
      if (Buffer.compare(binary, original) !== 0) differing.push([build, binary]);
    }
    return count === 0 ? undefined : differing;
  }

  async close() {
    await this.#thread.close();
  }
}

async function compileOrThrow(...args) {
  const result = await compile(...args);
  if (result.binary === undefined) throw new Error(result.error);
  return result;
}
