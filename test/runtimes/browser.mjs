// Browsers: a bundle of each bundler, a worker, and pages whose policy allows or forbids compiling.
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { chromium, firefox, webkit, withBrowser } from './browsers.mjs';
import { bundlers } from './bundlers.mjs';
import { withFiles } from './pages.mjs';
import { check, checkDigest, checkParts, checkRefusal } from './report.mjs';
import { tool, versionOf } from './setup.mjs';

const STRICT = "default-src 'none'; img-src 'self'; script-src 'self'; worker-src 'self'";
const ALLOWED = STRICT.replace("script-src 'self'", "script-src 'self' 'wasm-unsafe-eval'");

export async function checkBrowser(project) {
  const entry = (name) => join(project, `entries/${name}.mjs`);
  const bundle = (name) => join(project, 'bundles', `${name}.js`);
  for (const name of ['print', 'print-lite', 'relaxed', 'float64', 'thread']) {
    await bundlers.esbuild(entry(name), bundle(name));
  }
  await withFiles(project, async (origin) => {
    for (const browser of [chromium, firefox, webkit]) {
      await withBrowser(browser, async (opened) => {
        await checkPages(origin, opened);
        if (browser === chromium) await checkBundlers(project, entry('print'), bundle, origin, opened);
      });
    }
  });
}

async function checkPages(origin, { name, version, log }) {
  const page = (script, policy) =>
    `${origin}/page?script=${script}${policy === undefined ? '' : `&policy=${encodeURIComponent(policy)}`}`;
  const bundle = '/bundles/print.js';
  const digest = async (url) => checkDigest(await log(url));
  await check(name, version, 'page, no bundler', () => digest(page('/entries/unbundled.mjs')));
  for (const [what, script] of Object.entries({
    'no bundler': '/entries/unbundled-lite.mjs',
    bundle: '/bundles/print-lite.js',
  })) {
    await check(name, version, `page, /lite, ${what}`, async () => checkParts(await log(page(script))));
  }
  await check(name, version, 'worker', () => digest(`${origin}/worker?script=/bundles/thread.js`));
  await check(name, version, 'page, /relaxed', () => log(page('/bundles/relaxed.js')));
  await check(name, version, 'page, /float64', async () =>
    checkDigest(await log(page('/bundles/float64.js')), 'float64'),
  );
  await check(name, version, "page, policy with 'wasm-unsafe-eval'", () => digest(page(bundle, ALLOWED)));
  await check(name, version, "page, policy without 'wasm-unsafe-eval': clear error", async () =>
    checkRefusal(await log(page(bundle, STRICT))),
  );
}

async function checkBundlers(project, entry, bundle, origin, { name, version, log }) {
  for (const [bundler, build] of Object.entries(bundlers)) {
    await check(name, version, `page, bundle by ${bundler} ${versionOf(bundler)}`, async () => {
      await build(entry, bundle(bundler));
      const hash = checkDigest(await log(`${origin}/page?script=/bundles/${bundler}.js`));
      return `${hash}, bundle of ${(gzipSync(readFileSync(bundle(bundler))).length / 1024).toFixed(1)} KiB gzip`;
    });
  }
  await check(name, version, `page, Vite ${versionOf('vite')} development server`, () =>
    withVite(project, async (served) => checkDigest(await log(`${served}/development.html`))),
  );
}

async function withVite(project, use) {
  const { createServer: createVite } = await tool('vite');
  const root = dirname(join(project, 'entries/print.mjs'));
  const server = await createVite({
    configFile: false,
    root,
    logLevel: 'warn',
    server: { host: '127.0.0.1', port: 0, fs: { allow: [project] } },
  });
  await server.listen();
  try {
    return await use(`http://127.0.0.1:${server.httpServer.address().port}`);
  } finally {
    await server.close();
  }
}
