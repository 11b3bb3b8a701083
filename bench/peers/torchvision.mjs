// torchvision.ops.sigmoid_focal_loss in a Python process of its own, which times itself; only where Python has it.

import { spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const PYTHONS = [process.env.PYTHON, 'python3', '/usr/bin/python3'].filter(Boolean);
const SERVER = fileURLToPath(new URL('torchvision_server.py', import.meta.url));

/** @param folder where `logits.f32` and `targets.f32` lie */
export async function open({ alpha, folder }) {
  const python = PYTHONS.find((each) => spawnSync(each, ['-c', 'import torchvision, numpy']).status === 0);
  if (python === undefined)
    throw new Error('no Python that has torchvision (Debian: python3-torchvision; or name one by PYTHON)');
  const child = spawn(python, [SERVER, folder, String(alpha)], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const answer = async () => {
    const { value, done } = await lines.next();
    if (done) throw new Error('the Python process has ended');
    return JSON.parse(value);
  };
  const ask = (request) => {
    child.stdin.write(`${JSON.stringify(request)}\n`);
    return answer();
  };
  const { torch, torchvision } = await answer();
  return {
    name: 'torchvision',
    version: `${torchvision} on torch ${torch}`,
    prepare({ logits: { length } }) {
      return {
        asynchronous: true,
        loss: async () => (await ask({ kind: 'loss', length, calls: 1 })).value,
        gradient: async () => {
          const { value } = await ask({ kind: 'gradient', length, calls: 1, keep: true });
          const { buffer } = new Uint8Array(readFileSync(`${folder}/grad.f32`));
          return { value, grad: new Float32Array(buffer) };
        },
        /** Milliseconds of some calls, without what it takes to ask for them. */
        time: async (kind, calls) => (await ask({ kind, length, calls })).milliseconds,
        release() {},
      };
    },
    close: () => child.stdin.end(),
  };
}
