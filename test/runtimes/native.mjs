// Runtimes that run a file: the Node lines, Bun, and Deno without permissions.
import { join } from 'node:path';
import { run } from './process.mjs';
import { check, checkDigest, checkParts, equal } from './report.mjs';
import { bun, deno, nodes } from './setup.mjs';

const ENTRIES = {
  import: 'print.mjs',
  require: 'print.cjs',
  'import /inline': 'print-inline.mjs',
  'require /inline': 'print-inline.cjs',
};

export const runtimes = [
  { name: 'Node', version: process.versions.node, command: [process.execPath] },
  ...nodes
    .filter(({ version }) => version !== process.versions.node)
    .map(({ version, binary }) => ({ name: 'Node', version, command: [binary] })),
  { name: 'Bun', version: bun.version, command: [bun.binary] },
  // no permissions: a file system, network or environment access would end it
  { name: 'Deno', version: deno.version, command: [deno.binary, 'run', '--no-prompt', '--cached-only'] },
];

export async function checkNative(project) {
  for (const { name, version, command } of runtimes) {
    const reported = name === 'Deno' ? [command[0], '--version'] : [...command, '--version'];
    await check(name, version, 'is the version it says', async () => {
      const text = await run(reported);
      if (!text.includes(version)) throw new Error(text.trim());
    });
    const entryOf = (name) => join(project, 'entries', name);
    for (const [what, entry] of Object.entries(ENTRIES)) {
      await check(name, version, what, async () =>
        checkDigest(await run([...command, entryOf(entry)], { cwd: project })),
      );
    }
    for (const [what, entry] of Object.entries({ '/lite': 'print-lite.mjs', 'require /lite': 'print-lite.cjs' })) {
      await check(name, version, what, async () =>
        checkParts(await run([...command, entryOf(entry)], { cwd: project })),
      );
    }
    await check(name, version, '/relaxed', async () =>
      (await run([...command, entryOf('relaxed.mjs')], { cwd: project })).trim(),
    );
    // fused or not, the bits are the same
    await check(name, version, '/fused', async () =>
      checkDigest(await run([...command, entryOf('fused.mjs')], { cwd: project })),
    );
    await check(name, version, '/float64', async () =>
      checkDigest(await run([...command, entryOf('float64.mjs')], { cwd: project }), 'float64'),
    );
    await check(name, version, '/parallel', async () => {
      const text = await run([...command, entryOf('parallel.mjs')], { cwd: project });
      equal(text.trim(), 'same bits as one thread', 'the outcome');
    });
  }
}
