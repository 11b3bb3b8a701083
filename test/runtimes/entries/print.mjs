import * as library from 'focal-loss-wasm';
import { outcome } from './outcome.mjs';

console.log(outcome(library));
