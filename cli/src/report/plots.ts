import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';
import type { ReliabilityBin } from '../metrics.js';
import type { ThresholdResult } from '../thresholds.js';
import type { GammaPoint, LossBin, SharePoint } from './curves.js';

const { document } = parseHTML('<html></html>');

// Narrow, so that text keeps its size on a phone.
const SIZE = { width: 400, height: 280, marginLeft: 46, marginRight: 12, marginTop: 22, marginBottom: 38 };
/** Colours that the page's style defines, for light and for dark. */
const COLOURS = ['var(--one)', 'var(--two)', 'var(--three)', 'var(--four)', 'var(--five)'];

/** One curve or set of points, by its name in the legend. */
export type Named<T> = { readonly name: string; readonly data: T };

interface Picture {
  readonly svg: string;
  /** Names and colours, for the legend in the page. */
  readonly legend: readonly (readonly [string, string])[];
}

function draw(names: readonly string[], options: Plot.PlotOptions): Picture {
  const range = names.map((_, i) => COLOURS[i % COLOURS.length]);
  const svg = Plot.plot({
    document,
    ...SIZE,
    style: { fontSize: '12px', background: 'transparent' },
    color: { domain: [...names], range },
    ...options,
  } as Plot.PlotOptions);
  svg.setAttribute('xmlns', 'http://www.w3.org/2000/svg');
  return { svg: svg.outerHTML, legend: names.map((name, i) => [name, range[i]]) };
}

const flat = <T extends object>(sets: readonly Named<readonly T[]>[]) =>
  sets.flatMap(({ name, data }) => data.map((point) => ({ ...point, name })));
const namesOf = (sets: readonly Named<unknown>[]) => sets.map(({ name }) => name);
const PERCENT = { tickFormat: (share: number) => `${Math.round(100 * share)}%`, domain: [0, 1], grid: true };

export function lossPlot(sets: readonly Named<readonly LossBin[]>[]): Picture {
  return draw(namesOf(sets), {
    x: {
      type: 'log',
      label: 'loss of an element',
      grid: true,
      ticks: 4,
      tickFormat: (loss: number) => loss.toPrecision(1),
    },
    y: { label: 'share of the class', tickFormat: (share: number) => `${Math.round(1000 * share) / 10}%`, grid: true },
    marks: [
      // areas hide each other where there are more than two
      sets.length > 2
        ? Plot.line(flat(sets), { x: 'from', y: 'share', stroke: 'name', strokeWidth: 1.5, curve: 'step-after' })
        : Plot.rect(flat(sets), { x1: 'from', x2: 'to', y1: () => 0, y2: 'share', fill: 'name', fillOpacity: 0.5 }),
      Plot.ruleY([0]),
    ],
  });
}

export function sharePlot(sets: readonly Named<readonly SharePoint[]>[]): Picture {
  return draw(namesOf(sets), {
    x: { ...PERCENT, label: 'hardest share of the elements' },
    y: { ...PERCENT, label: 'share of the loss' },
    marks: [Plot.line(flat(sets), { x: 'elements', y: 'loss', stroke: 'name', strokeWidth: 2 })],
  });
}

export function reliabilityPlot(sets: readonly Named<readonly ReliabilityBin[]>[]): Picture {
  const bins = flat(sets).filter(({ count }) => count > 0);
  return draw(namesOf(sets), {
    // the more elements a bin has, the larger its dot
    r: { range: [0, 7] },
    x: { ...PERCENT, label: 'mean probability of a bin' },
    y: { ...PERCENT, label: 'share of positives' },
    marks: [
      Plot.line(
        [
          [0, 0],
          [1, 1],
        ],
        { stroke: 'currentColor', strokeDasharray: '4 4', strokeOpacity: 0.5 },
      ),
      Plot.line(bins, { x: 'meanProbability', y: 'positiveShare', stroke: 'name', strokeWidth: 2 }),
      Plot.dot(bins, { x: 'meanProbability', y: 'positiveShare', fill: 'name', r: 'count' }),
    ],
  });
}

export function thresholdPlot(sets: readonly Named<readonly ThresholdResult[]>[]): Picture {
  const several = sets.length > 1;
  const curves = sets.flatMap(({ name, data }) => {
    const of = (measure: 'precision' | 'recall' | 'f1', text: string) => ({
      name: several ? `${text}, ${name}` : text,
      // where nothing is claimed there is no precision to show
      data: data
        .filter((each) => measure !== 'precision' || each.truePositives + each.falsePositives > 0)
        .map((each) => ({ threshold: each.threshold, value: each[measure] })),
    });
    return several
      ? [of('precision', 'precision'), of('recall', 'recall')]
      : [of('precision', 'precision'), of('recall', 'recall'), of('f1', 'F1')];
  });
  return draw(namesOf(curves), {
    x: { ...PERCENT, label: 'act from this probability on' },
    y: { ...PERCENT, label: null },
    marks: [Plot.line(flat(curves), { x: 'threshold', y: 'value', stroke: 'name', strokeWidth: 2 })],
  });
}

export function costPlot(sets: readonly Named<readonly ThresholdResult[]>[]): Picture {
  return draw(namesOf(sets), {
    x: { ...PERCENT, label: 'act from this probability on' },
    y: { label: 'cost', grid: true, zero: true, tickFormat: 's' },
    marks: [Plot.line(flat(sets), { x: 'threshold', y: 'cost', stroke: 'name', strokeWidth: 2 })],
  });
}

export function gammaPlot(sets: readonly Named<readonly GammaPoint[]>[]): Picture {
  return draw(namesOf(sets), {
    x: { label: 'gamma', grid: true },
    y: { label: 'mean loss', type: 'log', grid: true, ticks: 4, tickFormat: (loss: number) => loss.toPrecision(1) },
    marks: [Plot.line(flat(sets), { x: 'gamma', y: 'mean', stroke: 'name', strokeWidth: 2 })],
  });
}

export type { Picture };
