// The packages as npm would publish them: publint, are-the-types-wrong, and what the tarball holds.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'focal-loss-wasm-'));
const run = (command, args) =>
  execFileSync(command, args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });

try {
  const [packed] = JSON.parse(run('npm', ['pack', '--json', '--loglevel=error', '--pack-destination', folder]));
  const tarball = join(folder, packed.filename);
  console.log(
    `${packed.filename}: ${packed.entryCount} files, ${packed.size} bytes packed, ${packed.unpackedSize} unpacked`,
  );
  const strange = packed.files
    .map((file) => file.path)
    .filter((path) => !/^(dist\/|docs\/|[A-Z]+(\.md)?$|package\.json$)/.test(path));
  if (strange.length > 0) throw new Error(`the tarball holds ${strange.join(', ')}`);
  process.stdout.write(run('npx', ['--no-install', 'publint', tarball, '--strict']));
  process.stdout.write(run('npx', ['--no-install', 'attw', tarball, '--exclude-entrypoints', 'kernel.wasm']));
  const [command] = JSON.parse(
    run('npm', ['pack', '--json', '--loglevel=error', '--workspace', 'cli', '--pack-destination', folder]),
  );
  console.log(`${command.filename}: ${command.entryCount} files, ${command.size} bytes packed`);
  process.stdout.write(run('npx', ['--no-install', 'publint', join(folder, command.filename), '--strict']));
} finally {
  rmSync(folder, { recursive: true, force: true });
}
