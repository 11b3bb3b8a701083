// Starts the service for tests and for the load, and asks it.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';

/** @param prefix a shell command that the service is started after, such as a limit */
export async function startService(env, prefix = '') {
  const script = join(import.meta.dirname, 'server.mjs');
  const child = spawn('bash', ['-c', `${prefix} exec "${process.execPath}" "${script}"`], {
    // a port of its own, which is the same for workers that come later
    env: { ...process.env, PORT: await freePort(), METRICS_PORT: '0', ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const service = { child, output: '' };
  await new Promise((resolve, reject) => {
    child.stdout.on('data', (chunk) => {
      service.output += chunk;
      const [, url, metrics] = /listening on (\S+), metrics on (\S+)\/metrics/.exec(service.output) ?? [];
      if (url !== undefined) resolve(Object.assign(service, { url, metrics }));
    });
    child.once('exit', () => reject(new Error(`the service ended: ${service.output}`)));
  });
  return {
    ...service,
    log: () => service.output,
    async post(path, body) {
      const response = await fetch(`${service.url}${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        // where a worker dies with it, a connection may stay without an answer
        signal: AbortSignal.timeout(10_000),
        body: typeof body === 'string' ? body : JSON.stringify(body),
      });
      return { status: response.status, ...(await response.json()) };
    },
    window: async () => (await fetch(`${service.metrics}/window`)).json(),
    prometheus: async () => (await fetch(`${service.metrics}/metrics`)).text(),
    workers: async () =>
      (await readFile(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8')).trim().split(' ').map(Number),
    async stop(signal = 'SIGTERM') {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill(signal);
      await once(child, 'exit');
    },
  };
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  return String(port);
}

/** Resident memory of processes in MiB. */
export async function memoryOf(pids) {
  let pages = 0;
  for (const pid of pids) pages += Number((await readFile(`/proc/${pid}/statm`, 'utf8')).split(' ')[1]);
  return (pages * 4) / 1024;
}
