// Writes scores and labels of a rare class to try the cluster with; the same on every machine.
//   node make-data.mjs DIRECTORY [FILES=4] [ROWS=2000000]
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parquetWriteBuffer } from 'hyparquet-writer';

const [directory, files = '4', rows = '2000000'] = process.argv.slice(2);
await mkdir(directory, { recursive: true });
for (let file = 0; file < Number(files); file++) {
  const random = xorshift(file + 1);
  const logit = new Float32Array(Number(rows));
  const label = new Int32Array(Number(rows));
  for (let row = 0; row < logit.length; row++) {
    label[row] = random() < 0.02 ? 1 : 0;
    logit[row] = 4 * (random() + random() + random() - 1.5) + (label[row] === 1 ? 1 : -3);
  }
  const buffer = parquetWriteBuffer({
    columnData: [
      { name: 'logit', data: logit, type: 'FLOAT' },
      { name: 'label', data: label, type: 'INT32' },
    ],
    rowGroupSize: Math.ceil(Number(rows) / 8),
  });
  await writeFile(join(directory, `part-${String(file).padStart(4, '0')}.parquet`), new Uint8Array(buffer));
}

/** Numbers in [0, 1). */
function xorshift(seed) {
  let state = seed * 2_654_435_761;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}
