import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { answerer, KNOWN_ANSWER } from '../src/wasm/known-answer.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const binary = readFileSync(`${root}build/kernel.wasm`);

test('the known answer is what the default kernel gives, and another kernel would not', () => {
  const answer = answerer(new WebAssembly.Module(binary));
  expect(answer()).toBe(KNOWN_ANSWER);
  expect(answer()).toBe(KNOWN_ANSWER); // whatever was computed before
  // the last bit of a coefficient of the exponential
  const at = binary.indexOf(Buffer.from(Float32Array.of(0.1666661947965622).buffer));
  expect(at).toBeGreaterThan(0);
  const other = Uint8Array.from(binary);
  other[at] ^= 1;
  expect(answerer(new WebAssembly.Module(other))()).not.toBe(KNOWN_ANSWER);
});

test('focal-loss-wasm/fused exports what the core entry does, with the same bits, and whether it is fused', () => {
  const code = `
    import * as library from 'focal-loss-wasm';
    import * as variant from 'focal-loss-wasm/fused';
    const words = new Float32Array([0.5, -2, 30]);
    const loss = new variant.FocalLoss().forward(words, [1, 0, 1]);
    const same = Object.is(loss, new library.FocalLoss().forward(words, [1, 0, 1]));
    console.log(JSON.stringify({ keys: Object.keys(variant), library: Object.keys(library), fused: variant.fused, same }));`;
  const node = [process.execPath, '--input-type=module', '-e', code] as const;
  const text = execFileSync(node[0], node.slice(1), { encoding: 'utf8', cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  const { keys, library, fused, same } = JSON.parse(text);
  expect(keys.sort()).toEqual([...library, 'fused'].sort());
  expect(same).toBe(true);
  // Node 20 does not know the flag
  if (Number.parseInt(process.versions.node, 10) < 22) expect(fused).toBe(false);
});
