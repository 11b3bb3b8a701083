import { CommanderError } from 'commander';
import type { Streams } from './context.js';
import { DataError, printable, UsageError } from './errors.js';
import { program } from './program.js';
import { Scratch } from './scratch.js';

/** Runs the command line `argv`, without the program's name, and gives its exit code. */
export async function run(argv: readonly string[], streams: Streams): Promise<number> {
  const complain = (message: string) => {
    streams.stderr.write(`focal-loss: ${printable(message.replace(/\s*\n\s*/g, ' ').trimEnd(), 2000)}\n`);
  };
  const scratch = new Scratch(streams.signal);
  const width = streams.stdout.columns ?? 80;
  let code = 0;
  const done = (result: number) => {
    code = result;
  };
  try {
    if (argv.length === 0)
      throw new UsageError('expected a command: score, calibrate, report or merge; see focal-loss --help');
    await program(argv, { ...streams, scratch, width, warn: complain }, done).parseAsync(argv, { from: 'user' });
    return code;
  } catch (error) {
    if (streams.signal?.aborted) return 130;
    if (error instanceof CommanderError && error.exitCode === 0) return 0;
    if (error instanceof CommanderError || error instanceof UsageError) {
      complain(error.message.replace(/^error: /, ''));
      return 2;
    }
    complain(messageOf(error));
    return 1;
  } finally {
    await scratch.clear().catch(() => {});
  }
}

function messageOf(error: unknown): string {
  if (error instanceof DataError) return error.message;
  // the library's own words about an argument, or the engine's about a file
  if (error instanceof Error) return error.message.split('\n', 1)[0] || error.name;
  return String(error);
}
