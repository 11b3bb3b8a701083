const library = require('focal-loss-wasm/lite');

import('./outcome.mjs').then(({ outcome }) => console.log(outcome(library)));
