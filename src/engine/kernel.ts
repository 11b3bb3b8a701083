// The only file that instantiates the WebAssembly kernel. The module was compiled, or was not, when it was imported.

import { wasm } from '#wasm';

/** The kernel's exports. Every `frame` is the address of a parameter block, see memory.ts. */
export interface Kernel {
  readonly memory: WebAssembly.Memory;
  /** First free address. */
  base(): number;
  /** Bytes of a frame and the scratch behind it. */
  workBytes(): number;
  /** Binary losses of `count` elements. */
  binary(frame: number): void;
  /** Only counts and checks the targets of `count` elements. */
  census(frame: number): void;
  /** Of unsigned bytes. */
  narrow8: Narrow;
  narrow32: Narrow;
  narrow64: Narrow;
  /** Softmax losses of `count` rows. */
  softmax(frame: number): void;
  posterior(frame: number): void;
  softmaxPosterior(frame: number): void;
  /** Half floats, as bits, to float. */
  float16(source: number, into: number, count: number): void;
  bfloat16(source: number, into: number, count: number): void;
}

/** The export that evaluates a loss, by its name. */
export function lossOf(kernel: Kernel, name: string): (frame: number) => void {
  return (kernel as unknown as Record<string, (frame: number) => void>)[name];
}

/** Makes bytes 0, 1, or 2 for ignored, of integer labels; returns 1 if a label is none of these. `ignore` may be NaN: none. */
export type Narrow = (source: number, into: number, count: number, ignore: number) => number;

/** A new instance of the kernel with a memory of its own. */
export function instantiate(): Kernel {
  const { module } = wasm;
  // a bundler that does not know how to import a binary may give a path instead
  if (typeof module !== 'object') throw notCompiled(wasm.error ?? `"#wasm" is ${JSON.stringify(module)}, not a module`);
  try {
    return new WebAssembly.Instance(module).exports as unknown as Kernel;
  } catch (error) {
    // WebKit's policy lets a module compile; a RangeError is memory that cannot be had
    throw error instanceof RangeError ? noMemory(error) : notCompiled(error);
  }
}

/** The error of memory that cannot be had. */
export function noMemory(cause: unknown): Error {
  const error = new RangeError('focal-loss-wasm could not get the memory that its kernel needs', { cause });
  return Object.assign(error, { code: 'FOCAL_LOSS_KERNEL' });
}

function notCompiled(cause: unknown): Error {
  const reason = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
  const error = new Error(
    `focal-loss-wasm could not compile its WebAssembly kernel (${reason}). In a browser, allow 'wasm-unsafe-eval' in the ` +
      'Content-Security-Policy. On Cloudflare Workers or Vercel Edge, bundle with the condition "workerd" or "edge-light", ' +
      'or import "focal-loss-wasm/inline" at module scope. The engine must have WebAssembly SIMD.',
    { cause },
  );
  return Object.assign(error, { code: 'FOCAL_LOSS_KERNEL' });
}
