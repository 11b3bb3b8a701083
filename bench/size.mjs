// What the entries weigh, and what the default entry's weight is made of.   node bench/size.mjs, after `npm run build`
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

const at = (name) => new URL(`../dist/${name}`, import.meta.url);
const weigh = (content) => gzipSync(content, { level: 9 }).length;
const bytes = (size) => size.toLocaleString('en').padStart(9);
const line = (title, content) =>
  console.log(`${title.padEnd(44)}${bytes(Buffer.byteLength(content))}${bytes(weigh(content))}`);

console.log(`${''.padEnd(44)}${'bytes'.padStart(9)}${'gzip'.padStart(9)}`);
for (const name of ['index', 'edge', 'lite', 'lite-edge', 'fused', 'relaxed', 'float64', 'metrics']) {
  line(`dist/${name}.js`, readFileSync(at(`${name}.js`)));
}
for (const name of ['kernel', 'lite']) line(`dist/wasm/${name}.wasm`, readFileSync(at(`wasm/${name}.wasm`)));

console.log('\nThe default entry');
const whole = readFileSync(at('index.js'), 'utf8');
const kernel = readFileSync(at('wasm/kernel.wasm'));
const embed = (literal) => whole.replace(kernel.toString('hex'), () => literal);
line('its JavaScript, without the binary', embed(''));
line('its binary, as bytes', kernel);
line('both, the binary as hexadecimal digits', whole);
line('the same as base64', embed(kernel.toString('base64')));
line('the same as characters below 256', embed(latin(kernel)));
line('the same as printable characters', embed(printable(kernel)));

/** Each byte as the character of its number, as a literal has it. */
function latin(binary) {
  return binary.toString('latin1').replaceAll(/[\\"\n\r]/g, (c) => `\\${{ '\n': 'n', '\r': 'r' }[c] ?? c}`);
}

/** The commonest bytes as a character each, the others as one of three signs and a character. */
function printable(binary) {
  const counts = new Array(256).fill(0);
  for (const byte of binary) counts[byte]++;
  const order = [...counts.keys()].sort((a, b) => counts[b] - counts[a]);
  const characters = Array.from({ length: 95 }, (_, k) => String.fromCharCode(32 + k));
  const plain = characters.filter((c) => !'\\"~|^'.includes(c));
  const signs = ['', '~', '|', '^'];
  const texts = [];
  order.forEach((byte, rank) => {
    texts[byte] = signs[Math.floor(rank / plain.length)] + plain[rank % plain.length];
  });
  return Array.from(binary, (byte) => texts[byte]).join('');
}
