import { readFileSync } from 'node:fs';
import { runInNewContext } from 'node:vm';
import { afterEach, expect, test, vi } from 'vitest';
import { root, runModule } from './support.js';

afterEach(() => {
  vi.doUnmock('#wasm');
  vi.resetModules();
});

async function libraryWith(wasm: { module?: WebAssembly.Module; error?: unknown }) {
  vi.resetModules();
  vi.doMock('#wasm', () => ({ wasm }));
  return import('../../src/index.js');
}

test("a module of the host's realm, as Vercel Edge hands it over, is taken", async () => {
  const bytes = readFileSync(`${root}dist/wasm/kernel.wasm`);
  const foreign = runInNewContext('new WebAssembly.Module(bytes)', { bytes }) as WebAssembly.Module;
  expect(foreign instanceof WebAssembly.Module).toBe(false);
  const { FocalLoss } = await libraryWith({ module: foreign });
  const loss = new FocalLoss({ gamma: 0, alpha: null, reduction: 'sum' }).forward([0], [1]);
  expect(loss).toBeCloseTo(Math.LN2, 6);
});

test('where nothing was compiled, the first use says why and what to do', async () => {
  const cause = new WebAssembly.CompileError('Wasm code generation disallowed by embedder');
  const { FocalLoss } = await libraryWith({ error: cause });
  const criterion = new FocalLoss();
  const error = (() => {
    try {
      criterion.forward([0], [1]);
    } catch (thrown) {
      return thrown as Error;
    }
    return expect.fail('nothing was thrown');
  })();
  expect(error.cause).toBe(cause);
  for (const part of [
    'CompileError: Wasm code generation disallowed by embedder',
    "'wasm-unsafe-eval'",
    '"workerd"',
    '"edge-light"',
    '"focal-loss-wasm/inline"',
  ]) {
    expect(error.message).toContain(part);
  }
});

const REFUSALS = {
  'a policy': "WebAssembly.Module = function () { throw new WebAssembly.CompileError('blocked by CSP'); };",
  'a policy, in WebKit': "WebAssembly.Instance = function () { throw new WebAssembly.CompileError('Refused'); };",
  'no WebAssembly': 'delete globalThis.WebAssembly;',
};

test.each(Object.entries(REFUSALS))('%s is no error at import', (_, refusal) => {
  for (const entry of ['dist/index.js', 'dist/index.cjs']) {
    const said = runModule(`${refusal}
      const { FocalLoss } = await import('./${entry}');
      const criterion = new FocalLoss();
      console.log('imported');
      try { criterion.forward([0], [1]); } catch (error) { console.log(error.message); }`);
    expect(said).toMatch(
      /^imported\nfocal-loss-wasm could not compile its WebAssembly kernel \((Compile|Reference)Error: /,
    );
  }
});

const HOSTS = {
  'without Buffer, as in a browser': 'delete globalThis.Buffer;',
  'with a Buffer of its own': 'globalThis.Buffer = { from: () => [] };',
  'with Uint8Array.fromHex': `const { Buffer } = globalThis; globalThis.Buffer = undefined;
    Uint8Array.fromHex = (text) => new Uint8Array(Buffer.from(text, 'hex'));`,
};

test.each(Object.entries(HOSTS))('the bundles work in a host %s', (_, host) => {
  for (const entry of ['dist/index.js', 'dist/index.cjs']) {
    const loss = runModule(`${host}
      const { FocalLoss } = await import('./${entry}');
      process.stdout.write(String(new FocalLoss({ gamma: 0, alpha: null }).forward([0], [1])));`);
    expect(Number(loss)).toBeCloseTo(Math.LN2, 6);
  }
});

test('nothing is instantiated before the first use, and then linear memory keeps its size', () => {
  const sizes = runModule(`const memories = [];
    const { Instance } = WebAssembly;
    WebAssembly.Instance = class extends Instance {
      constructor(...args) { super(...args); memories.push(this.exports.memory); }
    };
    const { FocalLoss, SoftmaxFocalLoss, focalPosterior } = await import('./dist/index.js');
    const criterion = new FocalLoss();
    const bytes = () => memories.map((memory) => memory.buffer.byteLength);
    const seen = [bytes()];
    const n = 1 << 20;
    const logits = new Float32Array(n);
    for (const targets of [new Uint8Array(n), new BigInt64Array(n), Array(n).fill(0)]) criterion.gradHess(logits, targets);
    focalPosterior(logits);
    new SoftmaxFocalLoss({ numClasses: 1024 }).valueAndGrad(logits, new Int32Array(1024));
    seen.push(bytes());
    // a row that is too wide for it gets another one in its place
    new SoftmaxFocalLoss({ numClasses: 50257 }).valueAndGrad(new Float32Array(50257), [7]);
    criterion.forward(logits, new Uint8Array(n));
    seen.push(bytes());
    console.log(JSON.stringify(seen));`);
  const [before, after, wide] = JSON.parse(sizes);
  expect(before).toEqual([]);
  expect(after).toHaveLength(1);
  expect(after[0]).toBeLessThanOrEqual(640 * 1024);
  expect(wide).toHaveLength(2);
  expect(wide[1]).toBeLessThanOrEqual(1024 * 1024);
});
