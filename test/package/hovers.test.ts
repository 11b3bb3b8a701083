// What an editor shows, asked of TypeScript's own language server about the published declarations.
import { type ChildProcess, spawn } from 'node:child_process';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { root } from './support.js';

const FILE = pathToFileURL(`${root}test/package/hover.ts`).href;
const TEXT = `import { FocalLoss, focalPosterior, SoftmaxFocalLoss } from 'focal-loss-wasm';
const criterion = new FocalLoss({ gamma: 2, alpha: 0.25, posWeight: 3, labelSmoothing: 0.1 });
const rows = new SoftmaxFocalLoss({ numClasses: 3, gamma: 2 });
focalPosterior([0], { gamma: 2 });
criterion.forward([0], [1]);
new FocalLoss({ gama: 2 });
new FocalLoss({ alpha: 'none' });
export { rows };
`;

let server: ChildProcess;
const waiting = new Map<number, (result: unknown) => void>();

beforeAll(async () => {
  server = spawn(process.execPath, [`${root}node_modules/typescript/bin/tsc`, '--lsp', '--stdio'], { cwd: root });
  server.stdout?.on('data', messages(answer));
  const rootUri = pathToFileURL(root).href;
  await ask('initialize', {
    processId: process.pid,
    rootUri,
    capabilities: {},
    workspaceFolders: [{ uri: rootUri, name: 'root' }],
  });
  say({ method: 'initialized', params: {} });
  say({
    method: 'textDocument/didOpen',
    params: { textDocument: { uri: FILE, languageId: 'typescript', version: 1, text: TEXT } },
  });
}, 60_000);

afterAll(() => {
  server.kill();
});

test.each([
  ['gamma: 2, alpha', /\(1 - p_t\)\^gamma/, /\[0, 64\]/, /Default 1\.5/],
  ['alpha: 0.25', /positives/i, /\[0, 1\]/, /Default\s+0\.25/],
  ['posWeight', /positive/i, />= 0/, /Default 1/],
  ['labelSmoothing', /target/, /\[0, 1\)/, /Default 0/],
  ['numClasses', /logits/, />= 1/, /numClasses/],
])('hovering over %s tells what it does, its range and its default', async (at, ...told) => {
  const text = await hover(at);
  for (const pattern of told) expect(text).toMatch(pattern);
});

test('hovering over a function gives its source and an example', async () => {
  const posterior = await hover('focalPosterior(');
  expect(posterior).toMatch(/arxiv\.org\/abs\/2011\.09172/);
  expect(posterior).toContain("from 'focal-loss-wasm'");
});

test('the type of a result follows from the reduction', async () => {
  expect(await hover('forward')).toMatch(/\): number/);
});

test('a wrong option is named in the first line, with the option that was meant', async () => {
  const { items } = (await ask('textDocument/diagnostic', { textDocument: { uri: FILE } })) as {
    items: { message: string; range: { start: { line: number } } }[];
  };
  const on = (line: number) =>
    items
      .filter(({ range }) => range.start.line === line)
      .map(({ message }) => message)
      .join('\n');
  expect(on(5)).toMatch(/gama/);
  expect(on(5)).toMatch(/gamma/);
  expect(on(6)).toMatch(/string/);
});

async function hover(at: string): Promise<string> {
  const before = TEXT.slice(0, TEXT.indexOf(at, TEXT.indexOf('\n')));
  const line = before.split('\n').length - 1;
  const position = { line, character: before.length - before.lastIndexOf('\n') };
  const answer = (await ask('textDocument/hover', { textDocument: { uri: FILE }, position })) as {
    contents: string | { value: string };
  } | null;
  const contents = answer?.contents ?? '';
  return typeof contents === 'string' ? contents : contents.value;
}

function ask(method: string, params: object): Promise<unknown> {
  const id = waiting.size + 1;
  return new Promise((resolve) => {
    waiting.set(id, resolve);
    say({ id, method, params });
  });
}

function say(message: object): void {
  const body = JSON.stringify({ jsonrpc: '2.0', ...message });
  server.stdin?.write(`Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
}

function answer(message: { id?: number; method?: string; params?: { items?: unknown[] }; result?: unknown }): void {
  if (message.id === undefined) return;
  // the server asks too, for settings that this client has not
  if (message.method !== undefined) say({ id: message.id, result: message.params?.items?.map(() => null) ?? null });
  else waiting.get(message.id)?.(message.result);
}

/** Cuts what arrives into messages. */
function messages(take: (message: never) => void): (chunk: Buffer) => void {
  let rest = Buffer.alloc(0);
  return (chunk) => {
    rest = Buffer.concat([rest, chunk]);
    for (;;) {
      const head = rest.indexOf('\r\n\r\n');
      const length = Number(/Content-Length: (\d+)/.exec(rest.subarray(0, head).toString())?.[1]);
      if (head < 0 || rest.length < head + 4 + length) return;
      const body = rest.subarray(head + 4, head + 4 + length).toString();
      rest = rest.subarray(head + 4 + length);
      take(JSON.parse(body) as never);
    }
  };
}
