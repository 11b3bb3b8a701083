// The examples, each run as its own comment says, on the packed package.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { chromium, withBrowser } from './browsers.mjs';
import { bundleEdge, bundleLambda, fetchEdge, invoke } from './edge.mjs';
import { withFiles } from './pages.mjs';
import { run, serve } from './process.mjs';
import { check, equal } from './report.mjs';
import { bun, copyExample, deno, libraryOf, nodes, versionOf, workerd } from './setup.mjs';
import { bundleWorker, serveWorker } from './workers.mjs';

const BODY = { logits: [2, -1, 0.5, -88], targets: [1, 0, 1, 1] };
const WRONG = { logits: [2], targets: [2] };
const REFUSAL = '"targets" expected a number in [0, 1] at index 0, got 2';
const READY = (output) => /listening on (http:\S+)/.exec(output)?.[1];

const post = (body) => ({ method: 'POST', body: JSON.stringify(body) });

export async function checkExamples(project) {
  const library = await libraryOf(project);
  const criterion = new library.FocalLoss({ gamma: 2, alpha: 0.25 });
  const wanted = criterion.forward(BODY.logits, BODY.targets);
  /** Asks once rightly and once wrongly. */
  const ask = async (answer) => {
    equal(JSON.parse(await answer(BODY)).loss, wanted, 'the loss');
    equal(JSON.parse(await answer(WRONG)).error, REFUSAL, 'the error');
  };
  const asker = (url) => ask(async (body) => (await fetch(url, post(body))).text());
  const example = (name, version, use) => check('example', name, version, () => use(copyExample(project, name)));

  await example('cloudflare-worker', `workerd ${workerd.version}`, async (directory) => {
    const config = readFileSync(join(directory, 'wrangler.jsonc'), 'utf8');
    const date = /"compatibility_date": "([\d-]+)"/.exec(config)[1];
    await serveWorker(await bundleWorker(project, join(directory, 'worker.mjs'), date), date, asker);
  });
  await example('vercel-edge', `edge-runtime ${versionOf('edge-runtime')}`, async (directory) => {
    const bundle = await bundleEdge(join(directory, 'api/loss.mjs'), 'handler');
    const dispatch = "addEventListener('fetch', (event) => event.respondWith(handler.default(event.request)));";
    const { code } = bundle;
    await ask((body) => fetchEdge({ ...bundle, code: `${code}\n${dispatch}` }, '/api/loss', post(body)));
  });
  await example('lambda', `Node ${nodes[1].version}`, async (directory) => {
    const file = await bundleLambda(join(directory, 'handler.mjs'), join(directory, 'out'), 'esm');
    await ask((body) => invoke([nodes[1].binary], file, { body: JSON.stringify(body) }));
  });
  await example('bun', `Bun ${bun.version}`, (directory) =>
    serve([bun.binary, 'server.mjs'], { cwd: directory, env: { PORT: '0' }, ready: READY }, asker),
  );
  await example('deno', `Deno ${deno.version}, no permissions`, async (directory) => {
    const text = await run([deno.binary, 'run', '--no-prompt', '--cached-only', 'main.mjs'], { cwd: directory });
    const [probability] = library.focalPosterior([0], { gamma: 2, alpha: 0.25 });
    const row = text.split('\n').find((line) => /^ +0\.000 /.test(line));
    equal(row?.trim().split(/ +/)[1], probability.toPrecision(4), 'the probability at 0');
  });
  await withBrowser(chromium, ({ name, version, newPage }) =>
    example('browser', `${name} ${version}`, (directory) =>
      withFiles(project, (origin) => checkPage(library, newPage, `${origin}${directory.slice(project.length)}`)),
    ),
  );
  await example('gradient-check', `Node ${process.versions.node}`, async (directory) => {
    // exits with 1 where the wrong gradient passes, or a right one does not
    await run([process.execPath, 'check.mjs'], { cwd: directory });
  });
  await example('onnx-scoring', `Node ${process.versions.node}`, (directory) => checkScoring(library, directory));
  await example('onnx-shapes', `Node ${process.versions.node}`, async (directory) => {
    // each exits with 1 where a loss is not that of its definition
    for (const file of ['retinanet.mjs', 'segmentation.mjs']) await run([process.execPath, file], { cwd: directory });
  });
  await example('tfjs-custom-grad', `TensorFlow.js ${versionOf('@tensorflow/tfjs')}`, checkTraining);
}

async function checkPage({ FocalLoss }, newPage, folder) {
  const page = await newPage();
  await page.goto(`${folder}/index.html`);
  for (const [logit, gamma] of [
    ['0', '2'],
    ['-3', '0.5'],
  ]) {
    await page.locator('#logit').fill(logit);
    await page.locator('#gamma').fill(gamma);
    const value = new FocalLoss({ gamma: Number(gamma), alpha: null }).forward([Number(logit)], [1]);
    equal(await page.$eval('#loss', (field) => field.textContent), value.toPrecision(6), `the loss at ${logit}`);
  }
  await page.close();
}

async function checkScoring({ FocalLoss, focalPosterior }, directory) {
  await run([process.execPath, 'make-model.mjs', 'again.onnx'], { cwd: directory });
  const [committed, again] = ['model.onnx', 'again.onnx'].map((name) => readFileSync(join(directory, name)));
  equal(again.equals(committed), true, 'model.onnx made again is the same');
  const features = Array.from({ length: 100 }, (_, row) =>
    Array.from({ length: 8 }, (_, k) => ((row * 7 + k) % 13) / 9 - 0.6),
  );
  const labels = features.map((_, row) => (row % 9 === 0 ? 1 : 0));
  const options = { cwd: directory, env: { PORT: '0' }, ready: READY };
  await serve([process.execPath, 'server.mjs'], options, async (url) => {
    const request = (body) => fetch(url, post(body)).then((response) => response.json());
    // several in flight, which must not share an array
    const answers = await Promise.all(
      [100, 50, 100, 1].map((rows) => request({ features: features.slice(0, rows), labels: labels.slice(0, rows) })),
    );
    for (const { logits, probabilities, loss, losses } of answers) {
      const rows = logits.length;
      equal(losses.length, rows, 'the number of losses');
      equal(
        logits.every((logit, k) => logit === answers[0].logits[k]),
        true,
        'a logit is the same in any batch',
      );
      const model = { gamma: 2, alpha: 0.75 };
      equal(loss, new FocalLoss(model).forward(logits, labels.slice(0, rows)), 'the loss of the logits');
      equal(probabilities[rows - 1], focalPosterior(logits, model)[rows - 1], 'the last probability');
    }
    equal((await request({ features: [[1]], labels: [1] })).error, '"features" expected 8 numbers a row', 'the error');
  });
}

async function checkTraining(directory) {
  const text = await run([process.execPath, 'train.mjs'], { cwd: directory });
  const losses = Array.from(text.matchAll(/step \d+: loss ([\d.]+)/g), ([, loss]) => Number(loss));
  const falls = losses.length === 5 && losses.every((loss, k) => k === 0 || loss < losses[k - 1]);
  if (!falls) throw new Error(`the losses do not fall: ${losses}`);
  const [, difference, largest] = /differ by at most (\S+), and are at most (\S+)/.exec(text).map(Number);
  if (!(difference < 1e-5 * largest)) throw new Error(`gradients differ by ${difference}, of ${largest}`);
  return `loss ${losses[0]} to ${losses[4]}`;
}
