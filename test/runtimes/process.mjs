// Processes, each ended by its own id.
import { spawn } from 'node:child_process';

const TIMEOUT = 60_000;
const ENVIRONMENT = {
  NO_COLOR: '1',
  DENO_NO_UPDATE_CHECK: '1',
  WRANGLER_SEND_METRICS: 'false',
  WRANGLER_LOG_SANITIZE: 'false',
  BUN_RUNTIME_TRANSPILER_CACHE_PATH: '0',
};

/** Starts a command; `done` resolves to its exit code, standard output and standard error. */
export function start([command, ...args], { cwd, env = {}, stdio = ['ignore', 'pipe', 'pipe'] } = {}) {
  const inherited = { ...process.env, ...ENVIRONMENT, ...env };
  delete inherited.NODE_OPTIONS;
  const child = spawn(command, args, { cwd, env: inherited, stdio });
  const text = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr']) {
    child[name].setEncoding('utf8').on('data', (chunk) => {
      text[name] += chunk;
    });
  }
  const done = new Promise((resolve, reject) => {
    child.on('error', reject).on('close', (code, signal) => resolve({ code: code ?? signal, ...text }));
  });
  return { child, text, done };
}

/** Runs a command to its end and returns its standard output. */
export async function run(command, { timeout = TIMEOUT * 5, ...options } = {}) {
  const { child, done } = start(command, options);
  const timer = setTimeout(() => child.kill('SIGKILL'), timeout);
  const { code, stdout, stderr } = await done;
  clearTimeout(timer);
  if (code !== 0) throw new Error(`${command.join(' ')} ended with ${code}: ${(stderr || stdout).trim().slice(-1500)}`);
  return stdout;
}

/** Starts a server, calls `use` with what `ready` makes of its output, and ends it. */
export async function serve(command, { ready, stream = (child) => child.stdout, ...options }, use) {
  const { child, text, done } = start(command, options);
  let output = '';
  const announced = new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no port announced: ${text.stderr}`)), TIMEOUT);
    stream(child)
      .setEncoding('utf8')
      .on('data', (chunk) => {
        output += chunk;
        const found = ready(output);
        if (found === undefined) return;
        clearTimeout(timer);
        resolve(found);
      });
    done.then(({ code }) => {
      clearTimeout(timer);
      reject(new Error(`${command[0]} ended with ${code}: ${text.stderr}`));
    }, reject);
  });
  try {
    return await use(await announced);
  } finally {
    child.kill();
    await done;
  }
}
