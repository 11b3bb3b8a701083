// The pages that browsers open.
import { existsSync, readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join } from 'node:path';

const TYPES = {
  '.html': 'text/html',
  '.wasm': 'application/wasm',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
};

/** Keeps what a page logs where a driver can read it. */
const KEEP = `const { log } = console;
console.log = (text) => {
  document.documentElement.dataset.logged = text;
  log(text);
};`;

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
    const page = (rest) => answer('text/html', `<!doctype html><script src="/keep.js"></script>${rest}`);
    if (pathname === '/keep.js') return answer('text/javascript', KEEP);
    if (pathname === '/page') return page(`<script type="module" src="${script}"></script>`);
    if (pathname === '/worker') {
      const start = `new Worker('${script}', { type: 'module' }).onmessage = ({ data }) => console.log(data)`;
      return page(`<script>${start}</script>`);
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
