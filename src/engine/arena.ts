// The only file that touches memory.buffer: where things lie, how they get there and back, and workspaces.

import { wasm } from '#wasm';
import { Field32, FRAME_BYTES, SEGMENT } from '../abi.js';
import { viewBuffer, viewOffset } from '../kinds.js';
import { instantiate, type Kernel, noMemory } from './kernel.js';
import { type Kind, type Operand, part, type View } from './operand.js';

/** Floats of the kernel: float32, or float64 of the entry that has double precision. */
export type Floats = Float32Array;
export const Floats = (wasm.float64 ? Float64Array : Float32Array) as unknown as Float32ArrayConstructor;
export const FLOAT_KIND: Kind = wasm.float64 ? 'Float64Array' : 'Float32Array';
export const FLOAT_BYTES = wasm.float64 ? 8 : 4;
/** A number as the kernel has it. */
export const toFloat: (value: number) => number = wasm.float64 ? (value) => value : Math.fround;

const PAGE = 65_536;
/** Between regions, so that the same element of two of them does not fall on the same line of the cache. */
const STAGGER = 320;
/** Up to here a loop costs less than a call of `set`. */
const FEW = 16;

const set = Float32Array.prototype.set;

/** An instance of the kernel with its frame, a region to stage each array in, and room behind them. */
export class Instance {
  readonly kernel: Kernel;
  readonly frame: number;
  readonly words: Int32Array;
  readonly doubles: Float64Array;
  /** Regions of `width` floats: what has one value a logit. */
  readonly logits: number;
  readonly grad: number;
  readonly hess: number;
  /** The same, or with the next two a region of SEGMENT floats each. */
  readonly alphas: number;
  readonly alphaNegatives: number;
  readonly posWeights: number;
  /** Regions of SEGMENT floats. */
  readonly targets: number;
  readonly weight: number;
  readonly loss: number;
  /** What is converted before it is used, 64-bit labels as well: `grad` and `hess`, which are written later. */
  readonly raw: number;
  /** First address behind the regions. */
  readonly room: number;
  /** All of memory. */
  readonly buffer: ArrayBufferLike;
  readonly bytes: Uint8Array;
  readonly ints: Int32Array;
  readonly floats: Floats;
  /** Whose settings the frame holds. */
  #owner: object | undefined;
  /** By role, the arrays of the last calls that lay in the room: asking an array for its buffer is slow. */
  readonly #last: (View | undefined)[] = Array.from({ length: Field32.hess + 1 }, () => undefined);

  constructor(
    readonly width: number,
    readonly roomBytes: number,
  ) {
    const kernel = instantiate();
    this.kernel = kernel;
    this.frame = kernel.base();
    // a multiple of 64, as every region's start is
    const wide = FLOAT_BYTES * Math.ceil(width / 16) * 16 + STAGGER;
    const narrow = FLOAT_BYTES * SEGMENT + STAGGER;
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
    if (pages > 0) grow(memory, pages);
    const { buffer } = memory;
    this.buffer = buffer;
    this.words = new Int32Array(buffer, this.frame, FRAME_BYTES / 4);
    this.doubles = new Float64Array(buffer, this.frame, FRAME_BYTES / 8);
    this.bytes = new Uint8Array(buffer);
    this.ints = new Int32Array(buffer);
    this.floats = new Floats(buffer);
  }

  /** Makes the frame that of `owner`; true where it was another's, whose settings it still holds. */
  claim(owner: object): boolean {
    if (this.#owner === owner) return false;
    this.#owner = owner;
    return true;
  }

  /** The address of an array that lies in this instance's room, 0 for any other; `role` is the field it is for. */
  locate(array: View | undefined, role: Field32): number {
    if (this.roomBytes === 0 || array === undefined) return 0;
    if (array === this.#last[role]) return viewOffset(array);
    if (!this.holds(array)) return 0;
    this.#last[role] = array;
    return viewOffset(array);
  }

  holds(array: View): boolean {
    return viewOffset(array) >= this.room && viewBuffer(array) === this.buffer;
  }

  /** Takes note of an array in the room, so that nobody has to ask it for its buffer. */
  remember(array: ArrayBufferView): void {
    byArray.set(array, this);
  }

  // The following copy `count` elements from `start` on to a region, whose address they return.

  stageFloats(source: View, kind: Kind, start: number, count: number, region: number): number {
    if (kind === 'float16' || kind === 'bfloat16') return this.#stageHalves(source, kind, start, count, region);
    const first = region / FLOAT_BYTES;
    const { floats } = this;
    if (count <= FEW) for (let k = 0; k < count; k++) floats[first + k] = source[start + k] as number;
    else floats.set(part(source, kind, start, count) as Float32Array, first);
    return region;
  }

  #stageHalves(source: View, kind: 'float16' | 'bfloat16', start: number, count: number, region: number): number {
    new Uint16Array(this.buffer, this.hess).set(part(source, kind, start, count) as Uint16Array);
    this.kernel[kind](this.hess, region, count); // written later, as raw is
    return region;
  }

  stageBytes(source: View, kind: Kind, start: number, count: number, region: number): number {
    const { bytes } = this;
    if (count <= FEW) for (let k = 0; k < count; k++) bytes[region + k] = source[start + k] as number;
    else bytes.set(part(source, kind, start, count) as Uint8Array, region);
    return region;
  }

  /** Copies results from a region to `target`. */
  takeFloats(target: Floats, start: number, count: number, region: number): void {
    const { floats } = this;
    const first = region / FLOAT_BYTES;
    if (count <= FEW) for (let k = 0; k < count; k++) target[start + k] = floats[first + k];
    else set.call(target, floats.subarray(first, first + count), start);
  }
}

/** The same of int32. */
export function stageInts(
  { ints }: Instance,
  { view, kind }: Operand,
  start: number,
  count: number,
  region: number,
): number {
  ints.set(part(view, kind, start, count) as Int32Array, region / 4);
  return region;
}

/** The same of 64-bit integers. */
export function stageLongs(
  { buffer }: Instance,
  { view, kind }: Operand,
  start: number,
  count: number,
  region: number,
): number {
  new BigInt64Array(buffer, region).set(part(view, kind, start, count) as BigInt64Array);
  return region;
}

function grow(memory: WebAssembly.Memory, pages: number): void {
  try {
    memory.grow(pages);
  } catch (error) {
    throw noMemory(error);
  }
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
export function instanceOf(view: View): Instance {
  if (hasWorkspaces && viewOffset(view) > 0) {
    const instance = byArray.get(view) ?? byBuffer.get(viewBuffer(view));
    if (instance !== undefined && viewOffset(view) >= instance.room) return instance;
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
