import { createRequire } from 'node:module';
import type { SingleBar } from 'cli-progress';

export type Stream = NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number };

const STEPS = 1000;

/** A bar once the work has lasted `delay` milliseconds. SingleBar draws on a terminal only. */
export class Progress {
  private readonly begin = Date.now();
  private bar: SingleBar | undefined;

  constructor(
    private readonly stream: Stream,
    private readonly delay = 1000,
  ) {}

  report(share: number): void {
    if (Date.now() - this.begin < this.delay) return;
    if (this.bar === undefined) {
      // most work ends before it would be loaded
      const library: typeof import('cli-progress') = createRequire(import.meta.url)('cli-progress');
      this.bar = new library.SingleBar({
        stream: this.stream,
        format: 'reading {bar} {percentage}% {eta_formatted} left',
        barCompleteChar: '#',
        barIncompleteChar: '.',
        clearOnComplete: true,
      });
      this.bar.start(STEPS, Math.floor(share * STEPS));
    }
    this.bar.update(Math.floor(share * STEPS));
  }

  /** Clears the bar's line. */
  stop(): void {
    this.bar?.stop();
    this.bar = undefined;
  }
}
