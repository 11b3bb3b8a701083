// A test runner for Stryker that loads the tests once: a mutant costs the time of the tests that reach it, not that of a start.
// Vitest collects them in a thread (resident.ts), which is told here what to run.
import { relative } from 'node:path';
import { BroadcastChannel } from 'node:worker_threads';
import { declareClassPlugin, declareFactoryPlugin, PluginKind } from '@stryker-mutator/api/plugin';
import { createVitest } from 'vitest/node';

/** Whether each mutant has a process of its own, in which it is there while tests are loaded: minutes for dozens of them. */
const isApart = process.env.MUTANTS_APART === '1';

class ResidentRunner {
  #vitest;
  #channel = new BroadcastChannel('mutants');
  #answered;
  #isFresh = true;
  #isDirty = false;

  /** Mutants that are reached while tests are loaded need no other load: they are run in the tests that reach them again. */
  capabilities() {
    return { reloadEnvironment: true };
  }

  /** Loads the tests, under a mutant if it is given. */
  async #load(mutant = '') {
    process.env.MUTANT = mutant;
    const isReady = this.#answer();
    this.#vitest = await createVitest('test', { config: 'test/mutation/vitest.config.ts', watch: false });
    this.#vitest.start().then(
      ({ testModules }) => {
        const errors = testModules.flatMap((module) => module.errors()).map(({ message }) => message);
        this.#answered?.({ error: `the tests could not be loaded: ${errors.join('; ')}` });
      },
      (error) => this.#answered?.({ error: String(error) }),
    );
    const { error } = await isReady;
    if (error !== undefined) throw new Error(error);
  }

  async dryRun() {
    await this.#load();
    return this.#ask({ all: true });
  }

  /** A test that fails counts only where it passes again without the mutant; a process in which it does not is ended, and another tries. */
  async mutantRun({ activeMutant, testFilter, hitLimit }) {
    if (this.#isDirty || (isApart && this.#vitest !== undefined)) throw new Error('another process is wanted');
    try {
      if (this.#vitest === undefined) await this.#load(isApart ? activeMutant.id : '');
    } catch (error) {
      if (isApart) return { status: 'killed', killedBy: [], failureMessage: error.message, nrOfTests: 0 };
      throw error;
    }
    const { result, isDirty } = await this.#ask({ mutant: activeMutant.id, tests: testFilter, hitLimit });
    this.#isDirty = isDirty;
    if (isDirty && !this.#isFresh) throw new Error('this mutant, or an earlier one, left something behind');
    this.#isFresh = false;
    return result;
  }

  async dispose() {
    this.#channel.close();
    await this.#vitest?.close();
  }

  #ask(question) {
    const answer = this.#answer();
    this.#channel.postMessage(question);
    return answer;
  }

  #answer() {
    return new Promise((resolve) => {
      this.#answered = resolve;
      this.#channel.onmessage = ({ data }) => resolve(data);
    });
  }
}

/** Says at once who survives. */
class SurvivorReporter {
  #count = 0;
  #tried = 0;

  onMutationTestingPlanReady({ mutantPlans }) {
    this.#count = mutantPlans.length;
  }

  onMutantTested({ fileName, location: { start, end }, mutatorName, replacement, status }) {
    if (++this.#tried % 100 === 0) console.log(`${this.#tried} of ${this.#count}`);
    if (status === 'Killed' || status === 'Ignored') return;
    const place = `${relative('.', fileName)}:${start.line}:${start.column}-${end.line}:${end.column}`;
    console.log(`${status} ${place} ${mutatorName} ${replacement?.replaceAll(/\s+/g, ' ')}`);
  }
}

export const strykerPlugins = [
  declareFactoryPlugin(PluginKind.TestRunner, 'resident', () => new ResidentRunner()),
  declareClassPlugin(PluginKind.Reporter, 'survivors', SurvivorReporter),
];
