// The table of docs/runtimes.md and its short form in README.md, each between its two marks.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './setup.mjs';

const SECTION = /(<!-- tested -->\n)[\s\S]*(<!-- \/tested -->)/;
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
  replaceSection('docs/runtimes.md', ['| runtime | version | what ran |', '| --- | --- | --- |', ...lines]);
  const short = Array.from(versions, ([runtime, those]) => `| ${runtime} | ${[...those].join(', ')} |`);
  replaceSection('README.md', ['| runtime | versions tested |', '| --- | --- |', ...short]);
}

function replaceSection(name, lines) {
  const file = join(root, name);
  const text = readFileSync(file, 'utf8');
  writeFileSync(
    file,
    text.replace(SECTION, (_, start, end) => `${start}${lines.join('\n')}\n${end}`),
  );
}
