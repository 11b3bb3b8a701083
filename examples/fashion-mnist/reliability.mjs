// Draws docs/reliability.svg from the sample in this folder: what a model that was trained with focal loss predicts
// against what is so, before and after focalPosterior. It needs the packages @observablehq/plot and linkedom.
//
//   node reliability.mjs [FILE]
import { readFileSync, writeFileSync } from 'node:fs';
import * as Plot from '@observablehq/plot';
import { focalPosterior } from 'focal-loss-wasm';
import { parseHTML } from 'linkedom';
import { calibrationError, reliability } from './metrics.mjs';
import { readNpy } from './npy.mjs';

const { document } = parseHTML('<html></html>');
const sample = (name) => readNpy(readFileSync(new URL(`${name}.npy`, import.meta.url)));
const logits = sample('logits');
const targets = sample('targets');

const panels = [
  ['sigmoid of the logit', logits.map((x) => 1 / (1 + Math.exp(-x)))],
  ['after focalPosterior', focalPosterior(logits, { gamma: 2, alpha: 0.75 })],
].map(([title, probabilities]) => {
  const panel = `${title}: ECE ${calibrationError(probabilities, targets).toFixed(3)}`;
  return reliability(probabilities, targets).map((bin) => ({ ...bin, panel }));
});
const bins = panels.flat();
const titles = panels.map(([{ panel }]) => panel);
const points = { fx: 'panel', x: 'predicted', y: 'observed' };
const axis = { domain: [0, 1], ticks: 5, grid: true, labelAnchor: 'center', labelArrow: 'none', inset: 14 };
const BLUE = '#1d4ed8';
const GREY = '#666';
const RED = '#c2410c';

/** A line of text above the panels, `dx` pixels from the left and `dy` from the first panel's top. */
function above(text, dx, dy, style) {
  return Plot.text([text], { fx: [titles[0]], frameAnchor: 'top-left', textAnchor: 'start', dx, dy, ...style });
}

const svg = Plot.plot({
  document,
  width: 820,
  height: 500,
  marginTop: 108,
  marginBottom: 52,
  marginLeft: 62,
  marginRight: 16,
  style: { fontSize: '13px', fontFamily: 'sans-serif', background: 'white', color: '#222' },
  fx: { domain: titles, padding: 0.08, axis: null },
  x: { ...axis, label: 'Mean predicted probability of a shirt' },
  y: { ...axis, label: 'Share of shirts in the bin' },
  r: { range: [0, 18] },
  marks: [
    Plot.frame({ stroke: '#bbb' }),
    Plot.line([0, 1], { x: (v) => v, y: (v) => v, stroke: GREY, strokeDasharray: '5 4' }),
    Plot.ruleX(bins, { fx: 'panel', x: 'predicted', y1: 'predicted', y2: 'observed', stroke: RED, strokeOpacity: 0.6 }),
    Plot.line(bins, { ...points, stroke: BLUE, strokeWidth: 1.5 }),
    Plot.dot(bins, { ...points, r: 'count', fill: BLUE, fillOpacity: 0.3 }),
    Plot.dot(bins, { ...points, r: 3, fill: BLUE }),
    Plot.axisFx({ anchor: 'top', label: null, fontSize: 14, fontWeight: 'bold', tickSize: 0 }),
    above('A model trained with focal loss, gamma 2, alpha 0.75: shirts in Fashion-MNIST', 0, -92, {
      fontSize: 16,
      fontWeight: 'bold',
    }),
    above('\u25cf a bin of predictions, its area the number of images', 0, -62, { fill: BLUE }),
    above('\u2013 \u2013 perfect calibration', 360, -62, { fill: GREY }),
    above('| calibration error', 530, -62, { fill: RED }),
  ],
});
svg.setAttribute('xmlns', 'http://www.w3.org/2000/svg');
writeFileSync(process.argv[2] ?? new URL('../../docs/reliability.svg', import.meta.url), svg.outerHTML);
