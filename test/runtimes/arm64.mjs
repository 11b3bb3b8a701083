// Another processor: Node for arm64 under an emulator. Its vectors are other instructions, and V8 another compiler for them.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './process.mjs';
import { check, checkDigest, checkParts, equal } from './report.mjs';
import { here, npm } from './setup.mjs';

const folder = join(here, 'arm64');
const VERSION = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  .dependencies.node26.split('@')
  .at(-1);
const NODE = join(folder, 'node_modules/node26/bin/node');

/** Of Debian: the emulator, and what Node is linked with. */
const PACKAGES = {
  'qemu-user': '/usr/bin/qemu-aarch64',
  'libc6-arm64-cross': '/usr/aarch64-linux-gnu/lib/libc.so.6',
  'libstdc++6-arm64-cross': '/usr/aarch64-linux-gnu/lib/libstdc++.so.6',
  'libatomic1-arm64-cross': '/usr/aarch64-linux-gnu/lib/libatomic.so.1',
};

const ENTRIES = { import: ['print.mjs', checkDigest], '/lite': ['print-lite.mjs', checkParts] };

export async function checkArm64(project) {
  const missing = Object.keys(PACKAGES).filter((name) => !existsSync(PACKAGES[name]));
  if (missing.length > 0) {
    const remedy = `run \`apt-get install -y --no-install-recommends ${missing.join(' ')}\``;
    await check('arm64', '', 'can be emulated', () => Promise.reject(new Error(`no ${missing.join(', ')}: ${remedy}`)));
    return;
  }
  await install();
  const [emulator] = Object.values(PACKAGES);
  const command = [emulator, '-L', '/usr/aarch64-linux-gnu', NODE];
  await check('arm64', `Node ${VERSION}`, 'is the version it says', async () =>
    equal((await run([...command, '-p', 'process.arch + process.version'])).trim(), `arm64v${VERSION}`, 'it'),
  );
  for (const [what, [entry, checked]] of Object.entries(ENTRIES)) {
    await check('arm64', `Node ${VERSION}`, what, async () =>
      checked(await run([...command, join(project, 'entries', entry)], { cwd: project })),
    );
  }
}

/** By force, since npm knows that this machine cannot run it. */
async function install() {
  const manifest = join(folder, 'node_modules/node26/package.json');
  if (existsSync(manifest) && JSON.parse(readFileSync(manifest, 'utf8')).version === VERSION) return;
  console.log('installing Node for arm64: 150 MB');
  await npm(['ci', '--force', '--ignore-scripts'], folder);
}
