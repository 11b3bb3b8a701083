import { expect, test } from 'vitest';
import { Hardest } from '../src/topk.js';

test('the hardest are those that a stable sort puts first, NaN above all, whatever came in between', () => {
  const count = 40_000;
  let state = 7;
  const random = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  const kinds: [string, () => number][] = [
    ['few values', () => [0, -0, 1, 2, Number.NaN, Infinity, 1e-40][Math.floor(random() ** 3 * 7)]],
    ['any values', () => random() * 10],
    ['growing values', () => (state = (state + 1) >>> 0)],
    ['one value', () => 0.5],
  ];
  for (const [name, value] of kinds) {
    const losses = Float32Array.from({ length: count }, value);
    const rank = (i: number) => (Number.isNaN(losses[i]) ? Number.POSITIVE_INFINITY : losses[i]);
    const above = (i: number) => Number(Number.isNaN(losses[i]));
    const order = Array.from(losses.keys()).sort((a, b) => above(b) - above(a) || rank(b) - rank(a) || a - b);
    for (const k of [1, 9000, 50_000]) {
      const ids = BigInt64Array.from({ length: count }, (_, i) => BigInt(3 * i));
      const top = new Hardest(k);
      for (let start = 0; start < count; start += 7001) {
        const block = losses.subarray(start, start + 7001);
        top.add(
          block,
          start,
          (i) => -(start + i),
          (i) => i % 2,
          ids.subarray(start, start + 7001),
        );
      }
      const found = top.examples;
      expect(found.length, `${k} of ${name}`).toBe(Math.min(k, count));
      const wrong = found.findIndex(
        ({ index, id, score, loss }, i) =>
          index !== order[i] || id !== 3 * index || score !== -index || !Object.is(loss, losses[index]),
      );
      expect(wrong, `${k} of ${name}`).toBe(-1);
    }
  }
});
