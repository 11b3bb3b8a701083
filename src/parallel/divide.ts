// One call over several threads, of which the calling one is the first.

import { setImmediate } from 'node:timers';
import type { Evaluator, Request, Totals } from '../engine/evaluator.js';
import { type Board, NONE, type SharedArray, SLOT, Word } from './board.js';
import { type Call, Job } from './job.js';
import { Staging } from './staging.js';
import { Threads } from './threads.js';

/** Segments for which it pays to wake another thread. */
const PER_THREAD = 4;
/**
 * Segments from which on a call is divided. On two cores it took as long as in one thread at half of this (and, where arrays
 * are copied, three quarters), 0.7 to 0.8 of the time at twice this.
 */
const FEWEST = 16;
/** Slots beyond one for each thread. */
const SPARE = 2;
/** Segments that the caller takes at a time. */
const OWN = 4;
/** Milliseconds for which a call keeps its thread, before it lets timers and input have it. */
const TURN = 2;

/** Divides calls among threads, one call after the other. */
export class Divider {
  readonly #staging: Staging;
  #threads: Threads;
  #sums = new Float64Array(new SharedArrayBuffer(0));
  #last: Promise<unknown> = Promise.resolve();

  /** `count` threads, the calling one among them. */
  constructor(
    private readonly evaluator: Evaluator,
    private readonly count: number,
  ) {
    this.#staging = new Staging(count - 1 + SPARE);
    this.#threads = this.#start();
  }

  /** Whether threads are faster than the calling one alone. */
  isWorthDividing(request: Request): boolean {
    return this.evaluator.segments(request) >= FEWEST;
  }

  /** The sums are those of one thread: each segment's are added in the order of segments. */
  run(call: Call): Promise<Totals> {
    const result = this.#last.then(() => this.#run(call));
    this.#last = result.catch(() => {});
    return result;
  }

  close(): Promise<void> {
    return this.#threads.end();
  }

  /** Resolves when all threads have started. */
  async ready(): Promise<void> {
    for (;;) {
      const threads = await this.#living();
      await threads.ready();
      if (threads.failure === undefined) return;
    }
  }

  #start(): Threads {
    return new Threads(this.count - 1, this.evaluator, this.#staging.slots);
  }

  /** Replaces threads of which one has died. One that cannot start would fail again. */
  async #living(): Promise<Threads> {
    const threads = this.#threads;
    if (threads.failure === undefined) return threads;
    await threads.end();
    if (threads.failedToStart) throw threads.failure;
    // unless somebody else did meanwhile
    if (this.#threads === threads) this.#threads = this.#start();
    return this.#threads;
  }

  async #run(call: Call): Promise<Totals> {
    const threads = await this.#living();
    const segments = this.evaluator.segments(call.request);
    if (call.sums && this.#sums.length < 3 * segments) {
      this.#sums = new Float64Array(new SharedArrayBuffer(48 * segments));
    }
    const sums = call.sums ? this.#sums : undefined;
    const job = new Job(call, this.evaluator, this.#staging, sums as unknown as SharedArray | undefined);
    const work = new Work(job, this.evaluator, threads, sums);
    threads.begin(job, Math.min(this.count, Math.ceil(segments / PER_THREAD)) - 1);
    try {
      if (job.slots === 0) await work.takeSegments();
      else await work.fillSlots();
    } finally {
      await threads.finish();
    }
    if (job.slots > 0) work.emptySlots();
    work.throwFirst();
    return added(sums, segments);
  }
}

/** The caller's part of a call. */
class Work {
  readonly #board: Board;
  /** The first segment that failed here, and how. */
  #failedAt = NONE;
  #failure: unknown;
  /** Slots that were filled, and that were emptied. */
  #filled = 0;
  #emptied = 0;
  #turn = performance.now();

  constructor(
    private readonly job: Job,
    private readonly evaluator: Evaluator,
    private readonly threads: Threads,
    private readonly sums: Float64Array | undefined,
  ) {
    this.#board = threads.board;
  }

  /** Works with the others on arrays that all threads see. */
  async takeSegments(): Promise<void> {
    const board = this.#board;
    for (let first = board.takeSegments(OWN); first >= 0; first = board.takeSegments(OWN)) {
      this.#evaluate(first, board.count);
      await this.#letOthers();
      if (this.threads.failure !== undefined) return;
    }
  }

  /** Copies for the others; where they have enough, works on what is not copied. */
  async fillSlots(): Promise<void> {
    const board = this.#board;
    const { segments, slots } = this.job;
    for (let next = 0; next < segments; next += SLOT) {
      this.emptySlots();
      if (this.#filled - this.#emptied < slots) this.#fill(next);
      else this.#evaluate(next, SLOT);
      await this.#letOthers();
      if (this.threads.failure !== undefined) return;
    }
    for (let slot = board.takeSlot(); slot >= 0; slot = board.takeSlot()) {
      this.#evaluate(board.starts[slot], SLOT);
      board.starts[slot] = -1;
      Atomics.store(board.done, slot, 1);
      await this.#letOthers();
      if (this.threads.failure !== undefined) return;
    }
  }

  /** Takes the results out of slots that are done. */
  emptySlots(): void {
    const board = this.#board;
    for (; this.#emptied < this.#filled; this.#emptied++) {
      const slot = this.#emptied % this.job.slots;
      if (Atomics.load(board.done, slot) === 0) return;
      const first = board.starts[slot];
      // -1 where the results were written to their place
      if (first >= 0) this.#guard(first, () => this.job.empty(slot, first));
    }
  }

  /** The error of the first target that is bad, or what else went wrong before it. */
  throwFirst(): void {
    const bad = Atomics.load(this.#board.words, Word.bad);
    if (this.#failedAt !== NONE && this.#failedAt <= bad) throw this.#failure;
    if (bad === NONE) return;
    const { request } = this.job.call;
    throw this.evaluator.badTarget(request, this.evaluator.startOf(bad, request));
  }

  #fill(first: number): void {
    const board = this.#board;
    const slot = this.#filled % this.job.slots;
    this.#guard(first, () => this.job.fill(slot, first));
    board.starts[slot] = first;
    Atomics.store(board.done, slot, 0);
    Atomics.store(board.words, Word.filled, ++this.#filled);
    board.wake(1);
  }

  #evaluate(first: number, count: number): void {
    if (first > Atomics.load(this.#board.words, Word.bad)) return;
    const { request, out, grad, hess, scale, sums } = this.job.call;
    const results = { out, grad, hess, scale, sums, metered: false, perSegment: this.sums };
    const end = Math.min(this.job.segments, first + count);
    this.#guard(first, () => this.evaluator.run(request, results, first, end));
  }

  /** Keeps the first error, and has what follows it left out. */
  #guard(segment: number, work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#board.reportBad(segment);
      if (segment >= this.#failedAt) return;
      this.#failedAt = segment;
      this.#failure = error;
    }
  }

  /** Gives the thread to whoever waits for it, where this call has had it for long. */
  async #letOthers(): Promise<void> {
    if (performance.now() - this.#turn < TURN) return;
    await new Promise((resolve) => setImmediate(resolve));
    this.#turn = performance.now();
  }
}

function added(sums: Float64Array | undefined, segments: number): Totals {
  let sum = 0;
  let positives = 0;
  let negatives = 0;
  if (sums !== undefined) {
    for (let k = 0; k < 3 * segments; k += 3) {
      sum += sums[k];
      positives += sums[k + 1];
      negatives += sums[k + 2];
    }
  }
  return { sum, positives, negatives, sumPositives: 0, sumNegatives: 0 };
}
