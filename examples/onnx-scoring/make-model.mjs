// Writes model.onnx: one hidden layer, trained on synthetic events with the gradient of focal-loss-wasm.
//   node make-model.mjs [FILE]
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { FocalLoss } from 'focal-loss-wasm';
import proto from 'onnx-proto';
import { events, FEATURES, xorshift } from './data.mjs';

const { onnx } = proto;
const HIDDEN = 16;
const ROWS = 4096;
const EPOCHS = 150;
const RATE = 4;

const { features, labels } = events(ROWS, 20_170_807);
const network = train();
const file = process.argv[2] ?? fileURLToPath(new URL('model.onnx', import.meta.url));
writeFileSync(file, onnx.ModelProto.encode(modelOf(network)).finish());

function train() {
  const random = xorshift(1802);
  const draw = (length, scale) => Float32Array.from({ length }, () => (2 * random() - 1) * scale);
  const inner = draw(FEATURES * HIDDEN, 0.5);
  const innerBias = new Float32Array(HIDDEN);
  const outer = draw(HIDDEN, 0.5);
  const outerBias = new Float32Array(1);
  const criterion = new FocalLoss({ gamma: 2, alpha: 0.75 });
  const hidden = new Float32Array(ROWS * HIDDEN);
  const logits = new Float32Array(ROWS);
  for (let epoch = 0; epoch < EPOCHS; epoch++) {
    for (let row = 0; row < ROWS; row++) {
      logits[row] = outerBias[0];
      for (let h = 0; h < HIDDEN; h++) {
        let sum = innerBias[h];
        for (let k = 0; k < FEATURES; k++) sum += features[row * FEATURES + k] * inner[k * HIDDEN + h];
        hidden[row * HIDDEN + h] = Math.max(sum, 0);
        logits[row] += hidden[row * HIDDEN + h] * outer[h];
      }
    }
    const { value, grad } = criterion.valueAndGrad(logits, labels);
    if (epoch % 50 === 0 || epoch === EPOCHS - 1) console.log(`epoch ${epoch}: loss ${value.toFixed(5)}`);
    step(grad, { inner, innerBias, outer, outerBias, hidden });
  }
  return { inner, innerBias, outer, outerBias };
}

/** One step of gradient descent. */
function step(grad, { inner, innerBias, outer, outerBias, hidden }) {
  const before = outer.slice();
  for (let row = 0; row < ROWS; row++) {
    const scaled = RATE * grad[row];
    outerBias[0] -= scaled;
    for (let h = 0; h < HIDDEN; h++) {
      const active = hidden[row * HIDDEN + h];
      if (active === 0) continue;
      outer[h] -= scaled * active;
      innerBias[h] -= scaled * before[h];
      for (let k = 0; k < FEATURES; k++) inner[k * HIDDEN + h] -= scaled * before[h] * features[row * FEATURES + k];
    }
  }
}

function modelOf({ inner, innerBias, outer, outerBias }) {
  const FLOAT = onnx.TensorProto.DataType.FLOAT;
  const tensor = (name, dims, floatData) => ({ name, dims, dataType: FLOAT, floatData: [...floatData] });
  const value = (name, columns) => ({
    name,
    type: { tensorType: { elemType: FLOAT, shape: { dim: [{ dimParam: 'rows' }, { dimValue: columns }] } } },
  });
  return onnx.ModelProto.create({
    irVersion: 8,
    opsetImport: [{ domain: '', version: 17 }],
    producerName: 'focal-loss-wasm',
    graph: {
      name: 'events',
      node: [
        { opType: 'Gemm', input: ['features', 'inner', 'innerBias'], output: ['sums'] },
        { opType: 'Relu', input: ['sums'], output: ['hidden'] },
        { opType: 'Gemm', input: ['hidden', 'outer', 'outerBias'], output: ['logits'] },
      ],
      initializer: [
        tensor('inner', [FEATURES, HIDDEN], inner),
        tensor('innerBias', [HIDDEN], innerBias),
        tensor('outer', [HIDDEN, 1], outer),
        tensor('outerBias', [1], outerBias),
      ],
      input: [value('features', FEATURES)],
      output: [value('logits', 1)],
    },
  });
}
