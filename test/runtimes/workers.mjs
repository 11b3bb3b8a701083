// Cloudflare Workers: wrangler's own bundle, served by workerd itself.
import { mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run, serve } from './process.mjs';
import { check, checkDigest, checkParts, checkRefusal } from './report.mjs';
import { workerd, wrangler } from './setup.mjs';

/** From before compiling while a script starts was allowed (2025-06-01), and after. */
const DATES = ['2022-01-01', '2024-09-23', '2026-10-01'];
/** Compiling from bytes is allowed from here on, while the script starts. */
const COMPILES_AT_START = '2025-06-01';

export async function checkWorkers(project) {
  for (const date of DATES) {
    await check('workerd', workerd.version, `wrangler ${wrangler.version}, date ${date}`, async () => {
      const bundle = await bundleWorker(project, join(project, 'entries/worker.mjs'), date);
      if (!bundle.some((name) => name.endsWith('.wasm'))) throw new Error(`wrangler made ${bundle}: no binary`);
      return checkDigest(await serveWorker(bundle, date, (url) => get(url)));
    });
    await check('workerd', workerd.version, `/lite, date ${date}`, async () => {
      const bundle = await bundleWorker(project, join(project, 'entries/worker-lite.mjs'), date);
      const [binary] = bundle.filter((name) => name.endsWith('.wasm'));
      if (binary === undefined) throw new Error(`wrangler made ${bundle}: no binary`);
      const { size } = statSync(binary);
      return `${checkParts(await serveWorker(bundle, date, (url) => get(url)))}, binary of ${size} bytes`;
    });
    const compiles = date >= COMPILES_AT_START;
    await check('workerd', workerd.version, `/inline, date ${date}${compiles ? '' : ': clear error'}`, async () => {
      const bundle = await bundleWorker(project, join(project, 'entries/worker-inline.mjs'), date);
      const text = await serveWorker(bundle, date, (url) => get(url));
      return compiles ? checkDigest(text) : checkRefusal(text);
    });
  }
}

async function get(url) {
  return (await fetch(url)).text();
}

/** The files that wrangler would upload. */
export async function bundleWorker(project, entry, date) {
  const output = join(project, 'wrangler', `${entry.replaceAll(/\W+/g, '-')}-${date}`);
  const args = ['deploy', entry, '--name', 'losses', '--compatibility-date', date, '--dry-run', '--outdir', output];
  await run([...wrangler.command, ...args], { cwd: project });
  return readdirSync(output)
    .filter((name) => /\.(js|wasm)$/.test(name.replace(/\?.*$/, '')))
    .map((name) => join(output, name));
}

/** Serves the files by workerd on a free port of the loopback interface. */
export async function serveWorker(files, date, use) {
  const directory = join(files[0], '..');
  mkdirSync(directory, { recursive: true });
  const config = join(directory, 'worker.capnp');
  const modules = files
    .map((file) => file.slice(directory.length + 1))
    .sort((a, b) => Number(b.endsWith('.js')) - Number(a.endsWith('.js')))
    .map((name) => `(name = "${name}", ${name.endsWith('.js') ? 'esModule' : 'wasm'} = embed "${name}")`);
  writeFileSync(
    config,
    `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = (modules = [${modules.join(', ')}], compatibilityDate = "${date}"))],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")]
);
`,
  );
  const ready = (output) => /"event":"listen".*?"port":(\d+)/.exec(output)?.[1];
  const options = { ready, stdio: ['ignore', 'pipe', 'pipe', 'pipe'], stream: (child) => child.stdio[3] };
  return serve([workerd.binary, 'serve', config, '--control-fd=3'], options, (port) =>
    use(`http://127.0.0.1:${port}/`),
  );
}
