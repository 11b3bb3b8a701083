import * as Plot from '@observablehq/plot';
import type { Curve } from '../engine/curves.js';
import { type Axis, QUANTITIES, type Quantity } from './state.js';

/** Points of a curve. */
const COUNT = 401;
const REACH = 10;
/** What the axis of probabilities leaves out at either end, where derivatives of some losses have no bound. */
const EDGE = 1e-4;

const DASHES = ['', '9 4', '3 3', '12 3 2 3', '6 2 2 2 2 2', '1 3'];
export const colourOf = (index: number) => `var(--curve-${index + 1})`;
export const dashOf = (index: number) => DASHES[index];

/** Where the curves are computed, as the axis has it. */
export function positions(axis: Axis): Float64Array {
  return Float64Array.from({ length: COUNT }, (_, k) => {
    const at = k / (COUNT - 1);
    return axis === 'x' ? 2 * REACH * at - REACH : EDGE + (1 - 2 * EDGE) * at;
  });
}

/** The logits of these positions: by probability, the side of the target's class. */
export function logitsAt(axis: Axis, target: number, at: Float64Array): Float32Array {
  const side = target >= 0.5 ? 1 : -1;
  return Float32Array.from(at, (value) => (axis === 'x' ? value : side * Math.log(value / (1 - value))));
}

export interface DrawnCurve {
  readonly index: number;
  readonly values: Curve;
}

export function drawCurves(
  { axis, quantity, log, reading }: { axis: Axis; quantity: Quantity; log: boolean; reading: number },
  at: Float64Array,
  curves: readonly DrawnCurve[],
): (width: number) => Plot.PlotOptions {
  const onLog = log && quantity === 'loss';
  const lines = curves.map(({ index, values }) => {
    const y = Array.from(values[quantity], (value) =>
      Number.isFinite(value) && (!onLog || value > 0) ? value : Number.NaN,
    );
    return Plot.line(y, { x: at, y, stroke: colourOf(index), strokeWidth: 2, strokeDasharray: dashOf(index) });
  });
  return (width) => ({
    height: Math.min(340, Math.max(220, width * 0.45)),
    marginLeft: 52,
    marginRight: 12,
    marginBottom: 40,
    style: { fontSize: '12px', background: 'transparent', overflow: 'visible' },
    x: {
      label: axis === 'x' ? 'logit' : 'probability of the target’s class',
      domain: axis === 'x' ? [-REACH, REACH] : [0, 1],
    },
    y: {
      label: QUANTITIES[quantity].toLowerCase(),
      grid: true,
      type: onLog ? 'log' : 'linear',
      ...(onLog
        ? { domain: [1e-6, 20], clamp: true, tickFormat: '~e' }
        : { domain: rangeOf(curves, quantity), clamp: true, nice: true }),
    },
    marks: [
      ...(onLog ? [] : [Plot.ruleY([0], { stroke: 'currentColor', strokeOpacity: 0.4 })]),
      Plot.ruleX([reading], { stroke: 'currentColor', strokeOpacity: 0.5, strokeDasharray: '2 2' }),
      ...lines,
    ],
  });
}

/** All that is drawn, but for a hundredth at either end: a loss has no bound where its probability is 0. */
function rangeOf(curves: readonly DrawnCurve[], quantity: Quantity): [number, number] {
  let [low, high] = [0, 0];
  for (const { values } of curves) {
    const sorted = values[quantity].filter(Number.isFinite).sort();
    low = Math.min(low, sorted[Math.floor(0.01 * sorted.length)] ?? 0);
    high = Math.max(high, sorted[Math.ceil(0.99 * sorted.length) - 1] ?? 0);
  }
  return low === high ? [0, 1] : [low, high];
}
