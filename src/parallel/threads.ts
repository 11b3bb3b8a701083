import { setImmediate } from 'node:timers';
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads';
import type { Evaluator } from '../engine/evaluator.js';
import { viewBuffer, viewOffset } from '../kinds.js';
import { Board, Field, IDLE, NONE, numberOf, STARTED, State, Word } from './board.js';
import { Buffers } from './buffers.js';
import { threadError } from './errors.js';
import type { Job } from './job.js';

/** Milliseconds for which the caller waits for threads that finish their last segments, before it lets others use its thread. */
const PATIENCE = 1;
/** Milliseconds of these in which it looks again and again: to sleep and be woken takes as long. */
const ALERT = 0.05;

/** Threads beside the calling one, from their start to their end or to the death of one. */
export class Threads {
  readonly board: Board;
  readonly #buffers = new Buffers(() => this.#post());
  readonly #workers: Worker[] = [];
  readonly #ports: MessagePort[] = [];
  readonly #ended: Promise<unknown>;
  #isEnding = false;
  /** Why none of them can be used any more. */
  failure: Error | undefined;
  /** Whether that was before all had started: others would fare no better. */
  failedToStart = false;
  readonly #listeners: (() => void)[] = [];
  /** Waits that keep the process alive. */
  #waits = 0;
  #started = 0;

  constructor(
    readonly count: number,
    { definition, settings, binary }: Evaluator,
    slots: number,
  ) {
    this.board = Board.of(slots);
    const { buffer } = this.board;
    for (let k = 0; k < count; k++) {
      const { port1, port2 } = new MessageChannel();
      const worker = new Worker(new URL('./worker.js', import.meta.url), {
        workerData: { port: port2, buffer, name: definition.name, settings, binary },
        transferList: [port2],
        // what a process is started with is meant for its own program
        execArgv: [],
      });
      worker.on('message', (message: unknown) => this.#hear(message));
      worker.on('error', (error: unknown) => this.#fail(error));
      worker.on('exit', (code) => this.#fail(new Error(`it ended with code ${code}`)));
      // threads that sleep keep no process alive
      worker.unref();
      this.#workers.push(worker);
      this.#ports.push(port1);
    }
    this.#ended = Promise.all(this.#workers.map((worker) => new Promise((resolve) => worker.once('exit', resolve))));
  }

  /** Resolves when all have started, or one has failed. */
  ready(): Promise<void> {
    return this.#waitUntil(() => this.#started === this.count);
  }

  /** Puts a job on the board and wakes `helpers` threads for it. There is none on it. */
  begin(job: Job, helpers: number): void {
    const { words, fields } = this.board;
    const { request, scale } = job.call;
    const { layout, length, plane, shares, validate, x, y } = request;
    fields[Field.segments] = job.segments;
    fields[Field.slots] = job.slots;
    fields[Field.threads] = helpers + 1;
    fields[Field.scale] = scale;
    fields[Field.validate] = validate ? 1 : 0;
    fields[Field.staged] = job.staged;
    fields[Field.length] = length;
    fields[Field.classes] = layout.classes;
    fields[Field.pixels] = layout.pixels;
    fields[Field.plane] = plane;
    fields[Field.shares] = shares ? 1 : 0;
    fields[Field.booleans] = y.booleans ? 1 : 0;
    fields[Field.logits] = x.length;
    for (const [role, given] of job.given.entries()) {
      const at = Field.arrays + 4 * role;
      fields[at] = given === undefined ? -1 : this.#buffers.idOf(viewBuffer(given.array) as SharedArrayBuffer);
      if (given === undefined) continue;
      fields[at + 1] = numberOf(given.kind);
      fields[at + 2] = viewOffset(given.array);
      fields[at + 3] = given.array.length;
    }
    this.#post();
    Atomics.store(words, Word.taken, 0);
    Atomics.store(words, Word.filled, 0);
    Atomics.store(words, Word.bad, NONE);
    Atomics.store(words, Word.wanted, job.slots === 0 ? helpers - 2 : 0);
    Atomics.store(words, Word.state, State.open);
    if (job.slots === 0) this.board.wake(Math.min(2, helpers));
  }

  /** Resolves when nobody works on the job any more, of which nothing is left to take; rejects where a thread has failed. */
  async finish(): Promise<void> {
    const { words } = this.board;
    Atomics.store(words, Word.state, State.closed);
    if (!this.#waitHere()) await this.#waitForMessage();
    // the reason is on its way
    while (Atomics.load(words, Word.failed) === 1 && this.failure === undefined) await this.#turn();
    if (this.failure === undefined) return;
    await this.end();
    throw this.failure;
  }

  /** Ends the threads; what they were doing is not finished. */
  async end(): Promise<void> {
    this.#isEnding = true;
    Atomics.store(this.board.words, Word.state, State.ended);
    this.board.wake(this.count);
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
    await this.#ended;
    for (const port of this.#ports) port.close();
  }

  /** Whether nobody is active within the time that the caller can wait without giving up its thread. */
  #waitHere(): boolean {
    const { words } = this.board;
    const start = performance.now();
    for (;;) {
      for (let k = 0; k < 50; k++) if (Atomics.load(words, Word.active) === 0) return true;
      const passed = performance.now() - start;
      if (passed > PATIENCE) return false;
      if (passed < ALERT) continue;
      try {
        Atomics.wait(words, Word.active, Atomics.load(words, Word.active), PATIENCE - passed);
      } catch {
        return false; // a thread that must not sleep
      }
    }
  }

  #waitForMessage(): Promise<void> {
    const { words } = this.board;
    return this.#waitUntil(() => {
      Atomics.store(words, Word.waiting, 1);
      const isIdle = Atomics.load(words, Word.active) === 0;
      if (isIdle) Atomics.store(words, Word.waiting, 0);
      return isIdle;
    });
  }

  /** Resolves when `isMet`, which is asked again whenever a thread has sent something; or when one has failed. */
  async #waitUntil(isMet: () => boolean): Promise<void> {
    // lest the process ends meanwhile
    if (this.#waits++ === 0) for (const worker of this.#workers) worker.ref();
    try {
      for (;;) {
        const heard = new Promise<void>((resolve) => this.#listeners.push(resolve));
        if (this.failure !== undefined || isMet()) return;
        await heard;
      }
    } finally {
      if (--this.#waits === 0) for (const worker of this.#workers) worker.unref();
    }
  }

  #turn(): Promise<void> {
    return new Promise((resolve) => setImmediate(resolve));
  }

  #post(): void {
    const mail = this.#buffers.mail();
    if (mail === undefined || this.#isEnding) return;
    for (const port of this.#ports) port.postMessage(mail);
    Atomics.add(this.board.words, Word.posted, 1);
  }

  #hear(message: unknown): void {
    if (message === STARTED) this.#started++;
    else if (message !== IDLE) this.#fail(message);
    this.#tell();
  }

  #fail(reason: unknown): void {
    if (this.#isEnding || this.failure !== undefined) return;
    this.failedToStart = this.#started < this.count;
    this.failure = threadError(reason);
    this.#tell();
  }

  #tell(): void {
    for (const listener of this.#listeners.splice(0)) listener();
  }
}
