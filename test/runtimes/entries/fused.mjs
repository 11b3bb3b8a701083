// What the fused entry computes, and whether it is fused.
import * as library from 'focal-loss-wasm/fused';
import { outcome } from './outcome.mjs';

console.log(JSON.stringify({ ...JSON.parse(outcome(library)), fused: library.fused }));
