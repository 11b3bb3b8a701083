const library = require('focal-loss-wasm/inline');

import('./outcome.mjs').then(({ outcome }) => console.log(outcome(library)));
