import { strictEqual } from 'node:assert';
import { readFileSync } from 'node:fs';
import { FocalLoss } from 'focal-loss-wasm';

const { logits, labels, mean, ...options } = JSON.parse(readFileSync(new URL('known.json', import.meta.url), 'utf8'));

it('computes the known loss', () => {
  strictEqual(new FocalLoss(options).forward(logits, labels), mean);
});
