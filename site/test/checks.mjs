// What must be so in every browser.
import { deepStrictEqual } from 'node:assert';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as library from '../../dist/index.js';
import { CalibrationMeter } from '../../dist/metrics.js';
import { check } from '../../test/runtimes/report.mjs';
import { root } from '../scripts/paths.mjs';
import { truth } from './data.mjs';
import { checkFamily, withMoves } from './family.mjs';
import { BASE } from './server.mjs';

const { hash } = JSON.parse(readFileSync(join(root, 'test/runtimes/expected.json'), 'utf8'));
const TOOLS = ['curves', 'file', 'posterior', 'machine'].map((name) => `playground/${name}.html`);
/** Sums of batches that are cut elsewhere agree to that, relatively (docs/numerics.md). */
const CUT = 1e-12;
/** What the command line said, by what it was given. */
const scored = new Map();
const AT_ONCE = 4;
/** Milliseconds for a check in the browser. */
const PATIENCE = 120_000;
/** All pages of the reference are made alike: one browser opens each of a library's, and all open some of the others. */
const REFERENCE = /^api\/.*\b(FocalLoss|LossMeter|Labels|index)\.html$/;
/** The same library by another name, and made anew. */
const AGAIN = /^api\/focal-loss-wasm\/(float64|lite)\//;

export async function checkAll({ name, version, log, newPage }, { origin, pages, data, family }) {
  const ask = async (what, given) => {
    const url = `${origin}/check?check=${what}&given=${encodeURIComponent(JSON.stringify(given ?? null))}`;
    const { error, value } = JSON.parse(await log(url, PATIENCE));
    if (error !== undefined) throw new Error(error);
    if (value.faults?.length > 0) throw new Error(value.faults.join('; '));
    return value;
  };
  const run = (what, test) => check(name, version, what, test);

  const opened = pages.filter(
    (path) => !path.startsWith('api/') || REFERENCE.test(path) || (name === 'Chromium' && !AGAIN.test(path)),
  );
  await run(`${opened.length} pages open, quietly, at 360 pixels`, async () => {
    for (let k = 0; k < opened.length; k += AT_ONCE) {
      for (const { path, faults, overflow, widest, words } of await ask('phones', opened.slice(k, k + AT_ONCE))) {
        if (faults.length > 0) throw new Error(`${path}: ${faults.join('; ')}`);
        if (overflow > 0) throw new Error(`${path} is ${overflow} pixels too wide: ${widest}`);
        if (words < 20) throw new Error(`${path} is empty`);
      }
    }
  });
  await run('curves are the values of the package, and of the link', () => checkCurves(ask));
  await run('every loss, as each option moves, is its formula', () =>
    // engines give the same bits: what a control does is looked at in all, every one of them in one
    checkFamily(ask, name === 'Chromium' ? family : family.map(withMoves(2))),
  );
  for (const [names, given] of Object.entries({
    'scores.csv': {},
    'first.npy second.npy': { score: 'first', target: 'second' },
    'scores.parquet': { command: ['--logits', 'score'] },
    'words.csv': {
      probabilities: true,
      target: 'kind',
      positive: 'spam',
      command: ['--targets', 'kind', '--positive-label', 'spam'],
    },
  })) {
    await run(`a dropped file, ${names}`, () => checkFile(ask, names.split(' '), given, data));
  }
  await run('a first row that may be names or values is asked about', async () => {
    for (const [name, first] of [
      ['pandas.csv', '0, 1'],
      ['bare.csv', '0.9, spam'],
    ]) {
      const { problem } = await ask('file', { names: [name] });
      deepStrictEqual(problem, `"${name}" has a first row of ${first}; say whether it is names or values`);
    }
  });
  await run('the sample', async () => void (await ask('sample')));
  await run('posterior, both ways', () => checkPosterior(ask));
  await run('the hash, and a measurement', async () => {
    const { hash: found, rates } = await ask('machine');
    deepStrictEqual(found, hash);
    if (!rates.every((rate) => rate > 0)) throw new Error(`rates are ${rates}`);
  });
  await run('links and search under another path', async () => {
    const { found } = await ask('walk');
    if (!found.startsWith(BASE)) throw new Error(`a result leads to ${found}`);
  });
  // what it looks at is the same in each
  if (name === 'Chromium') {
    for (const dark of [false, true]) {
      await run(`axe finds nothing, ${dark ? 'dark' : 'light'}`, async () => {
        const found = await ask('accessible', { dark, paths: [...TOOLS, 'index.html', 'docs/options.html'] });
        if (found.length > 0) throw new Error(found.join('\n'));
      });
    }
  }
  if (newPage !== undefined) await run('sliders by keyboard', () => checkKeyboard(newPage, origin));
}

async function checkCurves(ask) {
  const link = '#x=x&show=loss,grad,hess&curve=FocalLoss;gamma=2;alpha=0.75&curve=BCEWithLogitsLoss;target=0';
  const { before, after, lines, figures, link: moved } = await ask('curves', { hash: link, position: 1, moved: 3 });
  const values = (criterion, target) => {
    const { grad, hess } = criterion.gradHess([1], [target]);
    return [criterion.forward([1], [target]), grad[0], hess[0]].map((value) => String(Number(value.toPrecision(4))));
  };
  const bce = values(new library.BCEWithLogitsLoss(), 0);
  deepStrictEqual(before, [values(new library.FocalLoss({ gamma: 2, alpha: 0.75 }), 1), bce]);
  deepStrictEqual(after, [values(new library.FocalLoss({ gamma: 3, alpha: 0.75 }), 1), bce]);
  deepStrictEqual([lines, figures], [6, 3]);
  deepStrictEqual(moved, link.replace('gamma=2', 'gamma=3'));
}

/** The page says what the package and the command line say of the same file. */
async function checkFile(ask, names, { probabilities = false, command = [], ...given }, data) {
  const found = await ask('file', { names, ...given });
  if (found.problem !== undefined) throw new Error(found.problem);
  const expected = (gamma) => {
    const criterion = new library.FocalLoss({ gamma, alpha: 0.25, reduction: 'none', fromLogits: !probabilities });
    const inputs = probabilities ? Float32Array.from(truth.probabilities) : truth.logits;
    const meter = new library.LossMeter(criterion);
    meter.update(inputs, truth.targets);
    const { mean, sumPositives, sumNegatives } = meter.compute();
    const hardest = Array.from(library.hardest(criterion.forward(inputs, truth.targets), 20));
    const logits = probabilities ? Float32Array.from(truth.probabilities, (p) => Math.log(p) - Math.log1p(-p)) : inputs;
    const eces = [{ gamma: 0, alpha: null }, { gamma: 2 }].map((options) => {
      const calibration = new CalibrationMeter();
      calibration.update(library.focalPosterior(logits, options), truth.targets);
      return calibration.compute().ece;
    });
    return { mean, sums: [sumPositives, sumNegatives], hardest, eces };
  };
  const { mean, sum, count, sums, hardest, eces, moved } = found;
  const wanted = score(data.folder, [...names, ...command]);
  deepStrictEqual(count, wanted.count);
  const told = { mean, sum, sumPositives: sums[0], sumNegatives: sums[1] };
  for (const [key, value] of Object.entries(told))
    if (!(Math.abs(value - wanted[key]) <= CUT * wanted[key]))
      throw new Error(`${key} is ${value}, and ${wanted[key]} by the command line`);
  deepStrictEqual({ mean, sums, hardest, eces }, expected(2));
  deepStrictEqual(moved, expected(3).mean);
  deepStrictEqual(found.figures, 4);
}

/** What `focal-loss score` says of files, at the options that the page begins with. */
function score(folder, given) {
  const key = given.join(' ');
  if (!scored.has(key)) {
    const command = [join(root, 'cli/dist/main.js'), 'score', ...given, '--gamma', '2', '--alpha', '0.25', '--json'];
    scored.set(key, JSON.parse(execFileSync(process.execPath, command, { cwd: folder, encoding: 'utf8' })));
  }
  return scored.get(key);
}

async function checkPosterior(ask) {
  const { first, second } = await ask('posterior', { hash: '#gamma=2&alpha=0.25&posWeight=1&score=0.5' });
  deepStrictEqual(first, [0.5, 0.75]);
  const [score, probability] = second;
  deepStrictEqual(probability, 0.9);
  const [back] = library.focalPosterior([Math.log(score / (1 - score))], { gamma: 2, alpha: 0.25 });
  if (Math.abs(back - 0.9) > 1e-4)
    throw new Error(`a probability of 0.9 gives the score ${score}, which means ${back}`);
}

async function checkKeyboard(newPage, origin) {
  const page = await newPage();
  try {
    await page.goto(`${origin}${BASE}playground/curves.html#x=x&curve=FocalLoss`);
    await page.waitForSelector('.tool[data-ready="true"] .card input[type=range]');
    await page.focus('.card input[type=range]:nth-of-type(1)');
    const names = await tabs(page, 3);
    deepStrictEqual(new Set(names).size, 3);
    await page.focus('.reading input[type=range]');
    const before = await page.$eval('.values tbody', (body) => body.textContent);
    await page.keyboard.press('ArrowRight');
    await page.waitForFunction((text) => document.querySelector('.values tbody').textContent !== text, {}, before);
  } finally {
    await page.close();
  }
}

/** What a screen reader calls the controls that the tab key leads to. */
async function tabs(page, count) {
  const names = [];
  for (let k = 0; k < count; k++) {
    await page.keyboard.press('Tab');
    names.push(
      await page.evaluate(() => {
        const { activeElement: element } = document;
        return (
          element.getAttribute('aria-label') ?? element.labels?.[0]?.textContent.trim() ?? element.textContent.trim()
        );
      }),
    );
  }
  if (names.some((name) => name === '')) throw new Error(`a control has no name: ${names.join(', ')}`);
  return names;
}
