import type { Picture } from './plots.js';

/** A part of the page. */
export type Section =
  | { readonly kind: 'plot'; readonly title: string; readonly text: string; readonly picture: Picture }
  | {
      readonly kind: 'table';
      readonly title: string;
      readonly text?: string;
      readonly rows: readonly (readonly string[])[];
    };

/** One page that needs nothing else: no script, no font, no network. */
export function page(title: string, lead: readonly string[], sections: readonly Section[]): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${escapeHtml(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<header>
<h1>${escapeHtml(title)}</h1>
${lead.map((line) => `<p>${escapeHtml(line)}</p>`).join('\n')}
</header>
<main>
${sections.map(sectionHtml).join('\n')}
</main>
</body>
</html>
`;
}

function sectionHtml(section: Section): string {
  const head = `<h2>${escapeHtml(section.title)}</h2>${section.text ? `<p>${escapeHtml(section.text)}</p>` : ''}`;
  if (section.kind === 'plot') {
    return `<section class="plot">${head}${legend(section.picture)}<figure>${section.picture.svg}</figure></section>`;
  }
  return `<section>${head}<div class="wide">${tableHtml(section.rows)}</div></section>`;
}

function legend({ legend: names }: Picture): string {
  if (names.length < 2) return '';
  const items = names.map(([name, colour]) => `<li><i style="background:${colour}"></i>${escapeHtml(name)}</li>`);
  return `<ul class="legend">${items.join('')}</ul>`;
}

function tableHtml([head, ...rows]: readonly (readonly string[])[]): string {
  // a column of numbers has its heading above them
  const numbers = head.map(
    (_, i) => rows.length > 0 && rows.every((row) => /^(?:[-+]?[\d.].*|-|NaN|Infinity)$/.test(row[i])),
  );
  const cells = (tag: string, row: readonly string[]) =>
    row.map((cell, i) => `<${tag}${numbers[i] ? ' class="number"' : ''}>${escapeHtml(cell)}</${tag}>`).join('');
  const body = rows.map((row) => `<tr>${cells('td', row)}</tr>`).join('\n');
  return `<table><thead><tr>${cells('th', head)}</tr></thead><tbody>
${body}
</tbody></table>`;
}

// What would change a page's text, or a reader's screen, is shown rather than done.
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what it is about
const SPECIAL = /[&<>"'\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

export function escapeHtml(text: string): string {
  const named: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
  return text.replace(SPECIAL, (sign) => named[sign] ?? `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

const STYLE = `
:root{color-scheme:light dark;--paper:#fff;--ink:#1b1f24;--soft:#5b6470;--line:#d9dee5;--card:#f6f8fa;
--one:#1d5fd1;--two:#c2460e;--three:#0f8a5f;--four:#8a3fc0;--five:#8a6d00}
@media (prefers-color-scheme:dark){:root{--paper:#12151a;--ink:#e6e9ee;--soft:#9aa4b2;--line:#2c333d;--card:#1a1f26;
--one:#6aa5ff;--two:#ff9a5c;--three:#48d6a0;--four:#c894ff;--five:#e0c04a}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:1320px;padding:16px;background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,sans-serif}
h1{font-size:1.5rem;line-height:1.25;margin:.5rem 0}h2{font-size:1.05rem;margin:0 0 .25rem}
p{margin:0 0 .5rem;color:var(--soft);overflow-wrap:anywhere}
main{display:grid;gap:16px;grid-template-columns:repeat(auto-fit,minmax(min(100%,380px),1fr));margin-top:16px;align-items:start}
section{background:var(--card);border:1px solid var(--line);border-radius:8px;padding:14px;min-width:0}
figure{margin:0}svg{display:block;width:100%;height:auto;max-width:520px;overflow:visible}
.wide{overflow-x:auto}table{border-collapse:collapse;font-size:.9rem;font-variant-numeric:tabular-nums;min-width:100%}
th,td{padding:4px 10px 4px 0;text-align:left;white-space:nowrap;border-bottom:1px solid var(--line)}
th{font-weight:600;color:var(--soft)}th.number,td.number{text-align:right}
.legend{list-style:none;display:flex;flex-wrap:wrap;gap:4px 14px;margin:0 0 .25rem;padding:0;font-size:.85rem}
.legend i{display:inline-block;width:12px;height:12px;border-radius:3px;margin-right:6px;vertical-align:-1px}
@media print{body{max-width:none}section{break-inside:avoid}}
`;
