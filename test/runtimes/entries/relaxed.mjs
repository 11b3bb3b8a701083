// Fused where the engine can, and then close to the default build; equal to it where it cannot.
import * as library from 'focal-loss-wasm';
import * as fused from 'focal-loss-wasm/relaxed';

const logits = Float32Array.from({ length: 4001 }, (_, k) => k / 200 - 10);
const losses = [fused, library].map((each) =>
  each.sigmoidFocalLoss(logits, new Uint8Array(4001), { gamma: 2, reduction: 'none' }),
);
const error = Math.max(...losses[0].map((value, k) => Math.abs(value / losses[1][k] - 1)));
if (!(error <= (fused.relaxed ? 2e-6 : 0))) throw new Error(`relaxed losses differ by ${error}`);
console.log(fused.relaxed ? 'relaxed SIMD' : 'default build, the engine has no relaxed SIMD');
