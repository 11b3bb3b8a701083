// Both packages as npm would publish them, installed into an empty folder.
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { float32, folder, uint8 } from './support.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const files = folder();

function npm(cwd: string, ...args: string[]): string {
  const options = ['--loglevel=error', '--no-audit', '--no-fund', '--prefer-offline'];
  return execFileSync('npm', [...args, ...options], { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

function packed(name: string, folder: string) {
  const [{ filename }] = JSON.parse(
    npm(folder, 'pack', '--json', '--ignore-scripts', '--pack-destination', files.path('.')),
  );
  const manifest = execFileSync('tar', ['-xOf', files.path(filename), 'package/package.json'], { encoding: 'utf8' });
  expect(JSON.parse(manifest).name).toBe(name);
  return { tarball: files.path(filename), manifest: JSON.parse(manifest) };
}

const core = packed('focal-loss-wasm', root);
const cli = packed('focal-loss-cli', `${root}cli`);

test('the core package installs nothing else', () => {
  const { dependencies, optionalDependencies, bundleDependencies, peerDependencies, peerDependenciesMeta, bin } =
    core.manifest;
  expect([dependencies, optionalDependencies, bundleDependencies, bin]).toEqual([
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
  for (const name of Object.keys(peerDependencies ?? {}))
    expect(peerDependenciesMeta[name]).toEqual({ optional: true });
});

test('the command line depends on the core of its own version, and on exact versions of everything else', () => {
  expect(cli.manifest.dependencies['focal-loss-wasm']).toBe(`^${core.manifest.version}`);
  for (const [name, version] of Object.entries(cli.manifest.dependencies)) {
    if (name !== 'focal-loss-wasm') expect(version, name).toMatch(/^\d+\.\d+\.\d+(-r\.\d+)?$/);
  }
  expect(cli.manifest.version).toBe(core.manifest.version);
});

test('npx runs the command from the two tarballs', { timeout: 300_000 }, () => {
  const place = files.path('empty');
  mkdirSync(place);
  try {
    npm(place, 'install', core.tarball, cli.tarball);
  } catch (error) {
    const said = String((error as { stderr?: string }).stderr);
    if (!/ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT/.test(said)) throw error;
    console.info(`not tried: the registry is not there (${said.split('\n', 1)[0]})`);
    return;
  }
  const [x, y] = [files.write('x.npy', float32(2, -2)), files.write('y.npy', uint8(1, 0))];
  const csv = files.write('pairs.csv', 'logit,label\n2,1\n-2,0\n');
  const run = (...args: string[]) =>
    JSON.parse(
      execFileSync('npx', ['--no-install', 'focal-loss-cli', ...args, '--json'], { cwd: place, encoding: 'utf8' }),
    );
  expect(run('score', csv).loss).toBe(run('score', x, y).loss);
});
