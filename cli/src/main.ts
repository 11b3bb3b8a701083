#!/usr/bin/env node
import { run } from './run.js';

const controller = new AbortController();
let interruption: NodeJS.Signals | undefined;
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(name, () => {
    interruption = name;
    controller.abort();
  });
}

let failed = false;
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    // A reader that has seen enough, such as head, is no failure.
    if (error.code === 'EPIPE') return;
    failed = true;
    process.exitCode = 1;
    if (stream === process.stdout) process.stderr.write(`focal-loss: standard output: ${error.message}\n`);
  });
}

const code = await run(process.argv.slice(2), {
  stdout: process.stdout,
  stderr: process.stderr,
  signal: controller.signal,
  worker: new URL('./worker.js', import.meta.url),
});
process.exitCode = failed ? 1 : code;
// Ends as the signal would have ended it, so that a shell's loop stops as well.
if (interruption !== undefined) process.kill(process.pid, interruption);
