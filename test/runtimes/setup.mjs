// The tools, and an empty project into which the packed package is installed as a user would.
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from './process.mjs';

export const here = fileURLToPath(new URL('.', import.meta.url));
export const root = join(here, '../..');

const tools = JSON.parse(readFileSync(join(here, 'package.json'), 'utf8')).dependencies;
const at = (...names) => join(here, 'node_modules', ...names);

/** The packaged Node lines: the oldest release that the package supports, and the later lines. */
export const nodes = ['node20', 'node22', 'node24', 'node26'].map((name) => ({
  version: tools[name].split('@').at(-1),
  binary: at(name, 'bin/node'),
}));
export const deno = { version: tools['@deno/linux-x64-glibc'], binary: at('@deno/linux-x64-glibc/deno') };
export const bun = { version: tools['@oven/bun-linux-x64'], binary: at('@oven/bun-linux-x64/bin/bun') };
export const workerd = { version: tools.workerd, binary: at('@cloudflare/workerd-linux-64/bin/workerd') };
/** wrangler refuses Node 20. */
export const wrangler = { version: tools.wrangler, command: [nodes[1].binary, at('wrangler/bin/wrangler.js')] };
export const versionOf = (name) => tools[name];

/** `npm ci` when what is installed is not what the lock names. */
export async function installTools() {
  const installed = at('.package-lock.json');
  if (existsSync(installed) && sameVersions(installed)) return;
  console.log('installing the runtimes: 1.6 GB, about a minute');
  await npm(['ci', '--ignore-scripts'], here);
}

function sameVersions(installed) {
  const versions = (file) => JSON.parse(readFileSync(file, 'utf8')).packages;
  const wanted = versions(join(here, 'package-lock.json'));
  const found = versions(installed);
  return Object.entries(found).every(([name, { version }]) => wanted[name]?.version === version) && hasAll(found);
}

function hasAll(found) {
  return Object.keys(tools).every((name) => found[`node_modules/${name}`] !== undefined);
}

/** Packs the built package and installs the tarball. */
export async function makeProject() {
  if (!existsSync(join(root, 'dist/index.js'))) throw new Error('there is no dist/: run `npm run build` first');
  const directory = mkdtempSync(join(tmpdir(), 'focal-loss-runtimes-'));
  const packed = await npm(['pack', '--json', '--ignore-scripts', '--pack-destination', directory], root);
  const listing = JSON.parse(packed);
  // npm 12 gives an object by package name, earlier ones an array
  const { filename, size } = Object.values(listing)[0];
  writeFileSync(join(directory, 'package.json'), '{ "private": true, "type": "module" }\n');
  await npm(['install', '--ignore-scripts', '--no-save', '--prefer-offline', `./${filename}`], directory);
  for (const name of ['workload.mjs', 'entries']) {
    cpSync(join(here, name), join(directory, name), { recursive: true });
  }
  console.log(`${filename}, ${size} bytes, installed in an empty project`);
  return directory;
}

/** A copy of an example whose packages are the project's and this folder's. */
export function copyExample(project, name) {
  const directory = join(project, 'examples', name);
  cpSync(join(root, 'examples', name), directory, {
    recursive: true,
    filter: (source) => !source.includes('node_modules'),
  });
  const manifest = join(directory, 'package.json');
  const dependencies = existsSync(manifest) ? JSON.parse(readFileSync(manifest, 'utf8')).dependencies : {};
  for (const dependency of Object.keys(dependencies)) {
    if (dependency === 'focal-loss-wasm') continue;
    const link = join(project, 'node_modules', dependency);
    if (existsSync(link)) continue;
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(at(dependency), link);
  }
  return directory;
}

/** What the project's own copy of the package exports, in this process. */
export async function libraryOf(project) {
  return import(join(project, 'node_modules/focal-loss-wasm/dist/index.js'));
}

/** A module of this folder's tools. */
export async function tool(name) {
  return import(name);
}

export function npm(args, cwd) {
  return run(['npm', ...args, '--no-audit', '--no-fund', '--loglevel=error'], { cwd });
}
