import { chmodSync, mkdirSync, statSync, symlinkSync } from 'node:fs';
import { expect, test } from 'vitest';
import { DataError } from '../src/errors.js';
import { openOutput } from '../src/output.js';
import { recordWriter, shortest } from '../src/records.js';
import { cli, float32, folder, readArray, uint8 } from './support.js';

const files = folder();
const x = files.write('x.npy', float32(1, -2, 3));
const y = files.write('y.npy', uint8(1, 1, 0));

const NEW = { force: false, inputs: [], option: '--out' };

async function npyOf(name: string, shape: number[] | undefined, ...pieces: Float32Array[]) {
  const file = await openOutput(files.path(name), NEW);
  const writer = await recordWriter('npy', file, 'loss', shape);
  for (const piece of pieces) await writer.write({ names: ['loss'], columns: [piece], rows: piece.length });
  await writer.end();
  await file.commit();
  return readArray(files.path(name));
}

test('a .npy of known shape, and one whose length is known at the end', async () => {
  const pieces = [Float32Array.of(1, 2), Float32Array.of(0, 3, NaN).subarray(1)];
  expect((await npyOf('shaped.npy', [2, 2], ...pieces)).values).toEqual([1, 2, 3, NaN]);
  expect(files.read('shaped.npy').toString('latin1')).toContain("'shape': (2, 2), }");
  expect((await npyOf('counted.npy', undefined, ...pieces)).values).toEqual([1, 2, 3, NaN]);
  expect(files.read('counted.npy').toString('latin1')).toContain("'shape': (4,), }");
});

test('decimals that read back as the same float32', () => {
  const values = Float32Array.of(0, 0.1, 1 / 3, 1e-45, 3.4028234663852886e38, 16777216, Infinity, NaN);
  expect([...values].map(shortest)).toEqual([
    ...['0', '0.1', '0.33333334', '1.4013e-45', '3.4028235e+38', '16777216', 'Infinity', 'NaN'],
  ]);
  const word = new Uint32Array(1);
  const float = new Float32Array(word.buffer);
  for (let i = 0; i < 20_000; i++) {
    word[0] = Math.imul(i, 0x9e3779b1);
    const read = Math.fround(Number(shortest(float[0])));
    if (!Object.is(read, float[0])) expect.fail(`${float[0]} became ${read}`);
  }
});

test('nothing shows under the name before the end, and nothing stays when discarded', async () => {
  files.write('old.npy', 'the old content');
  const file = await openOutput(files.path('old.npy'), { ...NEW, force: true });
  await file.write(Uint8Array.of(1));
  expect(files.read('old.npy').toString()).toBe('the old content');
  expect(files.names().filter((name) => name.endsWith('.tmp')).length).toBe(1);
  await file.discard();
  await file.discard();
  expect(files.read('old.npy').toString()).toBe('the old content');
  expect(files.names().filter((name) => name.endsWith('.tmp'))).toEqual([]);
});

test('a file that exists is replaced only with --force, and keeps its mode', async () => {
  const old = files.write('private.csv', 'old');
  chmodSync(old, 0o600);
  const refused = await cli('score', x, y, '--out', old);
  expect([refused.code, files.plain(refused.err)]).toEqual([
    2,
    'focal-loss: --out expected a new file, got private.csv, which exists; --force replaces it\n',
  ]);
  expect(files.read('private.csv').toString()).toBe('old');
  expect((await cli('score', x, y, '--out', old, '--force')).code).toBe(0);
  expect(files.read('private.csv').toString()).toMatch(/^index,score,probability,target,loss\n0,1,/);
  expect(statSync(old).mode & 0o777).toBe(0o600);
});

test('a symbolic link is followed, and stays one', async () => {
  files.write('real.csv', 'old');
  symlinkSync('real.csv', files.path('link.csv'));
  expect((await cli('score', x, y, '--out', files.path('link.csv'), '--force')).code).toBe(0);
  expect(files.read('real.csv').toString()).toMatch(/^index,/);
  symlinkSync('later.csv', files.path('dangling.csv'));
  expect((await cli('score', x, y, '--out', files.path('dangling.csv'))).err).toBe('');
});

test('a device is written to, and never replaced', async () => {
  expect((await cli('score', x, y, '--out', '/dev/null')).code).toBe(0);
  expect(statSync('/dev/null').isCharacterDevice()).toBe(true);
});

test('standard output holds the elements, and standard error the summary', async () => {
  const { code, out, err } = await cli('score', x, y, '--out', '-');
  expect(code).toBe(0);
  expect(out.split('\n').map((line) => line.split(',').length)).toEqual([5, 5, 5, 5, 1]);
  expect(err).toMatch(/^loss [\d.]+ \(mean\)\n/);
});

test('places where a file cannot be written', async () => {
  const complaint = async (name: string) => {
    const error = await openOutput(files.path(name), NEW).then(String, (error) => error);
    expect(error).toBeInstanceOf(DataError);
    return files.plain(error.message);
  };
  mkdirSync(files.path('folder.npy'));
  expect(await complaint('folder.npy')).toBe('folder.npy: expected the name of a file to write, got a directory');
  expect(await complaint('none/losses.npy')).toBe('none/losses.npy: no such file or directory');
});
