// Runs cases by turns, A B C A B C ..., so that what disturbs the machine disturbs them all, and takes a low quantile of
// each: what is left when nothing disturbed it. Ratios of such figures hold where the figures do not.

import { Bench } from 'tinybench';

/** Rounds below which no quantile is taken. */
const FEWEST_ROUNDS = 7;
/** Milliseconds in which the engine's compilers see a case often enough. */
const WARM = 50;
/** Milliseconds of sleep before a slice: a rested process is not interrupted within it by others that want the processor. */
const REST = 1;

const sleeper = new Int32Array(new SharedArrayBuffer(4));

/**
 * @param cases `{ name, run }` each. Where `asynchronous` is set, `run` returns a promise. Where there are `parts`, it does
 * one of so many of a whole call, which would take so long that it would always be interrupted. A case that times itself
 * has `time(calls)` as well, which gives milliseconds.
 * @param options `seconds` for all cases together, `slice` in milliseconds for one case in one round, `rounds` at least, and
 * the `quantile` of them to take.
 * @returns nanoseconds of one call by name.
 */
export async function interleave(cases, { seconds, slice = 1, quantile = 0.1, rounds = FEWEST_ROUNDS }) {
  const bench = new Bench({ iterations: 1, time: 0, warmup: false, throws: true });
  const turns = cases.map((each) => ({ ...each, calls: 1, samples: [] }));
  for (const turn of turns) bench.add(turn.name, turn.asynchronous ? () => timeAsync(turn) : () => time(turn));
  for (const turn of turns) await warm(turn, slice);
  const end = performance.now() + 1000 * seconds;
  for (let round = 0; round < rounds || performance.now() < end; round++) {
    // from another case on each time, lest one always meets the end of the time that the system gives the process
    for (let k = 0; k < turns.length; k++) {
      const { name, asynchronous, samples } = turns[(k + round) % turns.length];
      const task = bench.getTask(name);
      task.reset(); // or it keeps its first reading
      Atomics.wait(sleeper, 0, 0, REST);
      if (asynchronous) await task.run();
      else task.runSync();
      samples.push(task.result.latency.min);
    }
  }
  return Object.fromEntries(
    turns.map(({ name, samples, parts = 1 }) => [name, 1e6 * parts * quantileOf(samples, quantile)]),
  );
}

/** Runs a case until it is compiled, and sets how many of its calls make a slice: by its fastest run, others are disturbed. */
async function warm(turn, slice) {
  let fastest = Number.POSITIVE_INFINITY;
  let spent = 0;
  for (let k = 0; k < FEWEST_ROUNDS || spent < WARM; k++) {
    Atomics.wait(sleeper, 0, 0, REST);
    const { overriddenDuration, overriddenIterationCost } = turn.asynchronous ? await timeAsync(turn) : time(turn);
    fastest = Math.min(fastest, overriddenDuration);
    spent += overriddenIterationCost;
    if (spent > 20 * WARM) break;
    turn.calls = Math.max(1, Math.floor(slice / fastest));
  }
}

function time({ run, calls }) {
  const start = performance.now();
  for (let k = 0; k < calls; k++) run();
  return spread(performance.now() - start, calls);
}

async function timeAsync({ run, calls, time }) {
  if (time !== undefined) return spread(await time(calls), calls);
  const start = performance.now();
  for (let k = 0; k < calls; k++) await run();
  return spread(performance.now() - start, calls);
}

const spread = (spent, calls) => ({ overriddenDuration: spent / calls, overriddenIterationCost: spent });

function quantileOf(samples, quantile) {
  const sorted = [...samples].sort((a, b) => a - b);
  return sorted[Math.floor(quantile * (sorted.length - 1))];
}
