// Peers that Python has, each in a process of its own, which times itself; only where Python has them.

import { spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const PYTHONS = [process.env.PYTHON, 'python3', '/usr/bin/python3'].filter(Boolean);
const SERVER = fileURLToPath(new URL('python_server.py', import.meta.url));
/** What a peer imports. */
const MODULES = { torchvision: 'torchvision', 'torch.compile': 'torch, torchvision', optax: 'optax' };

/**
 * @param peer a key of MODULES
 * @param options `folder` is where `logits.f32` and `targets.f32` lie
 */
export async function open(peer, { alpha, folder, threads }) {
  const python = PYTHONS.find((each) => spawnSync(each, ['-c', `import ${MODULES[peer]}, numpy`]).status === 0);
  if (python === undefined)
    throw new Error(`no Python that can import ${MODULES[peer]} and numpy (name one by PYTHON)`);
  const argv = [SERVER, peer, String(threads), folder, String(alpha)];
  const child = spawn(python, argv, { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const answer = async () => {
    const { value, done } = await lines.next();
    if (done) throw new Error(`the Python process of ${peer} has ended`);
    const parsed = JSON.parse(value);
    if (parsed.error !== undefined) throw new Error(parsed.error);
    return parsed;
  };
  const ask = (request) => {
    child.stdin.write(`${JSON.stringify(request)}\n`);
    return answer();
  };
  const { version } = await answer();
  return {
    name: peer,
    version,
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
