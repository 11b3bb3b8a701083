// The browsers, and what opens a page in each: Chromium and Firefox by their own protocols, WebKit's GTK port by WebDriver.
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { serve, start } from './process.mjs';
import { check } from './report.mjs';
import { tool } from './setup.mjs';

const PATIENCE = 20_000;
const MINI_BROWSER = '/usr/lib/x86_64-linux-gnu/webkit2gtk-4.1/MiniBrowser';

/** Debian's, with the packages that bring them. */
export const chromium = puppet('Chromium', 'chrome', '/usr/bin/chromium', 'chromium', ['--no-sandbox']);
export const firefox = puppet('Firefox', 'firefox', '/usr/bin/firefox-esr', 'firefox-esr');
export const webkit = { name: 'WebKitGTK', file: MINI_BROWSER, packages: 'webkit2gtk-driver xvfb', use: useWebKit };

/**
 * Calls `use` with an open browser: `log` opens a page and returns the first line that it logs; `newPage`, where there is
 * one, gives a page of puppeteer's. `puppeteer` imports it, for who has one of their own.
 */
export async function withBrowser(browser, use, puppeteer = () => tool('puppeteer-core')) {
  const { name, file, packages, use: open } = browser;
  if (existsSync(file)) return open(use, puppeteer);
  const remedy = `run \`apt-get install -y --no-install-recommends ${packages}\``;
  return check(name, '', 'is there', () => Promise.reject(new Error(`no ${file}: ${remedy}`)));
}

function puppet(name, browser, file, packages, args = []) {
  const open = async (use, load) => {
    const { default: puppeteer } = await load();
    const opened = await puppeteer.launch({ browser, executablePath: file, args });
    const newPage = () => opened.newPage();
    const log = async (url, patience) => {
      const page = await newPage();
      try {
        return await firstLog(page, url, patience);
      } finally {
        await page.close();
      }
    };
    try {
      return await use({ name, version: (await opened.version()).replace(/^.*\//, ''), log, newPage });
    } finally {
      await opened.close();
    }
  };
  return { name, file, packages, use: open };
}

async function firstLog(page, url, patience = PATIENCE) {
  const said = new Promise((resolve, reject) => {
    page.on('console', (message) => (message.type() === 'log' ? resolve(message.text()) : undefined));
    page.on('pageerror', reject);
    setTimeout(patience, undefined, { ref: false }).then(() =>
      reject(new Error(`${url} logged nothing in ${patience / 1000} s`)),
    );
  });
  const [text] = await Promise.all([said, page.goto(url)]);
  return text;
}

/** WebKit has no headless mode, and its driver no console: the pages keep what they log, see pages.mjs. */
async function useWebKit(use) {
  const screen = ['Xvfb', '-displayfd', '3', '-screen', '0', '1024x768x24', '-nolisten', 'tcp'];
  const stdio = ['ignore', 'pipe', 'pipe', 'pipe'];
  const ready = (output) => /^(\d+)\n/.exec(output)?.[1];
  await serve(screen, { stdio, stream: (child) => child.stdio[3], ready }, (display) => withDriver(display, use));
}

async function withDriver(display, use) {
  const port = await freePort();
  const { child, done } = start(['WebKitWebDriver', `--port=${port}`], { env: { DISPLAY: `:${display}` } });
  const ask = async (method, path, body) => {
    const options = { method, body: body && JSON.stringify(body) };
    const { value } = await (await fetch(`http://127.0.0.1:${port}${path}`, options)).json();
    if (value?.error !== undefined) throw new Error(`WebKitWebDriver: ${value.error}: ${value.message}`);
    return value;
  };
  try {
    await until(() => ask('GET', '/status').catch(() => undefined), 'WebKitWebDriver does not answer');
    const options = { binary: MINI_BROWSER, args: ['--automation'] };
    const wanted = { capabilities: { alwaysMatch: { 'webkitgtk:browserOptions': options } } };
    const { sessionId, capabilities } = await ask('POST', '/session', wanted);
    const session = `/session/${sessionId}`;
    const script = 'return document.documentElement.dataset.logged';
    const log = async (url, patience) => {
      await ask('POST', `${session}/url`, { url });
      const read = () => ask('POST', `${session}/execute/sync`, { script, args: [] });
      return until(read, `${url} logged nothing`, patience);
    };
    try {
      return await use({ name: webkit.name, version: capabilities.browserVersion, log });
    } finally {
      await ask('DELETE', session);
    }
  } finally {
    child.kill();
    await done;
  }
}

/** What `read` gives, as soon as it gives something. */
async function until(read, complaint, patience = PATIENCE) {
  for (const end = performance.now() + patience; performance.now() < end; await setTimeout(50)) {
    const value = await read();
    if (value !== undefined && value !== null) return value;
  }
  throw new Error(`${complaint} in ${patience / 1000} s`);
}

export async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}
