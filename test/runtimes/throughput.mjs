// Throughput in every runtime, beside a loop by hand in the same process: the table of docs/performance.md.
//   node test/runtimes/throughput.mjs [--write]
import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { replaceSection, table } from '../../scripts/section.mjs';
import { chromium, firefox, webkit, withBrowser } from './browsers.mjs';
import { bundlers } from './bundlers.mjs';
import { runtimes } from './native.mjs';
import { withFiles } from './pages.mjs';
import { run } from './process.mjs';
import { installTools, makeProject, root } from './setup.mjs';

await installTools();
const project = await makeProject();
const rows = [];
try {
  for (const name of ['portable', 'inputs', 'scalar'])
    cpSync(join(root, `bench/${name}.mjs`), join(project, `bench/${name}.mjs`));
  await bundlers.esbuild(join(project, 'bench/portable.mjs'), join(project, 'throughput.mjs'));
  for (const { name, version, command } of runtimes) {
    add(name, version, await run([...command, join(project, 'throughput.mjs')]));
  }
  await withFiles(project, async (origin) => {
    for (const browser of [chromium, firefox, webkit]) {
      await withBrowser(browser, async ({ name, version, log }) =>
        add(name, version, await log(`${origin}/page?script=/throughput.mjs`)),
      );
    }
  });
} finally {
  rmSync(project, { recursive: true, force: true });
}
const heads = ['', 'loss, workspace', 'loss, ordinary arrays', 'loss and gradient', 'a careful loop'];
const lines = table(heads, rows);
console.log(lines.join('\n'));
if (process.argv.includes('--write')) replaceSection(join(root, 'docs/performance.md'), 'runtimes', lines);

function add(name, version, text) {
  const { loop, ...ours } = JSON.parse(text);
  const speed = (nanoseconds) => (1000 / nanoseconds).toFixed(0);
  const cells = Object.values(ours).map((nanoseconds) => `${speed(nanoseconds)} (${(loop / nanoseconds).toFixed(1)}x)`);
  rows.push([`${name} ${version}`, ...cells, speed(loop)]);
}
