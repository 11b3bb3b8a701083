import { printable } from './errors.js';

const SPACE = '  ';

/**
 * Columns as wide as their widest cell: text on the left, numbers on the right. Where a terminal is too narrow for that, a
 * line for each cell.
 */
export function table(rows: readonly (readonly string[])[], width = 80): string {
  const cells = rows.map((row) => row.map((cell) => printable(cell, 48)));
  const widths = cells[0].map((_, column) => Math.max(...cells.map((row) => row[column].length)));
  const left = cells[0].map((_, column) =>
    cells.slice(1).some((row) => !/^[-+]?[\d.]|^-$|^NaN$|^-?Infinity$/.test(row[column])),
  );
  const total = widths.reduce((sum, each) => sum + each, 0) + SPACE.length * (widths.length - 1);
  if (total > width && cells.length > 1) return stacked(cells, width);
  return cells
    .map((row) =>
      row
        .map((cell, column) => (left[column] ? cell.padEnd(widths[column]) : cell.padStart(widths[column])))
        .join(SPACE)
        .trimEnd(),
    )
    .join('\n');
}

function stacked([head, ...rows]: readonly (readonly string[])[], width: number): string {
  const longest = Math.max(...head.map((name) => name.length));
  return rows
    .map((row) =>
      row.map((cell, column) => `${head[column].padEnd(longest)} ${cell}`.slice(0, Math.max(width, 20))).join('\n'),
    )
    .join('\n\n');
}

/** A count with its thousands apart; `toLocaleString` would first load the tables of all languages, which takes a while. */
export function whole(value: number): string {
  return Number.isSafeInteger(value) ? String(value).replace(/\B(?=(?:\d{3})+$)/g, ',') : decimal(value);
}

/** Six significant digits, as many as a float32 can be trusted for. */
export function decimal(value: number): string {
  return String(Number(value.toPrecision(6)));
}

/** A number with the digits that its error leaves. */
export function within(value: number, error: number): string {
  if (!(error > 0)) return decimal(value);
  const digits = Math.max(2, Math.min(6, Math.floor(Math.log10(Math.abs(value) / error)) + 1));
  const shown = Number(value.toPrecision(digits));
  return error < Math.abs(value) * 5e-7 ? decimal(value) : `${shown} +- ${Number(error.toPrecision(1))}`;
}

export function mean(sum: number, count: number): string {
  return count === 0 ? '-' : decimal(sum / count);
}

export function percent(share: number): string {
  return Number.isFinite(share) ? `${(100 * share).toFixed(2)} %` : '-';
}

/** One line; a number that JSON has no name for is its name as text. */
export function json(value: unknown): string {
  const text = JSON.stringify(value, (_, item) => {
    if (typeof item === 'number' && !Number.isFinite(item)) return String(item);
    return typeof item === 'bigint' ? String(item) : item;
  });
  return `${text}\n`;
}
