// A Cloudflare Worker.
import * as library from 'focal-loss-wasm/lite';
import { outcome } from './outcome.mjs';

export default { fetch: () => new Response(outcome(library)) };
