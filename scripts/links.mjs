// README.md is read on the package's page too, where a link must be absolute. The address of the repository stands in package.json
// alone: this writes its links and `homepage` and `bugs` anew from there.   node scripts/links.mjs
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const at = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));

/** Where files and images of a repository are, by the address in package.json. */
export function addressesOf({ repository }) {
  const page = repository.url.replace(/^git\+/, '').replace(/\.git$/, '');
  return {
    page,
    files: `${page}/blob/main/`,
    images: `${page.replace('https://github.com/', 'https://raw.githubusercontent.com/')}/main/`,
  };
}

/** The text with every link to a repository's files or images leading to that of the manifest. */
export function withLinks(text, manifest) {
  const { files, images } = addressesOf(manifest);
  return text
    .replace(/https:\/\/github\.com\/[^/\s)]+\/[^/\s)]+\/blob\/main\//g, files)
    .replace(/https:\/\/raw\.githubusercontent\.com\/[^/\s)]+\/[^/\s)]+\/main\//g, images);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const manifest = JSON.parse(readFileSync(at('package.json'), 'utf8'));
  const { page } = addressesOf(manifest);
  writeFileSync(at('README.md'), withLinks(readFileSync(at('README.md'), 'utf8'), manifest));
  const fields = { ...manifest, homepage: `${page}#readme`, bugs: `${page}/issues` };
  writeFileSync(at('package.json'), `${JSON.stringify(fields, undefined, 2)}\n`);
}
