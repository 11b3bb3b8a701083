import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { problemsOf } from '../../scripts/release.mjs';
import { manifest, root } from './support.js';

const repository = { url: 'git+https://github.com/owner/name.git' };

const ready = {
  manifest: { version: '1.2.3', repository },
  cli: { version: '1.2.3', repository },
  changelog: '# Changelog\n\n## 1.2.3 (2030-01-01)\n\n- Better.\n',
  hash: 'aa',
  expected: 'aa',
  first: 'aa',
  tag: 'v1.2.3',
  repository: 'https://github.com/owner/name',
};

test('a version that is ready has no problem', () => {
  expect(problemsOf(ready)).toEqual([]);
});

test.each([
  [{ cli: { version: '1.2.2', repository } }, '"cli/package.json" expected version 1.2.3, got 1.2.2'],
  [
    { cli: { version: '1.2.3' } },
    '"cli/package.json" expected repository git+https://github.com/owner/name.git, got undefined; run `node scripts/links.mjs`',
  ],
  [{ changelog: '# Changelog\n' }, '"CHANGELOG.md" expected a section 1.2.3, got none'],
  [
    { changelog: '# Changelog\n\n## Unreleased\n\n## 1.2.3\n' },
    '"CHANGELOG.md" expected its changes under 1.2.3, got Unreleased',
  ],
  [{ expected: 'bb' }, '"hash" expected bb, as committed, got aa; run `npm run test:runtimes`'],
  [{ first: 'cc' }, '"hash" expected cc, as 1.2.0 has it, got aa; a release that changes bits is a new minor version'],
  [{ tag: 'v1.2.4' }, '"tag" expected v1.2.3, got v1.2.4'],
  [
    { repository: 'https://github.com/somebody/fork' },
    '"repository" expected https://github.com/somebody/fork, got https://github.com/owner/name; change "repository" in package.json and run `node scripts/links.mjs`',
  ],
])('a version is held back: %o', (change, problem) => {
  expect(problemsOf({ ...ready, ...change })).toEqual([problem]);
});

test('the workflow passes the whole check, and publishes with provenance', () => {
  const workflow = readFileSync(`${root}.github/workflows/release.yml`, 'utf8');
  const order = ['.ci/run', 'npm run release:check', 'npm publish --provenance'].map((step) =>
    workflow.indexOf(`run: ${step}`),
  );
  expect(order).toEqual([...order].sort((a, b) => a - b));
  expect(order[0]).toBeGreaterThan(0);
  expect(manifest.scripts['release:check']).toBe('node scripts/release.mjs');
});
