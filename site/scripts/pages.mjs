// Makes the pages out of the repository's documents: the same text, with links that lead to other pages of the site or, for
// what is no page, to the repository.
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, posix, relative } from 'node:path';
import { addressesOf } from '../../scripts/links.mjs';
import { generated, manifest, root, site } from './paths.mjs';

const { page: repository, files, images } = addressesOf(manifest);

/** What a page is made of, by its path in the repository. */
export function sources() {
  const pages = new Map();
  const add = (source, page) => (existsSync(join(root, source)) ? pages.set(source, page) : undefined);
  add('README.md', 'docs/start.md');
  add('cli/README.md', 'docs/command-line.md');
  for (const name of filesIn('docs', '.md')) add(`docs/${name}`, `docs/${name}`);
  for (const name of readdirSync(join(root, 'examples')).sort())
    add(`examples/${name}/README.md`, `examples/${name}.md`);
  add('CONTRIBUTING.md', 'docs/contributing.md');
  add('CHANGELOG.md', 'docs/changelog.md');
  return pages;
}

/** Writes every page but the API's; `registry` is the module of losses/registry.ts. */
export function writePages(registry) {
  const pages = sources();
  rmSync(join(generated, 'docs'), { recursive: true, force: true });
  for (const [source, page] of pages) {
    const text = readFileSync(join(root, source), 'utf8');
    write(page, withLinks(text, source, page, pages));
  }
  for (const name of filesIn('docs', '.svg')) cpSync(join(root, 'docs', name), join(generated, 'docs', name));
  cpSync(join(site, 'pages'), generated, { recursive: true });
  const curves = 'playground/curves.md';
  write(
    curves,
    readFileSync(join(generated, curves), 'utf8').replace('<!-- losses -->', () => lossesOf(registry)),
  );
  cpSync(join(site, 'public'), join(generated, 'public'), { recursive: true });
  for (const name of ['logits.npy', 'targets.npy'])
    cpSync(join(root, 'examples/fashion-mnist', name), join(generated, 'public/sample', name));
  return pages;
}

/** The formula of each loss, and where it is from. */
function lossesOf({ LOSSES, ROW_LOSSES }) {
  const paperOf = (address) => (address === '' ? '' : `, [${address.replace('https://', '')}](${address})`);
  const entries = [...LOSSES, ...ROW_LOSSES].map(({ name, title, formula, paper, fixed }) => {
    const options = Object.entries(fixed ?? {}).map(([key, value]) => ` with \`${key}: '${value}'\``);
    return `**${title}**: \`${name}\`${options.join('')}${paperOf(paper)}\n\n$$\n${formula}\n$$\n`;
  });
  return entries.join('\n');
}

/** The title that a page begins with, or the name of its file. */
export function titleOf(source) {
  const title = /^# (.+)$/m.exec(readFileSync(join(root, source), 'utf8'))?.[1];
  return title?.replaceAll('`', '') ?? basename(source, '.md');
}

const LINK = /(!?)\[((?:[^\][]|\[[^\]]*\])*)\]\(([^)\s]+)\)/g;

/** Leaves code alone, where brackets are not links. */
function withLinks(text, source, page, pages) {
  const pieces = text.split(/(```[\s\S]*?```|`[^`\n]*`)/);
  return pieces
    .map((piece, index) =>
      index % 2 === 1
        ? piece
        : piece.replace(LINK, (_, mark, label, to) => `${mark}[${label}](${linkFrom(to, source, page, pages)})`),
    )
    .join('');
}

function linkFrom(to, source, page, pages) {
  const path = pathOf(to, source);
  if (path === undefined) return to;
  const [file, anchor = ''] = path.split(/(?=#)/);
  const target =
    pages.get(file) ?? pages.get(posix.join(file, 'README.md')) ?? (/^docs\/[^/]+\.svg$/.test(file) ? file : undefined);
  if (target === undefined) {
    if (!existsSync(join(root, file))) throw new Error(`${source} links to ${to}, which is not there`);
    const kind = statSync(join(root, file)).isDirectory() ? 'tree' : 'blob';
    return `${repository}/${kind}/main/${file}${anchor}`;
  }
  const from = posix.relative(posix.dirname(page), target);
  return `${from.startsWith('.') ? from : `./${from}`}${anchor}`;
}

/** The path in the repository that a link leads to; undefined where it leads elsewhere. */
function pathOf(to, source) {
  for (const prefix of [files, images]) if (to.startsWith(prefix)) return to.slice(prefix.length);
  if (/^([a-z]+:|#|\/)/.test(to)) return undefined;
  return posix.join(posix.dirname(source), to);
}

function filesIn(folder, extension) {
  return readdirSync(join(root, folder))
    .filter((name) => name.endsWith(extension))
    .sort();
}

function write(page, text) {
  const file = join(generated, page);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}

export const watched = ['docs', 'README.md', 'CHANGELOG.md', 'CONTRIBUTING.md', relative(root, join(site, 'pages'))];
