const { strictEqual } = require('node:assert');
const { FocalLoss } = require('focal-loss-wasm');
const { logits, labels, mean, ...options } = require('./known.json');

it('computes the known loss', () => {
  strictEqual(new FocalLoss(options).forward(logits, labels), mean);
});
