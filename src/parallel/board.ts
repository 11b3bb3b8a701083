// The block of shared memory that the calling thread and the others work by: who does what is settled with Atomics, and
// messages bring only memory that a thread has not seen.

import type { Kind } from '../engine/operand.js';

/** 32-bit words, each on a cache line of its own. All access is by Atomics. */
export enum Word {
  /** Grows with each reason to look at the board; threads sleep on it. */
  wake = 0,
  state = 16,
  /** Threads that read the job or work on it. It is changed only while there are none. */
  active = 32,
  /** Segments, or slots, that were given out. */
  taken = 48,
  /** Slots that may be given out. */
  filled = 64,
  /** The first segment that has a bad target. */
  bad = 80,
  /** 1 where a thread could not do its part; it sends the reason. */
  failed = 96,
  /** 1 where the caller wants a message when nobody is active. */
  waiting = 112,
  /** Messages that were posted to each thread. */
  posted = 128,
  /** Threads that are still to be woken for a job. */
  wanted = 144,
  /** Never changes, for who only wants to sleep. */
  never = 160,
}
const WORDS = 176;

/** What a thread sends when it has started. */
export const STARTED = 'started';
/** What the last one that was active sends where the caller waits for it. All other messages are errors. */
export const IDLE = 'idle';

export enum State {
  closed = 0,
  open = 1,
  ended = 2,
}

/** Numbers that describe a job. */
export enum Field {
  segments = 0,
  /** Slots of staged arrays; 0 where every array is shared. */
  slots = 1,
  /** Threads that the segments are for, the caller's among them. */
  threads = 2,
  scale = 3,
  /** 1 or 0. */
  validate = 4,
  /** A bit for each role whose array lies in slots. */
  staged = 5,
  // What a request says of its shape.
  length = 6,
  classes = 7,
  pixels = 8,
  plane = 9,
  /** 1 or 0. */
  shares = 10,
  booleans = 11,
  /** Length of the logits. */
  logits = 12,
  /** First of four numbers for each role: which buffer (-1 for none), kind, offset in bytes, length. */
  arrays = 13,
}

/** What an array of a job is for. */
export enum Role {
  logits = 0,
  targets = 1,
  weight = 2,
  out = 3,
  grad = 4,
  hess = 5,
  /** Three numbers for each segment: sum, positives, negatives. */
  sums = 6,
}
const ROLES = 7;
const FIELDS = Field.arrays + 4 * ROLES;

/** No segment: greater than each. */
export const NONE = 2 ** 31 - 1;
/** Segments that are taken at a time at most: a stretch long enough to be read at full speed. */
export const LONGEST = 16;
/** Segments of a slot: copied they are still in the cache when a thread gets to them. */
export const SLOT = 4;

/** What the elements of an array are, by the number that stands for it, and the array. */
const KINDS: readonly (readonly [kind: Kind, type: ArrayType])[] = [
  ['Float32Array', Float32Array],
  ['Float64Array', Float64Array],
  ['Uint8Array', Uint8Array],
  ['Uint8ClampedArray', Uint8ClampedArray],
  ['Int8Array', Int8Array],
  ['Int16Array', Int16Array],
  ['Uint16Array', Uint16Array],
  ['Int32Array', Int32Array],
  ['Uint32Array', Uint32Array],
  ['BigInt64Array', BigInt64Array],
  ['BigUint64Array', BigUint64Array],
  ['float16', Uint16Array],
  ['bfloat16', Uint16Array],
] as unknown as readonly (readonly [Kind, ArrayType])[];

interface ArrayType {
  new (buffer: SharedArrayBuffer, offset: number, length: number): SharedArray;
  readonly BYTES_PER_ELEMENT: number;
}

export function numberOf(kind: Kind): number {
  return KINDS.findIndex(([name]) => name === kind);
}

export function kindOfNumber(number: number): Kind {
  return KINDS[number][0];
}

export function arrayType(kind: Kind): ArrayType {
  return KINDS[numberOf(kind)][1];
}

/** An array on shared memory. */
export type SharedArray = Float32Array & { readonly buffer: SharedArrayBuffer };

/** Views of a board, the same in each thread. */
export class Board {
  readonly words: Int32Array;
  readonly fields: Float64Array;
  /** Of each slot, the segment that it starts with. */
  readonly starts: Int32Array;
  /** Of each slot, 1 where what was to be done is done. */
  readonly done: Int32Array;

  constructor(readonly buffer: SharedArrayBuffer) {
    const slots = (buffer.byteLength - 4 * WORDS - 8 * FIELDS) / 8;
    this.words = new Int32Array(buffer, 0, WORDS);
    this.fields = new Float64Array(buffer, 4 * WORDS, FIELDS);
    this.starts = new Int32Array(buffer, 4 * WORDS + 8 * FIELDS, slots);
    this.done = new Int32Array(buffer, 4 * (WORDS + slots) + 8 * FIELDS, slots);
  }

  /** A board for jobs of as many slots at most. */
  static of(slots: number): Board {
    return new Board(new SharedArrayBuffer(4 * WORDS + 8 * FIELDS + 8 * slots));
  }

  /**
   * Takes segments from the front of those that are left, ever fewer towards the end, where threads should finish together.
   *
   * @returns the first one, and in `count` how many there are; -1 for none.
   */
  takeSegments(most: number): number {
    const { words, fields } = this;
    const total = fields[Field.segments];
    for (;;) {
      const at = Atomics.load(words, Word.taken);
      const left = total - at;
      if (left <= 0) return -1;
      const count = Math.min(most, Math.max(1, Math.floor(left / (2 * fields[Field.threads]))));
      if (Atomics.compareExchange(words, Word.taken, at, at + count) !== at) continue;
      this.count = count;
      return at;
    }
  }
  count = 0;

  /** Takes one of the slots that are filled; -1 for none. */
  takeSlot(): number {
    const { words, fields } = this;
    for (;;) {
      const at = Atomics.load(words, Word.taken);
      if (at >= Atomics.load(words, Word.filled)) return -1;
      if (Atomics.compareExchange(words, Word.taken, at, at + 1) === at) return at % fields[Field.slots];
    }
  }

  /** Notes that a segment has a bad target. */
  reportBad(segment: number): void {
    const { words } = this;
    for (let at = Atomics.load(words, Word.bad); segment < at; ) {
      at = Atomics.compareExchange(words, Word.bad, at, segment);
    }
  }

  /** Wakes `count` threads. */
  wake(count: number): void {
    Atomics.add(this.words, Word.wake, 1);
    Atomics.notify(this.words, Word.wake, count);
  }
}
