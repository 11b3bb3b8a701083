// The cases of the benchmark, each beside its base and with what it must reach.

import { FocalLoss, focalPosterior, SoftmaxFocalLoss, softmaxFocalPosterior, Workspace } from 'focal-loss-wasm';
import { FocalLoss as DoubleFocalLoss, Workspace as DoubleWorkspace } from 'focal-loss-wasm/float64';
import { binaryInputs, softmaxInputs } from './inputs.mjs';
import * as scalar from './scalar.mjs';

const ALPHA = 0.25;
const SCALAR = 'scalar: loss';
const FORWARD = 'workspace';
/** Elements that scalar code is timed on at once: more would take so long that it would always be interrupted. */
const WINDOW = 16_384;
/** Lengths at which throughput is judged; the first and the last are named in the targets. */
const JUDGED = { from: 16_384, to: 1_048_576 };
/** Of one element: a twelfth and a sixth of the loop's throughput. */
const ONE = { must: 0.083, aim: 0.167 };

/**
 * Cases over `length` elements: `{ name, run, base, must, aim }`, where `must` and `aim` are throughput as a multiple of the
 * base's; and `check`, which compares the results with the base's.
 */
export function binaryCases(length) {
  const { logits, targets, soft } = binaryInputs(length);
  const workspace = new Workspace(21 * length);
  const x = workspace.float32(length);
  const y = workspace.uint8(length);
  const s = workspace.float32(length);
  const out = workspace.float32(length);
  const second = workspace.float32(length);
  x.set(logits);
  y.set(targets);
  s.set(soft);
  const own = new Float32Array(length);
  const ownSecond = new Float32Array(length);
  const doubles = new DoubleWorkspace(9 * length);
  const doubleX = doubles.float64(length);
  const doubleY = doubles.uint8(length);
  doubleX.set(logits);
  doubleY.set(targets);
  const double = new DoubleFocalLoss({ gamma: 2, alpha: ALPHA, reduction: 'sum' });
  const criterion = (gamma, reduction = 'sum') => new FocalLoss({ gamma, alpha: ALPHA, reduction });
  const two = criterion(2);
  const none = criterion(2, 'none');
  const onePointFive = criterion(1.5);
  const onePointSeven = criterion(1.7);
  const losses = { out };
  const ownLosses = { out: own };
  const gradient = { gradOut: out };
  const both = { gradOut: out, hessOut: second };
  const probabilities = { gamma: 2, alpha: ALPHA, out };

  const windows = windowsOf(length);
  const cases = [
    { name: SCALAR, ...windows((part) => scalar.focalSum(part(logits), part(targets), ALPHA)) },
    { name: FORWARD, run: () => two.forward(x, y), must: 13, aim: 18 },
    { name: 'workspace, gamma 1.5', run: () => onePointFive.forward(x, y), must: 13, aim: 18 },
    { name: 'workspace, gamma 1.7', run: () => onePointSeven.forward(x, y), base: FORWARD, must: 0.6, aim: 0.75 },
    { name: 'ordinary arrays', run: () => two.forward(logits, targets), must: 11, aim: 16 },
    { name: 'float64, workspace', run: () => double.forward(doubleX, doubleY), base: SCALAR, must: 3, aim: 4 },
    { name: 'scalar: loss, soft targets', ...windows((part) => scalar.focalSumSoft(part(logits), part(soft), ALPHA)) },
    { name: 'workspace, soft targets', run: () => two.forward(x, s), must: 11, aim: 15 },
    { name: 'scalar: losses', ...windows((part) => scalar.focalLosses(part(logits), part(targets), ALPHA, part(own))) },
    { name: "workspace, 'none' into out", run: () => none.forward(x, y, losses), must: 11, aim: 15 },
    { name: "ordinary arrays, 'none' into out", run: () => none.forward(logits, targets, ownLosses) },
    {
      name: 'scalar: loss and gradient',
      ...windows((part) => scalar.focalGrad(part(logits), part(targets), ALPHA, part(own))),
    },
    {
      name: 'workspace, valueAndGrad',
      run: () => two.valueAndGrad(x, y, gradient),
      base: FORWARD,
      must: 0.6,
      aim: 0.8,
    },
    {
      name: 'scalar: gradient and Hessian',
      ...windows((part) => scalar.focalGradHess(part(logits), part(targets), ALPHA, part(own), part(ownSecond))),
    },
    { name: 'workspace, gradHess', run: () => two.gradHess(x, y, both), base: 'scalar: gradient and Hessian' },
    { name: 'scalar: posterior', ...windows((part) => scalar.focalPosterior(part(logits), ALPHA, part(own))) },
    { name: 'workspace, focalPosterior', run: () => focalPosterior(x, probabilities), base: 'scalar: posterior' },
  ];

  const check = () => {
    const sum = scalar.focalSum(logits, targets, ALPHA);
    agree('sum', [two.forward(x, y)], [sum]);
    agree('sum of ordinary arrays', [two.forward(logits, targets)], [sum]);
    agree('sum in float64', [double.forward(doubleX, doubleY)], [sum]);
    agree('sum of soft targets', [two.forward(x, s)], [scalar.focalSumSoft(logits, soft, ALPHA)]);
    agree('losses', none.forward(x, y, losses), scalar.focalLosses(logits, targets, ALPHA, own));
    const { value } = two.valueAndGrad(x, y, gradient);
    agree('value', [value], [scalar.focalGrad(logits, targets, ALPHA, own)]);
    agree('gradient', out, own);
    two.gradHess(x, y, both);
    scalar.focalGradHess(logits, targets, ALPHA, own, ownSecond);
    agree('gradient of gradHess', out, own);
    agree('Hessian', second, ownSecond);
    agree('posterior', focalPosterior(x, probabilities), scalar.focalPosterior(logits, ALPHA, own));
  };
  return {
    title: length === 1 ? '1 element' : `${count(length)} elements`,
    length,
    cases: cases.map((each) => judged(each, length)),
    check,
  };
}

/** The same over about `length` logits in rows of `classes`. */
export function softmaxCases(classes, length) {
  const rows = Math.max(1, Math.round(length / classes));
  const elements = rows * classes;
  const { logits, labels } = softmaxInputs(rows, classes);
  const workspace = new Workspace(8 * elements + 4 * rows);
  const x = workspace.float32(elements);
  const y = workspace.int32(rows);
  const out = workspace.float32(elements);
  x.set(logits);
  y.set(labels);
  const own = new Float32Array(elements);
  const softmax = new SoftmaxFocalLoss({ gamma: 2, numClasses: classes, reduction: 'sum' });
  const gradient = { gradOut: out };
  const probabilities = { gamma: 2, numClasses: classes, out };
  const base = 'scalar: softmax loss and gradient';

  const cases = [
    { name: 'scalar: softmax loss', run: () => scalar.softmaxFocalSum(logits, labels, classes) },
    { name: 'workspace', run: () => softmax.forward(x, y), base: 'scalar: softmax loss' },
    { name: 'ordinary arrays', run: () => softmax.forward(logits, labels), base: 'scalar: softmax loss' },
    { name: base, run: () => scalar.softmaxFocalGrad(logits, labels, classes, own) },
    { name: 'workspace, valueAndGrad', run: () => softmax.valueAndGrad(x, y, gradient), base },
    { name: 'scalar: softmax posterior', run: () => scalar.softmaxFocalPosterior(logits, classes, own) },
    {
      name: 'workspace, softmaxFocalPosterior',
      run: () => softmaxFocalPosterior(x, probabilities),
      base: 'scalar: softmax posterior',
    },
  ];
  const check = () => {
    const sum = scalar.softmaxFocalSum(logits, labels, classes);
    agree('softmax', [softmax.forward(x, y)], [sum]);
    agree('softmax of ordinary arrays', [softmax.forward(logits, labels)], [sum]);
    const { value } = softmax.valueAndGrad(x, y, gradient);
    agree('softmax value', [value], [scalar.softmaxFocalGrad(logits, labels, classes, own)]);
    agree('softmax gradient', out, own);
    const posteriors = scalar.softmaxFocalPosterior(logits, classes, own);
    agree('softmax posterior', softmaxFocalPosterior(x, probabilities), posteriors);
  };
  return { title: `${count(rows)} rows of ${count(classes)} classes`, length: elements, cases, check };
}

export const count = (value) => value.toLocaleString('en');

/** Makes a case of scalar code that goes through an input a window a call. */
function windowsOf(length) {
  if (length <= WINDOW) return (run) => ({ run: () => run((array) => array) });
  const parts = length / WINDOW;
  return (run) => {
    let start = 0;
    const part = (array) => array.subarray(start, start + WINDOW);
    const next = () => {
      run(part);
      start = (start + WINDOW) % length;
    };
    return { run: next, parts };
  };
}

/** Gives a case its base and the target that holds at this length. */
function judged({ base, must, aim, ...rest }, length) {
  const beside = { ...rest, base: base ?? (rest.name.startsWith('scalar') ? undefined : SCALAR) };
  if (length === 1 && rest.name === FORWARD) return { ...beside, ...ONE };
  return length >= JUDGED.from && length <= JUDGED.to ? { ...beside, must, aim } : beside;
}

/** float32 against double: the rounding of an element, and that of a derivative's terms where they cancel. */
export function agree(what, actual, expected) {
  for (let k = 0; k < expected.length; k++) {
    const difference = Math.abs(actual[k] - expected[k]);
    if (difference <= 4e-6 * Math.abs(expected[k]) + 4e-7) continue;
    throw new Error(`${what}: ${actual[k]} at ${k}, where scalar JavaScript gives ${expected[k]}`);
  }
}
