// Files that a user may have, of the same rows.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { binaryInputs } from '../../bench/inputs.mjs';

const ROWS = 3000;
const { logits, targets } = binaryInputs(ROWS);

/** What every file below says. */
export const truth = { logits, targets, probabilities: Float64Array.from(logits, (x) => 1 / (1 + Math.exp(-x))) };

/** Writes the files to a folder. */
export async function writeData(folder) {
  mkdirSync(folder);
  for (const [name, bytes] of Object.entries(dataFiles())) writeFileSync(join(folder, name), bytes);
  return { folder };
}

function dataFiles() {
  const rows = Array.from(logits, (x, k) => [k, x, targets[k]]);
  const words = Array.from(truth.probabilities, (p, k) => `${p};${targets[k] === 1 ? 'spam' : 'ham'}`);
  return {
    'scores.csv': Buffer.from(`id,logit,label\n${rows.map((row) => row.join()).join('\n')}\n`),
    'words.csv': Buffer.from(`proba;kind\r\n${words.join('\r\n')}\r\n`),
    'bare.csv': Buffer.from('0.9,spam\n0.2,ham\n'),
    'pandas.csv': Buffer.from('0,1\n0.5,1\n-1.2,0\n'),
    'first.npy': npy('<f4', logits),
    'second.npy': npy('|u1', targets),
    'scores.parquet': Buffer.from(
      parquetWriteBuffer({
        columnData: [
          { name: 'score', data: logits, type: 'FLOAT' },
          { name: 'y', data: Int32Array.from(targets), type: 'INT32' },
        ],
      }),
    ),
  };
}

function npy(descr, values) {
  const start = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${values.length},), }`;
  const head = `${start.padEnd(64 * Math.ceil((start.length + 11) / 64) - 11)}\n`;
  const length = Buffer.from([head.length & 255, head.length >> 8]);
  const body = Buffer.from(values.buffer, values.byteOffset, values.byteLength);
  return Buffer.concat([Buffer.from('\x93NUMPY\x01\x00', 'latin1'), length, Buffer.from(head, 'latin1'), body]);
}
