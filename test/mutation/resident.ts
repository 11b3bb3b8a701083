/// <reference types="vite/client" />
// All tests of src/ in one file, which runs those that it is told to, with the mutant that it is told; see resident-runner.mjs.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { BroadcastChannel } from 'node:worker_threads';
import fc from 'fast-check';
import { beforeAll, describe, TestRunner } from 'vitest';

interface Question {
  all?: true;
  mutant: string;
  /** All of them where it is not given. */
  tests?: string[];
  hitLimit?: number;
}
interface Task {
  type: string;
  mode: string;
  name: string;
  tasks?: Task[];
}
interface Test {
  id: string;
  name: string;
  fileName: string;
  timeSpentMs: number;
  run: () => unknown;
}

// what Stryker's mutants read
const scope = globalThis as { __stryker__?: Record<string, unknown> };
scope.__stryker__ ??= {};
const stryker = scope.__stryker__;
if (process.env.MUTANT) stryker.activeMutant = process.env.MUTANT;
const tests = new Map<string, Test>();
/** The last quick ones that failed: neighbours die of the same test. */
const killers = new Set<Test>();

/** A mutant that lives through so much of the processor's time survives: the tests that are left are the slowest. */
const PATIENCE_MS = Number(process.env.MUTANT_PATIENCE_MS);
const QUICK_MS = 100;
/** What each test takes, for the process that follows one that was ended. */
const TIMES = 'build/test-times.json';

// that a test fails is enough
fc.configureGlobal({ endOnFailure: true });

const FILES = import.meta.glob([
  '../*.test.ts',
  // of the kernel, the documents or other programs
  '!../{abi,bounds,generated-docs,kernel-host,kernel-loops,options-docs,oracle,relaxed,slots}.test.ts',
  // of the kernel's numbers, which scripts/mutation/kernel.mjs mutates
  '!../{far-logits,long-counts,pitfalls,sweep,values,vectors}.test.ts',
]);
for (const [file, load] of Object.entries(FILES)) describe(file, async () => void (await load()));

// never ends: what Vitest would run after it is run here
// biome-ignore lint/correctness/noEmptyPattern: Vitest reads it
beforeAll(async ({}, { tasks }) => {
  for (const file of tasks as Task[]) collect(file, file.name.slice(3), []);
  const times: Record<string, number> = existsSync(TIMES) ? JSON.parse(readFileSync(TIMES, 'utf8')) : {};
  for (const test of tests.values()) test.timeSpentMs = times[test.id] ?? 0;
  const channel = new BroadcastChannel('mutants');
  channel.onmessage = async ({ data }) => {
    const question = data as Question;
    channel.postMessage(question.all ? await measure() : await mutate(question));
  };
  channel.postMessage({});
  await new Promise(() => {});
}, 0);

function collect(task: Task, file: string, names: string[]): void {
  if (task.mode !== 'run') return;
  if (task.type === 'suite') for (const child of task.tasks ?? []) collect(child, file, [...names, task.name]);
  else {
    const name = [...names.slice(1), task.name].join(' ');
    const run = TestRunner.getTestFn(task as never) as () => unknown;
    tests.set(`${tests.size}`, { id: `${tests.size}`, name, fileName: `test/${file}`, timeSpentMs: 0, run });
  }
}

/** Each test by itself: how long it takes, and which mutants it reaches. */
async function measure() {
  const results = [];
  for (const test of tests.values()) {
    stryker.currentTestId = test.id;
    const start = performance.now();
    const failureMessage = await failure(test);
    test.timeSpentMs = performance.now() - start;
    stryker.currentTestId = undefined;
    const { run, ...rest } = test;
    results.push(failureMessage === undefined ? { ...rest, status: 0 } : { ...rest, status: 1, failureMessage });
  }
  writeFileSync(TIMES, JSON.stringify(Object.fromEntries(results.map(({ id, timeSpentMs }) => [id, timeSpentMs]))));
  return { status: 'complete', tests: results, mutantCoverage: stryker.mutantCoverage };
}

let expected: string | undefined;

/** What the kernels' memories give: a mutant that wrote where it must not may leave numbers behind that no test can tell from its own. */
async function answers(): Promise<string> {
  const { WIDTHS } = await import('../widths.js');
  try {
    const results = WIDTHS.map(([, { library }]) => [
      new library.FocalLoss().gradHess([0.5, -3, 20], [0.25, 1, 0]),
      new library.SoftmaxFocalLoss({ numClasses: 3 }).gradHess([0.5, -3, 20], [1]),
    ]);
    return JSON.stringify(results);
  } catch (error) {
    return String(error);
  }
}

async function mutate({ mutant, tests: ids, hitLimit }: Question) {
  expected ??= await answers();
  const chosen = ids === undefined ? [...tests.values()] : ids.map((id) => tests.get(id) as Test);
  chosen.sort((a, b) => Number(killers.has(b)) - Number(killers.has(a)) || a.timeSpentMs - b.timeSpentMs);
  stryker.activeMutant = mutant;
  stryker.hitCount = 0;
  stryker.hitLimit = hitLimit;
  const start = process.cpuUsage();
  for (const [nrOfTests, test] of chosen.entries()) {
    const { user, system } = process.cpuUsage(start);
    if ((user + system) / 1000 > PATIENCE_MS) break;
    const failureMessage = await failure(test);
    if (failureMessage === undefined) continue;
    stryker.activeMutant = undefined;
    stryker.hitCount = undefined;
    killers.delete(test);
    if (test.timeSpentMs < QUICK_MS) killers.add(test);
    if (killers.size > 4) killers.delete([...killers][0]);
    const isDirty = (await failure(test)) !== undefined || (await answers()) !== expected;
    return { result: { status: 'killed', killedBy: [test.id], failureMessage, nrOfTests: nrOfTests + 1 }, isDirty };
  }
  stryker.activeMutant = undefined;
  stryker.hitCount = undefined;
  return { result: { status: 'survived', nrOfTests: chosen.length }, isDirty: (await answers()) !== expected };
}

async function failure(test: Test): Promise<string | undefined> {
  try {
    await test.run();
    return undefined;
  } catch (error) {
    return String((error as Error)?.message ?? error).slice(0, 300);
  }
}
