// Both README.md are read on the packages' pages too, where a link must be absolute. The address of the repository stands in
// package.json alone: this writes their links and what both manifests say of it anew from there.   node scripts/links.mjs
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

/** What a manifest says of its repository, for the package in a folder of it. */
export function fieldsOf({ repository }, folder) {
  const { page } = addressesOf({ repository });
  const readme = folder === undefined ? `${page}#readme` : `${page}/tree/main/${folder}#readme`;
  return {
    homepage: readme,
    bugs: `${page}/issues`,
    repository: { type: 'git', url: repository.url, ...(folder !== undefined && { directory: folder }) },
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const manifest = JSON.parse(readFileSync(at('package.json'), 'utf8'));
  for (const folder of [undefined, 'cli']) {
    const [readme, file] = ['README.md', 'package.json'].map((name) =>
      at(folder === undefined ? name : `${folder}/${name}`),
    );
    writeFileSync(readme, withLinks(readFileSync(readme, 'utf8'), manifest));
    const own = JSON.parse(readFileSync(file, 'utf8'));
    writeFileSync(file, `${JSON.stringify({ ...own, ...fieldsOf(manifest, folder) }, undefined, 2)}\n`);
  }
}
