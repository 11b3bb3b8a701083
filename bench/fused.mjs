// The entry that packs vectors to 256 bits beside the default one, in one interleaved run: `npm run bench:fused`, Node 22 or later.

import { writeFileSync } from 'node:fs';
import * as library from 'focal-loss-wasm';
import { buildCases, LENGTH } from './build-cases.mjs';
import { interleave } from './interleave.mjs';
import { machine } from './machine.mjs';
import { round } from './round.mjs';

const SECONDS = 20;

const run = machine();
console.log(`${run.processor}, ${run.cores} cores, Node ${run.node}, ${run.date}`);
const defaults = buildCases(library, 'default: ');
// The flag counts for what is compiled after it, so the default kernel is compiled with all that V8 has before.
await interleave(defaults, { seconds: 3 });
const variant = await import('focal-loss-wasm/fused');
if (!variant.fused) throw new Error('this engine does not pack vectors: Node 22 or later on x86-64 does');
const times = await interleave([...defaults, ...buildCases(variant, '')], { seconds: SECONDS });

const rows = defaults.map(({ name, length }) => {
  const own = name.replace('default: ', '');
  const [base, packed] = [times[name], times[own]].map((nanoseconds) => (1000 * length) / nanoseconds);
  const cells = [packed.toFixed(0), base.toFixed(0), (packed / base).toFixed(2)]
    .map((cell) => cell.padStart(8))
    .join(' ');
  console.log(`  ${own.padEnd(34)}${cells}`);
  return { name: own, megaPerSecond: round(packed), default: round(base), ratio: round(packed / base) };
});
const file = new URL(`results/fused-${run.node.split('.')[0]}.json`, import.meta.url);
writeFileSync(file, `${JSON.stringify({ ...run, length: LENGTH, rows }, null, 2)}\n`);
