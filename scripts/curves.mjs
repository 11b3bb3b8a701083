// docs/curves.svg: the loss and the size of its gradient by probability, of every loss of losses/registry.ts with its
// defaults. The colours of text and background are those of the reader's colour scheme.
import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';

const SIZE = { width: 1074, height: 660 };
const MARGIN = { top: 62, right: 250, bottom: 46, left: 46 };
const HIGHEST = 2;
const POINTS = 100;
const LINE_HEIGHT = 26;
const STYLE = `
svg { --background: #ffffff; --text: #27272a; --grid: #e4e4e7 }
@media (prefers-color-scheme: dark) { svg { --background: #18181b; --text: #e4e4e7; --grid: #3f3f46 } }
`;

// Apart from each other and from either background; where lines lie on one another, gaps let all of them be seen.
const LOOKS = [
  ['#71717a', null],
  ['#3b82f6', null],
  ['#0ea5e9', '7 4'],
  ['#ec4899', '2 4'],
  ['#e11d48', '9 5 2 5'],
  ['#16a34a', null],
  ['#a855f7', '9 7'],
  ['#d97706', null],
  ['#a1a100', '3 6'],
];

/** A target's column: what its curves go along, and the logit there. */
const COLUMNS = [
  { title: 'target 1, by p_t = p', y: 1, logit: (p) => Math.log(p / (1 - p)) },
  { title: 'target 0, by p_t = 1 - p', y: 0, logit: (p) => Math.log((1 - p) / p) },
  { title: 'target 0.7, by p', y: 0.7, logit: (p) => Math.log(p / (1 - p)) },
];
const ROWS = ['loss', 'size of the gradient'];

/** The picture, as the text of an SVG file. */
export function curves(losses) {
  const series = losses.flatMap(variants);
  const looks = new Map(series.map(({ title }, k) => [title, LOOKS[k % LOOKS.length]]));
  const points = series.flatMap((loss) => COLUMNS.flatMap((column) => along(loss, column)));
  const facets = { fx: 'column', fy: 'row' };
  const { document } = parseHTML('<html><body></body></html>');
  const svg = Plot.plot({
    document,
    ...SIZE,
    marginTop: MARGIN.top,
    marginRight: MARGIN.right,
    marginBottom: MARGIN.bottom,
    marginLeft: MARGIN.left,
    style: {
      background: 'var(--background)',
      color: 'var(--text)',
      fontFamily: 'system-ui, sans-serif',
      fontSize: '12px',
    },
    fx: { domain: COLUMNS.map(({ title }) => title), padding: 0.09, label: null },
    fy: { domain: ROWS, padding: 0.1, axis: null },
    x: { domain: [0, 1], ticks: 5, tickFormat: String, label: null },
    y: { domain: [0, HIGHEST], ticks: 5, tickFormat: String, label: null },
    marks: [
      Plot.gridX({ stroke: 'var(--grid)', strokeOpacity: 1, ticks: 5 }),
      Plot.gridY({ stroke: 'var(--grid)', strokeOpacity: 1, ticks: 5 }),
      Plot.axisFx({ anchor: 'top', label: null, fontSize: 13, fontWeight: 600, tickSize: 0 }),
      ...series.map(({ title }) => {
        const [stroke, strokeDasharray] = looks.get(title);
        const own = points.filter((point) => point.title === title);
        return Plot.line(own, { ...facets, x: 'p', y: 'value', stroke, strokeDasharray, strokeWidth: 2.2, clip: true });
      }),
      ...ROWS.map((row) =>
        Plot.text([row], {
          ...{ fx: [COLUMNS[0].title], fy: [row], frameAnchor: 'top-right', dx: -6, dy: 8 },
          textAnchor: 'end',
          fontWeight: 600,
        }),
      ),
    ],
  });
  svg.prepend(element(document, 'style', {}, STYLE));
  svg.setAttribute('xmlns', 'http://www.w3.org/2000/svg');
  svg.setAttribute('role', 'img');
  svg.setAttribute('aria-label', 'Loss and gradient by probability, of every loss with its default options');
  heading(document, svg);
  series.forEach(({ title }, k) => {
    entry(document, svg, title, looks.get(title), MARGIN.top + 26 + k * LINE_HEIGHT);
  });
  return `${svg.outerHTML}\n`;
}

/** A loss with its defaults, and with Poly-1 where it has it. */
function variants(loss) {
  const options = Object.fromEntries(Object.entries(loss.options).map(([key, { fallback }]) => [key, fallback]));
  const plain = { ...loss, options };
  if (options.polyEpsilon === undefined) return [plain];
  return [plain, { ...loss, title: `${loss.title}, Poly-1 of 1`, options: { ...options, polyEpsilon: 1 } }];
}

function along({ title, soft, value, options }, { title: column, y, logit }) {
  if (!soft && y > 0 && y < 1) return [];
  return Array.from({ length: POINTS - 1 }, (_, k) => {
    const p = (k + 1) / POINTS;
    const x = logit(p);
    const slope = (value(x + 1e-5, y, options) - value(x - 1e-5, y, options)) / 2e-5;
    return [
      { title, column, p, row: ROWS[0], value: value(x, y, options) },
      { title, column, p, row: ROWS[1], value: Math.abs(slope) },
    ];
  }).flat();
}

function heading(document, svg) {
  const style = { x: MARGIN.left, y: 24, 'text-anchor': 'start', 'font-size': 15, 'font-weight': 600 };
  svg.append(
    element(document, 'text', style, 'What an element costs, and how hard it pulls: each loss with its defaults'),
  );
}

function entry(document, svg, title, [stroke, dashes], y) {
  const x = SIZE.width - MARGIN.right + 22;
  const line = { x1: x, x2: x + 34, y1: y, y2: y, stroke, 'stroke-width': 2.5 };
  svg.append(element(document, 'line', dashes === null ? line : { ...line, 'stroke-dasharray': dashes }));
  svg.append(element(document, 'text', { x: x + 44, y: y + 4, 'text-anchor': 'start', 'font-size': 12.5 }, title));
}

function element(document, name, attributes, text = '') {
  const made = document.createElementNS('http://www.w3.org/2000/svg', name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  made.textContent = text;
  return made;
}
