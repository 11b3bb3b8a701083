// Fails where the package is less than half as fast beside scalar JavaScript as it must be: a lost vector instruction or
// a hidden copy, not the noise of a busy machine. The lite and the fused build are held to the default one in the same way, and to
// its bits. No absolute times. Takes a few seconds.

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import * as library from 'focal-loss-wasm';
import * as lite from 'focal-loss-wasm/lite';
import { installTools, nodes } from '../test/runtimes/setup.mjs';
import { buildCases } from './build-cases.mjs';
import { binaryCases } from './cases.mjs';
import { slowCases } from './guard-builds.mjs';
import { interleave } from './interleave.mjs';

const LENGTH = 16_384;
const SECONDS = 3;
const MARGIN = 0.5;
const TRIES = 3;
/** Of the default's speed: the lite build's loops are short, a third to two thirds as fast. */
const LITE = 0.15;
/** Cases of the lite entry, which has values alone. */
const VALUES = 6;
/** The first Node whose V8 has the flag. */
const FIRST_FUSED = 22;

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
const values = (entry, prefix) => buildCases(entry, prefix).slice(0, VALUES);
const slowLite = await slowCases(values(library, 'default: '), values(lite, 'lite: '), LITE);
if (slow.length > 0 || slowLite.length > 0 || !(await guardFused())) process.exitCode = 1;

/** In this Node, or in one of those that the runtimes' suite has; CI installs them. */
async function guardFused() {
  const major = (version) => Number.parseInt(version, 10);
  let node = process.execPath;
  if (major(process.versions.node) < FIRST_FUSED) {
    if (process.env.CI) await installTools();
    node = nodes.findLast(({ version }) => major(version) >= FIRST_FUSED).binary;
  }
  if (!existsSync(node)) {
    console.log(
      'fused: not measured, since this Node has no flag for it; Node 22 or later has, and what `npm run test:runtimes` installs',
    );
    return true;
  }
  const { status } = spawnSync(node, [fileURLToPath(new URL('guard-fused.mjs', import.meta.url))], {
    stdio: 'inherit',
  });
  return status === 0;
}
