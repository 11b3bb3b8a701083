import type { Stream } from './progress.js';
import type { Scratch } from './scratch.js';

export interface Streams {
  readonly stdout: Stream;
  readonly stderr: Stream;
  /** Stops the work, as Ctrl-C does. */
  readonly signal?: AbortSignal;
  /** The module of a thread; without it there is one thread. */
  readonly worker?: URL;
}

/** What a command works with. */
export interface Run extends Streams {
  readonly scratch: Scratch;
  /** Columns of the terminal. */
  readonly width: number;
  warn(message: string): void;
}
