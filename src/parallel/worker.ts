// What runs in each thread: an evaluator with the settings of the caller's, over whatever segments are still to be taken.

import { type MessagePort, parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import type { Settings } from '../engine/definition.js';
import type { Request, Results } from '../engine/evaluator.js';
import type { Kind, Operand, View } from '../engine/operand.js';
import { createEvaluator } from '../losses/loss.js';
import { DEFINITIONS } from '../losses/table.js';
import {
  Board,
  Field,
  IDLE,
  KINDS,
  LONGEST,
  OPERAND_KINDS,
  Role,
  type SharedArray,
  STARTED,
  State,
  Word,
} from './board.js';
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

const { port, buffer, name, settings } = workerData as {
  port: MessagePort;
  buffer: SharedArrayBuffer;
  name: string;
  settings: Settings;
};
const board = new Board(buffer);
const { words, fields } = board;
const evaluator = createEvaluator(DEFINITIONS[name], settings);
// the caller has all targets, and finds the first bad one among them
evaluator.badTarget = (_, start) => new BadTarget(start);
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
  const job = new Job();
  if (fields[Field.slots] === 0) {
    for (let first = board.takeSegments(LONGEST); first >= 0; first = board.takeSegments(LONGEST)) {
      evaluate(job.request, job.results, first, first + board.count);
    }
    return;
  }
  for (let slot = board.takeSlot(); slot >= 0; slot = board.takeSlot()) {
    const first = board.starts[slot];
    const origin = first * evaluator.step;
    const rows = Math.min(job.slotRows, job.request.length - origin);
    const [request, results] = job.ofSlot(slot, origin, rows);
    evaluate(request, results, first, first + Math.ceil(rows / evaluator.step));
    Atomics.store(board.done, slot, 1);
  }
}

function evaluate(request: Request, results: Results, first: number, end: number): void {
  // what follows a bad target need not be known
  if (first > Atomics.load(words, Word.bad)) return;
  try {
    evaluator.run(request, results, first, end);
  } catch (error) {
    if (!(error instanceof BadTarget)) throw error;
    board.reportBad(first);
  }
}

/** The job that is on the board. */
class Job {
  readonly slotRows = fields[Field.slotRows];
  readonly request: Request;
  readonly results: Results;

  constructor() {
    const [classes, pixels] = [fields[Field.classes], fields[Field.pixels]];
    this.request = {
      x: operandOf(Role.logits) as Operand,
      y: operandOf(Role.targets) as Operand,
      weight: operandOf(Role.weight),
      out: undefined,
      gradOut: undefined,
      hessOut: undefined,
      validate: fields[Field.validate] === 1,
      normalizer: undefined,
      layout: { classes, pixels },
      length: fields[Field.rows],
      shares: fields[Field.shares] === 1,
      origin: 0,
      plane: fields[Field.plane],
    };
    const perSegment = arrayOf(Role.sums) as Float64Array | undefined;
    this.results = {
      out: arrayOf(Role.out),
      grad: arrayOf(Role.grad),
      hess: arrayOf(Role.hess),
      scale: fields[Field.scale],
      sums: perSegment !== undefined,
      metered: false,
      perSegment,
    };
  }

  /** Of the rows in a slot, the first of which is row `origin` of the call. */
  ofSlot(slot: number, origin: number, rows: number): [Request, Results] {
    const columns = fields[Field.columns];
    const { request, results } = this;
    const of = <T extends View>(role: Role, array: T | undefined, width: number) => {
      const isStaged = (fields[Field.staged] & (1 << role)) !== 0;
      const start = width * (isStaged ? slot * this.slotRows : origin);
      return array?.subarray(start, start + width * rows) as T;
    };
    const operand = (role: Role, whole: Operand, width: number): Operand => ({
      ...whole,
      view: of(role, whole.view, width),
      length: width * rows,
    });
    const { x, y, weight } = request;
    return [
      {
        ...request,
        origin,
        x: operand(Role.logits, x, columns),
        y: operand(Role.targets, y, request.shares ? columns : 1),
        weight: weight && operand(Role.weight, weight, 1),
      },
      {
        ...results,
        out: of(Role.out, results.out, 1),
        grad: of(Role.grad, results.grad, columns),
        hess: of(Role.hess, results.hess, columns),
      },
    ];
  }
}

function operandOf(role: Role): Operand | undefined {
  const view = arrayOf(role);
  if (view === undefined) return undefined;
  const kind = OPERAND_KINDS[fields[Field.kinds + role]] as Kind;
  const booleans = role === Role.targets && fields[Field.booleans] === 1;
  return { view, kind, length: view.length, dims: undefined, booleans };
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
