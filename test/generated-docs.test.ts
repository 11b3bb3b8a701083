// What scripts/docs.mjs writes is what is committed.
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { LOSSES } from '../losses/registry.js';
import { curves } from '../scripts/curves.mjs';
import { formulaSection, lossOptions, optionHelp, optionSections } from '../scripts/loss-options.mjs';
import * as library from '../src/index.js';
import { errorOf } from './support.js';

const read = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8');

test('the plot of all curves is that of the registry: otherwise run "npm run docs"', () => {
  const picture = curves(LOSSES);
  expect(picture === read('../docs/curves.svg')).toBe(true);
  for (const { title } of LOSSES) expect(picture).toContain(`>${title}</text>`);
});

test('the tables of options and formulas are those of the library: otherwise run "npm run docs"', () => {
  const losses = lossOptions(library);
  expect(losses.map(({ name }) => name)).toEqual(Object.keys(library).filter((name) => /^[A-Z]\w+Loss$/.test(name)));
  const document = read('../docs/options.md');
  const sections = { ...optionSections(losses), 'formulas of the family': formulaSection(LOSSES) };
  for (const [name, lines] of Object.entries(sections)) {
    const [, found] = document.split(new RegExp(`<!-- /?${name} -->\n`));
    expect(found).toBe(`${lines.join('\n')}\n`);
  }
});

test('the flags of the command line are those of the library: otherwise run "npm run docs"', () => {
  expect(read('../cli/src/option-help.ts')).toBe(optionHelp(lossOptions(library)));
});

test('every option that a loss takes is documented, with its default, and no other', () => {
  for (const { name, needsClasses, options } of lossOptions(library)) {
    const Loss = (library as never)[name] as new (options: object) => unknown;
    const { message } = errorOf(() => new Loss({ ...(needsClasses && { numClasses: 2 }), colour: 1 }));
    const known = message.match(/among (.+), got/)?.[1].split(', ') ?? [];
    expect(options.map(({ key }) => key).sort()).toEqual(known.sort());
  }
});
