// Headless Chromium: the bundles, a worker, and pages whose policy allows or forbids compiling.
import { existsSync, readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { dirname, extname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { bundlers } from './bundlers.mjs';
import { check, checkDigest, checkRefusal } from './report.mjs';
import { CHROMIUM, tool, versionOf } from './setup.mjs';

const TYPES = {
  '.html': 'text/html',
  '.wasm': 'application/wasm',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
};
const STRICT = "default-src 'none'; script-src 'self'; worker-src 'self'";
const ALLOWED = STRICT.replace("'self'", "'self' 'wasm-unsafe-eval'");

export async function checkBrowser(project) {
  await withChromium(async ({ version, log }) => {
    const bundle = (name) => join(project, 'bundles', `${name}.js`);
    await withFiles(project, async (origin) => {
      for (const [name, build] of Object.entries(bundlers)) {
        await check('Chromium', version, `page, bundle by ${name} ${versionOf(name)}`, async () => {
          await build(join(project, 'entries/print.mjs'), bundle(name));
          const hash = checkDigest(await log(`${origin}/page?script=/bundles/${name}.js`));
          return `${hash}, bundle of ${(gzipSync(readFileSync(bundle(name))).length / 1024).toFixed(1)} KiB gzip`;
        });
      }
      await check('Chromium', version, 'page, no bundler', async () =>
        checkDigest(await log(`${origin}/page?script=/entries/unbundled.mjs`)),
      );
      await check('Chromium', version, 'worker', async () => {
        await bundlers.esbuild(join(project, 'entries/thread.mjs'), bundle('thread'));
        return checkDigest(await log(`${origin}/worker?script=/bundles/thread.js`));
      });
      const page = (policy) => `${origin}/page?script=/bundles/esbuild.js&policy=${encodeURIComponent(policy)}`;
      await check('Chromium', version, "page, policy with 'wasm-unsafe-eval'", async () =>
        checkDigest(await log(page(ALLOWED))),
      );
      await check('Chromium', version, "page, policy without 'wasm-unsafe-eval': clear error", async () =>
        checkRefusal(await log(page(STRICT))),
      );
    });
    await check('Chromium', version, `page, Vite ${versionOf('vite')} development server`, () =>
      withVite(project, async (origin) => checkDigest(await log(`${origin}/development.html`))),
    );
  });
}

/** Calls `use` with a browser: `log` opens a page and returns the first line that it logs. */
export async function withChromium(use) {
  if (!existsSync(CHROMIUM)) {
    const remedy = 'run `apt-get install -y --no-install-recommends chromium`';
    return check('Chromium', '', 'is there', () => Promise.reject(new Error(`no ${CHROMIUM}: ${remedy}`)));
  }
  const { chromium } = await tool('playwright-core');
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
  const log = async (url) => {
    const page = await browser.newPage();
    try {
      const logged = new Promise((resolve, reject) => {
        page.on('console', (message) => (message.type() === 'log' ? resolve(message.text()) : undefined));
        page.on('pageerror', reject);
        setTimeout(() => reject(new Error(`${url} logged nothing in 20 s`)), 20_000).unref();
      });
      const [text] = await Promise.all([logged, page.goto(url)]);
      return text;
    } finally {
      await page.close();
    }
  };
  try {
    return await use({ version: browser.version(), log, newPage: () => browser.newPage() });
  } finally {
    await browser.close();
  }
}

/** Serves a folder on a free port, with two pages for a script: /page and /worker. */
export async function withFiles(directory, use) {
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url, 'http://localhost');
    const script = searchParams.get('script');
    const policy = searchParams.get('policy');
    const answer = (type, body) => {
      response.setHeader('content-type', type);
      if (policy !== null) response.setHeader('content-security-policy', policy);
      response.end(body);
    };
    if (pathname === '/page') return answer('text/html', `<script type="module" src="${script}"></script>`);
    if (pathname === '/worker') {
      const start = `new Worker('${script}', { type: 'module' }).onmessage = ({ data }) => console.log(data)`;
      return answer('text/html', `<script>${start}</script>`);
    }
    const file = join(directory, pathname);
    if (existsSync(file) && statSync(file).isFile())
      return answer(TYPES[extname(file)] ?? 'text/plain', readFileSync(file));
    response.statusCode = 404;
    response.end();
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    return await use(`http://127.0.0.1:${server.address().port}`);
  } finally {
    server.closeAllConnections();
    server.close();
  }
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
