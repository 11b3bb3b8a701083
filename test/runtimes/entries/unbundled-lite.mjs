// No bundler and no import map: the file that has everything in it.
import * as library from '/node_modules/focal-loss-wasm/dist/lite.js';
import { outcome } from './outcome.mjs';

console.log(outcome(library));
