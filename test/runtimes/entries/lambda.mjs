import * as library from 'focal-loss-wasm';
import { outcome } from './outcome.mjs';

export const handler = async () => outcome(library);
