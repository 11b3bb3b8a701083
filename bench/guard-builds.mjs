// Compares another build of the kernel with the default one: the same bits, and not slower than a wide margin allows.

import { interleave } from './interleave.mjs';

const SECONDS = 2;
const TRIES = 3;

/** The names of the cases that are slower than `least` times the default's speed in every try; different bits are an error. */
export async function slowCases(defaults, others, least) {
  for (const [k, { name, run }] of others.entries()) {
    const [own, wanted] = [run(), defaults[k].run()].map(bitsOf);
    if (!own.equals(wanted)) throw new Error(`${name} has other bits than ${defaults[k].name}`);
  }
  let slow = others;
  for (let k = 0; k < TRIES && slow.length > 0; k++) {
    const times = await interleave([...defaults, ...others], { seconds: SECONDS, slice: 0.5, quantile: 0 });
    slow = slow.filter(({ name }) => {
      const base = defaults[others.findIndex((other) => other.name === name)].name;
      const ratio = times[base] / times[name];
      const enough = ratio >= least;
      console.log(
        `${name.padEnd(34)}${ratio.toFixed(2).padStart(6)} x ${base}, at least ${least}${enough ? '' : ': too slow'}`,
      );
      return !enough;
    });
  }
  return slow.map(({ name }) => name);
}

/** The bits of a number, of an array, or of all that a call returns. */
function bitsOf(result) {
  if (typeof result !== 'number' && !ArrayBuffer.isView(result))
    return Buffer.concat(Object.values(result).map(bitsOf));
  const { buffer, byteOffset, byteLength } = typeof result === 'number' ? Float64Array.of(result) : result;
  return Buffer.from(new Uint8Array(buffer, byteOffset, byteLength));
}
