import * as Plot from '@observablehq/plot';
import type { Report } from '../engine/file.js';
import { percent, shown } from '../shared/format.js';

type Draw = (width: number) => Plot.PlotOptions;

const STYLE = { fontSize: '12px', background: 'transparent', overflow: 'visible' };
const POSITIVE = 'var(--curve-2)';
const NEGATIVE = 'var(--curve-1)';
const LOW = 1e-9;

/** How many rows have a loss of a size, by class. */
export function histogramPlot({ histogram }: Report): Draw {
  const { edges, positives, negatives } = histogram;
  const bars = [...positives].flatMap((count, k) => {
    const [x1, x2] = [Math.max(edges[k], LOW), edges[k + 1]];
    return [
      { x1, x2, from: 0, to: negatives[k], fill: NEGATIVE },
      { x1, x2, from: negatives[k], to: negatives[k] + count, fill: POSITIVE },
    ];
  });
  return (width) => ({
    height: Math.min(280, Math.max(200, width * 0.45)),
    marginLeft: 52,
    marginBottom: 40,
    style: STYLE,
    x: { type: 'log', label: 'loss of a row', tickFormat: '~e', ticks: Math.max(3, Math.floor(width / 90)) },
    y: { label: 'rows', grid: true },
    marks: [
      Plot.rect(bars, { x1: 'x1', x2: 'x2', y1: 'from', y2: 'to', fill: 'fill', insetLeft: 0.5, insetRight: 0.5 }),
      Plot.ruleY([0]),
    ],
  });
}

export function reliabilityPlot({ before, after }: Report): Draw {
  return (width) => ({
    height: Math.min(360, Math.max(240, width * 0.75)),
    marginLeft: 44,
    marginBottom: 40,
    style: STYLE,
    x: { label: 'mean predicted probability', domain: [0, 1], grid: true },
    y: { label: 'share of positives', domain: [0, 1], grid: true },
    r: { range: [0, 9] },
    marks: [
      Plot.line([0, 1], { x: [0, 1], y: [0, 1], stroke: 'currentColor', strokeOpacity: 0.4, strokeDasharray: '4 4' }),
      ...[
        { bins: before.bins, stroke: 'var(--curve-2)', strokeDasharray: '5 3' },
        { bins: after.bins, stroke: 'var(--curve-1)', strokeDasharray: '' },
      ].flatMap(({ bins, ...line }) => [
        Plot.line(bins, { x: 'meanProbability', y: 'positiveShare', strokeWidth: 1.5, ...line }),
        Plot.dot(bins, {
          x: 'meanProbability',
          y: 'positiveShare',
          r: 'count',
          fill: line.stroke,
          fillOpacity: 0.35,
          stroke: line.stroke,
        }),
      ]),
    ],
  });
}

export function precisionPlot({ thresholds }: Report, threshold: number): Draw {
  const lines = [
    { y: 'precision', stroke: 'var(--curve-1)', strokeDasharray: '' },
    { y: 'recall', stroke: 'var(--curve-2)', strokeDasharray: '6 3' },
  ];
  return (width) => ({
    height: Math.min(280, Math.max(200, width * 0.5)),
    marginLeft: 44,
    marginBottom: 40,
    style: STYLE,
    x: { label: 'threshold of the probability', domain: [0, 1] },
    y: { label: 'precision, recall', domain: [0, 1], grid: true },
    marks: [
      ...lines.map((line) => Plot.line(thresholds, { x: 'threshold', strokeWidth: 2, ...line })),
      Plot.ruleX([threshold], { stroke: 'currentColor', strokeOpacity: 0.6, strokeDasharray: '2 2' }),
    ],
  });
}

export function costPlot({ thresholds, cheapest }: Report, threshold: number): Draw {
  return (width) => ({
    height: Math.min(280, Math.max(200, width * 0.5)),
    marginLeft: 60,
    marginBottom: 40,
    style: STYLE,
    x: { label: 'threshold of the probability', domain: [0, 1] },
    y: { label: 'cost of all rows', grid: true, zero: true },
    marks: [
      Plot.line(thresholds, { x: 'threshold', y: 'cost', stroke: 'var(--curve-3)', strokeWidth: 2 }),
      Plot.dot([thresholds[cheapest]], { x: 'threshold', y: 'cost', fill: 'var(--curve-3)', r: 5 }),
      Plot.ruleX([threshold], { stroke: 'currentColor', strokeOpacity: 0.6, strokeDasharray: '2 2' }),
    ],
  });
}

export const reliabilityLabel = ({ before, after }: Report) =>
  `Share of positives by predicted probability: the calibration error is ${percent(before.ece)} of the score as it is, ${percent(after.ece)} of the posterior`;

export const costLabel = ({ thresholds, cheapest }: Report) =>
  `Cost by threshold: least, ${shown(thresholds[cheapest].cost)}, at ${thresholds[cheapest].threshold}`;
