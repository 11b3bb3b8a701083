// Serves the built site under a path that no build has heard of, with a policy that allows nothing from elsewhere, and notes
// in each page what goes wrong there.
import { existsSync, readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const BASE = '/some/folder/';
const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.json': 'application/json',
  '.woff2': 'font/woff2',
};
const POLICY = [
  "default-src 'self'",
  "script-src 'self' 'unsafe-inline' 'wasm-unsafe-eval'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
].join('; ');

const WATCH = `<script>
window.faults = [];
for (const name of ['error', 'warn']) {
  const say = console[name];
  console[name] = (...words) => { faults.push(name + ': ' + words.join(' ')); say(...words); };
}
addEventListener('error', ({ message, target }) => {
  // Firefox refuses to load ahead what it has already, and gives up what is being loaded ahead when a page is left; what is
  // really missing is asked for at the server, which notes it
  if (!/^(modulepreload|prefetch)$/.test(target.rel)) faults.push('error: ' + (message ?? target.outerHTML));
}, true);
addEventListener('unhandledrejection', (event) => faults.push('rejection: ' + event.reason));
addEventListener('securitypolicyviolation', (event) => faults.push('refused: ' + event.blockedURI));
</script>`;

const harness = fileURLToPath(new URL('harness', import.meta.url));
const axe = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

/** `data.folder` has the files that the pages are given to read. */
export async function withSite(site, data, use) {
  const missing = [];
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url, 'http://localhost');
    const send = (type, body) => {
      response.setHeader('content-type', type ?? 'application/octet-stream');
      response.setHeader('content-security-policy', POLICY);
      response.end(body);
    };
    if (pathname === '/check')
      return send(TYPES['.html'], '<!doctype html><script type="module" src="/harness/main.mjs"></script>');
    if (pathname === '/axe.js') return send(TYPES['.js'], readFileSync(axe));
    const [folder, path] = pathname.startsWith(BASE)
      ? [site, pathname.slice(BASE.length)]
      : pathname.startsWith('/data/')
        ? [data.folder, pathname.slice(6)]
        : [harness, pathname.replace(/^\/harness\//, '')];
    const file = join(folder, path.endsWith('/') || path === '' ? `${path}index.html` : path);
    if (existsSync(file) && statSync(file).isFile()) {
      const body = readFileSync(file);
      const isPage = folder === site && extname(file) === '.html';
      return send(TYPES[extname(file)], isPage ? String(body).replace('<head>', `<head>${WATCH}`) : body);
    }
    if (pathname !== '/favicon.ico') missing.push(pathname);
    response.statusCode = 404;
    response.end();
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    return await use(`http://127.0.0.1:${server.address().port}`, missing);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}
