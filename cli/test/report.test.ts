import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';
import { hardTargets, someLogits } from '../../test/support.js';
import { CHROMIUM, openPage } from './chromium.js';
import { cli, folder, npy } from './support.js';

const files = folder();

const rows = 3000;
const [x, y] = [someLogits(rows), hardTargets(rows)];
const EVIL = '<script>alert(1)</script>\u202e\x1b[2J"&';
const lines = Array.from(
  x,
  (logit, i) =>
    `${logit},${-logit / 2},${y[i]},${i % 3 === 0 ? 'north' : 'south'},"${i === 7 ? EVIL.replaceAll('"', '""') : `row ${i}`}"`,
);
// the hardest of all has the name that would do harm
lines[7] = lines[7].replace(/^[^,]*,[^,]*,\d/, '40,-20,0');
const csv = files.write('predictions.csv', `old,new,label,region,id\n${lines.join('\n')}\n`);

const REPORT = [
  'report',
  csv,
  '--logits',
  'old',
  '--logits',
  'new',
  '--by',
  'region',
  '--gamma',
  '0,2',
  '--cost-miss',
  '10',
  '--cost-alarm',
  '1',
  '--thresholds',
  '0.1,0.5',
];
const page = files.path('report.html');

test('the page is told where it lies, holds every part, and nothing from elsewhere', async () => {
  const { code, out, err } = await cli(...REPORT, '--out', page);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  expect(out).toBe(`the report is in ${page}\n`);
  const html = files.read('report.html').toString();
  const titles = [...html.matchAll(/<h2>([^<]*)<\/h2>/g)].map(([, title]) => title);
  expect(titles).toEqual([
    ...[
      'Loss',
      'How good the predictions are',
      'Loss by gamma: old',
      'Loss by gamma: new',
      'Slices: old',
      'Slices: new',
    ],
    ...['Losses by class', 'What the hardest carry', 'Reliability', 'Precision and recall', 'Cost', 'Loss by gamma'],
    ...['Thresholds: old', 'Thresholds: new', 'Hardest: old', 'Hardest: new'],
  ]);
  expect(html.replaceAll('http://www.w3.org/2000/svg', '')).not.toMatch(/https?:|\burl\(|@import|<script|<link|<img/);
  expect(html).toContain('&lt;script&gt;alert(1)&lt;/script&gt;\\u202e\\u001b[2J&quot;&amp;');
});

test('the tables say what score says', async () => {
  const { out } = await cli('score', csv, '--logits', 'old', '--gamma', '0', '--json', '--top', '1');
  const { mean, hardest } = JSON.parse(out);
  const html = files.read('report.html').toString();
  expect(html).toContain(`<td>mean</td><td class="number">${Number(mean.toPrecision(6))}</td>`);
  expect(hardest[0].index).toBe(7);
});

test('one model without more, rows of classes, and soft targets have their page', async () => {
  const plain = await cli('report', csv, '--logits', 'old', '--out', files.path('plain.html'));
  expect(plain.code).toBe(0);
  const logits = files.write('x.npy', npy('<f4', [4, 3], Float32Array.of(3, 0, 0, 0, 3, 0, 0, 0, 3, 3, 0, 0)));
  const labels = files.write('y.npy', npy('<i4', [4], Int32Array.of(0, 1, 2, 1)));
  expect((await cli('report', logits, labels, '--loss', 'softmax', '--out', files.path('rows.html'))).code).toBe(0);
  expect(files.read('rows.html').toString()).toMatch(/accuracy<\/td><td class="number">0.75</);
  const soft = files.write('soft.csv', 'logit,target\n1,0.5\n-1,0.25\n');
  expect((await cli('report', soft, '--out', files.path('soft.html'))).code).toBe(0);
});

test('a page that exists, and a name that is none', async () => {
  expect((await cli(...REPORT, '--out', page)).err).toMatch(
    /^focal-loss: --out expected a new file, got .*; --force replaces it\n$/,
  );
  expect((await cli(...REPORT, '--out', files.path('report.txt'))).err).toMatch(
    /--out expected a name that ends with .html/,
  );
});

test.skipIf(CHROMIUM === undefined)('a browser shows all of it, on a desk and on a phone, light and dark', async () => {
  const browser = await openPage(pathToFileURL(page).href);
  try {
    const beyond: unknown[] = [];
    const colours: unknown[] = [];
    for (const [width, dark] of [
      [1280, false],
      [390, false],
      [390, true],
    ] as const) {
      await browser.screen(width, dark);
      beyond.push(
        await browser.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth'),
      );
      colours.push(await browser.evaluate('getComputedStyle(document.body).backgroundColor'));
      // every plot has its lines, in a size that can be read
      const plots = await browser.evaluate(`[...document.querySelectorAll('figure svg')].map((svg) => {
        const marks = [...svg.querySelectorAll('[aria-label=line] path, [aria-label=rect] rect')];
        const drawn = marks.filter((mark) => mark.getBBox().width > 0).length;
        const scale = svg.getBoundingClientRect().width / svg.viewBox.baseVal.width;
        return drawn > 0 && scale * 12 >= 9.5;
      })`);
      expect(plots).toEqual(Array(6).fill(true));
      expect((await browser.screenshot()).length).toBeGreaterThan(20_000);
    }
    // nothing but wide tables is scrolled sideways
    expect(beyond).toEqual([0, 0, 0]);
    expect(colours).toEqual(['rgb(255, 255, 255)', 'rgb(255, 255, 255)', 'rgb(18, 21, 26)']);
    expect([browser.requests, browser.errors]).toEqual([[], []]);
    expect(await browser.evaluate('document.scripts.length')).toBe(0);
  } finally {
    await browser.close();
  }
});

if (CHROMIUM === undefined) console.info('the report is not opened: there is no Chromium on this machine');
