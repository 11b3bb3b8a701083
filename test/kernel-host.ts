// The binary as another JavaScript host has it: instantiated by AssemblyScript's own loader, called through a frame.
import { readFileSync } from 'node:fs';
import { instantiateSync } from '@assemblyscript/loader';
import { Field32, Field64 } from '../src/abi.js';
import type { Kernel } from '../src/engine/kernel.js';

const PAGE = 65_536;
const bytes = readFileSync(new URL('../dist/wasm/kernel.wasm', import.meta.url));

/** The kernel's exports that take a frame. */
export type Call = { [K in keyof Kernel]: Kernel[K] extends (frame: number) => void ? K : never }[keyof Kernel];

/** One frame, and arrays that lie one after the other with as little between them as their types allow. */
export class KernelHost {
  readonly kernel: Kernel;
  readonly frame: number;
  /** First address that is the host's. */
  readonly start: number;

  constructor(binary: Uint8Array<ArrayBuffer> = bytes) {
    this.kernel = instantiateSync<Kernel & Record<string, unknown>>(binary).exports;
    this.frame = this.kernel.base();
    this.start = this.frame + this.kernel.workBytes();
  }

  /** Memory of `pages` at least; views of before are lost. */
  grow(pages: number): void {
    const { memory } = this.kernel;
    const more = pages - memory.buffer.byteLength / PAGE;
    if (more > 0) memory.grow(more);
  }

  get memoryBytes(): number {
    return this.kernel.memory.buffer.byteLength;
  }

  /** Copies an array to an address and returns the address. */
  put(address: number, array: Float32Array | Float64Array | Int32Array | Uint8Array): number {
    this.grow(Math.ceil((address + array.byteLength) / PAGE));
    const source = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
    new Uint8Array(this.kernel.memory.buffer).set(source, address);
    return address;
  }

  floats(address: number, count: number): Float32Array {
    return new Float32Array(this.kernel.memory.buffer, address, count);
  }

  /** Calls an export with nothing in its frame but the given fields. */
  call(name: Call, fields: { [K in keyof typeof Field32 | keyof typeof Field64]?: number }): void {
    const { buffer } = this.kernel.memory;
    const words = new Int32Array(buffer, this.frame, 64).fill(0);
    const doubles = new Float64Array(buffer, this.frame, 32);
    for (const [key, value] of Object.entries({
      alphaPositive: 1,
      alphaNegative: 1,
      posWeight: 1,
      gradScale: 1,
      positiveAbove: 0.5,
      ...fields,
    })) {
      if (key in Field32) words[Field32[key as keyof typeof Field32]] = value;
      else doubles[Field64[key as keyof typeof Field64]] = value;
    }
    this.kernel[name](this.frame);
  }

  result(name: keyof typeof Field32 | keyof typeof Field64): number {
    const { buffer } = this.kernel.memory;
    return name in Field32
      ? new Int32Array(buffer, this.frame, 64)[Field32[name as keyof typeof Field32]]
      : new Float64Array(buffer, this.frame, 32)[Field64[name as keyof typeof Field64]];
  }
}
