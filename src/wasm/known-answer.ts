// What the kernel computes of inputs that are the same everywhere, as one number.

import { Field32, Field64, Flag } from '../abi.js';

/** FNV-1a of all bits of it. test/fused.test.ts holds the default build to it: where the kernel's bits change, so does this. */
export const KNOWN_ANSWER = 1367919535;

/** Elements: some blocks of the kernel, the last of which is not full. */
const COUNT = 1000;

/** A function that computes losses, gradients, Hessians and sums of hard and soft targets, and returns a hash of their bits. */
export function answerer(module: WebAssembly.Module): () => number {
  const kernel = new WebAssembly.Instance(module).exports as unknown as {
    memory: WebAssembly.Memory;
    base(): number;
    workBytes(): number;
    binary(frame: number): void;
  };
  const frame = kernel.base();
  const [logits, bytes, soft, loss, grad, hess] = Array.from(
    { length: 6 },
    (_, k) => frame + kernel.workBytes() + 4 * k * COUNT,
  );
  kernel.memory.grow(Math.ceil((hess + 4 * COUNT) / 65_536) - 1);
  const { buffer } = kernel.memory;
  const floats = (address: number) => new Float32Array(buffer, address, COUNT);
  floats(logits).forEach((_, k, array) => {
    array[k] = ((k * 7919) % 4001) / 50 - 40;
  });
  floats(soft).forEach((_, k, array) => {
    array[k] = ((k * 37) % 101) / 100;
  });
  new Uint8Array(buffer, bytes, COUNT).forEach((_, k, array) => {
    array[k] = k % 3 === 0 ? 1 : 0;
  });
  const words = new Int32Array(buffer, frame, 64);
  const doubles = new Float64Array(buffer, frame, 32);
  const results = new Int32Array(buffer, loss, 3 * COUNT);
  const call = (gamma: number, flag: number, targets: number, wantsArrays: boolean) => {
    words.fill(0);
    words[Field32.logits] = logits;
    words[Field32.targets] = targets;
    words[Field32.count] = COUNT;
    words[Field32.flags] = flag | Flag.sums;
    doubles[Field64.gamma] = gamma;
    doubles[Field64.alphaPositive] = 0.25;
    doubles[Field64.alphaNegative] = 0.75;
    doubles[Field64.posWeight] = 1;
    doubles[Field64.gradScale] = 1;
    doubles[Field64.positiveAbove] = 0.5;
    if (wantsArrays) [words[Field32.loss], words[Field32.grad], words[Field32.hess]] = [loss, grad, hess];
    kernel.binary(frame);
  };
  return () => {
    let hash = 0x811c9dc5;
    const take = (word: number) => {
      hash = Math.imul(hash ^ word, 0x01000193);
    };
    for (const gamma of [2, 1.5, 1.7])
      for (const [flag, targets] of [
        [0, bytes],
        [Flag.soft, soft],
      ]) {
        call(gamma, flag, targets, false);
        const sum = 2 * Field64.sum;
        take(words[sum]);
        take(words[sum + 1]);
        call(gamma, flag, targets, true);
        for (const word of results) take(word);
      }
    return hash >>> 0;
  };
}
