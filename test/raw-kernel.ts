// The kernel itself, without the wrapper: a call by the fields of its frame, for what the wrapper does not do, or not in
// that way. docs/abi.md is what is relied on.
import { readFileSync } from 'node:fs';
import { instantiateSync } from '@assemblyscript/loader';
import { BAD_TARGET, Field32, Field64, Flag, FRAME_BYTES, Hessian, SEGMENT } from '../src/abi.js';

interface Kernel {
  memory: WebAssembly.Memory;
  base(): number;
  workBytes(): number;
  [loss: string]: unknown;
}

const PAGE = 65_536;
const instantiate = (module: WebAssembly.Module) => instantiateSync<Kernel>(module).exports;
const release = readFileSync(new URL('../build/kernel.wasm', import.meta.url));
let kernel: Kernel;
let frame: number;
let first: number;
useBuild(new WebAssembly.Module(release));

/** What the calls of this file go to: the release, unless another build is given. */
export function useBuild(build: WebAssembly.Module): void {
  kernel = instantiate(build);
  frame = kernel.base();
  first = frame + kernel.workBytes();
}

/** Bytes with a pattern between arrays: whatever is written beyond an array is seen. */
const GUARD = 64;
const PATTERN = 0xa5;

type Numbers64 = { [P in Exclude<keyof typeof Field64, number>]?: number };
type Numbers32 = { [P in 'classes' | 'stride' | 'first' | 'softTargets']?: number };

export interface Call extends Numbers64, Numbers32 {
  logits: Float32Array;
  /** Floats (Flag.soft), bytes, or labels (Flag.labels). */
  targets: Float32Array | Uint8Array | Int32Array;
  weight?: Float32Array;
  alphas?: Float32Array;
  alphaNegatives?: Float32Array;
  posWeights?: Float32Array;
  /** Flags beside those of the targets. */
  flags?: number;
  hessian?: keyof typeof Hessian;
  /** Which arrays are wanted, all by default. */
  want?: readonly ('loss' | 'grad' | 'hess')[];
  /** Address of every array modulo 64, a multiple of 4. */
  misalign?: number;
}

export interface Result {
  loss: Float32Array;
  grad: Float32Array;
  hess: Float32Array;
  sum: number;
  sumPositives: number;
  sumNegatives: number;
  positives: number;
  negatives: number;
  bad: boolean;
}

const DEFAULTS = { gamma: 2, alphaPositive: 1, alphaNegative: 1, posWeight: 1, gradScale: 1, positiveAbove: 0.5 };
const INPUTS = ['logits', 'targets', 'weight', 'alphas', 'alphaNegatives', 'posWeights'] as const;

/** Calls an export once with all elements. Throws where it writes beyond its arrays, or changes an input. */
export function call(loss: string, given: Call): Result {
  const { logits, targets, flags = Flag.sums, want = ['loss', 'grad', 'hess'] } = given;
  const inputs = INPUTS.flatMap((name) => (given[name] === undefined ? [] : [[name, given[name]] as const]));
  const total = inputs.reduce((sum, [, array]) => sum + array.byteLength + 2 * GUARD + 64, 0);
  reserve(first + total + 3 * (logits.byteLength + 2 * GUARD + 64));
  const { buffer } = kernel.memory;
  const words = new Int32Array(buffer, frame, FRAME_BYTES / 4);
  const doubles = new Float64Array(buffer, frame, FRAME_BYTES / 8);
  words.fill(0);
  new Uint8Array(buffer, first).fill(PATTERN);
  let free = first;
  const place = (size: number) => {
    const at = free + GUARD + (given.misalign ?? 0);
    free = (at + size + GUARD + 63) & ~63;
    return at;
  };
  const addresses = inputs.map(([name, array]) => {
    const at = place(array.byteLength);
    new Uint8Array(buffer, at, array.byteLength).set(new Uint8Array(array.buffer, array.byteOffset, array.byteLength));
    words[Field32[name]] = at;
    return at;
  });
  const outputs = want.map((name) => {
    const at = place(logits.byteLength);
    words[Field32[name]] = at;
    return [name, at] as const;
  });
  for (const [name, value] of Object.entries({ ...DEFAULTS, ...given })) {
    if (name in Field64) doubles[Field64[name as keyof typeof Field64]] = value as number;
  }
  for (const name of ['classes', 'stride', 'first', 'softTargets'] as const) words[Field32[name]] = given[name] ?? 0;
  words[Field32.count] = logits.length;
  words[Field32.hessian] = Hessian[given.hessian ?? 'exact'];
  const kind = targets instanceof Float32Array ? Flag.soft : targets instanceof Int32Array ? Flag.labels : 0;
  words[Field32.flags] = flags | kind;
  (kernel[loss] as (frame: number) => void)(frame);
  inputs.forEach(([name, array], k) => {
    const now = new Uint8Array(buffer, addresses[k], array.byteLength);
    const before = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
    if (Buffer.compare(now, before) !== 0) throw new Error(`${name} was written to`);
  });
  const arrays: Record<string, Float32Array> = {};
  const none = new Float32Array();
  for (const [name, at] of outputs) {
    const around = [new Uint8Array(buffer, at - GUARD, GUARD), new Uint8Array(buffer, at + logits.byteLength, GUARD)];
    if (around.some((guard) => guard.some((byte) => byte !== PATTERN))) throw new Error(`${name} was overrun`);
    arrays[name] = new Float32Array(buffer, at, logits.length).slice();
  }
  const { loss: value = none, grad = none, hess = none } = arrays;
  return {
    loss: value,
    grad,
    hess,
    sum: doubles[Field64.sum],
    sumPositives: doubles[Field64.sumPositives],
    sumNegatives: doubles[Field64.sumNegatives],
    positives: doubles[Field64.positives],
    negatives: doubles[Field64.negatives],
    bad: (words[Field32.bad] & BAD_TARGET) !== 0,
  };
}

/** The same for any number of elements, a segment at a time, as the wrapper calls it. */
export function callInSegments(loss: string, given: Call): Result {
  const { length } = given.logits;
  const total: Result = {
    loss: new Float32Array(length),
    grad: new Float32Array(length),
    hess: new Float32Array(length),
    sum: 0,
    sumPositives: 0,
    sumNegatives: 0,
    positives: 0,
    negatives: 0,
    bad: false,
  };
  for (let start = 0; start < length; start += SEGMENT) {
    const end = Math.min(start + SEGMENT, length);
    const arrays: Record<string, unknown> = {};
    for (const name of INPUTS) {
      if (given[name] !== undefined && !(given[name] instanceof Int32Array)) {
        arrays[name] = given[name].subarray(start, end);
      }
    }
    const part = call(loss, { ...given, ...arrays, first: (given.first ?? 0) + start });
    for (const name of ['loss', 'grad', 'hess'] as const) total[name].set(part[name], start);
    for (const name of ['sum', 'sumPositives', 'sumNegatives', 'positives', 'negatives'] as const) {
      total[name] += part[name];
    }
    total.bad ||= part.bad;
  }
  return total;
}

/** Numbers of 16 bits by `float16` or `bfloat16`. */
export function widenHalves(kind: 'float16' | 'bfloat16', halves: Uint16Array): Float32Array {
  const destination = (first + halves.byteLength + GUARD + 3) & ~3;
  reserve(destination + 4 * halves.length + GUARD);
  const { buffer } = kernel.memory;
  new Uint16Array(buffer, first, halves.length).set(halves);
  const guard = new Uint8Array(buffer, destination + 4 * halves.length, GUARD).fill(PATTERN);
  (kernel[kind] as (source: number, destination: number, count: number) => void)(first, destination, halves.length);
  if (guard.some((byte) => byte !== PATTERN)) throw new Error(`${kind} was overrun`);
  return new Float32Array(buffer, destination, halves.length).slice();
}

function reserve(end: number): void {
  const missing = end - kernel.memory.buffer.byteLength;
  if (missing > 0) kernel.memory.grow(Math.ceil(missing / PAGE));
}
