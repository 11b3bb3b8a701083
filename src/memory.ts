// The only file that touches memory.buffer: where things lie, how they get there and back, and workspaces.

import type { FloatSource } from './arrays.js';
import { instantiate, type Kernel } from './kernel.js';
import { kindOf } from './kinds.js';

/**
 * Elements that one call of the kernel works on. Longer inputs go through in pieces of this size, staged or not, so that
 * the order of a sum depends on the length alone.
 */
export const SEGMENT = 16_384;

/** 32-bit fields of the frame, as indices of `words`. Enums, since a bundler puts their numbers where they are used. */
export enum Word {
  logits = 0,
  targets = 1,
  weight = 2,
  loss = 3,
  grad = 4,
  hess = 5,
  count = 6,
  flags = 7,
  alphas = 8,
  posWeights = 9,
  hessian = 10,
  classes = 11,
  alphaNegatives = 12,
  bad = 40,
}

/** 64-bit fields of the frame, as indices of `doubles`. */
export enum Double {
  gamma = 8,
  alphaPositive = 9,
  alphaNegative = 10,
  posWeight = 11,
  labelSmoothing = 12,
  ignore = 13,
  gradScale = 14,
  sum = 15,
  sumPositives = 16,
  sumNegatives = 17,
  positives = 18,
  negatives = 19,
  positiveAbove = 24,
}

/** A target outside its range, among the bits of `bad`. */
export const BAD_TARGET = 1;

export enum Flag {
  soft = 1,
  sums = 2,
  probabilities = 4,
  ignore = 8,
  /** Sums of each class as well, to which each loss is added as float64 by itself. */
  byClass = 16,
}

const PAGE = 65_536;
const FRAME_BYTES = 256;
/** Between regions, so that the same element of two of them does not fall on the same line of the cache. */
const STAGGER = 320;
/** Up to here a loop costs less than a call of `set`. */
const FEW = 16;

/** An instance of the kernel with its frame, a region to stage each array in, and room behind them. */
export class Instance {
  readonly kernel: Kernel;
  readonly frame: number;
  readonly words: Int32Array;
  readonly doubles: Float64Array;
  /** Regions of `width` float32: what has one value a logit. */
  readonly logits: number;
  readonly grad: number;
  readonly hess: number;
  /** The same, or with the next two a region of SEGMENT float32 each. */
  readonly alphas: number;
  readonly alphaNegatives: number;
  readonly posWeights: number;
  /** Regions of SEGMENT float32. */
  readonly targets: number;
  readonly weight: number;
  readonly loss: number;
  /** Integer labels before they are narrowed, 64-bit ones as well: `grad` and `hess`, which are written later. */
  readonly raw: number;
  /** First address behind the regions. */
  readonly room: number;
  /** All of memory. */
  readonly buffer: ArrayBufferLike;
  readonly bytes: Uint8Array;
  readonly ints: Int32Array;
  readonly longs: BigInt64Array;
  readonly floats: Float32Array;
  /** Whose settings the frame holds. */
  owner: object | undefined;
  /** By role, the arrays of the last calls that lay in the room: asking an array for its buffer is slow. */
  readonly #last: (ArrayBufferView | undefined)[] = Array.from({ length: Word.hess + 1 }, () => undefined);

  constructor(
    readonly width: number,
    readonly roomBytes: number,
  ) {
    const kernel = instantiate();
    this.kernel = kernel;
    this.frame = kernel.base();
    // a multiple of 64, as every region's start is
    const wide = 4 * Math.ceil(width / 16) * 16 + STAGGER;
    const narrow = 4 * SEGMENT + STAGGER;
    this.logits = this.frame + kernel.workBytes();
    this.grad = this.logits + wide;
    this.hess = this.grad + wide;
    this.alphas = this.hess + wide;
    this.alphaNegatives = this.alphas + narrow;
    this.posWeights = this.alphaNegatives + narrow;
    this.targets = this.alphas + Math.max(wide, 3 * narrow);
    this.weight = this.targets + narrow;
    this.loss = this.weight + narrow;
    this.raw = this.grad;
    this.room = this.loss + narrow;
    const { memory } = kernel;
    const pages = Math.ceil((this.room + roomBytes) / PAGE) - memory.buffer.byteLength / PAGE;
    // The one time that memory grows: every view is taken afterwards.
    if (pages > 0) memory.grow(pages);
    const { buffer } = memory;
    this.buffer = buffer;
    this.words = new Int32Array(buffer, this.frame, FRAME_BYTES / 4);
    this.doubles = new Float64Array(buffer, this.frame, FRAME_BYTES / 8);
    this.bytes = new Uint8Array(buffer);
    this.ints = new Int32Array(buffer);
    this.longs = new BigInt64Array(buffer);
    this.floats = new Float32Array(buffer);
  }

  /** The address of an array that lies in this instance's room, 0 for any other; `role` is the word it is for. */
  locate(array: ArrayBufferView | undefined, role: Word): number {
    if (this.roomBytes === 0 || array === undefined) return 0;
    if (array === this.#last[role]) return array.byteOffset;
    if (!this.holds(array)) return 0;
    this.#last[role] = array;
    return array.byteOffset;
  }

  holds(array: ArrayBufferView): boolean {
    return array.byteOffset >= this.room && array.buffer === this.buffer;
  }

  /** Takes note of an array in the room, so that nobody has to ask it for its buffer. */
  remember(array: ArrayBufferView): void {
    byArray.set(array, this);
  }

  // The following copy `count` elements from `start` on to a region, whose address they return.

  stageFloats(source: FloatSource, start: number, count: number, region: number): number {
    const { floats } = this;
    const first = region / 4;
    if (kindOf(source) !== 'Float32Array') this.convertFloats(source, start, count, first);
    else if (count <= FEW) for (let k = 0; k < count; k++) floats[first + k] = source[start + k];
    else floats.set(part(source as Float32Array, start, count), first);
    return region;
  }

  stageBytes(source: Uint8Array, start: number, count: number, region: number): number {
    const { bytes } = this;
    if (count <= FEW) for (let k = 0; k < count; k++) bytes[region + k] = source[start + k];
    else bytes.set(part(source, start, count), region);
    return region;
  }

  stageInts(source: Int32Array, start: number, count: number, region: number): number {
    this.ints.set(part(source, start, count), region / 4);
    return region;
  }

  stageLongs(source: BigInt64Array, start: number, count: number, region: number): number {
    this.longs.set(part(source, start, count), region / 8);
    return region;
  }

  private convertFloats(source: FloatSource, start: number, count: number, first: number): void {
    if (ArrayBuffer.isView(source)) this.floats.set(part(source, start, count), first);
    else for (let k = 0; k < count; k++) this.floats[first + k] = source[start + k];
  }

  /** Copies results from a region to `target`. */
  takeFloats(target: Float32Array, start: number, count: number, region: number): void {
    const { floats } = this;
    const first = region / 4;
    if (count <= FEW) for (let k = 0; k < count; k++) target[start + k] = floats[first + k];
    else target.set(floats.subarray(first, first + count), start);
  }
}

function part<
  T extends Float32Array | Float64Array | Int8Array | Uint8Array | Uint8ClampedArray | Int32Array | BigInt64Array,
>(source: T, start: number, count: number): T {
  return count === source.length ? source : (source.subarray(start, start + count) as T);
}

let shared: Instance | undefined;
let hasWorkspaces = false;
const byBuffer = new WeakMap<ArrayBufferLike, Instance>();
const byArray = new WeakMap<ArrayBufferView, Instance>();

/** The instance that every array can be staged in; made when it is first needed, and again where rows are wider. */
export function sharedInstance(width = SEGMENT): Instance {
  if (shared === undefined || shared.width < width) shared = new Instance(width, 0);
  return shared;
}

/** The instance in whose room an array lies; the shared one for any other. */
export function instanceOf(array: ArrayBufferView | readonly unknown[]): Instance {
  if (hasWorkspaces && ArrayBuffer.isView(array) && array.byteOffset > 0) {
    const instance = byArray.get(array) ?? byBuffer.get(array.buffer);
    if (instance !== undefined && array.byteOffset >= instance.room) return instance;
  }
  return shared ?? sharedInstance();
}

/** An instance with room for arrays of the caller's own. */
export function roomyInstance(bytes: number): Instance {
  const instance = new Instance(SEGMENT, bytes);
  byBuffer.set(instance.buffer, instance);
  hasWorkspaces = true;
  return instance;
}
