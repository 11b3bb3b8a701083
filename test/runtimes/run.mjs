// The packed package in every runtime and bundler.
//   node test/runtimes/run.mjs [--only GROUP] [--accept] [--write]
//   --only    one of the groups below
//   --accept  takes this Node's bits as the expected ones
//   --write   writes the table in docs/runtimes.md
import { rmSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { checkAbi } from './abi.mjs';
import { checkArm64 } from './arm64.mjs';
import { checkBrowser } from './browser.mjs';
import { checkEdge, checkLambda } from './edge.mjs';
import { checkExamples } from './examples.mjs';
import { checkFusion } from './fusion.mjs';
import { checkNative } from './native.mjs';
import { accept, check, results } from './report.mjs';
import { installTools, libraryOf, makeProject } from './setup.mjs';
import { writeTable } from './table.mjs';
import { checkWorkers } from './workers.mjs';
import { digest } from './workload.mjs';

const GROUPS = {
  native: checkNative,
  fusion: checkFusion,
  arm64: checkArm64,
  workers: checkWorkers,
  edge: checkEdge,
  lambda: checkLambda,
  browser: checkBrowser,
  examples: checkExamples,
  abi: checkAbi,
};

const { values: options } = parseArgs({
  options: { only: { type: 'string' }, accept: { type: 'boolean' }, write: { type: 'boolean' } },
});
const groups = options.only === undefined ? Object.keys(GROUPS) : [options.only];
if (!groups.every((name) => name in GROUPS))
  throw new Error(`--only expected one of ${Object.keys(GROUPS).join(', ')}`);

await installTools();
const project = await makeProject();
try {
  if (options.accept) accept(digest(await libraryOf(project)));
  for (const group of groups) {
    try {
      await GROUPS[group](project);
    } catch (error) {
      await check(group, '', 'could not go on', () => Promise.reject(error));
    }
  }
} finally {
  rmSync(project, { recursive: true, force: true });
}
const failed = results.filter(({ ok }) => !ok).length;
process.exitCode = failed === 0 ? 0 : 1;
if (options.write) {
  if (failed === 0 && options.only === undefined) writeTable(results);
  else console.log('docs/runtimes.md is as it was: --write needs a full run without a failure');
}
console.log(`\n${results.length - failed} passed, ${failed} failed`);
