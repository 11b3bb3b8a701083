// docs/throughput.svg from results of peers on one thread: `npm run bench:plot`, after `npm run bench:peers`.

import { writeFileSync } from 'node:fs';
import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';
import { peerResults } from './results.mjs';

const WIDTH = 900;
const HEIGHT = 480;
const LABELS = 250;
const MARGIN = { top: 44, bottom: 64 };
const LINE_HEIGHT = 15;
const HIGHEST = 1000;

// of the machine of which there are figures of every peer
const { rows, node, processor, cores, date } = peerResults()[0];
const points = rows
  .filter(({ loss, threads = 1 }) => loss !== undefined && threads === 1)
  .map(({ name, length, loss }) => ({ name, length, throughput: loss.megaPerSecond }));
const names = [...new Set(points.map(({ name }) => name))];
const longest = Math.max(...points.map(({ length }) => length));
const lowest = Math.min(...points.map(({ throughput }) => throughput));
const THROUGHPUTS = [0.001, 0.01, 0.1, 1, 10, 100, 1000].filter((tick) => tick >= lowest / 1.5);
const color = {
  domain: names,
  range: ['#c2410c', '#f59e0b', '#52525b', '#2563eb', '#0d9488', '#7c3aed', '#be185d', '#15803d', '#a16207'],
};

const svg = Plot.plot({
  document: parseHTML('<html><body></body></html>').document,
  width: WIDTH,
  height: HEIGHT,
  marginTop: MARGIN.top,
  marginRight: LABELS,
  marginBottom: MARGIN.bottom,
  marginLeft: 56,
  style: { background: 'white', color: '#27272a', fontFamily: 'system-ui, sans-serif', fontSize: '12px' },
  x: { type: 'log', base: 2, label: null, ticks: [1, 16, 256, 4096, 65_536, 2 ** 20, 2 ** 24], tickFormat: short },
  y: {
    type: 'log',
    label: null,
    ticks: [0.01, 0.1, 1, 10, 100, 1000],
    tickFormat: String,
    domain: [lowest / 1.5, HIGHEST],
  },
  color,
  marks: [
    Plot.gridY(THROUGHPUTS, { stroke: '#d4d4d8', strokeOpacity: 1 }),
    Plot.line(points, { x: 'length', y: 'throughput', stroke: 'name', strokeWidth: 2 }),
    Plot.dot(points, { x: 'length', y: 'throughput', fill: 'name', r: 3 }),
    Plot.text(labels(), {
      x: longest,
      y: 'at',
      text: 'name',
      fill: 'name',
      textAnchor: 'start',
      dx: 12,
      fontWeight: 600,
    }),
    note('Focal loss (gamma 2, sum) on one thread: million elements a second', 'top', 0, -26, 14),
    note('elements', 'bottom', 0, 40, 12),
    note(`${processor}, ${cores} cores, Node ${node}, ${date}`, 'bottom', 0, 58, 11),
  ],
});
svg.setAttribute('xmlns', 'http://www.w3.org/2000/svg');
svg.setAttribute('role', 'img');
svg.setAttribute('aria-label', 'Throughput of focal loss by number of elements, for each library');
writeFileSync(new URL('../../docs/throughput.svg', import.meta.url), `${svg.outerHTML}\n`);

function note(text, frameAnchor, dx, dy, fontSize) {
  const anchor = `${frameAnchor}-left`;
  return Plot.text([text], {
    frameAnchor: anchor,
    dx,
    dy,
    fontSize,
    textAnchor: 'start',
    fontWeight: fontSize > 13 ? 600 : 400,
  });
}

/** The names beside the ends of their lines, moved apart where these are close. */
function labels() {
  const ends = names.map((name) => points.filter((point) => point.name === name).at(-1));
  const sorted = ends.map(({ name, throughput }) => ({ name, at: throughput })).sort((a, b) => a.at - b.at);
  const decades = Math.log10(HIGHEST / (lowest / 1.5));
  const apart = 10 ** ((LINE_HEIGHT * decades) / (HEIGHT - MARGIN.top - MARGIN.bottom));
  for (let k = 1; k < sorted.length; k++) sorted[k].at = Math.max(sorted[k].at, sorted[k - 1].at * apart);
  return sorted;
}

function short(length) {
  if (length >= 2 ** 20) return `${length / 2 ** 20} M`;
  return length >= 1024 ? `${length / 1024} k` : String(length);
}
