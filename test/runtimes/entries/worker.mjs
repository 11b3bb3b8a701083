// A Cloudflare Worker.
import * as library from 'focal-loss-wasm';
import { outcome } from './outcome.mjs';

export default { fetch: () => new Response(outcome(library)) };
