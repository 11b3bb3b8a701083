import { FocalLoss, hardest, LossMeter } from '../index.js';
import { DataError } from './errors.js';
import type { LossOptions, Reduction } from './options.js';
import type { Output } from './output.js';
import { align, type Table, type Values } from './table.js';

export interface Example {
  readonly index: number;
  readonly logit: number;
  readonly target: number;
  readonly loss: number;
}

/** What `--json` prints. */
export interface Score {
  /** Under the chosen reduction; null for 'none', which leaves one loss an element. */
  readonly loss: number | null;
  readonly reduction: Reduction;
  readonly count: number;
  readonly positives: number;
  readonly negatives: number;
  readonly mean: number;
  readonly sum: number;
  readonly sumPositives: number;
  readonly sumNegatives: number;
  readonly hardest?: readonly Example[];
}

export interface ScoreRequest {
  /** One table with both columns, or one for each. */
  readonly tables: readonly Table[];
  readonly options: LossOptions & { readonly reduction: Reduction; readonly top?: number };
  readonly output?: Output;
  readonly signal?: AbortSignal;
  onProgress(share: number): void;
  warn(message: string): void;
}

export function createMeter(options: LossOptions): LossMeter {
  return new LossMeter(new FocalLoss(options));
}

export async function score(request: ScoreRequest): Promise<Score> {
  const { tables, options, output } = request;
  const { gamma, alpha, posWeight, reduction, top } = options;
  const meter = createMeter({ gamma, alpha, posWeight });
  // Totals alone need no losses of elements.
  const elementwise = output !== undefined || top !== undefined;
  const kept = new HardestExamples(top ?? 0);
  const warnOfNaN = nanWarning(tables[0], 'loss', request.warn);
  let buffer = new Float32Array(0);

  for await (const { start, columns } of align(tables, request.signal)) {
    const [logits, targets] = [asLogits(columns[0]), columns[1]];
    if (elementwise && buffer.length < logits.length) buffer = new Float32Array(logits.length);
    const losses = buffer.subarray(0, logits.length);
    try {
      meter.update(logits, targets, elementwise ? { out: losses } : {});
    } catch (error) {
      throw located(error, tables[tables.length - 1], targets, start);
    }
    warnOfNaN(meter.compute().sum, logits, start);
    if (top !== undefined) kept.add(losses, logits, targets, start);
    await output?.write(losses);
    request.onProgress(tables[0].progress());
  }

  const { count, positives, negatives, mean, sum, sumPositives, sumNegatives } = meter.compute();
  const loss = { mean, sum, none: null }[reduction];
  const totals = { loss, reduction, count, positives, negatives, mean, sum, sumPositives, sumNegatives };
  return top === undefined ? totals : { ...totals, hardest: kept.examples };
}

/** Tells once where the NaN came from that made a total NaN. */
export function nanWarning(table: Table, what: string, warn: (message: string) => void) {
  let warned = false;
  return (total: number, logits: Values, start: number): void => {
    if (warned || !Number.isNaN(total)) return;
    warned = true;
    const place = table.place(start + logits.findIndex((logit) => Number.isNaN(logit)));
    warn(`warning: ${table.file}, ${place}: the logit is NaN, and so is the ${what}`);
  };
}

/** The k examples of the largest loss so far: memory does not grow with the input. */
class HardestExamples {
  examples: Example[] = [];

  constructor(private readonly k: number) {}

  add(losses: Float32Array, logits: Values, targets: Values, start: number): void {
    const found = [...hardest(losses, this.k)].map((i) => ({
      index: start + i,
      logit: logits[i],
      target: targets[i],
      loss: losses[i],
    }));
    // Those kept come first, and so stay ahead of an equal loss further on.
    const candidates = [...this.examples, ...found];
    const order = hardest(
      Float32Array.from(candidates, ({ loss }) => loss),
      this.k,
    );
    this.examples = [...order].map((i) => candidates[i]);
  }
}

/** The library takes logits as floats only. */
export function asLogits(values: Values): Float32Array | Float64Array {
  return values instanceof Uint8Array ? Float32Array.from(values) : values;
}

/** The library's complaint about an element of a block, in terms of the file. */
function located(error: unknown, table: Table, targets: Values, start: number): unknown {
  const index = error instanceof RangeError ? /^"targets".* index (\d+)/.exec(error.message)?.[1] : undefined;
  if (index === undefined) return error;
  const element = Number(index);
  const problem = `expected a target of 0 or 1, or a probability between them, got ${targets[element]}`;
  return new DataError(table.file, problem, table.place(start + element));
}
