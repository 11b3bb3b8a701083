// What runs in each thread: an evaluator with the settings of the caller's, over whatever segments are still to be taken.

import { type MessagePort, parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import type { FloatSource, TargetSource } from '../arrays.js';
import { BinaryEvaluator, type BinarySettings } from '../binary-evaluator.js';
import { Board, Field, IDLE, KINDS, LONGEST, Role, type SharedArray, STARTED, State, Word } from './board.js';
import type { Mail } from './buffers.js';

/** Milliseconds for which a thread that has nothing to do looks for more before it sleeps: waking it takes as long. */
const ALERT = 0.02;
/** Milliseconds after which a message that was posted is given up. */
const LOST = 10_000;

class BadTarget extends Error {
  constructor(readonly start: number) {
    super();
  }
}

class ThreadEvaluator extends BinaryEvaluator {
  override badTarget(_targets: TargetSource, start: number): Error {
    return new BadTarget(start);
  }
}

const { port, buffer, settings } = workerData as {
  port: MessagePort;
  buffer: SharedArrayBuffer;
  settings: BinarySettings;
};
const board = new Board(buffer);
const { words, fields } = board;
const evaluator = new ThreadEvaluator(settings);
const buffers = new Map<number, SharedArrayBuffer>();
let received = 0;

function sleep(wake: number): void {
  const end = performance.now() + ALERT;
  do {
    for (let k = 0; k < 100; k++) if (Atomics.load(words, Word.wake) !== wake) return;
  } while (performance.now() < end);
  Atomics.wait(words, Word.wake, wake);
}

/** Takes in memory that is new, and gives up what the caller has no longer. */
function receive(): void {
  const start = performance.now();
  while (received < Atomics.load(words, Word.posted)) {
    const mail = receiveMessageOnPort(port)?.message as Mail | undefined;
    if (mail === undefined) {
      if (performance.now() > start + LOST) throw new Error('shared memory that was posted has not arrived');
      Atomics.wait(words, Word.never, 0, 1);
      continue;
    }
    received++;
    for (const id of mail.drop) buffers.delete(id);
    for (const [id, added] of mail.add) buffers.set(id, added);
  }
}

/** The caller wakes two threads, and each of them two more, which takes less long than one after the other. */
function wakeOthers(): void {
  const wanted = Atomics.sub(words, Word.wanted, 2);
  if (wanted > 0) Atomics.notify(words, Word.wake, Math.min(2, wanted));
}

/** Evaluates what it can take, until nothing is left. */
function work(): void {
  const arrays = new Job();
  if (fields[Field.slots] === 0) {
    for (let first = board.takeSegments(LONGEST); first >= 0; first = board.takeSegments(LONGEST)) {
      evaluate(arrays, first, first * evaluator.step, Math.min(arrays.rows, (first + board.count) * evaluator.step), 0);
    }
    return;
  }
  for (let slot = board.takeSlot(); slot >= 0; slot = board.takeSlot()) {
    const first = board.starts[slot];
    const offset = first * evaluator.step;
    const rows = Math.min(arrays.slotRows, arrays.rows - offset);
    evaluate(arrays.ofSlot(slot, offset, rows), first, 0, rows, offset);
    Atomics.store(board.done, slot, 1);
  }
}

/** Evaluates rows from `start` to `end` of arrays whose own start is row `offset` of the call. */
function evaluate(job: Arrays, first: number, start: number, end: number, offset: number): void {
  // what follows a bad target need not be known
  if (first > Atomics.load(words, Word.bad)) return;
  const { x, y, call, out, grad, hess } = job;
  const sums = job.sums?.subarray(3 * first);
  try {
    evaluator.run(x, y, call, out, grad, hess, fields[Field.scale], sums !== undefined, false, {
      start,
      end,
      offset,
      sums,
    });
  } catch (error) {
    if (!(error instanceof BadTarget)) throw error;
    board.reportBad(first + (error.start - start) / evaluator.step);
  }
}

interface Arrays {
  readonly x: FloatSource;
  readonly y: TargetSource;
  readonly call: { readonly weight?: Float32Array; readonly validate: boolean };
  readonly out?: Float32Array;
  readonly grad?: Float32Array;
  readonly hess?: Float32Array;
  readonly sums?: Float64Array;
}

/** The arrays of the job that is on the board. */
class Job implements Arrays {
  readonly rows = fields[Field.rows];
  readonly slotRows = fields[Field.slotRows];
  readonly x = arrayOf(Role.logits) as SharedArray;
  readonly y = arrayOf(Role.targets) as SharedArray;
  readonly call = { weight: arrayOf(Role.weight), validate: fields[Field.validate] === 1 };
  readonly out = arrayOf(Role.out);
  readonly grad = arrayOf(Role.grad);
  readonly hess = arrayOf(Role.hess);
  readonly sums = arrayOf(Role.sums) as Float64Array | undefined;

  /** Those of the rows in a slot, of which the first is row `offset` of the call. */
  ofSlot(slot: number, offset: number, rows: number): Arrays {
    const columns = fields[Field.columns];
    const of = <T extends SharedArray>(role: Role, array: T | undefined, width: number) => {
      const isStaged = (fields[Field.staged] & (1 << role)) !== 0;
      const start = width * (isStaged ? slot * this.slotRows : offset);
      return array?.subarray(start, start + width * rows) as T;
    };
    return {
      x: of(Role.logits, this.x, columns),
      y: of(Role.targets, this.y, 1),
      call: { weight: of(Role.weight, this.call.weight as SharedArray, 1), validate: this.call.validate },
      out: of(Role.out, this.out, 1),
      grad: of(Role.grad, this.grad, columns),
      hess: of(Role.hess, this.hess, columns),
      sums: this.sums,
    };
  }
}

function arrayOf(role: Role): SharedArray | undefined {
  const [id, kind, offset, length] = fields.subarray(Field.arrays + 4 * role, Field.arrays + 4 * role + 4);
  if (id < 0) return undefined;
  return new KINDS[kind](buffers.get(id) as SharedArrayBuffer, offset, length);
}

parentPort?.postMessage(STARTED);
for (;;) {
  const wake = Atomics.load(words, Word.wake);
  // Nobody changes the board's job while a thread is active, so it is looked at only in between.
  Atomics.add(words, Word.active, 1);
  const state = Atomics.load(words, Word.state);
  try {
    receive();
    if (state === State.open) {
      wakeOthers();
      work();
    }
  } catch (error) {
    Atomics.store(words, Word.failed, 1);
    parentPort?.postMessage(error);
  }
  if (Atomics.sub(words, Word.active, 1) === 1) {
    Atomics.notify(words, Word.active);
    if (Atomics.exchange(words, Word.waiting, 0) === 1) parentPort?.postMessage(IDLE);
  }
  if (state === State.ended) break;
  sleep(wake);
}
port.close();
