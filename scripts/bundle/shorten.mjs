import { readFileSync } from 'node:fs';
import { minify } from 'terser';
import { at, write } from './files.mjs';

/** Node prints the line that threw in front of an uncaught error, so lines end after the first token behind this column. */
const LINE = 200;

/** Makes a library file small, but for the names of classes, which users see. */
export async function shorten(file) {
  const text = readFileSync(at(file), 'utf8');
  // an embedded binary is most of a file: it gets a line of its own
  const binaries = [];
  const code = text.replaceAll(/(["'])0061736d[0-9a-f]*\1/g, (literal) => `"binary ${binaries.push(literal) - 1}"`);
  // what tells Node the names of a CommonJS module's exports is dead code
  const names = code.match(/0 && \(module\.exports = \{[^}]*\}\);/)?.[0].replaceAll(/\s+/g, '') ?? '';
  const { code: small } = await minify(nameClasses(code), {
    module: file.endsWith('.js'),
    toplevel: true,
    keep_classnames: true,
    ecma: 2020,
    compress: { passes: 2, sequences: false },
    format: { max_line_len: LINE },
  });
  write(file, `${small.replaceAll(/"binary (\d+)"/g, (_, k) => `\n${binaries[k]}\n`)}\n${names}`);
}

/** In a bundle classes have no names of their own, or `_A` where `A` mentions itself: a class's `name` is what users see. */
function nameClasses(script) {
  const mentioned = [...script.matchAll(/\b(\w+) = class _\1\b/g)].map(([, name]) => name);
  const named = script.replaceAll(/\bvar (\w+) = class(?: _\1)?(?=[ {])/g, 'var $1 = class $1');
  return mentioned.reduce((code, name) => code.replaceAll(new RegExp(`\\b_${name}\\b`, 'g'), name), named);
}
