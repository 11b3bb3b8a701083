// A segmentation map in ONNX Runtime: logits [1, 21, 64, 64], classes along the second axis, against a class for each pixel.
// Nothing is transposed, and the float16 output of the model is read as it is.      node segmentation.mjs
import { LossMeter, SoftmaxFocalLoss } from 'focal-loss-wasm';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { CHANNELS, drawn, random, SEGMENTED, SIDE, segmentationModel } from './models.mjs';

/** Pixels on the border of an object. */
const UNLABELLED = 255;

const session = await InferenceSession.create(segmentationModel());
const features = new Tensor('float32', drawn(CHANNELS * SIDE * SIDE, 1, 7), [1, CHANNELS, SIDE, SIDE]);
const { logits, halves, classes } = await session.run({ features });

// the model's own classes, of which every fifth pixel is wrong and a border has no label
const next = random(99);
const labels = Uint8Array.from(classes.data, (label, pixel) => {
  if (pixel % SIDE === 0) return UNLABELLED;
  return next() < 0.2 ? Math.floor(next() * SEGMENTED) : Number(label);
});

const options = { numClasses: SEGMENTED, classAxis: 1, gamma: 2, ignoreIndex: UNLABELLED };
const criterion = new SoftmaxFocalLoss(options);
const { value, grad } = criterion.valueAndGrad(logits, labels);
console.log(`logits ${logits.type} [${logits.dims}], labels of ${labels.length} pixels`);
console.log(`loss of a labelled pixel: ${value.toFixed(4)}, gradient of ${grad.length} logits in their layout`);

const ofHalves = criterion.forward(halves, labels);
console.log(`loss of the ${halves.type} output in a ${halves.data.constructor.name}: ${ofHalves.toFixed(4)}`);

const losses = new SoftmaxFocalLoss({ ...options, reduction: 'none' }).forward(logits, labels);
const meter = new LossMeter(criterion);
meter.update(logits, labels);
console.log(`a loss map of ${losses.length} pixels; the meter counted ${meter.compute().count}`);

// an int64 tensor holds labels as well: against its own classes the model is right
const own = criterion.forward(logits, classes);
console.log(`loss against its own classes (${classes.type} [${classes.dims}]): ${own.toFixed(4)}`);

check('float16 changes the loss by less than a thousandth', Math.abs(ofHalves / value - 1) < 1e-3);
check('the loss is that of the pixels as rows', Math.abs(value / byHand() - 1) < 1e-6);
check(
  'a pixel without a label costs nothing',
  losses.every((loss, pixel) => labels[pixel] !== UNLABELLED || loss === 0),
);
check("the model's own classes cost less", own < value);

/** The definition, pixel by pixel in float64. */
function byHand() {
  const pixels = SIDE * SIDE;
  let sum = 0;
  let count = 0;
  for (let pixel = 0; pixel < pixels; pixel++) {
    if (labels[pixel] === UNLABELLED) continue;
    const row = Array.from({ length: SEGMENTED }, (_, k) => Math.exp(logits.data[k * pixels + pixel]));
    const p = row[labels[pixel]] / row.reduce((total, e) => total + e, 0);
    sum -= (1 - p) ** 2 * Math.log(p);
    count++;
  }
  return sum / count;
}

function check(what, holds) {
  console.log(`${holds ? 'ok    ' : 'FAILED'} ${what}`);
  if (!holds) process.exitCode = 1;
}
