// The benchmark under each supported Node line, side by side: `node bench/lines.mjs [--quick]`, after
// `npm ci` in bench/lines, whose package names the lines.

import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { readLines } from './results.mjs';

const { dependencies } = JSON.parse(readFileSync(new URL('lines/package.json', import.meta.url), 'utf8'));
for (const name of Object.keys(dependencies)) {
  const node = fileURLToPath(new URL(`lines/node_modules/${name}/bin/node`, import.meta.url));
  if (!existsSync(node)) {
    console.error(`${node} is missing: run "npm ci" in bench/lines, on Linux x64`);
    process.exit(1);
  }
  const script = fileURLToPath(new URL('run.mjs', import.meta.url));
  const { status } = spawnSync(node, [script, ...process.argv.slice(2)], { stdio: 'inherit' });
  if (status !== 0) process.exit(1);
}

const { lines, rows } = readLines();
const majors = Object.keys(lines);
console.log(`\n${''.padEnd(71)}${majors.map((major) => `Node ${major}`.padStart(9)).join('')}     must      aim`);
for (const row of rows) {
  if (row.must === undefined) continue;
  const cells = majors.map((major) => {
    if (row[major] === undefined) return '';
    return row[major].ratio.toFixed(2);
  });
  const text = [...cells, row.must, row.aim].map((cell) => String(cell).padStart(9)).join('');
  console.log(`${row.title.padEnd(29)}${row.name.padEnd(42)}${text}`);
}
