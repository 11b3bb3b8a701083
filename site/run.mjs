// The site: npm run site, npm run site:build.
//   node site/run.mjs dev [options of vitepress dev]
//   node site/run.mjs build [--out FOLDER]      static files that work under any path of any host
// Installs what is not installed, builds the package, and makes the pages out of the documents first.
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, statSync, watch } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { root, site } from './scripts/paths.mjs';

const [command, ...rest] = process.argv.slice(2);
if (command !== 'dev' && command !== 'build') throw new Error(`expected dev or build, got ${command}`);

run([process.execPath, 'scripts/setup.mjs'], root);
install();
const { writePages, watched } = await import('./scripts/pages.mjs');
const { load } = await import('../scripts/typescript.mjs');
const registry = await load('losses/registry.ts');
const { writeApi } = await import('./scripts/api.mjs');
writePages(registry);
await writeApi(registry);
if (command === 'dev') develop();
else await build();

function install() {
  const installed = join(site, 'node_modules/.package-lock.json');
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(join(site, 'package-lock.json')).mtimeMs) return;
  console.log('Installing what the site needs: 250 MB, half a minute');
  run(['npm', 'ci', '--no-audit', '--no-fund', '--loglevel=error'], site);
}

/** Documents are copied again as they change; VitePress then shows them. */
function develop() {
  for (const path of watched) {
    watch(join(root, path), { recursive: true }, () => {
      try {
        writePages(registry);
      } catch (error) {
        console.error(error.message); // such as a link that leads nowhere, while it is typed
      }
    });
  }
  const vitepress = spawn(process.execPath, [vitepressOf(), 'dev', ...rest], { cwd: site, stdio: 'inherit' });
  vitepress.on('exit', (code) => process.exit(code ?? 1));
}

async function build() {
  const { values } = parseArgs({ args: rest, options: { out: { type: 'string', default: join(site, 'dist') } } });
  const { MARK, makePortable } = await import('./scripts/portable.mjs');
  const out = resolve(values.out);
  run([process.execPath, vitepressOf(), 'build'], site, { SITE_BASE: MARK, SITE_OUT: out });
  await makePortable(out);
  console.log(`${out}: serve it under any path`);
}

function vitepressOf() {
  return join(site, 'node_modules/vitepress/bin/vitepress.js');
}

function run([file, ...args], cwd, env = {}) {
  execFileSync(file, args, { cwd, stdio: 'inherit', env: { ...process.env, ...env } });
}
