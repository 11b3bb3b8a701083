// All ten classes: the focal loss of a softmax against its cross entropy, which is the same loss at gamma 0.
//
//   node ten-classes.mjs [--small] [--data FOLDER]
import { SoftmaxFocalLoss, softmaxFocalPosterior } from 'focal-loss-wasm';
import { CLASSES, load, PIXELS } from './data.mjs';
import { averagePrecision, calibrationError } from './metrics.mjs';
import { best, check, options, table, train } from './train.mjs';

const numClasses = CLASSES.length;
const HEADINGS = ['gamma 0', 'gamma 2'];
const given = options();
const data = load(given.data);
const { labels } = data.test;

const [entropy, focal] = [0, 2].map(run);

table(
  ['training loss', ...HEADINGS],
  focal.losses.map((loss, epoch) => [`epoch ${epoch + 1}`, entropy.losses[epoch], loss]),
);
table(
  ['test set', ...HEADINGS, 'best'],
  Object.keys(focal.figures).map((name) => {
    const values = [entropy.figures[name], focal.figures[name]];
    return [name, ...values, best(HEADINGS, name, values)];
  }),
);

check(
  'both losses fall',
  [entropy, focal].every(({ losses }) => losses.at(-1) < 0.8 * losses[0]),
);
check(
  'both accuracies are above 0.8',
  [entropy, focal].every(({ figures }) => figures.accuracy > 0.8),
);
check(
  'softmaxFocalPosterior mends the calibration',
  focal.figures['ECE, probability'] < focal.figures['ECE, softmax'] / 2,
);

function run(gamma) {
  const { model, losses } = train({
    images: data.train.images.subarray(0, given.images * PIXELS),
    targets: data.train.labels.subarray(0, given.images),
    criterion: new SoftmaxFocalLoss({ numClasses, gamma }),
    outputs: numClasses,
  });
  const logits = model.logits(data.test.images);
  // at gamma 0 the posterior is the softmax itself
  const scores = softmaxFocalPosterior(logits, { numClasses, gamma: 0 });
  const probabilities = softmaxFocalPosterior(logits, { numClasses, gamma });
  const shirt = CLASSES.indexOf('shirt');
  const isShirt = labels.map((label) => (label === shirt ? 1 : 0));
  const { accuracy, error } = topClass(scores);
  const figures = {
    accuracy,
    'average precision of shirts': averagePrecision(
      probabilities.filter((_, i) => i % numClasses === shirt),
      isShirt,
    ),
    'ECE, softmax': error,
    'ECE, probability': topClass(probabilities).error,
  };
  return { losses, figures };
}

/** How often the most probable class is right, and how far its probability is from that. */
function topClass(probabilities) {
  const confidence = new Float32Array(labels.length);
  const right = labels.map((label, row) => {
    const own = probabilities.subarray(row * numClasses, (row + 1) * numClasses);
    confidence[row] = Math.max(...own);
    return own[label] === confidence[row] ? 1 : 0;
  });
  return {
    accuracy: right.reduce((sum, hit) => sum + hit, 0) / right.length,
    error: calibrationError(confidence, right),
  };
}
