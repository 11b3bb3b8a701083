// The probability behind a focal score, and the loss of either class. Needs no permission:      deno run main.mjs
import { focalPosterior, sigmoidFocalLoss } from 'focal-loss-wasm';

const options = { gamma: 2, alpha: 0.25 };
const logits = Float32Array.of(-4, -2, -1, 0, 1, 2, 4);
const probabilities = focalPosterior(logits, options);
const [positive, negative] = [1, 0].map((target) =>
  sigmoidFocalLoss(logits, new Uint8Array(logits.length).fill(target), { ...options, reduction: 'none' }),
);
const rows = Array.from(logits, (logit, k) => [logit, probabilities[k], positive[k], negative[k]]);

console.log(['logit', 'probability', 'loss if 1', 'loss if 0'].map((name) => name.padStart(12)).join(''));
for (const row of rows) console.log(row.map((value) => value.toPrecision(4).padStart(12)).join(''));
