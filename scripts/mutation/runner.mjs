// A thread that runs tests on kernels whose mutants can be switched on. What it is told: { load }, { survey }, { meet }.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { Script } from 'node:vm';
import { parentPort, workerData } from 'node:worker_threads';
import { SEEN, SWITCH } from './switches.mjs';

const requireFromVitest = createRequire(createRequire(import.meta.url).resolve('vitest'));
const importFrom = async (name) => import(requireFromVitest.resolve(name));
const chai = await import(createRequire(requireFromVitest.resolve('@vitest/expect')).resolve('chai'));
const { JestAsymmetricMatchers, JestChaiExpect, JestExtend } = await importFrom('@vitest/expect');
for (const plugin of [JestExtend, JestChaiExpect, JestAsymmetricMatchers]) chai.use(plugin);

const { places, bundles } = workerData;
const require = createRequire(import.meta.url);

/** The same inputs for every mutant, and no search for the smallest that fails. */
require('fast-check').configureGlobal({ seed: 20_261_128, endOnFailure: true });

// Every instance that a test makes has the mutant that is on, and says where it came by.
let mutant = -1;
let instances = [];
WebAssembly.Instance = class extends WebAssembly.Instance {
  constructor(module, imports) {
    super(module, imports);
    const { exports } = this;
    if (!(SWITCH in exports)) return;
    exports[SWITCH].value = mutant;
    instances.push({ memory: exports.memory, at: exports[SEEN].value });
  }
};

/** The places that instances came by since the last call. */
function takeSeen() {
  const seen = new Uint8Array(places);
  for (const { memory, at } of instances) {
    const bytes = new Uint8Array(memory.buffer, at, places);
    for (let k = 0; k < places; k++) if (bytes[k] === 1) seen[k] = 1;
    bytes.fill(0);
  }
  return seen;
}

const scripts = bundles.map((file) => {
  const code = `(function (exports, require, module, __filename, __dirname, vitest, kernels, console) {${readFileSync(file, 'utf8')}\n})`;
  return { file, require: createRequire(file), run: new Script(code, { filename: file }).runInThisContext() };
});

const quiet = { ...console, log() {}, info() {}, warn() {}, error() {} };

/** Runs a file to where its tests are known: { tests, before, after }. */
function collect(index, kernels) {
  const { file, require, run } = scripts[index];
  const found = { tests: [], before: [], after: [] };
  const module = { exports: {} };
  run(module.exports, require, module, file, dirname(file), vitestFor(found), kernels, quiet);
  return found;
}

function vitestFor(found) {
  const titles = [];
  const add = (title, ...rest) => {
    const run = rest.find((value) => typeof value === 'function');
    found.tests.push({ title: [...titles, String(title)].join(' > '), run });
  };
  const group = (title, ...rest) => {
    titles.push(String(title));
    rest.find((value) => typeof value === 'function')();
    titles.pop();
  };
  const skip = () => {};
  const forEach =
    (define) =>
    (rows) =>
    (title, ...rest) => {
      const at = rest.findIndex((value) => typeof value === 'function');
      rows.forEach((row, k) => {
        const args = Array.isArray(row) ? row : [row];
        define(`${title} [${k}]`, ...rest.slice(0, at), () => rest[at](...args), ...rest.slice(at + 1));
      });
    };
  const test = Object.assign(add, {
    each: forEach(add),
    skip,
    runIf: (holds) => (holds ? add : skip),
    skipIf: (holds) => (holds ? skip : add),
  });
  const describe = Object.assign(group, { each: forEach(group), skip });
  const expect = (value, message) => chai.expect(value, message);
  Object.assign(expect, chai.expect, {
    fail: (message) => {
      throw new Error(message);
    },
    getState: () => ({}),
  });
  const anything = new Proxy(skip, { get: () => anything, apply: () => anything });
  return {
    test,
    it: test,
    describe,
    expect,
    expectTypeOf: anything,
    assertType: skip,
    beforeAll: (run) => found.before.push(run),
    afterAll: (run) => found.after.push(run),
    vi: { hoisted: (make) => make(), mock: skip },
  };
}

const modules = new Map();

/** Kernels are kept as modules: what the engine has compiled of one serves each of its mutants. */
function kernelsOf(names) {
  return Object.fromEntries(Object.entries(names).map(([build, key]) => [build, modules.get(key)]));
}

async function runTest({ run }) {
  const start = performance.now();
  let error;
  try {
    await run();
  } catch (thrown) {
    error = thrown ?? new Error('something was thrown');
  }
  return { time: performance.now() - start, error };
}

/** Every test of a file without a mutant: how long it takes, what it comes by, and whether it passes. */
async function survey({ index, kernels }) {
  mutant = -1;
  instances = [];
  const start = performance.now();
  const found = collect(index, kernelsOf(kernels));
  for (const before of found.before) await before();
  const load = { time: performance.now() - start, seen: takeSeen() };
  const tests = [];
  for (const test of found.tests) {
    const { time, error } = await runTest(test);
    tests.push({
      title: test.title,
      time,
      seen: takeSeen(),
      error: error && String(error.stack ?? error).slice(0, 600),
    });
  }
  for (const after of found.after) await after();
  return { load, tests };
}

/**
 * A mutant and the tests that may see it, in their order: the first that fails, if any.
 * @param {{ id: number, kernels: object, plan: { index: number, tests: number[] | 'load' }[] }} job
 */
async function meet({ id, kernels, plan }) {
  mutant = id;
  instances = [];
  const files = new Map();
  const given = kernelsOf(kernels);
  let time = 0;
  try {
    for (const [index, number] of plan) {
      parentPort.postMessage({ at: [index, number] });
      if (!files.has(index)) {
        let found;
        try {
          found = collect(index, given);
          for (const before of found.before) await before();
        } catch (error) {
          return { killer: [index, -1], error: String(error) };
        }
        files.set(index, found);
      }
      if (number < 0) continue;
      const test = files.get(index).tests[number];
      if (test === undefined) return { killer: [index, number], error: 'the test is not there' };
      const { error, time: own } = await runTest(test);
      time += own;
      if (error !== undefined) return { killer: [index, number], error: String(error).slice(0, 200), time };
    }
    return { time };
  } finally {
    for (const { after } of files.values()) for (const run of after) await run();
  }
}

parentPort.on('message', async (message) => {
  try {
    if (message.load) {
      for (const [key, bytes] of message.load) modules.set(key, { bytes, module: new WebAssembly.Module(bytes) });
      parentPort.postMessage({ done: true });
    } else if (message.forget) {
      for (const key of message.forget) modules.delete(key);
    } else if (message.survey) parentPort.postMessage({ done: await survey(message.survey) });
    else parentPort.postMessage({ done: await meet(message.meet) });
  } catch (error) {
    parentPort.postMessage({ failed: String(error.stack ?? error) });
  }
});
parentPort.postMessage({ ready: true });
