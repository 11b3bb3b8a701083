const library = require('focal-loss-wasm');

import('./outcome.mjs').then(({ outcome }) => console.log(outcome(library)));
