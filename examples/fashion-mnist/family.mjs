// The family beside binary cross entropy: the same model, trained with each loss on shirts against the nine other classes,
// and with some on ten sigmoids. What each does to finding the rare class, to ranking, and to calibration.
//
//   node family.mjs [--small] [--data FOLDER] [--write]
//
// --write puts the tables into README.md.
import {
  AsymmetricLoss,
  BCEWithLogitsLoss,
  FocalLoss,
  focalPosterior,
  HeatmapFocalLoss,
  OneHotFocalLoss,
  QualityFocalLoss,
  VarifocalLoss,
} from 'focal-loss-wasm';
import { CalibrationMeter } from 'focal-loss-wasm/metrics';
import { table as markdown, replaceSection } from '../../scripts/section.mjs';
import { CLASSES, load, PIXELS } from './data.mjs';
import { atThreshold, averagePrecision, recallAtPrecision } from './metrics.mjs';
import { check, options, table, train } from './train.mjs';

const numClasses = CLASSES.length;
const given = options({ write: { type: 'boolean', default: false } });
const data = load(given.data);
// thirteen models: --small takes a twelfth of the images for each
const count = given.small ? 5000 : given.images;
const images = data.train.images.subarray(0, count * PIXELS);
const labels = data.train.labels.subarray(0, count);
const shirt = CLASSES.indexOf('shirt');

const binary = shirtsAgainstOthers();
const tenfold = tenSigmoids();
report('Shirts against the nine other classes', 'family-one', binary);
report('Ten sigmoids, one for each class, averaged over the classes', 'family-ten', tenfold);

const of = (results, name) => results.find((result) => result.name === name);
const bce = of(binary, 'BCE');
check(
  'every loss falls',
  [...binary, ...tenfold].every(({ losses }) => losses.at(-1) < 0.95 * losses[0]),
);
check(
  'every model ranks far better than chance, a tenth',
  [...binary, ...tenfold].every(({ figures }) => figures['average precision'] > 0.4),
);
check(
  'of hard labels the quality focal loss is the focal loss without alpha: the same model',
  same(of(binary, 'quality').logits, of(binary, 'focal, no alpha').logits),
);
check(
  'focalPosterior mends the calibration of the focal losses',
  binary
    .filter(({ figures }) => figures['ECE, recovered'] !== undefined)
    .every(({ figures }) => figures['ECE, recovered'] < 0.03),
);
check(
  'asymmetric finds more shirts at 0.5 than BCE',
  of(binary, 'asymmetric').figures['recall at 0.5'] > bce.figures['recall at 0.5'],
);

function shirtsAgainstOthers() {
  const targets = labels.map((label) => (label === shirt ? 1 : 0));
  const truth = data.test.labels.map((label) => (label === shirt ? 1 : 0));
  // with what focalPosterior is told where it knows the loss
  const losses = [
    ['BCE', new BCEWithLogitsLoss()],
    ['BCE, posWeight 3', new BCEWithLogitsLoss({ posWeight: 3 }), { gamma: 0, alpha: null, posWeight: 3 }],
    ['focal, no alpha', new FocalLoss({ gamma: 2, alpha: null }), { gamma: 2, alpha: null }],
    ['focal, alpha 0.75', new FocalLoss({ gamma: 2, alpha: 0.75 }), { gamma: 2, alpha: 0.75 }],
    ['Poly-1, epsilon 1', new FocalLoss({ gamma: 2, alpha: 0.75, polyEpsilon: 1 })],
    ['quality', new QualityFocalLoss(), { gamma: 2, alpha: null }],
    ['varifocal', new VarifocalLoss()],
    ['asymmetric', new AsymmetricLoss()],
    ['heatmap', new HeatmapFocalLoss(), { gamma: 2, alpha: null }],
  ];
  return losses.map(([name, criterion, trainedWith]) => {
    const trained = train({ images, targets, criterion, outputs: 1 });
    const logits = trained.model.logits(data.test.images);
    const figures = figuresOf(logits, truth);
    if (trainedWith) figures['ECE, recovered'] = calibration(focalPosterior(logits, trainedWith), truth).ece;
    return { name, losses: trained.losses, logits, figures };
  });
}

function tenSigmoids() {
  const oneHot = (of) => Uint8Array.from({ length: of.length * numClasses }, (_, k) => classAt(of, k));
  const truth = oneHot(data.test.labels);
  const losses = [
    ['BCE', new OneHotFocalLoss({ numClasses, gamma: 0, alpha: null }), labels],
    ['focal, no alpha', new OneHotFocalLoss({ numClasses, gamma: 2, alpha: null }), labels],
    ['asymmetric', new AsymmetricLoss({ numClasses }), oneHot(labels)],
    ['asymmetric, margin 0', new AsymmetricLoss({ numClasses, margin: 0 }), oneHot(labels)],
  ];
  return losses.map(([name, criterion, targets]) => {
    const trained = train({ images, targets, criterion, outputs: numClasses });
    const logits = trained.model.logits(data.test.images);
    const { ece, brier } = calibration(logits.map(sigmoid), truth);
    const byClass = CLASSES.map((_, own) => {
      const column = (of) => of.filter((_, k) => k % numClasses === own);
      return figuresOf(column(logits), column(truth));
    });
    const average = (key) => byClass.reduce((sum, figures) => sum + figures[key], 0) / numClasses;
    const figures = {
      accuracy: accuracy(logits, data.test.labels),
      'recall at 0.5': average('recall at 0.5'),
      'precision at 0.5': average('precision at 0.5'),
      'average precision': average('average precision'),
      ECE: ece,
      Brier: brier,
    };
    return { name, losses: trained.losses, logits, figures };
  });
}

/** 1 where the k-th of the one-hot targets is its row's label. */
function classAt(of, k) {
  return of[Math.floor(k / numClasses)] === k % numClasses ? 1 : 0;
}

function figuresOf(logits, truth) {
  const scores = logits.map(sigmoid);
  const { recall, precision } = atThreshold(scores, truth, 0.5);
  const { ece, brier } = calibration(scores, truth);
  return {
    'recall at 0.5': recall,
    'precision at 0.5': precision,
    'recall at precision 0.5': recallAtPrecision(logits, truth, 0.5),
    'average precision': averagePrecision(logits, truth),
    ECE: ece,
    Brier: brier,
  };
}

function calibration(probabilities, truth) {
  const meter = new CalibrationMeter({ bins: 10 });
  meter.update(probabilities, truth);
  return meter.compute();
}

/** How often the largest logit of a row is the label's. */
function accuracy(logits, truth) {
  const right = truth.filter((label, row) => {
    const own = logits.subarray(row * numClasses, (row + 1) * numClasses);
    return own[label] === Math.max(...own);
  });
  return right.length / truth.length;
}

function sigmoid(x) {
  return 1 / (1 + Math.exp(-x));
}

function same(a, b) {
  return a.length === b.length && a.every((value, k) => value === b[k]);
}

/** A line for each loss, on the screen and, where that is asked for, in README.md. */
function report(title, section, results) {
  const names = [...new Set(results.flatMap(({ figures }) => Object.keys(figures)))];
  console.log(`${title}, ${count} training images\n`);
  const shown = (value) => (value === undefined ? '-' : value.toFixed(4));
  const cells = results.map(({ name, figures }) => [name, ...names.map((key) => shown(figures[key]))]);
  table(['', ...names.map((name) => name.replace(' at precision', ' at p.'))], cells);
  if (given.write) {
    replaceSection(new URL('README.md', import.meta.url), section, markdown(['loss', ...names], cells));
  }
}
