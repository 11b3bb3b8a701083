import { wasm } from '#wasm';

// above what the declarations keep, so that editors and the reference show it
/**
 * The same library, with the same bits, over a kernel whose vectors V8 packs in pairs: 1.4 to 1.7 times the default on processors
 * with AVX2, in Node from 22.3 on. Elsewhere it is the default, and `fused` says so.
 *
 * Importing it turns on `--experimental-wasm-revectorize`, an experimental flag of V8, for the whole process: WebAssembly that
 * is compiled afterwards, by whomever, is compiled with it. It then runs the kernel for about 60 ms and compares every bit with
 * a known answer; if one differs, the flag is turned off again and the default takes its place. To leave the decision to whoever starts
 * the process, import `focal-loss-wasm` and run `node --experimental-wasm-revectorize`.
 *
 * @packageDocumentation
 */
export * from './index.js';

/**
 * Whether V8 took the flag and the known answer came out. A processor without AVX2 computes as by default all the same.
 *
 * @example
 * ```ts
 * import { FocalLoss, fused } from 'focal-loss-wasm/fused';
 * console.log(fused ? '256 bits' : '128 bits', new FocalLoss().forward([1.5], [1]));
 * ```
 */
export const fused: boolean = wasm.fused === true;
