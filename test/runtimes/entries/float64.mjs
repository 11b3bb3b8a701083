import * as library from 'focal-loss-wasm/float64';
import { outcome } from './outcome.mjs';

console.log(outcome(library, 'float64'));
