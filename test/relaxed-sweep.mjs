// The worst ulp of the relaxed build over a stride of logits, as JSON: run by relaxed.test.ts under different engine flags.
import { FocalLoss, relaxed } from '../dist/relaxed.js';

const words = new Uint32Array(60_000);
const logits = new Float32Array(words.buffer);
// magnitudes from 2^-24 to 88, both signs
for (let i = 0; i < words.length; i++)
  words[i] = 0x33800000 + Math.floor((i * 0x0f300000) / words.length) + (i % 2 ? 0x80000000 : 0);

const worst = {};
for (const gamma of [0, 0.5, 1, 1.5, 2, 2.5, 3, 4, 5]) {
  const losses = new FocalLoss({ gamma, alpha: null, reduction: 'none' }).forward(
    logits,
    new Uint8Array(logits.length),
  );
  worst[gamma] = logits.reduce((most, x, i) => {
    const e = Math.exp(-Math.abs(x));
    const q = x < 0 ? e / (1 + e) : 1 / (1 + e);
    const truth = q ** gamma * (Math.max(x, 0) + Math.log1p(e));
    if (truth < 2 ** -126) return most;
    return Math.max(most, Math.abs(losses[i] - truth) / 2 ** (Math.floor(Math.log2(truth)) - 23));
  }, 0);
}
console.log(
  JSON.stringify({
    relaxed,
    worst,
    bits: new FocalLoss({ gamma: 2, reduction: 'sum' }).forward(logits, new Uint8Array(logits.length)),
  }),
);
