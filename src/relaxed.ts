import { wasm } from '#wasm';

// above what the declarations keep, so that editors and the reference show it
/**
 * The same library over a build whose multiply-adds are fused where the processor fuses them: up to a sixth faster, and
 * no longer the same bits everywhere. Where the engine has no relaxed SIMD (Node 20 without a flag, Safari today) it is the
 * default build instead, and `relaxed` says so.
 *
 * @packageDocumentation
 */
export * from './index.js';

/**
 * Whether the build with relaxed SIMD runs here; false where the default build took its place.
 *
 * @example
 * ```ts
 * import { FocalLoss, relaxed } from 'focal-loss-wasm/relaxed';
 * console.log(relaxed ? 'fused' : 'default', new FocalLoss().forward([1.5], [1]));
 * ```
 */
export const relaxed: boolean = wasm.relaxed === true;
