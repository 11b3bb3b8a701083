// VitePress builds for one base path. It is given a mark as that path, and here every mark becomes an address relative to the
// file that holds it, so that the same files work under any path of any host.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, extname, join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';

export const MARK = '/__base__/';
/** The mark in the name of the class that VitePress gives a page. */
const CLASS = '___base___';

export async function makePortable(folder) {
  const parse = await parserOfRollup();
  const change = {
    '.html': changePage,
    '.js': (text, up) => changeScript(text, up, parse),
    '.css': (text, up) => text.replaceAll(MARK, up),
  };
  for (const name of readdirSync(folder, { recursive: true })) {
    const file = join(folder, name);
    const changed = change[extname(name)];
    if (changed === undefined) continue;
    const text = readFileSync(file, 'utf8');
    if (!text.includes(MARK)) continue;
    const up = relative(dirname(file), folder) === '' ? './' : `${relative(dirname(file), folder)}/`;
    const result = changed(text, up);
    if (result.includes(MARK)) throw new Error(`${name} still names ${MARK}`);
    writeFileSync(file, result);
  }
}

const SCRIPT = /(<script[^>]*>)([\s\S]*?)(<\/script>)/g;

/**
 * Attributes are relative for whoever reads the file. Once it is open they get the path that it was opened under, which the
 * application then finds as it would have written it; and links keep their target when the page changes without a load.
 */
function changePage(text, up) {
  const data = JSON.stringify(up);
  const base = `<script>globalThis.siteBase=new URL(${data},location.href).pathname</script>`;
  const absolute = `<script>{
for (const name of ['href', 'src'])
  for (const each of document.querySelectorAll('body [' + name + '^="' + ${data} + '"]'))
    each.setAttribute(name, each.getAttribute(name).replace(${data}, siteBase));
for (const each of document.querySelectorAll('[class*="${CLASS}"]'))
  each.className = each.className.replace('${CLASS}', siteBase.replace(/[./]+/g, '_'));
}</script>`;
  return text
    .replace(SCRIPT, (_, start, body, end) => start.replaceAll(MARK, up) + body.replaceAll(MARK, '"+siteBase+"') + end)
    .replaceAll(MARK, up)
    .replace('<head>', `<head>${base}`)
    .replace('</body>', `${absolute}</body>`);
}

/** In a module, a string that holds the mark is put together from where the module itself was loaded. */
function changeScript(text, up, parse) {
  const base = '__siteBase';
  const edits = [];
  const keys = new Set();
  visit(parse(text), (node) => {
    if (node.type === 'Property' && !node.computed) keys.add(node.key);
    if (node.type === 'Literal' && typeof node.value === 'string' && node.value.includes(MARK)) {
      const parts = node.value.split(MARK).map((part) => JSON.stringify(part));
      const whole = parts.join(`+${base}+`);
      edits.push([node.start, node.end, keys.has(node) ? `[${whole}]` : `(${whole})`]);
    } else if (node.type === 'TemplateElement' && node.value.raw.includes(MARK)) {
      edits.push([node.start, node.end, node.value.raw.replaceAll(MARK, `\${${base}}`)]);
    }
  });
  let result = text;
  for (const [start, end, replacement] of edits.sort(([a], [b]) => b - a))
    result = result.slice(0, start) + replacement + result.slice(end);
  return `const ${base}=new URL(${JSON.stringify(up)},import.meta.url).pathname;${result}`;
}

function visit(node, look) {
  if (node === null || typeof node !== 'object') return;
  if (typeof node.type === 'string') look(node);
  for (const child of Object.values(node)) visit(child, look);
}

/** The parser that Vite brings along. */
async function parserOfRollup() {
  const vitepress = createRequire(import.meta.url).resolve('vitepress/package.json');
  const vite = createRequire(vitepress).resolve('vite/package.json');
  const { parseAst } = await import(pathToFileURL(createRequire(vite).resolve('rollup/parseAst')));
  return parseAst;
}
