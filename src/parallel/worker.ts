// What runs in each thread: an evaluator with the settings of the caller's, over whatever segments are still to be taken.

import { type MessagePort, parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import type { Settings } from '../engine/definition.js';
import type { Request, Results } from '../engine/evaluator.js';
import type { Operand, View } from '../engine/operand.js';
import { createEvaluator } from '../losses/loss.js';
import { DEFINITIONS } from '../losses/table.js';
import {
  arrayType,
  Board,
  Field,
  IDLE,
  kindOfNumber,
  LONGEST,
  Role,
  type SharedArray,
  SLOT,
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
      evaluate(job.request, job.results, first, first, first + board.count);
    }
    return;
  }
  for (let slot = board.takeSlot(); slot >= 0; slot = board.takeSlot()) {
    const first = board.starts[slot];
    for (let k = 0; k < SLOT && first + k < fields[Field.segments]; k++) job.evaluateCell(first + k, slot * SLOT + k);
    Atomics.store(board.done, slot, 1);
  }
}

/** Evaluates a request's segments `from` to `to`, the first of which is number `segment` of the call. */
function evaluate(request: Request, results: Results, segment: number, from: number, to: number): void {
  // what follows a bad target need not be known
  if (segment > Atomics.load(words, Word.bad)) return;
  try {
    evaluator.run(request, results, from, to);
  } catch (error) {
    if (!(error instanceof BadTarget)) throw error;
    board.reportBad(segment);
  }
}

/** The job that is on the board. */
class Job {
  readonly request: Request;
  readonly results: Results;
  readonly #isByRow = evaluator.definition.placement === 'rows';

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
      length: fields[Field.length],
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

  /** Evaluates one segment, of which some arrays have what belongs to it in a cell. */
  evaluateCell(segment: number, cell: number): void {
    const { request, results } = this;
    const start = evaluator.startOf(segment, request);
    const count = evaluator.countOf(start, request);
    const { x, y, weight, shares, layout } = request;
    const logits = fields[Field.logits];
    const columns = this.#isByRow ? layout.classes : 1;
    const of = <T extends View>(role: Role, array: T | undefined, width: number) => {
      const at = width * (isStaged(role) ? cell * evaluator.step : start);
      return array?.subarray(at, at + width * count) as T;
    };
    const wide = (role: Role, array: Float32Array | undefined) => of(role, array, columns);
    const own: Results = {
      ...results,
      out: of(Role.out, results.out, 1),
      grad: wide(Role.grad, results.grad),
      hess: wide(Role.hess, results.hess),
    };
    if (this.#isByRow) {
      // rows do not depend on where they are: a cell is a call of its own
      const part = (role: Role, operand: Operand, width: number) => {
        const view = of(role, operand.view, width);
        return { ...operand, view, length: view.length };
      };
      const rows: Request = {
        ...request,
        x: part(Role.logits, x, columns),
        y: part(Role.targets, y, shares ? columns : 1),
        weight: weight && part(Role.weight, weight, 1),
        layout: { classes: layout.classes, pixels: layout.pixels === 1 ? 1 : count },
        length: count,
        plane: 0,
      };
      const perSegment = results.perSegment?.subarray(3 * segment);
      evaluate(rows, { ...own, perSegment }, segment, 0, 1);
      return;
    }
    const byElement = evaluator.definition.placement === 'elements';
    const weighsElements = weight !== undefined && (isStaged(Role.weight) || weight.length === logits);
    // What has one number an element begins with the segment, which `origin` says; the rest is whole.
    const elements: Request = {
      ...request,
      origin: start,
      x: { ...x, view: of(Role.logits, x.view, 1), length: logits },
      y: byElement ? { ...y, view: of(Role.targets, y.view, 1), length: count } : y,
      weight: weighsElements ? { ...weight, view: of(Role.weight, weight.view, 1), length: logits } : weight,
    };
    evaluate(elements, own, segment, segment, segment + 1);
  }
}

/** Whether an array lies in slots. */
function isStaged(role: Role): boolean {
  return (fields[Field.staged] & (1 << role)) !== 0;
}

function operandOf(role: Role): Operand | undefined {
  const view = arrayOf(role);
  if (view === undefined) return undefined;
  const kind = kindOfNumber(fields[Field.arrays + 4 * role + 1]);
  const booleans = role === Role.targets && fields[Field.booleans] === 1;
  return { view, kind, length: view.length, dims: undefined, booleans };
}

function arrayOf(role: Role): SharedArray | undefined {
  const [id, kind, offset, length] = fields.subarray(Field.arrays + 4 * role, Field.arrays + 4 * role + 4);
  if (id < 0) return undefined;
  return new (arrayType(kindOfNumber(kind)))(buffers.get(id) as SharedArrayBuffer, offset, length);
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
