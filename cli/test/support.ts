// What the command line's tests share: files in a folder of their own, and a run in this process.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, sep } from 'node:path';
import { Writable } from 'node:stream';
import { deflateRawSync } from 'node:zlib';
import { type ColumnSource, parquetWriteBuffer } from 'hyparquet-writer';
import { afterAll } from 'vitest';
import { type ArrayInput, openArray } from '../src/array.js';
import { fileBytes } from '../src/bytes.js';
import { run } from '../src/run.js';

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

/** A .parquet file of these columns. */
export function parquet(columnData: ColumnSource[], rowGroupSize?: number): Uint8Array {
  return new Uint8Array(parquetWriteBuffer({ columnData, rowGroupSize }));
}

export const openFile = async (file: string): Promise<ArrayInput> => openArray(await fileBytes(file, file));

/** Reads all of a .npy file, a few elements at a time, and closes it. */
export async function readArray(file: string, step = 1 << 16): Promise<{ values: number[]; type: string }> {
  const array = await openFile(file);
  const values: number[] = [];
  let type = '';
  try {
    while (values.length < array.count) {
      const block = await array.read(Math.min(step, array.count - values.length));
      type = block.constructor.name;
      for (const value of block) values.push(value);
    }
  } finally {
    await array.close();
  }
  return { values, type };
}

/** A zip archive of stored or deflated files, as numpy.savez writes it. */
export function zip(entries: Readonly<Record<string, Uint8Array>>, deflate = false): Uint8Array {
  const parts: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let offset = 0;
  for (const [name, content] of Object.entries(entries)) {
    const data = deflate ? deflateRawSync(content) : content;
    const fields = Buffer.alloc(26);
    fields.writeUInt16LE(20, 0);
    fields.writeUInt16LE(deflate ? 8 : 0, 4);
    fields.writeUInt32LE(crc32(content), 10);
    fields.writeUInt32LE(data.length, 14);
    fields.writeUInt32LE(content.length, 18);
    fields.writeUInt16LE(name.length, 22);
    const local = Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), fields, Buffer.from(name), data]);
    const central = Buffer.alloc(46);
    central.write('PK\x01\x02', 'latin1');
    central.writeUInt16LE(20, 4);
    fields.copy(central, 6);
    central.writeUInt32LE(offset, 42);
    directory.push(central, Buffer.from(name));
    parts.push(local);
    offset += local.length;
  }
  const end = Buffer.alloc(22);
  const size = directory.reduce((sum, part) => sum + part.length, 0);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(directory.length / 2, 8);
  end.writeUInt16LE(directory.length / 2, 10);
  end.writeUInt32LE(size, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...parts, ...directory, end]);
}

function crc32(bytes: Uint8Array): number {
  let crc = -1;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}
