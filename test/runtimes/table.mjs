// The table of docs/runtimes.md and its short form in README.md, each between its two marks.
import { join } from 'node:path';
import { replaceSection, table } from '../../scripts/section.mjs';
import { root } from './setup.mjs';

/** Checks of the tools themselves. */
const NO_ROW = /^is the version|compiles$/;

export function writeTable(results) {
  const rows = new Map();
  const versions = new Map();
  for (const { runtime, version, what } of results) {
    if (NO_ROW.test(what)) continue;
    const row = `${runtime} ${version}`;
    rows.set(row, { cells: [runtime, version], checks: [...(rows.get(row)?.checks ?? []), what] });
    if (runtime !== 'example') versions.set(runtime, new Set([...(versions.get(runtime) ?? []), version]));
  }
  const long = Array.from(rows.values(), ({ cells, checks }) => [...cells, checks.join('; ')]);
  replaceSection(join(root, 'docs/runtimes.md'), 'tested', table(['runtime', 'version', 'what ran'], long));
  const short = Array.from(versions, ([runtime, those]) => [runtime, [...those].join(', ')]);
  replaceSection(join(root, 'README.md'), 'tested', table(['runtime', 'versions tested'], short));
}
