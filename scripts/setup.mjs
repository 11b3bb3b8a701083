// What a fresh clone lacks before its first run: the dependencies and dist/. Uses nothing that has to be installed.
import { execSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';

const root = new URL('..', import.meta.url);
const at = (path) => new URL(path, root);
const run = (command) => execSync(command, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });

function newest(folder) {
  return readdirSync(at(folder), { withFileTypes: true }).reduce((latest, entry) => {
    const path = `${folder}/${entry.name}`;
    return Math.max(latest, entry.isDirectory() ? newest(path) : statSync(at(path)).mtimeMs);
  }, 0);
}

const installed = at('node_modules/.package-lock.json');
if (!existsSync(installed) || statSync(installed).mtimeMs < statSync(at('package-lock.json')).mtimeMs) {
  console.error('Installing dependencies...');
  run('npm ci --no-audit --no-fund --loglevel=error');
}

const built = at('cli/dist/main.js');
if (!existsSync(built) || statSync(built).mtimeMs < Math.max(newest('src'), newest('assembly'), newest('cli/src'))) {
  console.error('Building...');
  run('npm run build --silent');
}
