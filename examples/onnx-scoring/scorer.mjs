// ONNX Runtime writes the logits into an array of a workspace, where the loss reads them: no copy between the two.
import { fileURLToPath } from 'node:url';
import { FocalLoss, focalPosterior, hardest, Workspace } from 'focal-loss-wasm';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { FEATURES } from './data.mjs';

const MAX_ROWS = 4096;
const MODEL = { gamma: 2, alpha: 0.75 };

export async function createScorer(model) {
  const session = await InferenceSession.create(fileURLToPath(model));
  const criterion = new FocalLoss(MODEL);
  // a bench for each request in flight, reused by later ones
  const free = [];

  return {
    async score(features, labels) {
      const rows = features.length;
      if (rows > MAX_ROWS) throw new RangeError(`"features" expected at most ${MAX_ROWS} rows, got ${rows}`);
      const input = Float32Array.from(features.flat());
      if (input.length !== rows * FEATURES) throw new RangeError(`"features" expected ${FEATURES} numbers a row`);
      const bench = free.pop() ?? createBench();
      try {
        const logits = bench.logits.subarray(0, rows);
        const output = new Tensor('float32', logits, [rows, 1]);
        await session.run({ features: new Tensor('float32', input, [rows, FEATURES]) }, { logits: output });
        const out = bench.losses.subarray(0, rows);
        const loss = criterion.forward(logits, labels, { out });
        return {
          logits: logits.slice(),
          probabilities: focalPosterior(logits, MODEL),
          loss,
          losses: out.slice(),
          hardest: [...hardest(out, 5)],
        };
      } finally {
        free.push(bench);
      }
    },
  };
}

function createBench() {
  const workspace = new Workspace(8 * MAX_ROWS);
  return { logits: workspace.float32(MAX_ROWS), losses: workspace.float32(MAX_ROWS) };
}
