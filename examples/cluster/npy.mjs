// Rows of a .npy file (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html), a range at a time.
import { open } from 'node:fs/promises';

const KINDS = { '<f4': Float32Array, '|u1': Uint8Array };

/** Shape, kind and place of the numbers of an open file. */
async function headerOf(file, path) {
  const start = Buffer.alloc(12);
  await file.read(start, 0, 12, 0);
  if (start.toString('latin1', 0, 6) !== '\x93NUMPY') throw new Error(`${path}: expected a .npy file`);
  const [at, length] = start[6] === 1 ? [10, start.readUInt16LE(8)] : [12, start.readUInt32LE(8)];
  const header = Buffer.alloc(length);
  await file.read(header, 0, length, at);
  const text = header.toString('latin1');
  const kind = KINDS[/'descr': *'([^']+)'/.exec(text)?.[1]];
  const shape = /'shape': *\((\d+), *\)/.exec(text);
  if (kind === undefined || shape === null || /'fortran_order': *True/.test(text)) {
    throw new Error(`${path}: expected one dimension of float32 or uint8, got ${text.trim()}`);
  }
  const [rows, offset] = [Number(shape[1]), at + length];
  const { size } = await file.stat();
  const expected = offset + rows * kind.BYTES_PER_ELEMENT;
  if (size !== expected)
    throw new Error(`${path}: expected ${expected} bytes for ${rows} rows, got ${size}; it is cut or still written`);
  return { kind, rows, offset };
}

async function withFile(path, use) {
  const file = await open(path);
  try {
    return await use(file);
  } finally {
    await file.close();
  }
}

export function rowsOf(path) {
  return withFile(path, async (file) => (await headerOf(file, path)).rows);
}

/** The numbers of rows [from, to). */
export function readRows(path, from, to) {
  return withFile(path, async (file) => {
    const { kind, offset } = await headerOf(file, path);
    const values = new kind(to - from);
    const bytes = new Uint8Array(values.buffer);
    for (let done = 0; done < bytes.length; ) {
      const position = offset + from * kind.BYTES_PER_ELEMENT + done;
      const { bytesRead } = await file.read(bytes, done, bytes.length - done, position);
      if (bytesRead === 0) throw new Error(`${path}: expected ${to} rows, the file is cut`);
      done += bytesRead;
    }
    return values;
  });
}

export function npy(values) {
  const descr = Object.keys(KINDS).find((key) => values instanceof KINDS[key]);
  const header = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${values.length},), }`;
  const padded = header.padEnd(Math.ceil((header.length + 11) / 64) * 64 - 11, ' ');
  const start = Buffer.concat([
    Buffer.from('\x93NUMPY\x01\x00', 'latin1'),
    Buffer.alloc(2),
    Buffer.from(`${padded}\n`),
  ]);
  start.writeUInt16LE(padded.length + 1, 8);
  return Buffer.concat([start, Buffer.from(values.buffer, values.byteOffset, values.byteLength)]);
}
