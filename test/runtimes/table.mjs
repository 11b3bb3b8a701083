// The table of docs/runtimes.md and its short form in README.md, each between its two marks.
import { join } from 'node:path';
import { replaceSection } from '../../scripts/section.mjs';
import { root } from './setup.mjs';

/** Checks of the tools themselves. */
const NO_ROW = /^is the version|compiles$/;

export function writeTable(results) {
  const rows = new Map();
  const versions = new Map();
  for (const { runtime, version, what } of results) {
    const row = `| ${runtime} | ${version} |`;
    if (NO_ROW.test(what)) continue;
    rows.set(row, [...(rows.get(row) ?? []), what]);
    if (runtime !== 'example') versions.set(runtime, new Set([...(versions.get(runtime) ?? []), version]));
  }
  const lines = Array.from(rows, ([row, checks]) => `${row} ${checks.join('; ')} |`);
  replaceSection(join(root, 'docs/runtimes.md'), 'tested', [
    '| runtime | version | what ran |',
    '| --- | --- | --- |',
    ...lines,
  ]);
  const short = Array.from(versions, ([runtime, those]) => `| ${runtime} | ${[...those].join(', ')} |`);
  replaceSection(join(root, 'README.md'), 'tested', ['| runtime | versions tested |', '| --- | --- |', ...short]);
}
