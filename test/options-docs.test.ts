// docs/options.md names what exists: keys of a call, and tests; its tables of options are generated-docs.test.ts's.
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { BCEWithLogitsLoss } from '../src/index.js';
import { softTargets } from './counterparts.js';
import { errorOf } from './support.js';

const read = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8');
const sections = read('../docs/options.md').split(/^## /m);

/** The rows of the table under a heading, without its head. */
function tableUnder(heading: string): string[][] {
  const lines = sections.find((part) => part.startsWith(`${heading}\n`))?.match(/^\|.*\|$/gm) ?? [];
  return lines.slice(2).map((line) =>
    line
      .slice(1, -1)
      .split('|')
      .map((cell) => cell.trim()),
  );
}

/** Without parameters, whose names are not those of rows. */
const titlesIn = (source: string) => [...source.matchAll(/^ *test\((['"])(.+)\1, /gm)].map(([, , title]) => title);

test('every key of a call, and no other', () => {
  const unknown = { colour: 1 } as never;
  const { message } = errorOf(() => new BCEWithLogitsLoss().forward([0], [0], unknown));
  const known = message.match(/among (.+), got/)?.[1].split(', ') ?? [];
  const documented = tableUnder('Options of a call').map(([key]) => key.replaceAll('`', ''));
  expect(documented.sort()).toEqual(known.sort());
});

test.each([
  ['Counterparts', './parity.test.ts'],
  ['Detectors and segmentation', './parity-detectors.test.ts'],
  ['Counterparts of the family', './parity-family.test.ts'],
])('%s: a row for each test of %s, and no other', (heading, file) => {
  const rows = tableUnder(heading).map(([name]) => name);
  expect(rows.sort()).toEqual(titlesIn(read(file)).sort());
  expect(rows.length).toBeGreaterThan(10);
});

test('the meanings of soft targets, with their values', () => {
  const rows = tableUnder('Soft targets');
  expect(rows.map(([name]) => name)).toEqual(Object.keys(softTargets));
  for (const [name, , value] of rows)
    expect(softTargets[name](3, 0.7).toPrecision(3)).toBe(Number(value).toPrecision(3));
});

test('each pitfall names its test', () => {
  const titles = titlesIn(read('./pitfalls.test.ts'));
  expect(
    tableUnder('Pitfalls elsewhere')
      .map((cells) => cells.at(-1))
      .sort(),
  ).toEqual(titles.sort());
});
