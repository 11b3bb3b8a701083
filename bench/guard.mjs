// Fails where the package is less than half as fast beside scalar JavaScript as it must be: a lost vector instruction or
// a hidden copy, not the noise of a busy machine. No absolute times. Takes a few seconds.

import { binaryCases } from './cases.mjs';
import { interleave } from './interleave.mjs';

const LENGTH = 16_384;
const SECONDS = 3;
const MARGIN = 0.5;
const TRIES = 3;

const { cases, check } = binaryCases(LENGTH);
check();
let slow = cases.filter(({ must }) => must !== undefined);
for (let k = 0; k < TRIES && slow.length > 0; k++) {
  const bases = cases.filter(({ name }) => slow.some(({ base }) => base === name));
  const times = await interleave([...new Set([...bases, ...slow])], { seconds: SECONDS, slice: 0.5, quantile: 0 });
  slow = slow.filter(({ name, base, must }) => {
    const ratio = times[base] / times[name];
    const enough = ratio >= MARGIN * must;
    const bound = (MARGIN * must).toFixed(1);
    console.log(
      `${name.padEnd(28)}${ratio.toFixed(2).padStart(6)} x ${base}, at least ${bound}${enough ? '' : ': too slow'}`,
    );
    return !enough;
  });
}
if (slow.length > 0) process.exitCode = 1;
