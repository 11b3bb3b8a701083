import { LossMeter, type LossMeterJSON } from 'focal-loss-wasm';
import { type HistogramJSON, ScoreHistogram } from './histogram.js';
import { type LossName, type LossOptions, type MadeLoss, makeLoss } from './losses.js';
import { type MulticlassJSON, MulticlassMeter } from './multiclass.js';

/** How a model's scores are read and scored. */
export interface ModelSettings {
  readonly name: string;
  readonly loss: LossName;
  /** One for each gamma. */
  readonly options: readonly LossOptions[];
  readonly probabilities: boolean;
  /** Undefined where each score is by itself. */
  readonly classes?: number;
}

export interface ModelJSON extends ModelSettings {
  readonly meters: readonly LossMeterJSON[];
  readonly slices: Readonly<Record<string, readonly LossMeterJSON[]>>;
  readonly histogram?: HistogramJSON;
  readonly multiclass?: MulticlassJSON;
  readonly soft: boolean;
}

/** More rows of results than that are no summary. */
export const MOST_SLICES = 10_000;

/** All that is added up for one model. */
export class Model {
  readonly made: readonly MadeLoss[];
  readonly meters: LossMeter[];
  readonly slices = new Map<string, LossMeter[]>();
  histogram: ScoreHistogram | undefined;
  multiclass: MulticlassMeter | undefined;
  /** Whether some target was neither 0 nor 1. */
  soft = false;

  constructor(
    readonly settings: ModelSettings,
    /** Whether the losses of elements are wanted as well. */
    readonly elementwise: boolean,
  ) {
    const { loss, options, probabilities, classes } = settings;
    this.made = options.map((each) => makeLoss(loss, each, { probabilities, classes }));
    this.meters = this.newMeters();
    if (loss === 'softmax') this.multiclass = new MulticlassMeter();
    else this.histogram = new ScoreHistogram();
  }

  sliceMeters(slice: string): LossMeter[] {
    let meters = this.slices.get(slice);
    if (meters === undefined) {
      meters = this.newMeters(false);
      this.slices.set(slice, meters);
    }
    return meters;
  }

  merge(other: Model): void {
    for (const [i, meter] of other.meters.entries()) this.meters[i].merge(meter);
    for (const [slice, meters] of other.slices) {
      const own = this.sliceMeters(slice);
      for (const [i, meter] of meters.entries()) own[i].merge(meter);
    }
    if (other.histogram !== undefined) this.histogram?.merge(other.histogram);
    if (other.multiclass !== undefined) this.multiclass?.merge(other.multiclass);
    this.soft ||= other.soft;
  }

  toJSON(): ModelJSON {
    const states = (meters: LossMeter[]) => meters.map((meter) => meter.toJSON());
    return {
      ...this.settings,
      meters: states(this.meters),
      slices: Object.fromEntries([...this.slices].map(([slice, meters]) => [slice, states(meters)])),
      histogram: this.histogram?.toJSON(),
      multiclass: this.multiclass?.toJSON(),
      soft: this.soft,
    };
  }

  static fromJSON(json: ModelJSON): Model {
    const { name, loss, options, probabilities, classes } = json;
    const model = new Model({ name, loss, options, probabilities, classes }, false);
    const restore = (states: readonly LossMeterJSON[]) =>
      states.map((state, i) => LossMeter.fromJSON(model.made[i].total, state));
    model.meters.splice(0, model.meters.length, ...restore(json.meters));
    for (const [slice, states] of Object.entries(json.slices)) model.slices.set(slice, restore(states));
    model.histogram = json.histogram && ScoreHistogram.fromJSON(json.histogram);
    model.multiclass = json.multiclass && MulticlassMeter.fromJSON(json.multiclass);
    model.soft = json.soft;
    return model;
  }

  private newMeters(elementwise = this.elementwise): LossMeter[] {
    return this.made.map(({ total, each }, i) => new LossMeter(elementwise && i === 0 ? each : total) as LossMeter);
  }
}
