import { DataError, UsageError } from './errors.js';
import { takesProbabilities } from './losses.js';
import { MOST_SLICES, Model, type ModelSettings } from './model.js';
import { firstOutside, float32Of, logitsOf, logsOf } from './model-scores.js';
import { type NaNPolicy, type NullPolicy, Policy, type Skipped } from './policy.js';
import { type Block, gather, type Rows, type Table } from './table.js';
import { binaryTargets, located, oneHot, rowTargets } from './targets.js';

/** What is left of a block when each of its rows is known to be fit, for whoever wants the rows themselves. */
export interface Evaluated {
  readonly block: Block;
  /** The place in the input of a row of the block. */
  place(row: number): number;
  /** Of each model: its losses, one for each element, by the first gamma. Valid until the next block. */
  readonly losses: readonly Float32Array[];
  /** Of each model: the scores as they were given to the loss. */
  readonly scores: readonly Float32Array[];
  readonly width: number;
}

export interface EvaluateRequest {
  readonly table: Table;
  readonly settings: Omit<ModelSettings, 'name' | 'probabilities' | 'classes'>;
  readonly rows: boolean;
  readonly ignoreIndex?: number;
  readonly nulls: NullPolicy;
  readonly nan: NaNPolicy;
  readonly joined?: string;
  readonly elementwise: boolean;
  readonly signal?: AbortSignal;
  /** Told of each block; `start` of the first row. */
  onBlock?(evaluated: Evaluated): void | Promise<void>;
  onProgress(share: number): void;
  warn(message: string): void;
}

export interface Evaluation {
  readonly models: readonly Model[];
  readonly skipped: Skipped;
  /** Rows read, those left out included. */
  readonly rows: number;
}

/** Reads all of a table, and scores it. */
export async function evaluate(request: EvaluateRequest): Promise<Evaluation> {
  const { table } = request;
  const policy = new Policy(table, request.nulls, request.nan, request.joined);
  const evaluator = new Evaluator(request, policy);
  let rows = 0;
  for await (const block of table.blocks()) {
    request.signal?.throwIfAborted();
    const { block: fit, start, rows: places } = policy.apply(block, block.first ?? rows);
    rows += block.rows;
    if (fit.rows > 0) {
      const evaluated = evaluator.add(fit, (row) => (places === undefined ? start + row : places[row]));
      await request.onBlock?.(evaluated);
    }
    request.onProgress(table.progress());
  }
  return { models: evaluator.finish(), skipped: policy.skipped, rows };
}

// What is left where a row of probabilities was written with a few digits.
const SUM_ERROR = 0.05;

class Evaluator {
  private models: Model[] = [];
  private buffers: Float32Array[] = [];
  private warned = false;

  constructor(
    private readonly request: EvaluateRequest,
    private readonly policy: Policy,
  ) {}

  add(block: Block, rowOf: (row: number) => number): Evaluated {
    if (this.models.length === 0) this.open(block);
    const { table, ignoreIndex, elementwise } = this.request;
    const place = (element: number) => table.place(rowOf(element));
    const width = block.scores[0].width;
    this.checkTargets(block);
    const { targets, hard } = this.targetsOf(block, place);
    const weight = block.weight === undefined ? undefined : float32Of(block.weight.values);
    const scores = block.scores.map((rows) => this.scoresOf(rows, rowOf));
    const losses: Float32Array[] = [];
    for (const [m, model] of this.models.entries()) {
      for (const [g, meter] of model.meters.entries()) {
        const out = elementwise ? this.buffer(m, lossCount(model, block)) : undefined;
        // the losses of the first gamma are those that are written and listed
        const call = { ...(weight && { weight }), ...(out && (g === 0 ? { out } : {})) };
        let value: number | Float32Array;
        try {
          value = meter.update(scores[m], targets as never, call);
        } catch (error) {
          throw located(error, table, block, place);
        }
        if (g === 0 && out !== undefined) losses.push(out);
        // a finite mean adds nothing to the sum that is not
        if (g === 0 && !(typeof value === 'number' && Number.isFinite(value))) this.checkSum(model, block, rowOf);
      }
      if (hard === undefined) model.soft = true;
      else if (model.settings.loss !== 'softmax') this.count(model, block.scores[m], scores[m], hard, weight);
      if (model.multiclass !== undefined && !(targets instanceof Float32Array)) {
        model.multiclass.add(scores[m], targets, width, ignoreIndex, weight);
      }
    }
    if (block.slices !== undefined) this.addSlices(block, block.slices, scores, targets, weight);
    return { block, place: rowOf, losses, scores, width };
  }

  finish(): Model[] {
    // an input without rows, such as an empty shard, still has totals
    if (this.models.length === 0) this.open({ rows: 0, scores: this.request.table.models.map(() => EMPTY) });
    return this.models;
  }

  private open(block: Block): void {
    const { table, settings, rows } = this.request;
    const names = table.models.length > 0 ? table.models : block.scores.map((_, i) => `model ${i + 1}`);
    this.models = names.map((name, i) => {
      const classes = rows ? Math.max(2, block.scores[i]?.width ?? 2) : undefined;
      return new Model({ ...settings, name, probabilities: table.probabilities, classes }, this.request.elementwise);
    });
  }

  /** Probabilities go in as they are where the loss takes them, else as the logits that stand for them. */
  private scoresOf({ values, width }: Rows, rowOf: (row: number) => number): Float32Array {
    const { table, settings } = this.request;
    if (!table.probabilities || takesProbabilities(settings.loss)) return float32Of(values);
    const fail = (row: number, expected: string, got: number) => {
      throw new DataError(table.name, `expected ${expected}, got ${got}`, table.place(rowOf(row)));
    };
    const at = firstOutside(values);
    if (at >= 0) fail(Math.floor(at / width), 'a probability in [0, 1]', values[at]);
    if (settings.loss !== 'softmax') return logitsOf(values);
    for (let row = 0; row < values.length / width; row++) {
      let sum = 0;
      for (let j = 0; j < width; j++) sum += values[row * width + j];
      if (Math.abs(sum - 1) > SUM_ERROR) fail(row, 'probabilities of all classes, whose sum is 1', sum);
    }
    return logsOf(values);
  }

  private targetsOf(block: Block, place: (row: number) => string) {
    const { table, ignoreIndex, rows } = this.request;
    const targets = block.targets as Rows;
    if (!rows) return binaryTargets(targets.values, ignoreIndex);
    const labels = rowTargets(targets, table, place);
    const { settings } = this.models[0];
    if (labels instanceof Float32Array) return { targets: labels };
    return {
      targets: labels,
      hard: settings.loss === 'onehot' ? oneHot(labels, settings.classes ?? 2, ignoreIndex) : EMPTY_BYTES,
    };
  }

  private checkTargets({ targets, scores }: Block): void {
    if (this.request.rows && scores.some(({ width }) => width < 2))
      throw new DataError(this.request.table.name, 'expected rows of at least two classes, got rows of one');
    if (targets === undefined) throw new UsageError(`TARGETS is missing: ${this.request.table.name} has none`);
    if (targets.width === 1 || targets.width === scores[0].width) return;
    throw new DataError(
      this.request.table.name,
      `expected targets of ${scores[0].width} classes, got ${targets.width}`,
    );
  }

  /** The histogram is of the scores as they were read: float32 logits, or probabilities. */
  private count(model: Model, read: Rows, used: Float32Array, hard: Uint8Array, weight?: Float32Array): void {
    const scores = this.request.table.probabilities ? float32Of(read.values) : used;
    const perRow = weight !== undefined && weight.length < scores.length;
    const each = perRow ? Float32Array.from(scores, (_, i) => weight[Math.floor(i / read.width)]) : weight;
    model.histogram?.add(scores, hard, each);
  }

  private checkSum(model: Model, block: Block, rowOf: (row: number) => number): void {
    const { sum } = model.meters[0].compute();
    if (Number.isFinite(sum) || this.warned) return;
    const infinite = block.weight?.values.findIndex((weight) => Math.abs(weight) === Infinity) ?? -1;
    if (infinite >= 0) {
      const got = block.weight?.values[infinite];
      throw new DataError(
        this.request.table.name,
        `expected a finite weight, got ${got}`,
        this.request.table.place(rowOf(infinite)),
      );
    }
    const { table, warn } = this.request;
    if (Number.isNaN(sum)) this.policy.refuse(block, rowOf(0));
    this.warned = true;
    const bad = Number.isNaN(sum) ? Number.isNaN : (value: number) => Math.abs(value) === Infinity;
    const at = block.scores[0].values.findIndex(bad);
    const place = at < 0 ? '' : `, ${table.place(rowOf(Math.floor(at / block.scores[0].width)))}`;
    warn(
      `warning: ${table.name}${place}: the score is ${at < 0 ? 'too large' : block.scores[0].values[at]}, and the loss ${sum}`,
    );
  }

  private addSlices(
    block: Block,
    names: readonly string[],
    scores: readonly Float32Array[],
    targets: ArrayLike<number>,
    weight?: Float32Array,
  ): void {
    const groups = new Map<string, number[]>();
    for (const [row, name] of names.entries()) {
      const rows = groups.get(name);
      if (rows === undefined) groups.set(name, [row]);
      else rows.push(row);
    }
    const asRows = (values: ArrayLike<number>, width: number): Rows => ({ values: values as Float32Array, width });
    const targetWidth = block.targets?.width ?? 1;
    for (const [name, rows] of groups) {
      const part = gather(
        {
          rows: block.rows,
          scores: scores.map((values, m) => asRows(values, block.scores[m].width)),
          targets: asRows(targets, targetWidth),
          weight: weight && asRows(weight, 1),
        },
        rows,
      );
      for (const [m, model] of this.models.entries()) {
        if (!model.slices.has(name) && model.slices.size >= MOST_SLICES) {
          throw new UsageError(
            `--by expected at most ${MOST_SLICES} different slices; take a column with fewer values`,
          );
        }
        for (const meter of model.sliceMeters(name)) {
          meter.update(part.scores[m].values as Float32Array, part.targets?.values as never, {
            ...(part.weight && { weight: part.weight.values as Float32Array }),
          });
        }
      }
    }
  }

  private buffer(model: number, length: number): Float32Array {
    if ((this.buffers[model]?.length ?? 0) < length) this.buffers[model] = new Float32Array(length);
    return this.buffers[model].subarray(0, length);
  }
}

/** One loss for a row of a softmax, else one for each score. */
function lossCount(model: Model, block: Block): number {
  return model.settings.loss === 'softmax' ? block.rows : block.rows * block.scores[0].width;
}

const EMPTY: Rows = { values: new Float32Array(0), width: 1 };
const EMPTY_BYTES = new Uint8Array(0);
