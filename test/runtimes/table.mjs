// The table of docs/runtimes.md, between its two marks.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './setup.mjs';

const SECTION = /(<!-- tested -->\n)[\s\S]*(<!-- \/tested -->)/;
/** Checks of the tools themselves. */
const NO_ROW = /^is the version|compiles$/;

export function writeTable(results) {
  const file = join(root, 'docs/runtimes.md');
  const rows = new Map();
  for (const { runtime, version, what } of results) {
    const row = `| ${runtime} | ${version} |`;
    if (NO_ROW.test(what)) continue;
    rows.set(row, [...(rows.get(row) ?? []), what]);
  }
  const lines = Array.from(rows, ([row, checks]) => `${row} ${checks.join('; ')} |`);
  const table = ['| runtime | version | what ran |', '| --- | --- | --- |', ...lines].join('\n');
  writeFileSync(
    file,
    readFileSync(file, 'utf8').replace(SECTION, (_, start, end) => `${start}${table}\n${end}`),
  );
}
