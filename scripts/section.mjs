import { readFileSync, writeFileSync } from 'node:fs';

/** Writes `lines` between the marks `<!-- name -->` and `<!-- /name -->` of a file. */
export function replaceSection(file, name, lines) {
  const section = new RegExp(`(<!-- ${name} -->\n)[\\s\\S]*(<!-- /${name} -->)`);
  const text = readFileSync(file, 'utf8');
  if (!section.test(text)) throw new Error(`${file} has no section <!-- ${name} -->`);
  writeFileSync(
    file,
    text.replace(section, (_, start, end) => `${start}${lines.join('\n')}\n${end}`),
  );
}

/** The lines of a table. */
export function table(heads, body) {
  const lines = [heads, heads.map(() => '---'), ...body].map((cells) => `| ${cells.join(' | ')} |`);
  return lines.map((line) => line.replace('|  |', '| |'));
}
