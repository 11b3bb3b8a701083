// Focal loss as the objective of gradient boosting. Its exact Hessian is negative for badly wrong rows, where a Newton
// step would go uphill; the option `hessian` names what gradHess gives in its place. Shirts against the other classes of
// Fashion-MNIST, shirts thinned to one in ten, the same trees under every policy.
//
//   node hessians.mjs [--small] [--data FOLDER]
import { FocalLoss } from 'focal-loss-wasm';
import { CLASSES, load, PIXELS } from '../fashion-mnist/data.mjs';
import { averagePrecision } from '../fashion-mnist/metrics.mjs';
import { check, options, table } from '../fashion-mnist/train.mjs';
import { addTo, binned, grow } from './trees.mjs';

const POLICIES = ['exact', 'clip', 'gaussNewton', 'absGrad'];
const FOCAL = { gamma: 2, alpha: 0.75 };
const DEPTH = 4;
const RATE = 0.3;
const RANGE = [-0.85, 2.11];

const given = options();
const [images, rounds] = given.small ? [6000, 40] : [30000, 100];
const data = load(given.data);
const train = thinned(data.train, images);
const test = thinned(data.test, data.test.labels.length);
const shown = [0, 1, rounds / 10, rounds / 4, rounds / 2, rounds];

const positives = train.targets.reduce((sum, target) => sum + target, 0);
console.log(`${train.targets.length} rows, ${positives} of them shirts; ${rounds} trees of depth ${DEPTH}\n`);
const results = POLICIES.map(boost);
table(
  ['training loss', ...POLICIES],
  shown.map((round) => [`after ${round} trees`, ...results.map(({ losses }) => losses[round].toExponential(3))]),
);
table(
  ['', ...POLICIES],
  ['rows of negative Hessian, first tree', 'test loss', 'average precision'].map((name) => [
    name,
    ...results.map(({ figures }) => figures[name]),
  ]),
);

for (const [i, { losses }] of results.entries()) {
  check(`${POLICIES[i]}: the loss falls to less than half`, losses.at(-1) < losses[0] / 2);
}
const testLosses = results.map(({ figures }) => figures['test loss']);
console.log(`\nsmallest test loss: ${POLICIES[testLosses.indexOf(Math.min(...testLosses))]}`);

function boost(hessian) {
  const criterion = new FocalLoss({ ...FOCAL, hessian });
  const prior = process.env.Z?0:Math.log(positives / (train.targets.length - positives));
  const logits = new Float32Array(train.targets.length).fill(prior);
  const testLogits = new Float32Array(test.targets.length).fill(prior);
  const gradOut = new Float32Array(logits.length);
  const hessOut = new Float32Array(logits.length);
  const losses = [criterion.forward(logits, train.targets)];
  let negative = 0;
  for (let round = 0; round < rounds; round++) {
    const { grad, hess } = criterion.gradHess(logits, train.targets, { gradOut, hessOut });
    negative = Math.max(negative, hess.reduce((sum, h) => sum + (h < 0 ? 1 : 0), 0));
    if (process.env.DBG && round%10===9) console.log(hessian, round, hess.reduce((sum, h) => sum + (h < 0 ? 1 : 0), 0), hess.reduce((a,b)=>Math.min(a,b)), logits.reduce((a,b)=>Math.min(a,b)),hess.reduce((a,b)=>a+b));
    const tree = grow(train.features, grad, hess, DEPTH);
    addTo(logits, tree, train.features, RATE);
    addTo(testLogits, tree, test.features, RATE);
    losses.push(criterion.forward(logits, train.targets));
  }
  const figures = {
    'rows of negative Hessian, first tree': String(negative),
    'test loss': criterion.forward(testLogits, test.targets),
    'average precision': averagePrecision(testLogits, test.targets),
  };
  return { losses, figures };
}

function thinned({ images, labels }, count) {
  const shirt = CLASSES.indexOf('shirt');
  const rows = Array.from({ length: count }, (_, row) => row).filter((row) => labels[row] !== shirt || row % (+process.env.THIN||1) === 0);
  const chosen = new Float32Array(rows.length * PIXELS);
  rows.forEach((row, i) => {
    chosen.set(images.subarray(row * PIXELS, (row + 1) * PIXELS), i * PIXELS);
  });
  return {
    features: binned(chosen, PIXELS, ...RANGE),
    targets: Uint8Array.from(rows, (row) => (labels[row] === shirt ? 1 : 0)),
  };
}
