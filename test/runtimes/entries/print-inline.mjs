import * as library from 'focal-loss-wasm/inline';
import { outcome } from './outcome.mjs';

console.log(outcome(library));
