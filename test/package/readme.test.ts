// README.md is also the package's page, where nothing lies beside it.
import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { addressesOf, fieldsOf, withLinks } from '../../scripts/links.mjs';
import { manifest, root, runModule } from './support.js';

const readme = readFileSync(`${root}README.md`, 'utf8');
const { page, files, images } = addressesOf(manifest);
const links = [...readme.matchAll(/\]\(([^)]+)\)/g)].map(([, link]) => link);

test('the first example runs as it is pasted, and prints what it says', () => {
  const [example] = readme.match(/(?<=```js\n)[\s\S]*?(?=```)/) ?? [''];
  expect(example).toContain("from 'focal-loss-wasm'");
  const printed = runModule(example);
  const [, mean] = example.match(/\/\/ +([\d.]+), the mean loss/) ?? [];
  expect(Number(printed.split('\n')[0]).toFixed(3)).toBe(mean);
  const [, hard] = example.match(/\/\/ +\[(\d)\], the row to look at/) ?? [];
  expect(printed).toContain(`Uint32Array(1) [ ${hard} ]`);
});

test('every link is absolute, and leads to what is there and is in the tarball', () => {
  expect(links.length).toBeGreaterThan(12);
  const paths = links.map((link) => [files, images].reduce((path, prefix) => path.replace(prefix, ''), link));
  expect(paths.filter((path) => !existsSync(root + path))).toEqual([]);
  const packed = manifest.files as string[];
  const documents = paths.filter((path) => path.startsWith('docs/') || path === 'CHANGELOG.md');
  expect(documents.filter((path) => !packed.includes(path.split('/')[0]))).toEqual([]);
});

test('images are files that a browser can show, and other links pages', () => {
  for (const [, mark, link] of readme.matchAll(/(!?)\[[^\]]*\]\(([^)]+)\)/g)) {
    expect(link.startsWith(mark === '!' ? images : files), link).toBe(true);
  }
});

test('addresses come from the repository of package.json', () => {
  expect(withLinks(readme, manifest)).toBe(readme);
  expect(manifest).toMatchObject({ homepage: `${page}#readme`, bugs: `${page}/issues` });
  expect(manifest).toMatchObject(fieldsOf(manifest));
  const moved = { repository: { url: 'git+https://github.com/somebody/fork.git' } };
  expect(withLinks(readme, moved)).not.toContain(page);
});

test('the command line has a page of its own, whose links are absolute, and says where it comes from', () => {
  const text = readFileSync(`${root}cli/README.md`, 'utf8');
  expect(withLinks(text, manifest)).toBe(text);
  const targets = [...text.matchAll(/\]\(([^)]+)\)/g)].map(([, link]) => link);
  expect(targets.filter((link) => !link.startsWith(files) || !existsSync(root + link.replace(files, '')))).toEqual([]);
  const own = JSON.parse(readFileSync(`${root}cli/package.json`, 'utf8'));
  expect(own).toMatchObject(fieldsOf(manifest, 'cli'));
  expect(own.repository).toEqual({ ...manifest.repository, directory: 'cli' });
});

test('the two commands of a contributor', () => {
  expect(readme).toMatch(/^npm start {3}# /m);
  expect(readme).toMatch(/^npm cit {5}# /m);
});
