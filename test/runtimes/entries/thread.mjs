// A browser's worker, which may have no console of its own.
import * as library from 'focal-loss-wasm';
import { outcome } from './outcome.mjs';

postMessage(outcome(library));
