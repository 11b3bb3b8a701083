// results/lines.json: what `npm run bench` has measured on one machine, a row a line, with nanoseconds and ratio under each Node line.

import { existsSync, readFileSync, writeFileSync } from 'node:fs';

const FILE = new URL('results/lines.json', import.meta.url);

/** `{ processor, cores, platform, lines: { 26: { node, v8, date, package, quick } }, rows: [{ title, name, 26: { nanoseconds, ratio } }] }` */
export function readLines() {
  return JSON.parse(readFileSync(FILE, 'utf8'));
}

/** Writes what has been measured under one line; what the file has of others stays, if they ran on the same machine. */
export function writeLine(run, rows) {
  const { processor, cores, platform, node, ...rest } = run;
  const line = lineOf(node);
  const machine = { processor, cores, platform };
  const before = existsSync(FILE) ? readLines() : undefined;
  const isSame = before !== undefined && Object.keys(machine).every((key) => before[key] === machine[key]);
  const others = isSame ? before : { lines: {}, rows: [] };
  const merged = rows.map(({ nanoseconds, ratio, verdict, ...row }) => {
    const old = others.rows.find(({ title, name }) => title === row.title && name === row.name);
    return { ...row, ...measuredOf(old ?? {}), [line]: { nanoseconds, ratio } };
  });
  save({ ...machine, lines: { ...others.lines, [line]: { node, ...rest } }, rows: merged });
}

export function lineOf(node) {
  return node.split('.')[0];
}

/** The columns of a row that are lines. */
function measuredOf(row) {
  return Object.fromEntries(Object.entries(row).filter(([key]) => /^\d+$/.test(key)));
}

function save({ rows, ...head }) {
  const lines = rows.map((row) => `    ${JSON.stringify(row)}`).join(',\n');
  writeFileSync(FILE, `${JSON.stringify(head, null, 2).slice(0, -2)},\n  "rows": [\n${lines}\n  ]\n}\n`);
}
