// One call over several threads, of which the calling one is the first.

import { setImmediate } from 'node:timers';
import type { Evaluator, Request, Results as RunResults, Totals } from '../engine/evaluator.js';
import { type Board, NONE, Role, type SharedArray, Word } from './board.js';
import { isShared, Staging, stage, stagedKind } from './staging.js';
import { type Task, Threads } from './threads.js';

/** Segments for which it pays to wake another thread. */
const PER_THREAD = 4;
/**
 * Segments from which on a call is divided. On two cores it took as long as in one thread at half of this (and, where arrays
 * are copied, three quarters), 0.7 to 0.8 of the time at twice this.
 */
const FEWEST = 16;
/** Segments of a slot: copied they are still in the cache when a thread gets to them. */
const SLOT = 4;
/** Slots beyond one for each thread. */
const SPARE = 2;
/** Segments that the caller takes at a time. */
const OWN = 4;
/** Milliseconds for which a call keeps its thread, before it lets timers and input have it. */
const TURN = 2;

/** What is wanted of a call. */
export type Results = Omit<RunResults, 'metered' | 'perSegment'>;

/** A call whose arguments are checked, and what is wanted of it. */
export interface Call extends Results {
  readonly request: Request;
}

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

  /**
   * Whether threads are faster than the calling one alone, and can be given their parts: of arrays that are copied, those of
   * which a segment has its own part of each.
   */
  isWorthDividing(request: Request, buffers: readonly unknown[]): boolean {
    if (request.length < FEWEST * this.evaluator.step) return false;
    const { x, y, weight, layout, length } = request;
    if ([x.view, y.view, weight?.view, ...buffers].every(isShared)) return true;
    const isByRow = weight !== undefined && weight.length !== length;
    return layout.pixels === 1 && this.evaluator.definition.placement !== 'labels' && !isByRow;
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

  #start(): Threads {
    return new Threads(this.count - 1, this.evaluator.definition.name, this.evaluator.settings, this.#staging.slots);
  }

  /** Resolves when all threads have started. */
  async ready(): Promise<void> {
    for (;;) {
      const threads = await this.#living();
      await threads.ready();
      if (threads.failure === undefined) return;
    }
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
    const { step } = this.evaluator;
    const { request, out, grad, hess } = call;
    const { x, y, weight, length: rows } = request;
    const segments = this.evaluator.segments(request);
    if (call.sums && this.#sums.length < 3 * segments) {
      this.#sums = new Float64Array(new SharedArrayBuffer(48 * segments));
    }
    const sums = call.sums ? this.#sums : undefined;
    const work = new Work(call, this.evaluator, threads.board, sums, segments);
    const inputs = [x, y, weight];
    const given = [x.view, y.view, weight?.view, out, grad, hess];
    const isStaged = given.map((array) => !isShared(array));
    const helpers = Math.min(this.count, Math.ceil(segments / PER_THREAD)) - 1;
    const columns = x.length / rows;
    const slotRows = SLOT * step;
    const task: Task = {
      request,
      units: segments,
      rows,
      columns,
      slots: isStaged.includes(true) ? this.#staging.slots : 0,
      slotRows,
      scale: call.scale,
      validate: request.validate,
      helpers,
      staged: isStaged.reduce((bits, staged, role) => bits | (staged ? 1 << role : 0), 0),
      arrays: [
        ...given.map((array, role) => {
          if (array === undefined || !isStaged[role]) return array as SharedArray | undefined;
          const input = inputs[role];
          const kind = input === undefined ? 'Float32Array' : stagedKind(role, input);
          return this.#staging.region(role, kind, slotRows * widthOf(role, columns, request));
        }),
        sums as unknown as SharedArray,
      ],
    };
    threads.begin(task);
    try {
      if (task.slots === 0) await work.takeSegments(threads);
      else await work.fillSlots(threads, task);
    } finally {
      await threads.finish();
    }
    if (task.slots > 0) work.emptySlots(task);
    work.throwFirst();
    return added(sums, segments);
  }
}

/** Logits of a row, for what has one number for each; 1 for what has one for each row. */
function widthOf(role: Role, columns: number, { shares }: Request): number {
  return (role === Role.targets && shares) || role === Role.logits || role === Role.grad || role === Role.hess
    ? columns
    : 1;
}

/** The caller's part of a call. */
class Work {
  readonly #step: number;
  /** The first segment that failed here, and how. */
  #failedAt = NONE;
  #failure: unknown;
  /** Slots that were filled, and that were emptied. */
  #filled = 0;
  #emptied = 0;
  #turn = performance.now();

  constructor(
    private readonly call: Call,
    private readonly evaluator: Evaluator,
    private readonly board: Board,
    private readonly sums: Float64Array | undefined,
    private readonly segments: number,
  ) {
    this.#step = evaluator.step;
  }

  /** Works with the others on arrays that all threads see. */
  async takeSegments(threads: Threads): Promise<void> {
    const { board } = this;
    for (let first = board.takeSegments(OWN); first >= 0; first = board.takeSegments(OWN)) {
      this.#evaluate(first, board.count);
      await this.#letOthers();
      if (threads.failure !== undefined) return;
    }
  }

  /** Copies for the others; where they have enough, works on what is not copied. */
  async fillSlots(threads: Threads, task: Task): Promise<void> {
    const { board } = this;
    for (let next = 0; next < this.segments; next += SLOT) {
      this.emptySlots(task);
      if (this.#filled - this.#emptied < task.slots) this.#fill(task, next);
      else this.#evaluate(next, SLOT);
      await this.#letOthers();
      if (threads.failure !== undefined) return;
    }
    for (let slot = board.takeSlot(); slot >= 0; slot = board.takeSlot()) {
      this.#evaluate(board.starts[slot], SLOT);
      board.starts[slot] = -1;
      Atomics.store(board.done, slot, 1);
      await this.#letOthers();
      if (threads.failure !== undefined) return;
    }
  }

  /** Takes the results out of slots that are done. */
  emptySlots(task: Task): void {
    const { board, call } = this;
    for (; this.#emptied < this.#filled; this.#emptied++) {
      const slot = this.#emptied % task.slots;
      if (Atomics.load(board.done, slot) === 0) return;
      const first = board.starts[slot];
      // -1 where the results were written to their place
      if (first < 0) continue;
      const start = first * this.#step;
      const rows = Math.min(task.slotRows, task.rows - start);
      for (const [role, target] of [
        [Role.out, call.out],
        [Role.grad, call.grad],
        [Role.hess, call.hess],
      ] as const) {
        if (target === undefined || (task.staged & (1 << role)) === 0) continue;
        const width = widthOf(role, task.columns, call.request);
        const at = slot * task.slotRows * width;
        this.#guard(first, () => {
          target.set((task.arrays[role] as SharedArray).subarray(at, at + rows * width), start * width);
        });
      }
    }
  }

  /** The error of the first target that is bad, or what else went wrong before it. */
  throwFirst(): void {
    const bad = Atomics.load(this.board.words, Word.bad);
    if (this.#failedAt !== NONE && this.#failedAt <= bad) throw this.#failure;
    if (bad !== NONE) throw this.evaluator.badTarget(this.call.request, bad * this.#step);
  }

  #fill(task: Task, first: number): void {
    const { board, call } = this;
    const slot = this.#filled % task.slots;
    const start = first * this.#step;
    const rows = Math.min(task.slotRows, task.rows - start);
    const { x, y, weight } = call.request;
    for (const [role, source] of [x, y, weight].entries()) {
      if (source === undefined || (task.staged & (1 << role)) === 0) continue;
      const width = widthOf(role, task.columns, call.request);
      const region = task.arrays[role] as SharedArray;
      this.#guard(first, () => stage(source, start * width, rows * width, region, slot * task.slotRows * width));
    }
    board.starts[slot] = first;
    Atomics.store(board.done, slot, 0);
    Atomics.store(board.words, Word.filled, ++this.#filled);
    board.wake(1);
  }

  #evaluate(first: number, count: number): void {
    if (first > Atomics.load(this.board.words, Word.bad)) return;
    const { request, out, grad, hess, scale, sums } = this.call;
    const results = { out, grad, hess, scale, sums, metered: false, perSegment: this.sums };
    const end = Math.min(this.segments, first + count);
    this.#guard(first, () => this.evaluator.run(request, results, first, end));
  }

  /** Keeps the first error, and has what follows it left out. */
  #guard(segment: number, work: () => void): void {
    try {
      work();
    } catch (error) {
      this.board.reportBad(segment);
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
