// Shirts against the nine other classes: a tenth of the images, and the class that is hardest to tell from others. The
// same model is trained with focal loss, with binary cross entropy, and with that under a posWeight which weighs the
// classes as focal loss's alpha does; everything else is the same. The second column tells what alpha does, the step
// from there to the third what gamma does.
//
//   node one-against-nine.mjs [--small] [--data FOLDER] [--export]
import { writeFileSync } from 'node:fs';
import { BCEWithLogitsLoss, FocalLoss, focalPosterior } from 'focal-loss-wasm';
import { CLASSES, load, PIXELS } from './data.mjs';
import { atThreshold, averagePrecision, bestF1, calibrationError, recallAtPrecision } from './metrics.mjs';
import { writeNpy } from './npy.mjs';
import { best, check, options, table, train } from './train.mjs';

const FOCAL = { gamma: 2, alpha: 0.75 };
const BCE = { gamma: 0, alpha: null };
// alpha / (1 - alpha)
const WEIGHTED = { ...BCE, posWeight: 3 };
const HEADINGS = ['BCE', 'BCE, posWeight 3', 'focal'];

const given = options({ export: { type: 'boolean', default: false } });
const data = load(given.data);
const shirt = CLASSES.indexOf('shirt');

const results = compare(shirt);
const [bce, , focal] = results;
console.log(`Shirts against the nine other classes, ${given.images} training images\n`);
table(
  ['training loss', ...HEADINGS],
  focal.losses.map((_, epoch) => [`epoch ${epoch + 1}`, ...results.map(({ losses }) => losses[epoch])]),
);
table(
  ['test set', ...HEADINGS, 'best'],
  Object.keys(focal.figures).map((name) => {
    const values = results.map(({ figures }) => figures[name]);
    return [name, ...values, best(HEADINGS, name, values)];
  }),
);

check(
  'every loss falls',
  results.every(({ losses }) => losses.at(-1) < 0.9 * losses[0]),
);
const gain = (name) => focal.figures[name] - bce.figures[name];
check('focal loss finds more shirts than BCE at 0.5: recall + 0.2', gain('recall, sigmoid >= 0.5') > 0.2);
check('and is the better for it: F1 + 0.03', gain('F1, sigmoid >= 0.5') > 0.03);
check(
  'focalPosterior leaves at most a tenth of the calibration error',
  focal.figures['ECE, probability'] < focal.figures['ECE, sigmoid'] / 10,
);

if (given.export) {
  const here = new URL('./', import.meta.url);
  writeFileSync(new URL('logits.npy', here), writeNpy(focal.logits));
  writeFileSync(new URL('targets.npy', here), writeNpy(binary(data.test.labels, shirt)));
} else if (!given.small) {
  everyClass();
}

/** Shirts are one class of ten: here are all of them. */
function everyClass() {
  const names = ['average precision', 'F1, sigmoid >= 0.5'];
  const all = CLASSES.map((_, positive) => (positive === shirt ? results : compare(positive)));
  for (const name of names) {
    table(
      [name, ...HEADINGS, 'best'],
      all.map((of, positive) => {
        const values = of.map(({ figures }) => figures[name]);
        return [CLASSES[positive], ...values, best(HEADINGS, name, values)];
      }),
    );
  }
}

function compare(positive) {
  return [
    run(new BCEWithLogitsLoss(), BCE, positive),
    run(new BCEWithLogitsLoss({ posWeight: 3 }), WEIGHTED, positive),
    run(new FocalLoss(FOCAL), FOCAL, positive),
  ];
}

function run(criterion, lossOptions, positive) {
  const { images, labels } = data.train;
  const { model, losses } = train({
    images: images.subarray(0, given.images * PIXELS),
    targets: binary(labels.subarray(0, given.images), positive),
    criterion,
    outputs: 1,
  });
  const logits = model.logits(data.test.images);
  const targets = binary(data.test.labels, positive);
  const scores = logits.map((x) => 1 / (1 + Math.exp(-x)));
  // at gamma 0 without weights the posterior is the sigmoid itself
  const probabilities = focalPosterior(logits, lossOptions);
  const figures = {
    'average precision': averagePrecision(logits, targets),
    'recall at precision 0.5': recallAtPrecision(logits, targets, 0.5),
    'recall at precision 0.6': recallAtPrecision(logits, targets, 0.6),
    'F1, best threshold': bestF1(logits, targets),
    'F1, sigmoid >= 0.5': atThreshold(scores, targets, 0.5).f1,
    'precision, sigmoid >= 0.5': atThreshold(scores, targets, 0.5).precision,
    'recall, sigmoid >= 0.5': atThreshold(scores, targets, 0.5).recall,
    'F1, probability >= 0.5': atThreshold(probabilities, targets, 0.5).f1,
    'ECE, sigmoid': calibrationError(scores, targets),
    'ECE, probability': calibrationError(probabilities, targets),
  };
  return { logits, losses, figures };
}

function binary(labels, positive) {
  return labels.map((label) => (label === positive ? 1 : 0));
}
