import type { LossFlags } from './losses.js';
import type { InputFlags, ThresholdFlags } from './options.js';
import type { Run } from './run.js';
export interface ReportFlags extends InputFlags, LossFlags, ThresholdFlags {
  readonly top: number;
  readonly out: string;
  readonly force?: boolean;
  readonly title?: string;
}
export async function report(_sources: readonly string[], _flags: ReportFlags, _run: Run): Promise<number> {
  throw new Error('not yet');
}
