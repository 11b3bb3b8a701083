// Speed beside scalar JavaScript, in one interleaved run: `npm run bench [-- --quick | --large | --family]`.

import { parseArgs } from 'node:util';
import { binaryCases, softmaxCases } from './cases.mjs';
import { familyCases } from './family.mjs';
import { interleave } from './interleave.mjs';
import { machine } from './machine.mjs';
import { writeLine } from './results.mjs';
import { round } from './round.mjs';

const { values } = parseArgs({
  options: { quick: { type: 'boolean' }, large: { type: 'boolean' }, family: { type: 'boolean' } },
});
const quick = values.quick === true;

const LENGTHS = quick ? [1, 16_384, 1_048_576] : [1, 16, 256, 4096, 16_384, 65_536, 1_048_576];
const ROWS = [10, 80, 1000].flatMap((classes) =>
  (quick ? [65_536] : [4096, 65_536]).map((length) => [classes, length]),
);
/** For all cases of a length together. */
const SECONDS = quick ? 3 : 12;

const run = machine();
console.log(`${run.processor}, ${run.cores} cores, Node ${run.node}, ${run.date}`);

const rows = [];
if (values.large) LENGTHS.push(16_777_216);
if (!values.family) {
  for (const length of LENGTHS) await measure(binaryCases(length), length > 1e6 ? 2 * SECONDS : SECONDS);
  for (const [classes, length] of ROWS) await measure(softmaxCases(classes, length), SECONDS / 2);
}
await measure(await familyCases(16_384), SECONDS);

const missed = rows.filter(({ verdict }) => verdict === 'MISSED');
console.log(`\n${missed.length === 0 ? 'Every target is reached.' : `${missed.length} targets are missed.`}`);

if (!values.family) writeLine({ ...run, quick }, rows);

/** Checks and times a group of cases, and prints a line for each. */
async function measure({ title, length, cases, check }, seconds) {
  check();
  const times = await interleave(cases, { seconds });
  console.log(`\n${title.padEnd(36)}${length === 1 ? '  ns/call' : '      M/s'}    ratio     must      aim`);
  for (const { name, base, must, aim } of cases) {
    const nanoseconds = times[name];
    const megaPerSecond = (1000 * length) / nanoseconds;
    const ratio = times[base ?? name] / nanoseconds;
    const verdict = must === undefined ? '' : judge(ratio, must, aim);
    rows.push({ title, length, name, base, nanoseconds: round(nanoseconds), ratio: round(ratio), must, aim, verdict });
    const cells = [length === 1 ? nanoseconds.toFixed(0) : megaPerSecond.toFixed(1), ratio.toFixed(2), must, aim];
    const text = cells.map((cell) => String(cell ?? '').padStart(9)).join('');
    console.log(`  ${name.padEnd(34)}${text}  ${verdict}`);
  }
}

/** Where a ratio stands between what it must reach and what it aims at. */
function judge(ratio, must, aim) {
  if (ratio < must) return 'MISSED';
  return ratio >= aim ? 'aim' : 'must';
}
