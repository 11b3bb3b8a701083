// The built command as a process of its own: what signals, pipes and exit codes come to.
import { once } from 'node:events';
import { readFileSync, truncateSync } from 'node:fs';
import { expect, test } from 'vitest';
import { start } from './process.js';
import { float32, folder, npyFile, uint8 } from './support.js';

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));

const files = folder();
const x = files.write('x.npy', float32(...Array(5000).fill(2)));
const y = files.write('y.npy', uint8(...Array(5000).fill(0)));

test('the built command scores, has the package version, and exits with the kind of fault', async () => {
  const [scored, versioned, usage, data] = await Promise.all([
    start('score', x, y, '--json').ended,
    start('--version').ended,
    start('score', x, y, '--gama', '2').ended,
    start('score', x, files.path('none.npy')).ended,
  ]);
  expect(JSON.parse(scored.out)).toMatchObject({ count: 5000, negatives: 5000 });
  expect(versioned.out).toBe(`${version}\n`);
  expect([scored.code, versioned.code, usage.code, data.code]).toEqual([0, 0, 2, 1]);
});

test('a reader that goes away, as head does, is no fault', async () => {
  const { child, ended } = start('score', x, y, '--top', '5000');
  child.stdout.destroy();
  expect(await ended).toEqual({ code: 0, signal: null, out: '', err: '' });
});

/** Sparse files: a first logit that is infinite, whose warning tells that the work has begun, and then zeros. */
function sparse(elements: number): [string, string] {
  const write = (name: string, descr: string, bytes: number, first: ArrayBufferView) => {
    const header = npyFile(`{'descr': '${descr}', 'fortran_order': False, 'shape': (${elements},), }`);
    const file = files.write(name, Buffer.concat([header, new Uint8Array(first.buffer)]));
    truncateSync(file, header.length + elements * bytes);
    return file;
  };
  return [
    write(`long-x-${elements}.npy`, '<f4', 4, Float32Array.of(Infinity)),
    write(`long-y-${elements}.npy`, '|u1', 1, Uint8Array.of(0)),
  ];
}

test.each(['SIGINT', 'SIGHUP', 'SIGTERM'] as const)(
  '%s ends the work and removes the unfinished file',
  async (name) => {
    const { child, ended } = start('score', ...sparse(200_000_000), '--out', files.path('losses.npy'));
    await once(child.stderr, 'data');
    expect(files.names().some((name) => name.startsWith('.losses.npy.'))).toBe(true);
    child.kill(name);
    expect(await ended).toMatchObject({ code: null, signal: name, out: '' });
    expect(files.names().filter((name) => name.includes('losses.npy'))).toEqual([]);
  },
);

test('work that is suspended, as by Ctrl-Z, goes on where it was', async () => {
  const { child, ended } = start('score', ...sparse(3_000_000), '--out', files.path('whole.npy'), '--json');
  await once(child.stderr, 'data');
  child.kill('SIGTSTP');
  expect(child.exitCode).toBe(null);
  child.kill('SIGCONT');
  const { code, out } = await ended;
  expect([code, JSON.parse(out).count]).toEqual([0, 3_000_000]);
  expect(files.read('whole.npy').length).toBe(128 + 4 * 3_000_000);
});
