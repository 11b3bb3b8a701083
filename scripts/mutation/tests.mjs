// The tests of the kernel: what each of them comes by, and which of them fails with a mutant.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { BUILDS } from './builds.mjs';
import { bundleTests } from './bundles.mjs';
import { isAlive } from './sources.mjs';
import { SwitchedBuilds } from './switched-builds.mjs';
import { Thread } from './thread.mjs';

const root = new URL('../..', import.meta.url).pathname;

/** Tests that see nothing of what the kernel computes, or that run another kernel than they are given. */
const OTHERS = ['abi', 'fused', 'generated-docs', 'kernel-loops', 'options-docs', 'oracle', 'relaxed', 'vectors'];

/** The tests, what each of them comes by, and the kernels that they run on. */
export class Tests {
  /** Of each file and test the milliseconds, at -1 those until the tests are known. */
  #times = [];
  /** Of each mutant, by file and number, the tests that come by it: [file, test]. */
  #comers = new Map();
  /** Of each file all of them. */
  #comersOfFile = new Map();
  #kills = new Map();
  #met = new Map();
  #thread;
  #builds = new SwitchedBuilds();

  static async surveyed(pattern) {
    const tests = new Tests();
    await tests.#survey(pattern);
    return tests;
  }

  async #survey(pattern) {
    const folder = join(root, 'build/mutation/tests');
    const files = readdirSync(join(root, 'test'))
      .filter((name) => name.endsWith('.test.ts') && !OTHERS.includes(name.slice(0, -8)) && pattern.test(name))
      .map((name) => `test/${name}`);
    const bundles = await bundleTests(files, folder);
    const { at, binaries } = await this.#builds.survey();
    this.#thread = new Thread({ places: this.#builds.places, bundles });
    const kernels = {};
    for (const [build, binary] of Object.entries(binaries)) {
      this.#thread.give(`${build} seen`, binary);
      this.#thread.give(build, this.#builds.originals[build].binary);
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
    const { inside, kernels, binaries } = await this.#builds.switched(file);
    for (const [key, bytes] of binaries) this.#thread.give(key, bytes);
    for (const mutant of mutants) {
      const start = Date.now();
      const result = inside.has(mutant.id)
        ? await this.#meet(mutant, mutant.id, kernels, most)
        : await this.#meetAlone(mutant, most);
      if (isAlive(result) && result.status !== 'Open' && inside.has(mutant.id) && (await this.#builds.isEqual(mutant)))
        result.status = 'Equal';
      note(mutant, { ...result, time: Date.now() - start });
    }
    this.#thread.forget(binaries.map(([key]) => key));
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
    const first = await this.#builds.differing(mutant, 1);
    if (first === undefined) return { status: 'Invalid' };
    if (first.length === 0) return { status: 'Equal' };
    const result = await this.#meetBuilds(mutant, first, most);
    if (result.status !== 'Survived') return result;
    this.#met.delete(mutant.key); // of other builds
    return this.#meetBuilds(mutant, await this.#builds.differing(mutant), most);
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

  async close() {
    await this.#thread.close();
  }
}
