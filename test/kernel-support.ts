// The binary itself, called as docs/abi.md describes, through AssemblyScript's loader.
import { readFileSync } from 'node:fs';
import { instantiateSync } from '@assemblyscript/loader';
import { Field32, Field64 } from '../src/abi.js';
import type { Kernel } from '../src/engine/kernel.js';

const module = new WebAssembly.Module(readFileSync(new URL('../build/kernel.wasm', import.meta.url)));
const PAGE = 65_536;
const INITIAL_PAGES = 1;

/** An instance with a frame, and room for `bytes` of arrays behind it. */
export class RawKernel {
  readonly kernel: Kernel;
  readonly frame: number;
  /** The first free address. */
  free: number;

  constructor(bytes: number) {
    this.kernel = instantiateSync(module).exports as unknown as Kernel;
    this.frame = this.kernel.base();
    this.free = this.frame + this.kernel.workBytes();
    this.kernel.memory.grow(Math.ceil((this.free + bytes) / PAGE) - INITIAL_PAGES);
  }

  /** Copies an array to memory and returns its address. */
  place(array: Float32Array | Uint8Array | Int32Array): number {
    const address = this.free;
    this.free = (address + array.byteLength + 63) & ~63;
    const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
    new Uint8Array(this.kernel.memory.buffer).set(bytes, address);
    return address;
  }

  floats(address: number, length: number): Float32Array {
    return new Float32Array(this.kernel.memory.buffer, address, length);
  }

  /** Writes a frame: the fields given, neutral ones elsewhere. */
  write(fields: Partial<Record<keyof typeof Field32 | keyof typeof Field64, number>>): void {
    const view = new DataView(this.kernel.memory.buffer, this.frame);
    const neutral = { alphaPositive: 1, alphaNegative: 1, posWeight: 1, gradScale: 1, positiveAbove: 0.5 };
    for (let o = 0; o < 256; o += 4) view.setInt32(o, 0, true);
    for (const [name, value] of Object.entries({ ...neutral, ...fields })) {
      if (name in Field32) view.setInt32(4 * Field32[name as keyof typeof Field32], value, true);
      else view.setFloat64(8 * Field64[name as keyof typeof Field64], value, true);
    }
  }

  read(name: keyof typeof Field64): number {
    return new DataView(this.kernel.memory.buffer, this.frame).getFloat64(8 * Field64[name], true);
  }

  get bad(): number {
    return new DataView(this.kernel.memory.buffer, this.frame).getInt32(4 * Field32.bad, true);
  }
}
