// The built site in real browsers.
//   node site/test/run.mjs [--built FOLDER] [--only chromium|firefox|webkit]
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { chromium, firefox, webkit, withBrowser } from '../../test/runtimes/browsers.mjs';
import { check, results } from '../../test/runtimes/report.mjs';
import { root, site } from '../scripts/paths.mjs';

const BROWSERS = { chromium, firefox, webkit };
const { values: options } = parseArgs({ options: { built: { type: 'string' }, only: { type: 'string' } } });
const scratch = mkdtempSync(join(tmpdir(), 'focal-loss-site-'));
try {
  const built = options.built ?? build();
  // which the build has installed what they need for
  const [{ checkAll }, { writeData }, { familyChecks }, { checkHovers }, { withSite }, { load }] = await Promise.all([
    import('./checks.mjs'),
    import('./data.mjs'),
    import('./family.mjs'),
    import('./hovers.mjs'),
    import('./server.mjs'),
    import('../../scripts/typescript.mjs'),
  ]);
  const pages = readdirSync(built, { recursive: true }).filter((name) => name.endsWith('.html') && name !== '404.html');
  if (options.built === undefined) await check('site', '', 'types', async () => void run('vue-tsc', '--noEmit'));
  await check('site', '', 'what an editor shows', checkHovers);
  const data = await writeData(join(scratch, 'data'));
  const family = familyChecks(await load('losses/registry.ts'));
  await withSite(built, data, async (origin, missing) => {
    for (const name of options.only === undefined ? Object.keys(BROWSERS) : [options.only]) {
      await withBrowser(BROWSERS[name], (browser) => checkAll(browser, { origin, pages, data, family }), puppeteer);
    }
    await check('site', '', 'nothing is asked for that is not there', async () => {
      if (missing.length > 0) throw new Error([...new Set(missing)].join(', '));
    });
  });
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
const failed = results.filter(({ ok }) => !ok).length;
console.log(`\n${results.length - failed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

function build() {
  execFileSync(process.execPath, [join(site, 'run.mjs'), 'build', '--out', join(scratch, 'built')], {
    cwd: root,
    stdio: 'inherit',
  });
  return join(scratch, 'built');
}

function run(name, ...args) {
  const manifest = JSON.parse(readFileSync(join(site, 'node_modules', name, 'package.json'), 'utf8'));
  const script = join(site, 'node_modules', name, Object.values(manifest.bin)[0]);
  const { status, stdout } = spawnSync(process.execPath, [script, ...args], { cwd: site, encoding: 'utf8' });
  if (status !== 0) throw new Error(stdout);
}

async function puppeteer() {
  return import('puppeteer-core');
}
