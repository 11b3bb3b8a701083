// The thread that runs tests, seen from outside: it is ended where a test takes far too long, and another takes its place.
import { Worker } from 'node:worker_threads';

/** A test may take so many times what it takes without a mutant, and so many milliseconds more: the machine has other work. */
const PATIENCE = 20;
const GRACE = 3_000;
const MEGABYTES = 1_500;

export class Thread {
  #worker;
  #loaded = new Set();
  #data;
  #kernels = new Map();
  #take = () => {};

  /** @param data `places` and `bundles` */
  constructor(data) {
    this.#data = data;
  }

  /** A build that jobs can name by its key. */
  give(key, bytes) {
    this.#kernels.set(key, bytes);
  }

  /** Has the thread forget what it has compiled of builds. */
  forget(keys) {
    for (const key of keys) {
      this.#kernels.delete(key);
      this.#loaded.delete(key);
    }
    this.#worker?.postMessage({ forget: keys });
  }

  async survey(index, kernels) {
    await this.#load(kernels);
    return this.#ask({ survey: { index, kernels } }, () => 600_000);
  }

  /** @param times of the tests, by file and number, without a mutant */
  async meet(job, times) {
    await this.#load(job.kernels);
    return this.#ask({ meet: job }, (index, number) => PATIENCE * (times[index][number] ?? 0) + GRACE);
  }

  async close() {
    const worker = this.#worker;
    this.#worker = undefined;
    await worker?.terminate();
    this.#loaded.clear();
  }

  async #load(kernels) {
    if (this.#worker === undefined) {
      const resourceLimits = { maxOldGenerationSizeMb: MEGABYTES };
      const worker = new Worker(new URL('runner.mjs', import.meta.url), { workerData: this.#data, resourceLimits });
      this.#worker = worker;
      worker.on('message', (message) => worker === this.#worker && this.#take(message));
      worker.on('error', (error) => worker === this.#worker && this.#take({ crash: String(error) }));
      await this.#answer();
    }
    const missing = [...new Set(Object.values(kernels))].filter((key) => !this.#loaded.has(key));
    if (missing.length === 0) return;
    await this.#ask({ load: missing.map((key) => [key, this.#kernels.get(key)]) }, () => 600_000);
    for (const key of missing) this.#loaded.add(key);
  }

  #ask(message, limit) {
    this.#worker.postMessage(message);
    return this.#answer(limit);
  }

  /** What the thread answers; `timeout` or `crash` where it has to be ended. */
  #answer(limit = () => 600_000) {
    return new Promise((resolve, reject) => {
      let timer;
      const finish = (settle, value) => {
        clearTimeout(timer);
        settle(value);
      };
      const replace = async (value) => {
        await this.close();
        finish(resolve, value);
      };
      const watch = (at) => {
        clearTimeout(timer);
        timer = setTimeout(() => replace({ killer: at, timeout: true }), limit(...at));
      };
      watch([0, -1]);
      this.#take = ({ at, failed, done, crash }) => {
        if (at !== undefined) watch(at);
        else if (crash !== undefined) replace({ killer: [-1, -1], crash });
        else if (failed !== undefined) finish(reject, new Error(failed));
        else finish(resolve, done);
      };
    });
  }
}
