import * as library from 'focal-loss-wasm/lite';
import { outcome } from './outcome.mjs';

console.log(outcome(library));
