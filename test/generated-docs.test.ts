// What scripts/docs.mjs writes is what is committed.
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { LOSSES } from '../losses/registry.js';
import { curves } from '../scripts/curves.mjs';

const read = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8');

test('the plot of all curves is that of the registry: otherwise run "npm run docs"', () => {
  const picture = curves(LOSSES);
  expect(picture === read('../docs/curves.svg')).toBe(true);
  for (const { title } of LOSSES) expect(picture).toContain(`>${title}</text>`);
});
