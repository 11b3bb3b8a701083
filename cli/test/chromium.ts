// A browser that is driven through a pipe, by the protocol that Chromium has for that.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';

export const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync);

export interface Page {
  /** The value of an expression in the page. */
  evaluate(expression: string): Promise<unknown>;
  /** Shows the page as a screen of this width does, light or dark. */
  screen(width: number, dark: boolean): Promise<void>;
  screenshot(): Promise<Uint8Array>;
  /** What the page asked the network for, itself left out, and what it complained of. */
  readonly requests: string[];
  readonly errors: string[];
  close(): Promise<void>;
}

export async function openPage(url: string): Promise<Page> {
  const profile = mkdtempSync(join(tmpdir(), 'focal-loss-chromium-'));
  const flags = ['--headless', '--no-sandbox', '--disable-gpu', '--no-first-run', '--remote-debugging-pipe'];
  const child = spawn(CHROMIUM ?? '', [...flags, `--user-data-dir=${profile}`, 'about:blank'], {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
  });
  const [input, output] = [child.stdio[3] as Writable, child.stdio[4] as Readable];
  const waiting = new Map<number, (message: Message) => void>();
  const [requests, errors]: string[][] = [[], []];
  let loaded = () => {};
  let rest = '';
  output.setEncoding('utf8').on('data', (text: string) => {
    const messages = (rest + text).split('\0');
    rest = messages.pop() ?? '';
    for (const each of messages) receive(JSON.parse(each));
  });

  function receive(message: Message): void {
    if (message.id !== undefined) waiting.get(message.id)?.(message);
    const { params } = message;
    if (message.method === 'Page.loadEventFired') loaded();
    if (message.method === 'Network.requestWillBeSent' && params.request.url !== url) requests.push(params.request.url);
    if (message.method === 'Log.entryAdded') errors.push(params.entry.text);
  }

  let count = 0;
  let sessionId: string | undefined;
  const send = (method: string, params: object = {}) =>
    // biome-ignore lint/suspicious/noExplicitAny: each method answers in its own way
    new Promise<any>((resolve, reject) => {
      const id = ++count;
      waiting.set(id, ({ result, error }) =>
        error === undefined ? resolve(result) : reject(new Error(error.message)),
      );
      input.write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
    });

  const { targetId } = await send('Target.createTarget', { url: 'about:blank' });
  ({ sessionId } = await send('Target.attachToTarget', { targetId, flatten: true }));
  for (const domain of ['Page', 'Network', 'Log', 'Runtime']) await send(`${domain}.enable`);
  const done = new Promise<void>((resolve) => {
    loaded = resolve;
  });
  await send('Page.navigate', { url });
  await done;
  return {
    requests,
    errors,
    async evaluate(expression) {
      return (await send('Runtime.evaluate', { expression, returnByValue: true })).result.value;
    },
    async screen(width, dark) {
      await send('Emulation.setDeviceMetricsOverride', {
        width,
        height: 900,
        deviceScaleFactor: 1,
        mobile: width < 600,
      });
      const features = [{ name: 'prefers-color-scheme', value: dark ? 'dark' : 'light' }];
      await send('Emulation.setEmulatedMedia', { features });
    },
    async screenshot() {
      const { data } = await send('Page.captureScreenshot', { captureBeyondViewport: true });
      return Buffer.from(data, 'base64');
    },
    async close() {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      sessionId = undefined;
      await send('Browser.close').catch(() => child.kill('SIGKILL'));
      await ended;
      rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

interface Message {
  readonly id?: number;
  readonly method?: string;
  // biome-ignore lint/suspicious/noExplicitAny: each event has its own
  readonly params: any;
  readonly result?: unknown;
  readonly error?: { readonly message: string };
}
