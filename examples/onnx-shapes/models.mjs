// Two small models with the outputs of large ones, as ONNX: a RetinaNet's class head, and a segmentation head. Weights are
// drawn, the same on every machine: what matters here are shapes and types.
import { focalLogit } from 'focal-loss-wasm';
import proto from 'onnx-proto';

const { onnx } = proto;
const { FLOAT, FLOAT16, INT64 } = onnx.TensorProto.DataType;
const { INT, INTS } = onnx.AttributeProto.AttributeType;

export const ANCHORS = 9;
export const DETECTED = 80;
export const CHANNELS = 16;
/** Sides of the feature maps, from fine to coarse. */
export const LEVELS = [16, 8];
export const SEGMENTED = 21;
export const SIDE = 64;

/** What both losses below have, and the bias of a head starts from. */
export const FOCAL = { gamma: 2, alpha: 0.25 };

/** `logits` float32 [1, anchors, 80] and `halves`, the same as float16, of `features0` and `features1`. */
export function detectionModel() {
  const weights = tensor('weights', [ANCHORS * DETECTED, CHANNELS, 3, 3], 0.05);
  // at first a class has a probability of 0.01 everywhere, of which focal loss makes this logit
  const [start] = focalLogit([0.01], FOCAL);
  const bias = { ...tensor('bias', [ANCHORS * DETECTED], 0), floatData: Array(ANCHORS * DETECTED).fill(start) };
  const nodes = LEVELS.flatMap((_, level) => {
    const name = (step) => `${step}${level}`;
    return [
      node('Conv', [name('features'), 'weights', 'bias'], name('planes'), { pads: [1, 1, 1, 1] }),
      node('Reshape', [name('planes'), name('split')], name('apart')),
      node('Transpose', [name('apart')], name('last'), { perm: [0, 3, 4, 1, 2] }),
      node('Reshape', [name('last'), 'rows'], name('rows')),
    ];
  });
  return encode({
    nodes: [
      ...nodes,
      node(
        'Concat',
        LEVELS.map((_, level) => `rows${level}`),
        'logits',
        { axis: 1 },
      ),
      node('Cast', ['logits'], 'halves', { to: FLOAT16 }),
    ],
    constants: [
      weights,
      bias,
      ints('rows', [1, -1, DETECTED]),
      ...LEVELS.map((side, level) => ints(`split${level}`, [1, ANCHORS, DETECTED, side, side])),
    ],
    inputs: LEVELS.map((side, level) => value(`features${level}`, FLOAT, [1, CHANNELS, side, side])),
    outputs: [value('logits', FLOAT, [1, 'anchors', DETECTED]), value('halves', FLOAT16, [1, 'anchors', DETECTED])],
  });
}

/** `logits` float32 [1, 21, 64, 64], `halves`, and `classes` int64 [1, 64, 64], the largest logit's, of `features`. */
export function segmentationModel() {
  const shape = [1, SEGMENTED, SIDE, SIDE];
  return encode({
    nodes: [
      node('Conv', ['features', 'weights'], 'logits', {}),
      node('Cast', ['logits'], 'halves', { to: FLOAT16 }),
      node('ArgMax', ['logits'], 'classes', { axis: 1, keepdims: 0 }),
    ],
    constants: [tensor('weights', [SEGMENTED, CHANNELS, 1, 1], 1)],
    inputs: [value('features', FLOAT, [1, CHANNELS, SIDE, SIDE])],
    outputs: [value('logits', FLOAT, shape), value('halves', FLOAT16, shape), value('classes', INT64, [1, SIDE, SIDE])],
  });
}

/** Numbers in [0, 1) (xorshift). */
export function random(seed) {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

export function drawn(length, scale, seed) {
  const next = random(seed);
  return Float32Array.from({ length }, () => (2 * next() - 1) * scale);
}

function tensor(name, dims, scale) {
  const length = dims.reduce((product, size) => product * size, 1);
  return { name, dims, dataType: FLOAT, floatData: [...drawn(length, scale, 1708)] };
}

function ints(name, values) {
  return { name, dims: [values.length], dataType: INT64, int64Data: values };
}

function value(name, elemType, dims) {
  const dim = dims.map((size) => (typeof size === 'string' ? { dimParam: size } : { dimValue: size }));
  return { name, type: { tensorType: { elemType, shape: { dim } } } };
}

function node(opType, input, output, attributes = {}) {
  const attribute = Object.entries(attributes).map(([name, given]) =>
    Array.isArray(given) ? { name, type: INTS, ints: given } : { name, type: INT, i: given },
  );
  return { opType, input, output: [output], attribute };
}

function encode({ nodes, constants, inputs, outputs }) {
  const graph = { name: 'head', node: nodes, initializer: constants, input: inputs, output: outputs };
  const opsetImport = [{ domain: '', version: 17 }];
  return onnx.ModelProto.encode(onnx.ModelProto.create({ irVersion: 8, opsetImport, graph })).finish();
}
