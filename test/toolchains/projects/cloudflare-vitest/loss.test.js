import { FocalLoss } from 'focal-loss-wasm';
import { expect, test } from 'vitest';
import known from './known.json';

const { logits, labels, mean, ...options } = known;

test('computes the known loss', () => {
  expect(new FocalLoss(options).forward(logits, labels)).toBe(mean);
});
