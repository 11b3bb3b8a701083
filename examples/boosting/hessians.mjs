// Focal loss as the objective of gradient boosting: shirts against the other classes of Fashion-MNIST, the same trees under
// every policy for the Hessian. The exact Hessian of a badly wrong row is negative (p_t below 0.058 at gamma 2), where a
// Newton step would go uphill. From logit 0 no row is that wrong, and from a rare class's log odds every positive is: they
// are the best start of the cross entropy, and not of the focal loss. From its own best start no row is.
//
//   node hessians.mjs [--small] [--data FOLDER]
import { FocalLoss, focalLogit } from 'focal-loss-wasm';
import { CLASSES, GREY, load, PIXELS } from '../fashion-mnist/data.mjs';
import { averagePrecision } from '../fashion-mnist/metrics.mjs';
import { check, options, table } from '../fashion-mnist/train.mjs';
import { addTo, binned, grow } from './trees.mjs';

const POLICIES = ['exact', 'clip', 'gaussNewton', 'absGrad'];
const FOCAL = { gamma: 2, alpha: 0.75 };
const DEPTH = 4;
const RATE = 0.3;

const given = options();
const [images, rounds] = given.small ? [5000, 30] : [15000, 60];
const data = load(given.data);

const common = compare('from logit 0', 1, () => 0);
for (const { hessian, losses } of common.results) {
  check(`${hessian}: the loss falls to less than half`, losses.at(-1) < losses[0] / 2);
}

const logOdds = compare('one shirt in ten kept, from the log odds of a shirt', 10, (share) =>
  Math.log(share / (1 - share)),
);
const [stuck, , , absGrad] = logOdds.results;
check('exact: the Hessian of every shirt is negative', stuck.negative === logOdds.positives);
check('exact: the loss stays where it is', stuck.losses.at(-1) === stuck.losses[0]);
check('absGrad: the loss falls to less than half all the same', absGrad.losses.at(-1) < absGrad.losses[0] / 2);

const optimum = compare(
  'one shirt in ten kept, from the best constant of the focal loss',
  10,
  (share) => focalLogit([share], FOCAL)[0],
);
const [exact] = optimum.results;
check('exact: the start is better than the log odds', exact.losses[0] < stuck.losses[0] / 2);
check('exact: no Hessian is negative', exact.negative === 0);
check('exact: the loss falls to a fifth', exact.losses.at(-1) < exact.losses[0] / 5);
check(
  'exact: the least test loss of all policies and both starts',
  [...optimum.results, ...logOdds.results].every(({ testLoss }) => testLoss >= exact.testLoss),
);

/** Boosts under every policy, on every `keep`th shirt and all else, and prints what comes of it. */
function compare(title, keep, startOf) {
  const train = choose(data.train, images, keep);
  const test = choose(data.test, data.test.labels.length, keep);
  const positives = train.targets.reduce((sum, target) => sum + target, 0);
  const start = startOf(positives / train.targets.length);
  console.log(`\n${title}: logit ${start.toFixed(3)}`);
  const results = POLICIES.map((hessian) => boost(train, test, hessian, start));
  const least = Math.min(...results.map(({ testLoss }) => testLoss));
  const best = results.filter(({ testLoss }) => testLoss === least).map(({ hessian }) => hessian);
  const row = (name, cell) => [name, ...results.map(cell)];
  console.log(`${train.targets.length} rows, ${positives} shirts, ${rounds} trees of depth ${DEPTH}\n`);
  table(
    ['', ...POLICIES],
    [
      ...[0, 1, rounds / 10, rounds / 3, rounds].map((round) =>
        row(`loss after ${round} trees`, ({ losses }) => losses[round].toPrecision(4)),
      ),
      row('negative Hessians at first', ({ negative }) => String(negative)),
      row('test set: loss', ({ testLoss }) => testLoss.toPrecision(4)),
      row('test set: average precision', ({ precision }) => precision),
    ],
  );
  console.log(`smallest test loss: ${best.join(', ')}\n`);
  return { results, positives };
}

function boost(train, test, hessian, start) {
  const criterion = new FocalLoss({ ...FOCAL, hessian });
  const logits = new Float32Array(train.targets.length).fill(start);
  const testLogits = new Float32Array(test.targets.length).fill(start);
  const buffers = { gradOut: new Float32Array(logits.length), hessOut: new Float32Array(logits.length) };
  const losses = [criterion.forward(logits, train.targets)];
  const negative = criterion.gradHess(logits, train.targets, buffers).hess.filter((h) => h < 0).length;
  for (let round = 0; round < rounds; round++) {
    const { grad, hess } = criterion.gradHess(logits, train.targets, buffers);
    const tree = grow(train.features, grad, hess, DEPTH);
    addTo(logits, tree, train.features, RATE);
    addTo(testLogits, tree, test.features, RATE);
    losses.push(criterion.forward(logits, train.targets));
  }
  const testLoss = criterion.forward(testLogits, test.targets);
  return { hessian, losses, negative, testLoss, precision: averagePrecision(testLogits, test.targets) };
}

function choose({ images, labels }, count, keep) {
  const shirt = CLASSES.indexOf('shirt');
  let shirts = 0;
  const rows = Array.from({ length: count }, (_, row) => row).filter(
    (row) => labels[row] !== shirt || shirts++ % keep === 0,
  );
  const chosen = new Float32Array(rows.length * PIXELS);
  rows.forEach((row, i) => {
    chosen.set(images.subarray(row * PIXELS, (row + 1) * PIXELS), i * PIXELS);
  });
  return {
    features: binned(chosen, PIXELS, GREY.black, GREY.white),
    targets: Uint8Array.from(rows, (row) => (labels[row] === shirt ? 1 : 0)),
  };
}
