import * as library from 'focal-loss-wasm/lite';
import { outcome } from './outcome.mjs';

export const handler = async () => outcome(library);
