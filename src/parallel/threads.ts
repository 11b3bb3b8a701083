import { setImmediate } from 'node:timers';
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads';
import type { Settings } from '../engine/definition.js';
import type { Request } from '../engine/evaluator.js';
import {
  Board,
  Field,
  IDLE,
  kindNumber,
  NONE,
  OPERAND_KINDS,
  Role,
  type SharedArray,
  STARTED,
  State,
  Word,
} from './board.js';
import { Buffers } from './buffers.js';
import { threadError } from './errors.js';

/** Milliseconds for which the caller waits for threads that finish their last segments, before it lets others use its thread. */
const PATIENCE = 1;
/** Milliseconds of these in which it looks again and again: to sleep and be woken takes as long. */
const ALERT = 0.05;

/** What a job is about, but for its arrays. */
export interface Task {
  readonly request: Request;
  readonly units: number;
  readonly rows: number;
  readonly columns: number;
  readonly slots: number;
  readonly slotRows: number;
  readonly scale: number;
  readonly validate: boolean;
  /** Threads beside the caller's that are worth waking. */
  readonly helpers: number;
  /** By role. */
  readonly arrays: readonly (SharedArray | undefined)[];
  /** A bit for each role whose array lies in slots. */
  readonly staged: number;
}

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
    name: string,
    settings: Settings,
    slots: number,
  ) {
    this.board = Board.of(slots);
    const { buffer } = this.board;
    for (let k = 0; k < count; k++) {
      const { port1, port2 } = new MessageChannel();
      const worker = new Worker(new URL('./worker.js', import.meta.url), {
        workerData: { port: port2, buffer, name, settings },
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

  /** Puts a job on the board and wakes threads for it. There is none on it. */
  begin(task: Task): void {
    const { words, fields } = this.board;
    fields[Field.units] = task.units;
    fields[Field.rows] = task.rows;
    fields[Field.slots] = task.slots;
    fields[Field.slotRows] = task.slotRows;
    fields[Field.threads] = task.helpers + 1;
    fields[Field.scale] = task.scale;
    fields[Field.validate] = task.validate ? 1 : 0;
    fields[Field.columns] = task.columns;
    fields[Field.staged] = task.staged;
    const { x, y, weight, layout, plane, shares } = task.request;
    fields[Field.classes] = layout.classes;
    fields[Field.pixels] = layout.pixels;
    fields[Field.plane] = plane;
    fields[Field.shares] = shares ? 1 : 0;
    fields[Field.booleans] = y.booleans ? 1 : 0;
    for (const [role, operand] of [x, y, weight].entries()) {
      const isNumber = role !== Role.targets && (task.staged & (1 << role)) !== 0 && operand?.kind === 'Float64Array';
      // logits and weights are converted as they are staged
      const kind = isNumber ? 'Float32Array' : operand?.kind;
      fields[Field.kinds + role] = kind === undefined ? 0 : OPERAND_KINDS.indexOf(kind);
    }
    for (let role = Role.logits; role <= Role.sums; role++) this.#describe(role, task.arrays[role]);
    this.#post();
    Atomics.store(words, Word.taken, 0);
    Atomics.store(words, Word.filled, 0);
    Atomics.store(words, Word.bad, NONE);
    Atomics.store(words, Word.wanted, task.slots === 0 ? task.helpers - 2 : 0);
    Atomics.store(words, Word.state, State.open);
    if (task.slots === 0) this.board.wake(Math.min(2, task.helpers));
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

  #describe(role: Role, array: SharedArray | undefined): void {
    const { fields } = this.board;
    const at = Field.arrays + 4 * role;
    fields[at] = array === undefined ? -1 : this.#buffers.idOf(array.buffer);
    if (array === undefined) return;
    fields[at + 1] = kindNumber(array);
    fields[at + 2] = array.byteOffset;
    fields[at + 3] = array.length;
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
