// What must be so before a version is published.
//   node scripts/release.mjs [--tag v1.2.3] [--repository https://github.com/owner/name]
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { addressesOf } from './links.mjs';

/**
 * What keeps a version from being published.
 *
 * @param state `manifest` and `cli`, the manifests of both packages; `changelog`, its text; `hash` of the results of this build,
 * `expected`, the committed one, and `first`, that of the minor version's first release, where there is one; and, where a tag
 * is released, `tag` and the address of its `repository`.
 */
export function problemsOf({ manifest, cli, changelog, hash, expected, first, tag, repository }) {
  const problems = [];
  const { version } = manifest;
  const must = (condition, problem) => (condition ? undefined : problems.push(problem));
  must(cli.version === version, `"cli/package.json" expected version ${version}, got ${cli.version}`);
  const of = ({ repository: { url } = {} }) => url;
  must(
    of(cli) === of(manifest),
    `"cli/package.json" expected repository ${of(manifest)}, got ${of(cli)}; run \`node scripts/links.mjs\``,
  );
  must(changelog.includes(`\n## ${version}`), `"CHANGELOG.md" expected a section ${version}, got none`);
  must(!changelog.includes('\n## Unreleased'), `"CHANGELOG.md" expected its changes under ${version}, got Unreleased`);
  must(hash === expected, `"hash" expected ${expected}, as committed, got ${hash}; run \`npm run test:runtimes\``);
  if (first !== undefined) {
    const [major, minor] = version.split('.');
    const remedy = 'a release that changes bits is a new minor version';
    must(hash === first, `"hash" expected ${first}, as ${major}.${minor}.0 has it, got ${hash}; ${remedy}`);
  }
  if (tag !== undefined) must(tag === `v${version}`, `"tag" expected v${version}, got ${tag}`);
  if (repository !== undefined) {
    const { page } = addressesOf(manifest);
    const remedy = 'change "repository" in package.json and run `node scripts/links.mjs`';
    must(page === repository, `"repository" expected ${repository}, got ${page}; ${remedy}`);
  }
  return problems;
}

async function main() {
  const { values } = parseArgs({ options: { tag: { type: 'string' }, repository: { type: 'string' } } });
  const root = new URL('..', import.meta.url);
  const read = (path) => readFileSync(new URL(path, root), 'utf8');
  const json = (path) => JSON.parse(read(path));
  const { digest } = await import('../test/runtimes/workload.mjs');
  const manifest = json('package.json');
  const problems = problemsOf({
    manifest,
    cli: json('cli/package.json'),
    changelog: read('CHANGELOG.md'),
    hash: digest(await import('../dist/index.js')).hash,
    expected: json('test/runtimes/expected.json').hash,
    first: hashOfFirst(manifest.version, fileURLToPath(root)),
    ...values,
  });
  for (const problem of problems) console.error(problem);
  if (problems.length > 0) process.exit(1);
  const dry = ['publish', '--dry-run', '--ignore-scripts', '--loglevel=error'];
  for (const workspace of [[], ['--workspace', 'cli']])
    execFileSync('npm', [...dry, ...workspace], { cwd: fileURLToPath(root), stdio: 'inherit' });
  console.log(`${manifest.version} can be published`);
}

/** Of a patch release, the hash that stands in the tag of the minor version's first release. */
function hashOfFirst(version, cwd) {
  const [major, minor, patch] = version.split('.');
  if (patch === '0') return undefined;
  const file = `v${major}.${minor}.0:test/runtimes/expected.json`;
  return JSON.parse(execFileSync('git', ['show', file], { cwd, encoding: 'utf8' })).hash;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
