// Calls the kernel's softmax without the wrapper, so that layouts and options can be tried by themselves.
import { readFileSync } from 'node:fs';
import { Field32, Field64, Flag, type Hessian, type SoftTargets } from '../src/abi.js';

interface Kernel {
  memory: WebAssembly.Memory;
  base(): number;
  workBytes(): number;
  softmax(frame: number): void;
  softmaxPosterior(frame: number): void;
}

let module = new WebAssembly.Module(readFileSync(new URL('../build/kernel.wasm', import.meta.url)));

/** Has later calls run on another build of the kernel. */
export function useKernel(other: WebAssembly.Module): void {
  module = other;
}

export interface RowCall {
  classes: number;
  /** `[rows, classes]`. */
  logits: Float32Array;
  /** A label a row, or as many shares as logits. */
  targets: Int32Array | Float32Array;
  gamma: number;
  alphas?: readonly number[];
  weight?: Float32Array;
  labelSmoothing?: number;
  polyEpsilon?: number;
  softTargets?: SoftTargets;
  hessian?: Hessian;
  gradScale?: number;
  /** Elements between the classes of a row, at least the number of rows; rows lie one after the other without it. */
  stride?: number;
  /** Outputs, all by default. */
  outputs?: readonly ('loss' | 'grad' | 'hess')[];
  /** Has the gradient, or else the Hessian, in the place of the logits. */
  inPlace?: boolean;
  byClass?: boolean;
  /** The targets end where memory does, and not the logits. */
  targetsLast?: boolean;
}

export interface RowResult {
  loss: Float32Array;
  /** `[rows, classes]`, as the Hessian. */
  grad: Float32Array;
  hess: Float32Array;
  sum: number;
  sumPositives: number;
  sumNegatives: number;
  positives: number;
  bad: number;
}

const UNTOUCHED = 12345.678;

/** One call of `softmax`; throws where it writes between planes. The logits, or with `targetsLast` the targets, end where memory does. */
export function softmaxRows(call: RowCall): RowResult {
  const { classes, targets, stride = 1, outputs = ['loss', 'grad', 'hess'] } = call;
  const rows = call.logits.length / classes;
  const isSoft = targets instanceof Float32Array;
  const memory = new Arena(call.logits.length * 6 + classes * (stride + 4) * 5 + 4096);
  const { words, doubles, kernel, frame } = memory;
  const wide = (rows_: Float32Array) => memory.put(toPlanes(rows_, classes, stride));
  const place = (name: 'loss' | 'grad' | 'hess', length: number) =>
    outputs.includes(name) ? memory.put(new Float32Array(length).fill(UNTOUCHED)) : 0;
  const length = toPlanes(call.logits, classes, stride).length;
  const putTargets = () => {
    words[Field32.targets] = isSoft ? wide(targets) : memory.put(new Float32Array(targets.buffer, 0, targets.length));
  };
  if (call.targetsLast) putTargets();
  words[Field32.logits] = wide(call.logits);
  if (!call.targetsLast) putTargets();
  words[Field32.loss] = place('loss', rows);
  words[Field32.grad] = place('grad', length);
  words[Field32.hess] = place('hess', length);
  words[Field32.weight] = call.weight ? memory.put(call.weight) : 0;
  words[Field32.alphas] = call.alphas ? memory.put(Float32Array.from(call.alphas)) : 0;
  if (call.inPlace) words[words[Field32.grad] ? Field32.grad : Field32.hess] = words[Field32.logits];
  words[Field32.count] = rows;
  words[Field32.classes] = classes;
  words[Field32.stride] = stride;
  words[Field32.flags] = Flag.sums | (isSoft ? Flag.soft : 0) | (call.byClass ? Flag.byClass : 0);
  words[Field32.softTargets] = call.softTargets ?? 0;
  words[Field32.hessian] = call.hessian ?? 0;
  doubles[Field64.gamma] = call.gamma;
  doubles[Field64.gradScale] = call.gradScale ?? 1;
  doubles[Field64.labelSmoothing] = call.labelSmoothing ?? 0;
  doubles[Field64.polyEpsilon] = call.polyEpsilon ?? 0;
  doubles[Field64.positiveAbove] = 0.5;
  kernel.softmax(frame);
  const read = (field: Field32, size: number) => memory.get(words[field], words[field] === 0 ? 0 : size);
  return {
    loss: read(Field32.loss, rows),
    grad: fromPlanes(read(Field32.grad, length), rows, classes, stride),
    hess: fromPlanes(read(Field32.hess, length), rows, classes, stride),
    sum: doubles[Field64.sum],
    sumPositives: doubles[Field64.sumPositives],
    sumNegatives: doubles[Field64.sumNegatives],
    positives: doubles[Field64.positives],
    bad: words[Field32.bad],
  };
}

/** One call of `softmaxPosterior`, likewise. */
export function posteriorRows(
  logits: Float32Array,
  classes: number,
  { gamma, alphas, stride = 1, inPlace = false }: Pick<RowCall, 'gamma' | 'alphas' | 'stride' | 'inPlace'>,
): Float32Array {
  const memory = new Arena(classes * (stride + 4) * 3 + logits.length * 3 + 4096);
  const { words, doubles, kernel, frame } = memory;
  const planes = toPlanes(logits, classes, stride);
  words[Field32.logits] = memory.put(planes);
  words[Field32.loss] = memory.put(planes.slice().fill(UNTOUCHED));
  words[Field32.alphas] = alphas ? memory.put(Float32Array.from(alphas)) : 0;
  if (inPlace) words[Field32.loss] = words[Field32.logits];
  words[Field32.count] = logits.length / classes;
  words[Field32.classes] = classes;
  words[Field32.stride] = stride;
  doubles[Field64.gamma] = gamma;
  kernel.softmaxPosterior(frame);
  return fromPlanes(memory.get(words[Field32.loss], planes.length), logits.length / classes, classes, stride);
}

/** Memory whose arrays lie against its end: the first one ends there, so that reading behind it traps. */
class Arena {
  readonly kernel = new WebAssembly.Instance(module).exports as unknown as Kernel;
  readonly frame = this.kernel.base();
  readonly words: Int32Array;
  readonly doubles: Float64Array;
  readonly #floats: Float32Array;
  #free: number;

  constructor(floats: number) {
    const bytes = this.frame + this.kernel.workBytes() + 4 * floats;
    this.kernel.memory.grow(Math.ceil(bytes / 65536));
    const { buffer } = this.kernel.memory;
    this.words = new Int32Array(buffer, this.frame, 64);
    this.doubles = new Float64Array(buffer, this.frame, 32);
    this.#floats = new Float32Array(buffer);
    this.#free = buffer.byteLength / 4;
  }

  put(values: Float32Array): number {
    this.#free -= values.length;
    this.#floats.set(values, this.#free);
    return 4 * this.#free--;
  }

  get(address: number, length: number): Float32Array {
    return this.#floats.slice(address / 4, address / 4 + length);
  }
}

/** Rows as planes a stride apart, up to the last row's last class; what lies between planes is a number that spoils sums. */
function toPlanes(rows: Float32Array, classes: number, stride: number): Float32Array {
  const count = rows.length / classes;
  if (stride === 1) return rows;
  const planes = new Float32Array((classes - 1) * stride + count).fill(UNTOUCHED);
  for (let r = 0; r < count; r++) for (let j = 0; j < classes; j++) planes[r + j * stride] = rows[r * classes + j];
  return planes;
}

function fromPlanes(planes: Float32Array, rows: number, classes: number, stride: number): Float32Array {
  if (planes.length === 0 || stride === 1) return planes;
  planes.forEach((value, k) => {
    if (k % stride >= rows && value !== Math.fround(UNTOUCHED)) throw new Error(`wrote ${value} between two planes`);
  });
  return Float32Array.from(
    { length: rows * classes },
    (_, k) => planes[Math.floor(k / classes) + (k % classes) * stride],
  );
}
