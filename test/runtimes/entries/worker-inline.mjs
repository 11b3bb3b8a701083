// A Cloudflare Worker.
import * as library from 'focal-loss-wasm/inline';
import { outcome } from './outcome.mjs';

export default { fetch: () => new Response(outcome(library)) };
