// A Vercel edge function, as its platform wraps one.
import * as library from 'focal-loss-wasm/lite';
import { outcome } from './outcome.mjs';

addEventListener('fetch', (event) => event.respondWith(new Response(outcome(library))));
