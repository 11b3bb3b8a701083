import { mkdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { DataError } from '../../src/cli/errors.js';
import { openNpy } from '../../src/cli/npy.js';
import { createOutput, shortest } from '../../src/cli/output.js';
import { folder, readTable } from './support.js';

const files = folder();

test('a .npy of known shape', async () => {
  const output = await createOutput(files.path('shaped.npy'), 'loss', [2, 2]);
  await output.write(Float32Array.of(1, 2));
  await output.write(Float32Array.of(0, 3, 4).subarray(1));
  await output.commit(4);
  const table = await openNpy(files.path('shaped.npy'));
  expect(table.shape).toEqual([2, 2]);
  expect((await readTable(table)).columns).toEqual([[1, 2, 3, 4]]);
});

test('a .npy whose length is known at the end', async () => {
  const output = await createOutput(files.path('counted.npy'), 'loss');
  for (let i = 0; i < 3; i++) await output.write(Float32Array.of(i, NaN));
  await output.commit(6);
  const table = await openNpy(files.path('counted.npy'));
  expect(table.shape).toEqual([6]);
  expect((await readTable(table)).columns).toEqual([[0, NaN, 1, NaN, 2, NaN]]);
});

test('a .csv has a header, and decimals that read back as the same float32', async () => {
  const values = Float32Array.of(0, 0.1, 1 / 3, 1e-45, 3.4028234663852886e38, 16777216, Infinity, NaN);
  const output = await createOutput(files.path('losses.csv'), 'loss');
  await output.write(values);
  await output.commit(values.length);
  const text = files.read('losses.csv').toString();
  expect(text).toBe('loss\n0\n0.1\n0.33333334\n1.4013e-45\n3.4028235e+38\n16777216\nInfinity\nNaN\n');
  expect(Float32Array.from(text.trim().split('\n').slice(1), Number)).toEqual(values);
});

test('the shortest decimal of any float32 reads back', () => {
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
  const output = await createOutput(files.path('old.npy'), 'loss');
  await output.write(Float32Array.of(1));
  expect(files.read('old.npy').toString()).toBe('the old content');
  expect(files.names().filter((name) => name.endsWith('.tmp')).length).toBe(1);
  await output.discard();
  await output.discard();
  expect(files.read('old.npy').toString()).toBe('the old content');
  expect(files.names().filter((name) => name.endsWith('.tmp'))).toEqual([]);
});

test('discarding after the end leaves the file', async () => {
  const output = await createOutput(files.path('kept.npy'), 'loss');
  await output.commit(0);
  await output.discard();
  expect(files.names()).toContain('kept.npy');
});

test('places where a file cannot be written', async () => {
  const complaint = async (name: string) => {
    const error = await createOutput(files.path(name), 'loss').then(String, (error) => error);
    expect(error).toBeInstanceOf(DataError);
    return files.plain(error.message);
  };
  mkdirSync(files.path('folder.npy'));
  expect(await complaint('folder.npy')).toBe('folder.npy: expected the name of a file to write, got a directory');
  expect(await complaint('none/losses.npy')).toBe('none/losses.npy: no such file or directory');
});
