// Arrays and tensors of the libraries that people have, given to the losses as they are.
//   npm ci --prefix test/inputs --ignore-scripts && node --test test/inputs/     (npm run test:inputs)
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as tf from '@tensorflow/tfjs';
import { Bool, Float32, Float64, Int32, Int64, makeVector, Uint8, vectorFromArray } from 'apache-arrow';
import ndarray from 'ndarray';
import proto from 'onnx-proto';
import * as node from 'onnxruntime-node';
import * as web from 'onnxruntime-web';
import { FocalLoss, focalPosterior, OneHotFocalLoss, SoftmaxFocalLoss } from '../../dist/index.js';

const { onnx } = proto;
const { FLOAT, FLOAT16, INT64, BOOL, UINT8, INT32 } = onnx.TensorProto.DataType;

const X = Float32Array.of(2, -1, 0.5, -3, 0.25, 1.5, -0.75, 4, -2, 0, 1, -4);
const Y = [1, 0, 1, 1, 0, 0, 1, 1, 0, 1, 0, 0];
const LABELS = [0, 1, 0, 1];
const binary = new FocalLoss({ gamma: 2, reduction: 'none' });
const rows = new SoftmaxFocalLoss({ numClasses: 3, gamma: 2, reduction: 'none' });
const losses = binary.forward(X, Uint8Array.from(Y));
const rowLosses = rows.forward(X, LABELS);

function same(actual, expected) {
  assert.deepEqual(Array.from(actual), Array.from(expected));
}

/** A model whose outputs are its input in other types: float16, float32, int64, int32, bool, uint8; classes are an ArgMax. */
function casts() {
  const value = (name, elemType, dims) => ({
    name,
    type: { tensorType: { elemType, shape: { dim: dims.map((dimValue) => ({ dimValue })) } } },
  });
  const cast = (output, to) => ({
    opType: 'Cast',
    input: [output === 'half' ? 'x' : 'targets'],
    output: [output],
    attribute: [{ name: 'to', type: 2, i: to }],
  });
  const types = { half: FLOAT16, long: INT64, int: INT32, bool: BOOL, byte: UINT8 };
  const graph = {
    name: 'casts',
    node: [
      { opType: 'Identity', input: ['x'], output: ['single'] },
      ...Object.entries(types).map(([output, to]) => cast(output, to)),
      {
        opType: 'ArgMax',
        input: ['x'],
        output: ['classes'],
        attribute: [
          { name: 'axis', type: 2, i: 1 },
          { name: 'keepdims', type: 2, i: 0 },
        ],
      },
    ],
    input: [value('x', FLOAT, [4, 3]), value('targets', FLOAT, [4, 3])],
    output: [
      value('single', FLOAT, [4, 3]),
      ...Object.entries(types).map(([output, type]) => value(output, type, [4, 3])),
      value('classes', INT64, [4]),
    ],
  };
  const opsetImport = [{ domain: '', version: 17 }];
  return onnx.ModelProto.encode(onnx.ModelProto.create({ irVersion: 8, opsetImport, graph })).finish();
}

for (const [name, { InferenceSession, Tensor, env }] of Object.entries({
  'onnxruntime-node': node,
  'onnxruntime-web': web,
})) {
  test(`${name}: tensors of every type that a model gives`, async () => {
    if (name === 'onnxruntime-web') env.wasm.numThreads = 1;
    const session = await InferenceSession.create(casts());
    const out = await session.run({
      x: new Tensor('float32', X, [4, 3]),
      targets: new Tensor('float32', Float32Array.from(Y), [4, 3]),
    });
    assert.equal(out.half.type, 'float16');
    for (const x of [out.single, out.half]) {
      for (const targets of [out.long, out.int, out.bool, out.byte]) same(binary.forward(x, targets), losses);
      // their largest logits
      assert.deepEqual(Array.from(out.classes.data, Number), [0, 2, 1, 1]);
      same(rows.forward(x, out.classes), rows.forward(X, [0, 2, 1, 1]));
      same(focalPosterior(x), focalPosterior(X));
    }
    // the numbers of this model fit in 16 bits; a gradient has the logits' length
    assert.equal(new OneHotFocalLoss({ numClasses: 3 }).valueAndGrad(out.half, out.classes).grad.length, 12);
    assert.throws(() => rows.forward(out.single, out.long), /^\w*Error: "targets" expected/);
    assert.throws(
      () => new SoftmaxFocalLoss({ numClasses: 4 }).forward(out.single, [0, 1, 2]),
      /^\w*Error: "logits" expected/,
    );
  });
}

test('tfjs: dataSync() of a tensor; the tensor itself is an error that says so', async () => {
  await tf.setBackend('cpu');
  const x = tf.tensor2d(X, [4, 3]);
  same(binary.forward(x.dataSync(), tf.tensor(Y, [12], 'bool').dataSync()), losses);
  same(binary.forward(await x.data(), tf.tensor1d(Y, 'int32').dataSync()), losses);
  same(rows.forward({ data: x.dataSync(), dims: x.shape }, tf.tensor1d(LABELS, 'int32').dataSync()), rowLosses);
  // arraySync gives nested arrays
  same(rows.forward(x.arraySync(), LABELS), rowLosses);
  assert.throws(() => binary.forward(x, Y), /"logits" expected .*dataSync\(\)/);
  assert.throws(() => binary.forward(x.data(), Y), /"logits" expected .*await/);
});

test('ndarray: as it is in C order; a transposed or stepped one is an error', () => {
  const x = ndarray(X.slice(), [4, 3]);
  same(binary.forward(x, ndarray(Uint8Array.from(Y), [4, 3])), losses);
  same(rows.forward(x, ndarray(Int32Array.from(LABELS), [4])), rowLosses);
  for (const other of [x.transpose(1, 0), x.step(1, -1), x.hi(4, 2), x.lo(1, 0)]) {
    assert.throws(
      () => new FocalLoss().forward(other, new Uint8Array(other.size)),
      /"logits\.(stride|offset|shape)" expected /,
    );
  }
});

test('Arrow: toArray() of a vector; the vector itself is an error that says so', () => {
  const x = makeVector(X);
  same(binary.forward(x.toArray(), makeVector(Uint8Array.from(Y)).toArray()), losses);
  same(
    binary.forward(vectorFromArray([...X], new Float64()).toArray(), vectorFromArray(Y, new Int32()).toArray()),
    losses,
  );
  same(
    binary.forward(vectorFromArray([...X], new Float32()).toArray(), vectorFromArray(Y, new Uint8()).toArray()),
    losses,
  );
  const longs = vectorFromArray(Y.map(BigInt), new Int64()).toArray();
  assert.ok(longs instanceof BigInt64Array);
  same(binary.forward(X, longs), losses);
  same(rows.forward(x.toArray(), vectorFromArray(LABELS, new Int32()).toArray()), rowLosses);
  // a vector of bits has none, and its JSON is what is left
  same(binary.forward(X, [...vectorFromArray(Y.map(Boolean), new Bool())]), losses);
  assert.throws(() => binary.forward(x, Y), /"logits" expected .*toArray\(\)/);
});

test('JSON: arrays and nested arrays', () => {
  const body = JSON.parse(
    JSON.stringify({
      logits: [...X],
      targets: Y,
      rows: [
        [2, -1, 0.5],
        [-3, 0.25, 1.5],
        [-0.75, 4, -2],
        [0, 1, -4],
      ],
    }),
  );
  const soft = binary.forward(X, Float32Array.from(Y));
  same(binary.forward(body.logits, body.targets), soft);
  same(binary.forward(body.logits, body.targets.map(Boolean)), losses);
  same(rows.forward(body.rows, LABELS), rowLosses);
  const ragged = JSON.parse('[[1, 2, 3], [4, 5], [6, 7, 8], [1, 1, 1]]');
  assert.throws(() => rows.forward(ragged, LABELS), /"logits\[1\]" expected|"logits" expected .*1/);
  assert.throws(() => binary.forward([1, null], [0, 1]), /"logits" expected .*got null/);
});
