import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { Field32, Field64, Flag, FRAME_BYTES } from '../src/abi.js';

// src/abi.ts is the account that the wrapper and the kernel compile; these are the copies that others read.

const read = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8');
const names = (fields: object) => Object.keys(fields).filter((key) => Number.isNaN(Number(key)));
const offsets: Record<string, [offset: number, type: string]> = {};
for (const name of names(Field32)) offsets[name] = [4 * Field32[name as keyof typeof Field32], 'i32'];
for (const name of names(Field64)) offsets[name] = [8 * Field64[name as keyof typeof Field64], 'f64'];

test('docs/abi.md lists every field with its offset and type, and no other', () => {
  const documented: typeof offsets = {};
  for (const [, offset, type, name] of read('../docs/abi.md').matchAll(/^\| (\d+) \| (i32|f64) \| (\w+) \|/gm))
    documented[name] = [Number(offset), type];
  expect(documented).toEqual(offsets);
});

test('the C++ host has the offsets and flags of src/abi.ts', () => {
  const source = read('./runtimes/abi.cpp');
  const constants = [...source.matchAll(/\bk(\w+) = (\d+)[,;]/g)].map(
    ([, name, value]) => [name, Number(value)] as const,
  );
  const lower = (name: string) => name[0].toLowerCase() + name.slice(1);
  const fields = constants.filter(([name]) => lower(name) in offsets);
  expect(fields.length).toBeGreaterThanOrEqual(14);
  for (const [name, value] of fields) expect([name, value]).toEqual([name, offsets[lower(name)][0]]);
  const flags = constants.filter(([name]) => /^Flag[A-Z]/.test(name));
  expect(flags.length).toBeGreaterThanOrEqual(2);
  for (const [name, value] of flags)
    expect([name, value]).toEqual([name, Flag[lower(name.slice(4)) as keyof typeof Flag]]);
});

test('no field lies beyond the frame, and no two overlap', () => {
  const taken = new Set<number>();
  for (const [offset, type] of Object.values(offsets))
    for (let byte = offset; byte < offset + (type === 'f64' ? 8 : 4); byte++) {
      expect(byte).toBeLessThan(FRAME_BYTES);
      expect(taken.has(byte)).toBe(false);
      taken.add(byte);
    }
});
