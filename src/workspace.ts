import { wholeNumber, wrongValue } from './checks.js';
import { roomyInstance } from './engine/arena.js';

const ALIGNMENT = 16;
/** Room for the padding between this many arrays, so that the bytes asked for are all there for their elements. */
const PADDED_ARRAYS = 64;

/** Memory whose bytes from `room` on are free. */
interface Block {
  readonly buffer: ArrayBufferLike;
  readonly bytes: Uint8Array;
  readonly room: number;
  remember?(array: ArrayBufferView): void;
}

/**
 * A block of WebAssembly memory to work in without copying. Losses recognise arrays of a workspace by their buffer, and
 * read logits, targets and weights where they are and write results there. Its memory never grows, so that its arrays stay
 * valid for as long as they are held. A call with arrays of two workspaces runs in that of the logits and copies the others.
 *
 * @example
 * ```ts
 * import { FocalLoss, Workspace } from 'focal-loss-wasm';
 *
 * const workspace = new Workspace(5 * 1024);
 * const logits = workspace.float32(1024);
 * const targets = workspace.uint8(1024);
 * const loss = new FocalLoss().forward(logits, targets);
 * ```
 */
export class Workspace {
  /** The size asked for. */
  readonly bytes: number;
  readonly #block: Block;
  #next: number;
  readonly #end: number;
  /** Memory from here on was never handed out, and is zero. */
  #fresh: number;

  /**
   * @param bytes the size of the elements of all arrays together; an array starts at a multiple of 16 bytes, and the
   * padding that this takes is added for the first 64 of them.
   * @throws TypeError for anything but a number, RangeError where it is no whole number or cannot be allocated.
   */
  constructor(bytes: number);
  /** @internal */
  constructor(bytes: number, allocate: (size: number) => Block);
  constructor(bytes: number, allocate: (size: number) => Block = roomyInstance) {
    this.bytes = wholeNumber('bytes', bytes);
    const size = bytes + PADDED_ARRAYS * ALIGNMENT;
    try {
      this.#block = allocate(size);
    } catch (error) {
      if (!(error instanceof RangeError || error instanceof TypeError)) throw error;
      throw wrongValue('bytes', 'a size that can be allocated', bytes);
    }
    this.#next = this.#block.room;
    this.#fresh = this.#next;
    this.#end = this.#next + size;
  }

  /**
   * An array of `length` float32 that are 0, for logits, soft targets, weights or results.
   *
   * @throws RangeError where it does not fit in what is left.
   */
  float32(length: number): Float32Array {
    return this.#made(new Float32Array(this.#block.buffer, this.#take(length, 4), length));
  }

  /**
   * An array of `length` float64 that are 0, for what `float32` is for where losses are those of `focal-loss-wasm/float64`.
   * Other losses copy it.
   *
   * @throws RangeError where it does not fit in what is left.
   */
  float64(length: number): Float64Array {
    return this.#made(new Float64Array(this.#block.buffer, this.#take(length, 8), length));
  }

  /**
   * An array of `length` bytes that are 0, for targets.
   *
   * @throws RangeError where it does not fit in what is left.
   */
  uint8(length: number): Uint8Array {
    return this.#made(new Uint8Array(this.#block.buffer, this.#take(length, 1), length));
  }

  /**
   * An array of `length` int32 that are 0, for labels.
   *
   * @throws RangeError where it does not fit in what is left.
   */
  int32(length: number): Int32Array {
    return this.#made(new Int32Array(this.#block.buffer, this.#take(length, 4), length));
  }

  /** Gives the whole block back for new arrays. Those of before are still there, and share their bytes with the new ones. */
  reset(): void {
    this.#next = this.#block.room;
  }

  #made<T extends ArrayBufferView>(array: T): T {
    this.#block.remember?.(array);
    return array;
  }

  /** The address of a new array. */
  #take(length: number, elementBytes: number): number {
    const left = Math.floor((this.#end - this.#next) / elementBytes);
    if (wholeNumber('length', length) > left) {
      const remedy = `the workspace has ${this.bytes} bytes`;
      throw wrongValue('length', `at most ${left}, which is what is left`, length, remedy);
    }
    const address = this.#next;
    const end = address + length * elementBytes;
    if (address < this.#fresh) this.#block.bytes.fill(0, address, Math.min(end, this.#fresh));
    this.#next = Math.min(this.#end, Math.ceil(end / ALIGNMENT) * ALIGNMENT);
    this.#fresh = Math.max(this.#fresh, this.#next);
    return address;
  }
}
