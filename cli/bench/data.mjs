// The files that the benchmark reads, made once and kept in a folder.
import { closeSync, existsSync, openSync, renameSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';

/** Like the scores of a classifier: dense in the middle, right more often than not. */
const LOGIT = '((random() + random() + random() - 1.5) * 8 - 2)::FLOAT';
const ROWS = `SELECT range AS id, ${LOGIT} AS logit, (random() < 0.2)::UTINYINT AS label FROM range(COUNT)`;

export async function makeData(folder, scale) {
  const rows = (count) => Math.round(count * scale);
  const elements = rows(250e6);
  const file = (name) => join(folder, `${name}`);
  const once = async (name, make) => {
    if (existsSync(file(name))) return;
    await make(`${file(name)}.part`);
    renameSync(`${file(name)}.part`, file(name));
  };
  const instance = await DuckDBInstance.create(':memory:', { memory_limit: '4GB' });
  const connection = await instance.connect();
  await connection.run(`SET temp_directory = '${folder}'`);
  const copy = (count, format) => (to) =>
    connection.run(`COPY (${ROWS.replace('COUNT', String(count))}) TO '${to}' (${format})`);
  await once('logits.npy', (to) => writeArray(to, '<f4', elements, logits));
  await once('targets.npy', (to) => writeArray(to, '|u1', elements, targets));
  await once('rows.parquet', copy(rows(50e6), 'FORMAT parquet'));
  await once(
    'one-group.parquet',
    copy(rows(90e6), `FORMAT parquet, COMPRESSION uncompressed, ROW_GROUP_SIZE ${rows(90e6)}`),
  );
  await once('constant.parquet', (to) =>
    connection.run(
      `COPY (SELECT 1.5::FLOAT AS logit, 1 AS label FROM range(${rows(100e6)})) TO '${to}' (FORMAT parquet)`,
    ),
  );
  await once('rows.csv', copy(rows(20e6), 'FORMAT csv'));
  await once('rows.csv.gz', copy(rows(5e6), 'FORMAT csv, COMPRESSION gzip'));
  connection.closeSync();
  instance.closeSync();
  await once('small-x.npy', (to) => writeArray(to, '<f4', 10_000, logits));
  await once('small-y.npy', (to) => writeArray(to, '|u1', 10_000, targets));
  return { file, rows, elements };
}

const PIECE = 1 << 22;

function logits(length) {
  return Float32Array.from({ length }, () => (Math.random() + Math.random() + Math.random() - 1.5) * 8 - 2);
}

function targets(length) {
  return Uint8Array.from({ length }, () => (Math.random() < 0.2 ? 1 : 0));
}

/** The same piece over and over, as often as it takes. */
function writeArray(to, descr, length, make) {
  const dict = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${length},), }`;
  const size = Math.ceil((11 + dict.length) / 64) * 64;
  const header = Buffer.alloc(size, ' ');
  header.write('\x93NUMPY\x01\x00', 'latin1');
  header.writeUInt16LE(size - 10, 8);
  header.write(dict, 10);
  header[size - 1] = 10;
  const handle = openSync(to, 'w');
  writeSync(handle, header);
  const piece = make(Math.min(length, PIECE));
  for (let done = 0; done < length; done += piece.length)
    writeSync(handle, piece.subarray(0, Math.min(piece.length, length - done)));
  closeSync(handle);
}
