// A RetinaNet's class head in ONNX Runtime: 2,880 anchors of 80 classes, scored against one label an anchor. No one-hot
// array is made, and the float16 output of the model is read as it is.      node retinanet.mjs
import { hardest, OneHotFocalLoss } from 'focal-loss-wasm';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { ANCHORS, CHANNELS, DETECTED, detectionModel, drawn, FOCAL, LEVELS, random } from './models.mjs';

const BACKGROUND = DETECTED;
/** Between the thresholds of the matcher: neither object nor background. */
const LEFT_OUT = -1;

const session = await InferenceSession.create(detectionModel());
const features = LEVELS.map((side, level) => [
  `features${level}`,
  new Tensor('float32', drawn(CHANNELS * side * side, 1, 31 + level), [1, CHANNELS, side, side]),
]);
const { logits, halves } = await session.run(Object.fromEntries(features));

// what a matcher gives: most anchors see no object
const anchors = LEVELS.reduce((sum, side) => sum + side * side * ANCHORS, 0);
const next = random(2017);
const labels = Int32Array.from({ length: anchors }, () => {
  const draw = next();
  return draw < 0.02 ? Math.floor(next() * DETECTED) : draw < 0.05 ? LEFT_OUT : BACKGROUND;
});
const objects = labels.filter((label) => label >= 0 && label < BACKGROUND).length;

const options = { numClasses: DETECTED, ...FOCAL, ignoreIndex: LEFT_OUT, normalizer: 'positives' };
const criterion = new OneHotFocalLoss(options);
const { value, grad } = criterion.valueAndGrad(logits, labels);
console.log(`logits ${logits.type} [${logits.dims}], ${objects} anchors with an object`);
console.log(`loss over the objects: ${value.toFixed(4)}, gradient of ${grad.length} logits`);

console.log(`logits ${halves.type} [${halves.dims}] in a ${halves.data.constructor.name}`);
const ofHalves = criterion.forward(halves, labels);
console.log(`loss of the float16 output: ${ofHalves.toFixed(4)}`);

// detectron2 divides by a moving average instead
console.log(`loss over 100 boxes: ${criterion.forward(logits, labels, { normalizer: 100 }).toFixed(4)}`);

const losses = new OneHotFocalLoss({ ...options, reduction: 'none' }).forward(logits, labels);
const worst = [...hardest(losses, 3)].map((at) => `anchor ${Math.floor(at / DETECTED)} class ${at % DETECTED}`);
console.log(`hardest: ${worst.join(', ')}`);

check('float16 changes the loss by less than a thousandth', Math.abs(ofHalves / value - 1) < 1e-3);
check('the loss is that of one-hot targets', Math.abs(value / byHand() - 1) < 1e-6);
check(
  'anchors that are left out have no gradient',
  grad.every((g, k) => g === 0 || labels[Math.floor(k / DETECTED)] !== LEFT_OUT),
);

/** The definition, element by element in float64. */
function byHand() {
  let sum = 0;
  logits.data.forEach((x, k) => {
    const label = labels[Math.floor(k / DETECTED)];
    if (label === LEFT_OUT) return;
    const isPositive = label === k % DETECTED;
    const u = isPositive ? x : -x;
    const wrong = 1 / (1 + Math.exp(u));
    const weight = isPositive ? FOCAL.alpha : 1 - FOCAL.alpha;
    sum += weight * wrong ** FOCAL.gamma * (Math.max(-u, 0) + Math.log1p(Math.exp(-Math.abs(u))));
  });
  return sum / Math.max(1, objects);
}

function check(what, holds) {
  console.log(`${holds ? 'ok    ' : 'FAILED'} ${what}`);
  if (!holds) process.exitCode = 1;
}
