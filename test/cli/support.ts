// What the command line's tests share: files in a folder of their own, and a run in this process.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, sep } from 'node:path';
import { Writable } from 'node:stream';
import { afterAll } from 'vitest';
import { run } from '../../src/cli/run.js';
import type { Table, Values } from '../../src/cli/table.js';

/** A new folder, removed after the file's tests. */
export function folder() {
  const path = mkdtempSync(join(tmpdir(), 'focal-loss-'));
  afterAll(() => rmSync(path, { recursive: true, force: true }));
  return {
    path: (name: string) => join(path, name),
    /** Writes a file and gives its path. */
    write(name: string, content: string | Uint8Array): string {
      writeFileSync(join(path, name), content);
      return join(path, name);
    },
    read: (name: string) => readFileSync(join(path, name)),
    /** A message without the folder. */
    plain: (text: string) => text.replaceAll(path + sep, ''),
    names: () => readdirSync(path).sort(),
  };
}

/** Collects what is written to it, and tells with the event 'text'; a terminal if asked. */
export class Sink extends Writable {
  text = '';

  constructor(readonly isTTY = false) {
    super();
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk;
    this.emit('text');
    done();
  }
}

export async function cli(...argv: string[]): Promise<{ code: number; out: string; err: string }> {
  const [stdout, stderr] = [new Sink(), new Sink()];
  const code = await run(argv, { stdout, stderr });
  return { code, out: stdout.text, err: stderr.text };
}

/** A .npy file as NumPy writes it. */
export function npy(descr: string, shape: readonly number[], data: ArrayBufferView, order = 'False'): Uint8Array {
  const tuple = `(${shape.join(', ')}${shape.length === 1 ? ',' : ''})`;
  return npyFile(`{'descr': '${descr}', 'fortran_order': ${order}, 'shape': ${tuple}, }`, data);
}

export function npyFile(dict: string, data: ArrayBufferView = new Uint8Array(0), version = 1): Uint8Array {
  const start = version === 1 ? 10 : 12;
  const length = Math.ceil((start + dict.length + 1) / 64) * 64 - start;
  const head = Buffer.alloc(start);
  head.write('\x93NUMPY', 'latin1');
  head[6] = version;
  if (version === 1) head.writeUInt16LE(length, 8);
  else head.writeUInt32LE(length, 8);
  const text = Buffer.from(`${dict.padEnd(length - 1)}\n`, 'latin1');
  return Buffer.concat([head, text, new Uint8Array(data.buffer, data.byteOffset, data.byteLength)]);
}

export const float32 = (...values: number[]) => npy('<f4', [values.length], Float32Array.from(values));
export const uint8 = (...values: number[]) => npy('|u1', [values.length], Uint8Array.from(values));

/** Reads all of a table, and closes it. */
export async function readTable(table: Table): Promise<{ columns: number[][]; types: string[] }> {
  const columns: number[][] = [];
  let types: string[] = [];
  try {
    for await (const block of table.blocks()) {
      types = block.map((column: Values) => column.constructor.name);
      for (const [i, column] of block.entries()) columns[i] = (columns[i] ?? []).concat(Array.from(column));
    }
  } finally {
    await table.close();
  }
  return { columns, types };
}
